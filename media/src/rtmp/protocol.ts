/**
 * One encoder's RTMP connection (Adobe's RTMP 1.0 of 2012): handshake, chunks and commands by a library's parser
 * (`parser.ts`). Knows no socket and no clock.
 *
 * The parser trusts who sends; the bounds are here, put in the place of its own steps: it holds no more than
 * `heldBytes` whatever the lengths in chunk headers say, media before the key was found right is no message at all,
 * and what it throws ends this connection only.
 */
import { createParser } from './parser.ts';

export const rtmpLimits = {
  /** Of one picture. A key picture at 20 Mbit/s stays below; more lets one fill memory. */
  messageBytes: 2 * 1024 * 1024,
  /** Of a message before the key was found right, and of any command: FFmpeg's and OBS's have 300 bytes. */
  commandBytes: 8 * 1024,
  /** Of `onMetaData`: encoders put titles and comments in. */
  dataBytes: 64 * 1024,
  /** Of all messages that are half here. Pictures and sound come on chunk streams of their own. */
  heldBytes: 5 * 1024 * 1024,
  /** Encoders use five. */
  chunkStreams: 16,
  /** Encoders send eight in all. */
  commands: 64,
} as const;

/** How much may come unacknowledged; encoders that count wait beyond the window that we name (5 MB). */
const acknowledgeEvery = 2_000_000;
const wrapsAt = 2 ** 32;
/** §5.2.2: version 3 in the first byte; 6 would be RTMPE. */
const plainVersion = 3;
const typeSetChunkSize = 1;
const typeWindow = 5;
const typeAudio = 8;
const typeVideo = 9;
const typeData = 18;
const typeDataAmf3 = 15;
/** §5.4.1: its first bit is zero, and no message is longer. */
const largestChunk = 0xff_ffff;

export interface RtmpMessage {
  kind: 'video' | 'audio' | 'data';
  /** Milliseconds, wraps at 32 bit. */
  timestamp: number;
  /** An FLV tag's body. Belongs to who gets it. */
  payload: Buffer;
}

export interface RtmpProtocolDeps {
  send(bytes: Buffer): void;
  /** The encoder asks to publish under this name. Once; answer by `accept` or `refuse`. */
  onPublish(streamName: string): void;
  /** Only after `accept`. */
  onMedia(message: RtmpMessage): void;
  /** The encoder says goodbye. */
  onGoodbye(): void;
  /** A message is whole: false when too many come. */
  admits(): boolean;
}

export interface RtmpProtocol {
  /** False when it is not RTMP, or beyond a bound: close the connection. Never throws. */
  take(bytes: Buffer): boolean;
  accept(): void;
  /** @param reason a sentence for who looks at the encoder's log, ASCII */
  refuse(reason: string): void;
}

export function createRtmpProtocol(deps: RtmpProtocolDeps): RtmpProtocol {
  const rtmp = createParser();
  let state: 'new' | 'asked' | 'publishing' | 'refused' = 'new';
  let received = 0;
  let acknowledged = 0;
  let commands = 0;

  const mostOf = (type: number): number => {
    if (state !== 'publishing') return rtmpLimits.commandBytes;
    if (type === typeVideo || type === typeAudio) return rtmpLimits.messageBytes;
    return type === typeData || type === typeDataAmf3 ? rtmpLimits.dataBytes : rtmpLimits.commandBytes;
  };
  const heldBytes = (): number => {
    let bytes = 0;
    for (const { capacity } of rtmp.inPackets.values()) bytes += capacity;
    return bytes;
  };

  rtmp.onOutputCallback = deps.send;
  rtmp.packetAlloc = () => {
    const { parserPacket: packet, inPackets } = rtmp;
    const { length, type } = packet.header;
    // The parser throws away what comes after 49 days of differences.
    packet.clock %= wrapsAt;
    if (inPackets.size > rtmpLimits.chunkStreams) throw new RangeError('too many chunk streams');
    if (length > mostOf(type)) throw new RangeError('too long a message');
    if (packet.capacity >= length) return;
    packet.payload = Buffer.allocUnsafe(length);
    packet.capacity = length;
    if (heldBytes() > rtmpLimits.heldBytes) throw new RangeError('too many long messages at once');
  };
  const handle = rtmp.packetHandler;
  rtmp.packetHandler = () => {
    const { header, payload } = rtmp.parserPacket;
    // A chunk in the middle of a message named another length.
    if (payload.length < header.length) throw new RangeError('the length changed');
    if (!deps.admits()) throw new RangeError('too many messages');
    handle.call(rtmp);
  };
  rtmp.controlHandler = () => {
    const { header, payload } = rtmp.parserPacket;
    if (header.type !== typeSetChunkSize && header.type !== typeWindow) return;
    if (header.length < 4) throw new RangeError('a control message without its value');
    if (header.type === typeWindow) return;
    const chunkSize = payload.readUInt32BE(0);
    if (chunkSize === 0 || chunkSize > largestChunk) throw new RangeError('no size of a chunk');
    rtmp.inChunkSize = chunkSize;
  };
  const invoke = rtmp.invokeHandler;
  rtmp.invokeHandler = () => {
    commands += 1;
    if (commands > rtmpLimits.commands) throw new RangeError('too many commands');
    invoke.call(rtmp);
  };
  rtmp.dataHandler = () => {
    const { parserPacket: packet } = rtmp;
    const { type, length } = packet.header;
    if (state !== 'publishing') return;
    const payload = packet.payload.subarray(0, length);
    // Given away: the next message gets its own.
    packet.payload = Buffer.alloc(0);
    packet.capacity = 0;
    deps.onMedia({ kind: type === typeVideo ? 'video' : type === typeAudio ? 'audio' : 'data',
      timestamp: packet.clock, payload });
  };
  rtmp.onPublish = ({ streamName }) => {
    if (state !== 'new' || typeof rtmp.streamApp !== 'string' || typeof streamName !== 'string') {
      throw new RangeError('not a time to publish');
    }
    state = 'asked';
    rtmp.streamName = streamName.split('?')[0]!;
    rtmp.streamId = rtmp.parserPacket.header.stream_id;
    deps.onPublish(rtmp.streamName);
  };
  rtmp.onPlay = () => {
    rtmp.sendStatusMessage(rtmp.parserPacket.header.stream_id, 'error', 'NetStream.Play.Failed',
      'Shows are watched in a browser, not by RTMP.');
    throw new RangeError('nothing is played here');
  };
  rtmp.onDeleteStream = () => {
    if (state === 'publishing') deps.onGoodbye();
  };

  return {
    take(bytes) {
      if (received === 0 && bytes.length > 0 && bytes[0] !== plainVersion) return false;
      received += bytes.length;
      try {
        if (rtmp.parserData(bytes) !== null) return false;
        if (received - acknowledged >= acknowledgeEvery) {
          acknowledged = received;
          rtmp.sendACK(received % wrapsAt);
        }
      } catch {
        // Whatever the parser stumbles over was no RTMP.
        return false;
      }
      return true;
    },
    accept() {
      if (state !== 'asked') return;
      state = 'publishing';
      rtmp.respondPublish();
    },
    refuse(reason) {
      if (state === 'new' || state === 'refused') return;
      state = 'refused';
      rtmp.sendStatusMessage(rtmp.streamId, 'error', 'NetStream.Publish.BadName', reason);
    },
  };
}
