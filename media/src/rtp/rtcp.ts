/**
 * RTCP (RFC 3550 §6, feedback of RFC 4585, reference times of RFC 3611): the few messages that a publisher and this
 * receiver exchange.
 *
 * Parsing never throws; unknown and broken messages are skipped. Senders that negotiated `rtcp-rsize` (RFC 5506) may be
 * sent single messages, so the builders make one message each.
 */

export type RtcpMessage =
  /** `ntpMs` is the sender's clock, in ms since the Unix epoch. */
  | { type: 'sender-report'; ssrc: number; ntpMs: number; ntpMiddle: number; rtpTimestamp: number }
  | { type: 'bye'; ssrcs: number[] }
  | { type: 'reference-echo'; echoes: ReferenceEcho[] }
  | { type: 'nack'; mediaSsrc: number; sequences: number[] }
  | { type: 'key-request'; mediaSsrc: number };

/** A reference time sent back (RFC 3611 §4.5). */
export interface ReferenceEcho {
  /** Of whoever sent the reference time. */
  ssrc: number;
  /** The reference time in 1/65536 s, without its upper bits; 0 when none had come. */
  referenceTicks: number;
  /** How long the sender kept it, in the same ticks. */
  keptTicks: number;
}

const senderReport = 200;
const receiverReport = 201;
const description = 202;
const goodbye = 203;
const transportFeedback = 205;
const payloadFeedback = 206;
const extendedReport = 207;
const nackFormat = 1;
const pliFormat = 1;
const firFormat = 4;
const referenceTimeBlock = 4;
const referenceEchoBlock = 5;
/** Seconds from 1900 (NTP) to 1970 (Unix). */
const ntpEpochOffsetSeconds = 2_208_988_800;

export function parseRtcp(buffer: Buffer): RtcpMessage[] {
  const messages: RtcpMessage[] = [];
  let offset = 0;
  while (offset + 4 <= buffer.length) {
    if (buffer[offset]! >> 6 !== 2) break;
    const end = offset + 4 + buffer.readUInt16BE(offset + 2) * 4;
    if (end > buffer.length) break;
    const message = parseOne(buffer, offset, end);
    if (message !== null) messages.push(message);
    offset = end;
  }
  return messages;
}

function parseOne(buffer: Buffer, start: number, end: number): RtcpMessage | null {
  const count = buffer[start]! & 0x1f;
  const type = buffer[start + 1]!;
  if (type === senderReport && end - start >= 28) {
    const seconds = buffer.readUInt32BE(start + 8);
    const fraction = buffer.readUInt32BE(start + 12);
    return {
      type: 'sender-report',
      ssrc: buffer.readUInt32BE(start + 4),
      ntpMs: (seconds - ntpEpochOffsetSeconds) * 1000 + (fraction * 1000) / 2 ** 32,
      ntpMiddle: ((seconds & 0xffff) * 0x10000 + (fraction >>> 16)) >>> 0,
      rtpTimestamp: buffer.readUInt32BE(start + 16),
    };
  }
  if (type === goodbye) {
    const ssrcs: number[] = [];
    for (let at = start + 4; ssrcs.length < count && at + 4 <= end; at += 4) ssrcs.push(buffer.readUInt32BE(at));
    return { type: 'bye', ssrcs };
  }
  if (type === extendedReport) return parseExtendedReport(buffer, start, end);
  if (end - start < 12) return null;
  const mediaSsrc = buffer.readUInt32BE(start + 8);
  if (type === transportFeedback && count === nackFormat) {
    const sequences: number[] = [];
    for (let at = start + 12; at + 4 <= end; at += 4) {
      const first = buffer.readUInt16BE(at);
      const mask = buffer.readUInt16BE(at + 2);
      sequences.push(first);
      for (let bit = 0; bit < 16; bit += 1) {
        if ((mask & (1 << bit)) !== 0) sequences.push((first + bit + 1) & 0xffff);
      }
    }
    return { type: 'nack', mediaSsrc, sequences };
  }
  if (type === payloadFeedback && count === pliFormat) return { type: 'key-request', mediaSsrc };
  if (type === payloadFeedback && count === firFormat && end - start >= 20) {
    return { type: 'key-request', mediaSsrc: buffer.readUInt32BE(start + 12) };
  }
  return null;
}

function parseExtendedReport(buffer: Buffer, start: number, end: number): RtcpMessage | null {
  const echoes: ReferenceEcho[] = [];
  for (let block = start + 8; block + 4 <= end; ) {
    const blockEnd = block + 4 + buffer.readUInt16BE(block + 2) * 4;
    if (blockEnd > end) break;
    for (let at = block + 4; buffer[block] === referenceEchoBlock && at + 12 <= blockEnd; at += 12) {
      const [ssrc, referenceTicks] = [buffer.readUInt32BE(at), buffer.readUInt32BE(at + 4)];
      echoes.push({ ssrc, referenceTicks, keptTicks: buffer.readUInt32BE(at + 8) });
    }
    block = blockEnd;
  }
  return echoes.length === 0 ? null : { type: 'reference-echo', echoes };
}

function startMessage(words: number, count: number, type: number, senderSsrc: number): Buffer {
  const buffer = Buffer.alloc(words * 4);
  buffer[0] = 0x80 | count;
  buffer[1] = type;
  buffer.writeUInt16BE(words - 1, 2);
  buffer.writeUInt32BE(senderSsrc >>> 0, 4);
  return buffer;
}

/** Picture Loss Indication (RFC 4585 §6.3.1). */
export function buildKeyRequest(senderSsrc: number, mediaSsrc: number): Buffer {
  const buffer = startMessage(3, pliFormat, payloadFeedback, senderSsrc);
  buffer.writeUInt32BE(mediaSsrc >>> 0, 8);
  return buffer;
}

