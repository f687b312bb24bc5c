/**
 * What MP4 needs to know about H.264: the fields of a sequence parameter set (ITU-T H.264 §7.3.2.1) and the decoder
 * configuration record (ISO/IEC 14496-15 §5.3.3). Garbage yields null, never an exception.
 */

export interface SpsInfo {
  profile: number;
  /** The constraint_set flags byte. */
  constraints: number;
  level: number;
  /** Pixels to show, after cropping. */
  width: number;
  height: number;
}

interface BitReader {
  bits(count: number): number;
  /** Unsigned Exp-Golomb code (§9.1). */
  ue(): number;
  se(): number;
  readonly isBeyondEnd: boolean;
}

/** NAL bytes without emulation prevention (§7.4.1). */
function unescape(nal: Uint8Array): Uint8Array {
  const out = new Uint8Array(nal.length);
  let length = 0;
  let zerosInARow = 0;
  for (const byte of nal) {
    if (zerosInARow >= 2 && byte === 3) {
      zerosInARow = 0;
      continue;
    }
    zerosInARow = byte === 0 ? zerosInARow + 1 : 0;
    out[length] = byte;
    length += 1;
  }
  return out.subarray(0, length);
}

function createBitReader(bytes: Uint8Array): BitReader {
  let position = 0;
  let isBeyondEnd = false;
  const bit = (): number => {
    const byte = bytes[position >> 3];
    if (byte === undefined) {
      isBeyondEnd = true;
      return 0;
    }
    const value = (byte >> (7 - (position & 7))) & 1;
    position += 1;
    return value;
  };
  const bits = (count: number): number => {
    let value = 0;
    for (let index = 0; index < count; index += 1) value = value * 2 + bit();
    return value;
  };
  const ue = (): number => {
    let leading = 0;
    while (bit() === 0) {
      leading += 1;
      if (leading > 31 || isBeyondEnd) {
        isBeyondEnd = true;
        return 0;
      }
    }
    return 2 ** leading - 1 + bits(leading);
  };
  const se = (): number => {
    const code = ue();
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
  };
  return {
    bits,
    ue,
    se,
    get isBeyondEnd() {
      return isBeyondEnd;
    },
  };
}

const highProfiles = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);
/** Larger pictures are refused: no phone sends them, and a viewer's decoder would not take them. */
const maxSidePixels = 8192;

/** @param nal with its header byte */
export function parseSps(nal: Uint8Array): SpsInfo | null {
  if (nal.length < 5 || (nal[0]! & 0x1f) !== 7) return null;
  const reader = createBitReader(unescape(nal.subarray(1)));
  const profile = reader.bits(8);
  const constraints = reader.bits(8);
  const level = reader.bits(8);
  reader.ue();
  const chroma = highProfiles.has(profile) ? readHighProfile(reader) : 1;
  reader.ue();
  skipOrderCount(reader);
  reader.ue();
  reader.bits(1);
  const widthMacroblocks = reader.ue() + 1;
  const heightUnits = reader.ue() + 1;
  const isFrameOnly = reader.bits(1);
  if (isFrameOnly === 0) reader.bits(1);
  reader.bits(1);
  let width = widthMacroblocks * 16;
  let height = heightUnits * 16 * (2 - isFrameOnly);
  if (reader.bits(1) === 1) {
    const cropX = chroma === 1 || chroma === 2 ? 2 : 1;
    const cropY = (chroma === 1 ? 2 : 1) * (2 - isFrameOnly);
    width -= (reader.ue() + reader.ue()) * cropX;
    height -= (reader.ue() + reader.ue()) * cropY;
  }
  const isSound = width > 0 && height > 0 && width <= maxSidePixels && height <= maxSidePixels;
  return reader.isBeyondEnd || !isSound ? null : { profile, constraints, level, width, height };
}

/** Returns chroma_format_idc. */
function readHighProfile(reader: BitReader): number {
  const chroma = reader.ue();
  if (chroma === 3) reader.bits(1);
  reader.ue();
  reader.ue();
  reader.bits(1);
  if (reader.bits(1) === 1) {
    for (let index = 0; index < (chroma === 3 ? 12 : 8); index += 1) {
      if (reader.bits(1) === 1) skipScalingList(reader, index < 6 ? 16 : 64);
    }
  }
  return chroma;
}

function skipScalingList(reader: BitReader, size: number): void {
  let last = 8;
  let next = 8;
  for (let index = 0; index < size && !reader.isBeyondEnd; index += 1) {
    if (next !== 0) next = (last + reader.se() + 256) % 256;
    last = next === 0 ? last : next;
  }
}

function skipOrderCount(reader: BitReader): void {
  const type = reader.ue();
  if (type === 0) {
    reader.ue();
  } else if (type === 1) {
    reader.bits(1);
    reader.se();
    reader.se();
    const cycles = Math.min(reader.ue(), 255);
    for (let index = 0; index < cycles; index += 1) reader.se();
  }
}

/** `avcC` payload with 4-byte NAL lengths. */
export function avcConfiguration(sps: Uint8Array, pps: readonly Uint8Array[]): Buffer {
  const head = [1, sps[1]!, sps[2]!, sps[3]!, 0xff, 0xe1, sps.length >> 8, sps.length & 0xff];
  const parts: Uint8Array[] = [Buffer.from(head), sps, Buffer.from([pps.length])];
  for (const set of pps) parts.push(Buffer.from([set.length >> 8, set.length & 0xff]), set);
  return Buffer.concat(parts);
}

/** RFC 6381 form, e.g. `avc1.42e01f`. */
export function avcCodecString(info: SpsInfo): string {
  const hex = (value: number): string => value.toString(16).padStart(2, '0');
  return `avc1.${hex(info.profile)}${hex(info.constraints)}${hex(info.level)}`;
}
