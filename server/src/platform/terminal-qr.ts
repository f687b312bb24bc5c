/** A QR code in a terminal, two rows of it in one line. */
import { encode } from 'uqr';

/** Modules of quiet around the code: ISO/IEC 18004 wants 4; phones read it with 2, and it fits more terminals. */
const QUIET = 2;
/** Black on bright white whatever the terminal's own colours are: some phones do not read a code that is inverted. */
const BLACK_ON_WHITE = '\u001B[30;107m';
const RESET = '\u001B[0m';
const HALVES = [[' ', '▄'], ['▀', '█']] as const;

/** Lines to print; none when the code is wider than `columns`. */
export function qrLines(text: string, columns: number): string[] {
  const { data, size } = encode(text, { ecc: 'L', border: QUIET });
  if (size > columns) return [];
  const lines: string[] = [];
  for (let row = 0; row < size; row += 2) {
    const upper = data[row] ?? [];
    const lower = data[row + 1] ?? [];
    const cells = upper.map((isDark, column) => HALVES[isDark ? 1 : 0][lower[column] ? 1 : 0]);
    lines.push(`${BLACK_ON_WHITE}${cells.join('')}${RESET}`);
  }
  return lines;
}
