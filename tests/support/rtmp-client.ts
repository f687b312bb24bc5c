/** The encoder's side of RTMP, byte by byte, for what no encoder sends. */
import { connect } from 'node:net';
import { once } from 'node:events';
import type { TestContext } from 'node:test';

export const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** Two 720×1280 and 640×360 sets of parameters by x264, and a picture parameter set. */
export const portraitSps = hex('6742c01fd900b40a1bff0040001b1000000300100000030320f1832480');
export const landscapeSps = hex('6764001eacd940a02ff97ff000300041000003000100000300320f162d96');
export const pps = hex('68cb83cb20');

const u16 = (value: number): Buffer => hex(value.toString(16).padStart(4, '0'));
const u24 = (value: number): Buffer => hex((value >>> 0 & 0xff_ffff).toString(16).padStart(6, '0'));
const u32 = (value: number): Buffer => hex((value >>> 0).toString(16).padStart(8, '0'));

/** Bodies of FLV tags. */
export const avcHeader = (sps: Buffer = portraitSps): Buffer => Buffer.concat([
  hex('17 00 000000 01'), sps.subarray(1, 4), hex('ff e1'), u16(sps.length), sps, hex('01'), u16(pps.length), pps,
]);
export const picture = (isKey: boolean, offsetMs = 0, fill = 1): Buffer => {
  const nal = Buffer.concat([hex(isKey ? '65' : '41'), Buffer.alloc(20, fill)]);
  return Buffer.concat([hex(isKey ? '17 01' : '27 01'), u24(offsetMs), u32(nal.length), nal]);
};
/** AAC-LC of 44.1 kHz in two channels. */
export const aacHeader = hex('af 00 1210');
export const aacPacket = (fill = 1): Buffer => Buffer.concat([hex('af 01 21'), Buffer.alloc(30, fill)]);
export const opusHeader = Buffer.concat([hex('90'), Buffer.from('OpusOpusHead'), hex('01 02 0138 0000bb80 0000 00')]);
export const opusPacket = Buffer.concat([hex('91'), Buffer.from('Opus'), hex('fc fffe')]);

export interface Chunk {
  type: number;
  timestamp?: number;
  stream?: number;
  /** The chunk stream. */
  on?: number;
  body: Buffer;
  /** Of chunks; the protocol begins with 128. */
  size?: number;
}

/** One message in chunks (RTMP 1.0 §5.3), its header of the long form. */
export function message({ type, timestamp = 0, stream = 1, on = 4, body, size = 128 }: Chunk): Buffer {
  const isExtended = timestamp >= 0xff_ffff;
  const extended = isExtended ? u32(timestamp) : Buffer.alloc(0);
  const streamId = Buffer.alloc(4);
  streamId.writeUInt32LE(stream);
  const parts = [
    Buffer.from([on]), u24(isExtended ? 0xff_ffff : timestamp), u24(body.length), Buffer.from([type]), streamId,
    extended,
  ];
  for (let at = 0; at < body.length; at += size) {
    if (at > 0) parts.push(Buffer.from([0xc0 | on]), extended);
    parts.push(body.subarray(at, at + size));
  }
  return Buffer.concat(parts);
}

const text = (value: string): Buffer => Buffer.concat([hex('02'), u16(value.length), Buffer.from(value)]);
const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(9);
  bytes.writeDoubleBE(value, 1);
  return bytes;
};
const property = (name: string, value: string): Buffer => (
  Buffer.concat([u16(name.length), Buffer.from(name), text(value)])
);

export const command = (name: string, transaction: number, ...rest: readonly Buffer[]): Buffer => message({
  type: 20, stream: 0, on: 3, body: Buffer.concat([text(name), number(transaction), ...rest]),
});
export const handshake = Buffer.concat([hex('03'), Buffer.alloc(1536), Buffer.alloc(1536)]);
export const connectCommand = command('connect', 1, hex('03'), property('app', 'live'),
  property('tcUrl', 'rtmp://127.0.0.1/live'), hex('000009'));
export const createStream = command('createStream', 2, hex('05'));
export const publish = (key: string): Buffer => command('publish', 3, hex('05'), text(key), text('live'));
export const hello = (key: string): Buffer => Buffer.concat([handshake, connectCommand, createStream, publish(key)]);

export interface RtmpLine {
  send(bytes: Buffer): void;
  /** All that came, as text. */
  heard(): string;
  /** Resolves with all that came once the other side has closed. */
  closed: Promise<string>;
  end(): void;
}

export async function openRtmp(t: TestContext, port: number, first?: Buffer): Promise<RtmpLine> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  t.after(() => socket.destroy());
  let heard = '';
  socket.on('data', (bytes: Buffer) => { heard += bytes.toString('latin1'); });
  socket.on('error', () => undefined);
  const closed = new Promise<string>((done) => socket.once('close', () => done(heard)));
  if (first) socket.write(first);
  return {
    send: (bytes) => void socket.write(bytes),
    heard: () => heard,
    closed,
    end: () => void socket.destroy(),
  };
}