/** Generic NACK (RFC 4585 §6.2.1). `sequences` may be in any order; taken modulo 2^16. */
export function buildNack(senderSsrc: number, mediaSsrc: number, sequences: readonly number[]): Buffer {
  const sorted = [...new Set(sequences)].sort((a, b) => a - b);
  const items: { first: number; mask: number }[] = [];
  for (const sequence of sorted) {
    const last = items.at(-1);
    const distance = last === undefined ? 0 : sequence - last.first;
    if (last !== undefined && distance <= 16) last.mask |= 1 << (distance - 1);
    else items.push({ first: sequence, mask: 0 });
  }
  const buffer = startMessage(3 + items.length, nackFormat, transportFeedback, senderSsrc);
  buffer.writeUInt32BE(mediaSsrc >>> 0, 8);
  items.forEach(({ first, mask }, index) => {
    buffer.writeUInt16BE(first & 0xffff, 12 + index * 4);
    buffer.writeUInt16BE(mask, 14 + index * 4);
  });
  return buffer;
}

export interface ReportBlock {
  mediaSsrc: number;
  /** 0 to 1, since the last report. */
  fractionLost: number;
  totalLost: number;
  /** Extended; taken modulo 2^32. */
  highestSequence: number;
  /** In clock ticks of the stream. */
  jitterTicks: number;
  /** Middle 32 bits of the last sender report's NTP time, 0 for none, and how long ago it came. */
  lastReportNtp: number;
  sinceLastReportMs: number;
}

/** Receiver report (RFC 3550 §6.4.2). */
export function buildReceiverReport(senderSsrc: number, blocks: readonly ReportBlock[]): Buffer {
  const buffer = startMessage(2 + blocks.length * 6, blocks.length, receiverReport, senderSsrc);
  blocks.forEach((block, index) => {
    const at = 8 + index * 24;
    buffer.writeUInt32BE(block.mediaSsrc >>> 0, at);
    buffer[at + 4] = Math.max(0, Math.min(255, Math.floor(block.fractionLost * 256)));
    buffer.writeUIntBE(Math.max(0, Math.min(0x7fffff, block.totalLost)), at + 5, 3);
    buffer.writeUInt32BE(block.highestSequence >>> 0, at + 8);
    buffer.writeUInt32BE(block.jitterTicks >>> 0, at + 12);
    buffer.writeUInt32BE(block.lastReportNtp >>> 0, at + 16);
    buffer.writeUInt32BE(Math.round((block.sinceLastReportMs * 65536) / 1000) >>> 0, at + 20);
  });
  return buffer;
}

/** The middle 32 bits of an NTP time: 1/65536 s, wraps after 18 hours. */
const ticksPerMs = 65_536 / 1000;

/** Receiver reference time (RFC 3611 §4.4). Only whoever sends it reads it, so any steady clock will do. */
export function buildReferenceTime(senderSsrc: number, nowMs: number): Buffer {
  const buffer = startMessage(5, 0, extendedReport, senderSsrc);
  buffer[8] = referenceTimeBlock;
  buffer.writeUInt16BE(2, 10);
  const ticks = Math.floor(nowMs * ticksPerMs);
  buffer.writeUInt32BE(Math.floor(ticks / 65_536) >>> 0, 12);
  buffer.writeUInt32BE(((ticks % 65_536) * 65_536) >>> 0, 16);
  return buffer;
}

/** From a reference time to its echo, without the time that the sender kept it; null when it answers none. */
export function roundTripMs(echo: ReferenceEcho, nowMs: number): number | null {
  if (echo.referenceTicks === 0) return null;
  const nowTicks = Math.floor(nowMs * ticksPerMs) % 2 ** 32;
  return ((nowTicks - echo.referenceTicks - echo.keptTicks) | 0) / ticksPerMs;
}

export interface SenderReportFields {
  ssrc: number;
  /** Sender's clock, ms since the Unix epoch. */
  ntpMs: number;
  /** The same instant on the stream's clock; taken modulo 2^32. */
  rtpTimestamp: number;
  packets: number;
  bytes: number;
}

/** Sender report without report blocks (RFC 3550 §6.4.1). */
export function buildSenderReport(fields: SenderReportFields): Buffer {
  const buffer = startMessage(7, 0, senderReport, fields.ssrc);
  const seconds = Math.floor(fields.ntpMs / 1000);
  buffer.writeUInt32BE((seconds + ntpEpochOffsetSeconds) >>> 0, 8);
  buffer.writeUInt32BE(Math.floor(((fields.ntpMs - seconds * 1000) / 1000) * 2 ** 32) >>> 0, 12);
  buffer.writeUInt32BE(fields.rtpTimestamp >>> 0, 16);
  buffer.writeUInt32BE(fields.packets >>> 0, 20);
  buffer.writeUInt32BE(fields.bytes >>> 0, 24);
  return buffer;
}

/** Source description with a CNAME (RFC 3550 §6.5), which a compound packet must carry. */
export function buildDescription(ssrc: number, cname: string): Buffer {
  const text = Buffer.from(cname.slice(0, 200), 'latin1');
  const words = 1 + Math.ceil((4 + 2 + text.length + 1) / 4);
  const buffer = startMessage(words, 1, description, ssrc);
  buffer[8] = 1;
  buffer[9] = text.length;
  text.copy(buffer, 10);
  return buffer;
}

/** Goodbye (RFC 3550 §6.6). */
export function buildGoodbye(ssrc: number): Buffer {
  return startMessage(2, 1, goodbye, ssrc);
}
