/** H.264 as a byte stream (ITU-T H.264 annex B), as encoders of browsers give it, to NAL units. */
import { nalType, type NalUnit } from '../rtp/h264.ts';

const startCode = Buffer.from([0, 0, 1]);
/** A picture has some slices and parameter sets; more is an attack or a mistake. */
const maxNals = 512;

export interface ParsedPicture {
  nals: NalUnit[];
  isKey: boolean;
}

/** Null for what is no whole picture. The units are views of `bytes`. Never throws. */
export function parseAnnexB(bytes: Buffer): ParsedPicture | null {
  const nals: NalUnit[] = [];
  let start = bytes.indexOf(startCode);
  // Only zeros may stand before the first one (§B.1.1).
  if (start === -1 || start > 16 || bytes.subarray(0, start).some((byte) => byte !== 0)) return null;
  while (start !== -1) {
    if (nals.length >= maxNals) return null;
    const next = bytes.indexOf(startCode, start + startCode.length);
    let end = next === -1 ? bytes.length : next;
    // trailing_zero_8bits, or the first zero of a start code of four bytes: a unit never ends with a zero (§7.4.1).
    while (end > start && bytes[end - 1] === 0) end -= 1;
    const unit = bytes.subarray(start + startCode.length, end);
    start = next;
    if (unit.length === 0) continue;
    nals.push({ type: unit[0]! & 0x1f, size: unit.length, chunks: [unit] });
  }
  const isKey = nals.some(({ type }) => type === nalType.idr);
  return isKey || nals.some(({ type }) => type === nalType.slice) ? { nals, isKey } : null;
}
