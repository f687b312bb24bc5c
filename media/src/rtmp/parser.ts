/**
 * node-media-server's RTMP parser, of whose package this one file is loaded and what it needs: the package is CommonJS
 * and brings no types. `protocol.ts` puts bounds in the place of its steps.
 */
import { createRequire } from 'node:module';

interface PartialMessage {
  header: { fmt: number; cid: number; timestamp: number; length: number; type: number; stream_id: number };
  /** Of the message, ms; grows beyond 32 bit where the encoder sends differences. */
  clock: number;
  payload: Buffer;
  capacity: number;
  bytes: number;
}

export interface RtmpParser {
  streamApp: unknown;
  streamName: string;
  streamId: number;
  inChunkSize: number;
  /** By chunk stream. */
  inPackets: Map<number, PartialMessage>;
  /** The one that the present chunk belongs to. */
  parserPacket: PartialMessage;
  onOutputCallback: (bytes: Buffer) => void;
  /** Throws at what it cannot read. */
  parserData(bytes: Buffer): string | null;
  packetAlloc(): void;
  packetHandler(): void;
  controlHandler(): void;
  dataHandler(): void;
  invokeHandler(): void;
  onPublish(message: { streamName?: unknown }): void;
  onPlay(): void;
  onDeleteStream(): void;
  respondPublish(): void;
  sendACK(bytes: number): void;
  /** @param description ASCII: others are sent with a wrong length */
  sendStatusMessage(streamId: number, level: 'status' | 'error', code: string, description: string): void;
}

const load = createRequire(import.meta.url);
const Parser = load('node-media-server/src/protocol/rtmp.js') as new () => RtmpParser;
const logger = load('node-media-server/src/core/logger.js') as { log(message: string): void };
// It writes what strangers send to standard output.
logger.log = () => undefined;

export function createParser(): RtmpParser {
  return new Parser();
}
