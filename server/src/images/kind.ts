/** What kind of picture bytes are, by their first bytes and not by what a name or header says. */

export type PictureKind = 'jpeg' | 'png' | 'webp' | 'avif' | 'gif';

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** Null for anything else: SVG too, which is a program as much as a picture. */
export function pictureKind(bytes: Buffer): PictureKind | null {
  const text = (from: number, to: number) => bytes.toString('latin1', from, to);
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'jpeg';
  if (bytes.subarray(0, PNG.length).equals(PNG)) return 'png';
  if (text(0, 4) === 'RIFF' && text(8, 12) === 'WEBP') return 'webp';
  if (text(0, 6) === 'GIF87a' || text(0, 6) === 'GIF89a') return 'gif';
  // ISO/IEC 14496-12 `ftyp`: the major brand, or one of the compatible ones, says AVIF.
  if (text(4, 8) === 'ftyp' && /avi[fs]/.test(text(8, Math.min(bytes.length, 64)))) return 'avif';
  return null;
}
