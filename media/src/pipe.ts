/**
 * The pipe between the main process and the media process: messages with a JSON head and a body of bytes.
 *
 * Frame: total length after this field (u32 LE), head length (u32 LE), head, body. Both ends bound what they accept and
 * what they hold; a broken frame ends the pipe, because nothing after it can be trusted.
 */
import type { Duplex } from 'node:stream';

/**
 * A key picture of 4 MB plus its head. Smaller: such pictures end the pipe; larger: a broken length takes the memory.
 */
export const maxFrameBytes = 8 * 1024 * 1024;
const maxHeadBytes = 256 * 1024;
/**
 * The main process stood still for about 5 s with 20 publishers. Smaller: short pauses drop pictures; larger: memory.
 */
export const maxQueuedBytes = 32 * 1024 * 1024;
/** What is not dropped is small. So much of it waits only for an end that will never read again. */
const brokenAtBytes = 2 * maxQueuedBytes;

export interface PipeMessage {
  head: { type: string } & Record<string, unknown>;
  body: Buffer;
}

const noBody = Buffer.alloc(0);

export function encodeFrame(head: object, body: Buffer = noBody): Buffer[] {
  const text = Buffer.from(JSON.stringify(head));
  const lengths = Buffer.allocUnsafe(8);
  lengths.writeUInt32LE(4 + text.length + body.length, 0);
  lengths.writeUInt32LE(text.length, 4);
  return body.length === 0 ? [lengths, text] : [lengths, text, body];
}

/** Feeds chunks, hands out messages; throws on a frame that cannot be one. */
export function createFrameReader(onMessage: (message: PipeMessage) => void): (chunk: Buffer) => void {
  let chunks: Buffer[] = [];
  let queued = 0;
  let wanted = 8;
  const take = (size: number): Buffer => {
    const whole = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, queued);
    queued -= size;
    chunks = queued === 0 ? [] : [whole.subarray(size)];
    return whole.subarray(0, size);
  };
  const peekLength = (): number => {
    if (chunks.length > 1 && chunks[0]!.length < 4) chunks = [Buffer.concat(chunks, queued)];
    return chunks[0]!.readUInt32LE(0);
  };
  return (chunk) => {
    chunks.push(chunk);
    queued += chunk.length;
    while (queued >= wanted) {
      const length = peekLength();
      if (length < 4 || length > maxFrameBytes) throw new Error(`a frame of ${length} bytes`);
      wanted = 4 + length;
      if (queued < wanted) return;
      const frame = take(wanted);
      wanted = 8;
      const headLength = frame.readUInt32LE(4);
      if (headLength > length - 4 || headLength > maxHeadBytes) throw new Error(`a head of ${headLength} bytes`);
      const head: unknown = JSON.parse(frame.toString('utf8', 8, 8 + headLength));
      if (typeof head !== 'object' || head === null || !('type' in head) || typeof head.type !== 'string') {
        throw new Error('a head without type');
      }
      onMessage({ head: head as PipeMessage['head'], body: frame.subarray(8 + headLength) });
    }
  };
}

export interface PipeEnd {
  /** For what must not get lost: commands, answers, comings and goings. */
  send(head: object, body?: Buffer): void;
  /** For media: false when it was dropped because the other end does not read. */
  offer(head: object, body?: Buffer): boolean;
  queuedBytes(): number;
  close(): void;
}

/** Joins frames to a stream. `onEnd` is called once, when the pipe ends or breaks. */
export function createPipeEnd(
  stream: Duplex,
  handlers: { onMessage(message: PipeMessage): void; onEnd(reason: string): void },
): PipeEnd {
  let isOver = false;
  let isCorked = false;
  const end = (reason: string): void => {
    if (isOver) return;
    isOver = true;
    stream.destroy();
    handlers.onEnd(reason);
  };
  const read = createFrameReader(handlers.onMessage);
  stream.on('data', (chunk: Buffer) => {
    try {
      read(chunk);
    } catch (error) {
      end(`unreadable: ${String(error)}`);
    }
  });
  stream.on('error', (error) => end(error.message));
  stream.on('close', () => end('closed'));
  const write = (head: object, body?: Buffer): void => {
    if (isOver) return;
    if (stream.writableLength > brokenAtBytes) return end('the other end does not read');
    // All frames of one turn of the event loop leave in one system call.
    if (!isCorked) {
      isCorked = true;
      stream.cork();
      setImmediate(() => {
        isCorked = false;
        stream.uncork();
      });
    }
    for (const part of encodeFrame(head, body)) stream.write(part);
  };
  return {
    send: write,
    offer(head, body) {
      if (isOver || stream.writableLength > maxQueuedBytes) return false;
      write(head, body);
      return true;
    },
    queuedBytes: () => stream.writableLength,
    close() {
      if (!isOver) stream.end();
    },
  };
}
