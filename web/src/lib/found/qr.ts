/** An address as a QR code: one path of an SVG, so that it prints sharp at any size. Pure. */
import { encode } from 'uqr';

// ISO/IEC 18004 asks for four modules of quiet around the code; with less, scanners miss it.
const quietModules = 4;

/** `size` in modules, the quiet zone included; `path` has one rectangle for each run of dark modules in a row. */
export function qrOf(text: string): { size: number; path: string } {
  // Medium correction: a poster in a window gets scratched and shone upon.
  const { size, data } = encode(text, { ecc: 'M', border: quietModules });
  const runs = data.flatMap((row, y) => {
    const found: string[] = [];
    for (let x = 0; x < row.length; x += 1) {
      if (!row[x]) continue;
      const start = x;
      while (row[x + 1]) x += 1;
      found.push(`M${start} ${y}h${x + 1 - start}v1H${start}z`);
    }
    return found;
  });
  return { size, path: runs.join('') };
}
