/**
 * RTP packets (RFC 3550 §5.1) with header extensions (RFC 8285): parse and build.
 *
 * Parsing never throws: what is not RTP yields null. Payloads are views of the received buffer, not copies.
 */

export interface RtpPacket {
  payloadType: number;
  marker: boolean;
  /** As on the wire, 16 bits. */
  sequence: number;
  /** As on the wire, 32 bits. */
  timestamp: number;
  ssrc: number;
  /** Transport-wide sequence number, 16 bits; -1 when the extension is absent. */
  transportSequence: number;
  /** Without padding; empty for a probe that is padding only. */
  payload: Buffer;
}

const headerBytes = 12;
/** Profile values that mark one-byte and two-byte extension headers (RFC 8285 §4.2, §4.3). */
const oneByteProfile = 0xbede;
const twoByteProfile = 0x1000;

/** True for a buffer that RFC 5761 §4 counts as RTCP when both share a port. */
export function isRtcp(buffer: Buffer): boolean {
  const type = buffer[1] ?? 0;
  return type >= 192 && type <= 223;
}

/**
 * @param transportSequenceId id of the transport-wide-cc extension as negotiated, 0 for none
 * @returns null for anything that is not a whole RTP packet
 */
export function parseRtp(buffer: Buffer, transportSequenceId: number): RtpPacket | null {
  if (buffer.length < headerBytes) return null;
  const first = buffer[0]!;
  if (first >> 6 !== 2) return null;
  let offset = headerBytes + (first & 0x0f) * 4;
  let transportSequence = -1;
  if ((first & 0x10) !== 0) {
    if (offset + 4 > buffer.length) return null;
    const profile = buffer.readUInt16BE(offset);
    const end = offset + 4 + buffer.readUInt16BE(offset + 2) * 4;
    if (end > buffer.length) return null;
    if (transportSequenceId !== 0) {
      const at = findExtension(buffer, offset + 4, end, profile, transportSequenceId);
      if (at !== -1 && extensionLength(buffer, at, profile) >= 2) transportSequence = buffer.readUInt16BE(at);
    }
    offset = end;
  }
  let end = buffer.length;
  if ((first & 0x20) !== 0) end -= buffer[end - 1]!;
  if (offset > end || ((first & 0x20) !== 0 && buffer[buffer.length - 1] === 0)) return null;
  const second = buffer[1]!;
  return {
    payloadType: second & 0x7f,
    marker: second >= 0x80,
    sequence: buffer.readUInt16BE(2),
    timestamp: buffer.readUInt32BE(4),
    ssrc: buffer.readUInt32BE(8),
    transportSequence,
    payload: buffer.subarray(offset, end),
  };
}

/**
 * The text of a header extension of whole packets, e.g. a RID (RFC 8852 §3); null when it is absent. Only for packets
 * that `parseRtp` took.
 */
export function extensionText(buffer: Buffer, id: number): string | null {
  const first = buffer[0]!;
  if ((first & 0x10) === 0) return null;
  const start = headerBytes + (first & 0x0f) * 4;
  const profile = buffer.readUInt16BE(start);
  const at = findExtension(buffer, start + 4, start + 4 + buffer.readUInt16BE(start + 2) * 4, profile, id);
  return at === -1 ? null : buffer.toString('latin1', at, at + extensionLength(buffer, at, profile));
}

/** Where the data of an extension begins; -1 when it is absent. */
function findExtension(buffer: Buffer, from: number, end: number, profile: number, wantedId: number): number {
  const isOneByte = profile === oneByteProfile;
  if (!isOneByte && (profile & 0xfff0) !== twoByteProfile) return -1;
  let offset = from;
  while (offset < end) {
    const head = buffer[offset]!;
    if (head === 0) {
      offset += 1;
      continue;
    }
    const id = isOneByte ? head >> 4 : head;
    if (isOneByte && id === 15) return -1;
    offset += isOneByte ? 1 : 2;
    if (offset > end) return -1;
    const length = extensionLength(buffer, offset, profile);
    if (offset + length > end) return -1;
    if (id === wantedId) return offset;
    offset += length;
  }
  return -1;
}

/** The byte before the data tells it, in both forms. */
function extensionLength(buffer: Buffer, dataAt: number, profile: number): number {
  const byte = buffer[dataAt - 1]!;
  return profile === oneByteProfile ? (byte & 0x0f) + 1 : byte;
}

export interface RtpFields {
  payloadType: number;
  marker: boolean;
  /** Taken modulo 2^16. */
  sequence: number;
  /** Taken modulo 2^32. */
  timestamp: number;
  ssrc: number;
  /** Omitted: no extension. */
  transport?: { id: number; sequence: number };
}

/** One RTP packet; the payload is the concatenation of `parts`. */
export function buildRtp(fields: RtpFields, parts: readonly Uint8Array[]): Buffer {
  const extensionBytes = fields.transport === undefined ? 0 : 8;
  let size = headerBytes + extensionBytes;
  for (const part of parts) size += part.length;
  const buffer = Buffer.allocUnsafe(size);
  buffer[0] = fields.transport === undefined ? 0x80 : 0x90;
  buffer[1] = (fields.marker ? 0x80 : 0) | (fields.payloadType & 0x7f);
  buffer.writeUInt16BE(fields.sequence & 0xffff, 2);
  buffer.writeUInt32BE(fields.timestamp >>> 0, 4);
  buffer.writeUInt32BE(fields.ssrc >>> 0, 8);
  if (fields.transport !== undefined) {
    buffer.writeUInt16BE(oneByteProfile, 12);
    buffer.writeUInt16BE(1, 14);
    buffer[16] = (fields.transport.id << 4) | 1;
    buffer.writeUInt16BE(fields.transport.sequence & 0xffff, 17);
    buffer[19] = 0;
  }
  let offset = headerBytes + extensionBytes;
  for (const part of parts) {
    buffer.set(part, offset);
    offset += part.length;
  }
  return buffer;
}
