/** Starts the worker thread that makes AAC out of Opus when somebody needs it, and ends it when nobody does. */
import { Worker } from 'node:worker_threads';

/** AAC-LC: samples of one packet (ISO/IEC 14496-3 §4.5.1.1). */
export const aacPacketTicks = 1_024;

export interface SoundFrame {
  /** One Opus packet. */
  data: Uint8Array;
  /** In ticks of 48 kHz. */
  duration: number;
}

export type ToWorker =
  | { type: 'open'; line: number; from: number | null }
  | { type: 'close'; line: number }
  | { type: 'sound'; line: number; time: number; frames: SoundFrame[] };

export type FromWorker =
  | { type: 'packet'; line: number; time: number; data: Uint8Array }
  | { type: 'failed'; line: number; reason: string };

export interface TranscoderLine {
  /** @param time of the first frame, in ticks of 48 kHz */
  sound(time: number, frames: readonly SoundFrame[]): void;
  close(): void;
}

export interface LineHandlers {
  /** One AAC packet of 1,024 ticks, in order and without gap. */
  onPacket(time: number, data: Uint8Array): void;
  /** Nothing comes any more. Called once, never after `close`. */
  onFailed(reason: string): void;
}

export interface Transcoder {
  /**
   * @param from where encoding begins, in ticks of 48 kHz: sound before it only warms the decoder up. Without it,
   * at the first frame
   */
  open(handlers: LineHandlers, from?: number): TranscoderLine;
  /** Whether its thread is there. */
  isRunning(): boolean;
  stop(): Promise<void>;
}

/** @param lingerMs the thread stays for so long after its last line: starting one takes 150 ms of a core */
export function createTranscoder({ lingerMs = 0 }: { lingerMs?: number } = {}): Transcoder {
  const lines = new Map<number, LineHandlers>();
  let worker: Worker | null = null;
  let nextLine = 1;
  let leaving: ReturnType<typeof setTimeout> | undefined;

  const failAll = (reason: string): void => {
    const failed = [...lines.values()];
    lines.clear();
    worker = null;
    for (const { onFailed } of failed) onFailed(reason);
  };

  const start = (): Worker => {
    const started = new Worker(new URL('./worker.ts', import.meta.url));
    started.unref();
    started.on('message', (message: FromWorker) => {
      const handlers = lines.get(message.line);
      if (message.type === 'packet') return handlers?.onPacket(message.time, message.data);
      lines.delete(message.line);
      handlers?.onFailed(message.reason);
      endUnused();
    });
    started.on('error', (error) => {
      if (worker === started) failAll(String(error));
    });
    started.on('exit', (code) => {
      if (worker === started) failAll(`the worker ended with ${code}`);
    });
    return started;
  };

  const end = async (): Promise<void> => {
    const old = worker;
    worker = null;
    await old?.terminate();
  };

  /** The last line takes the thread and its memory with it. */
  const endUnused = (): void => {
    if (lines.size > 0) return;
    if (lingerMs === 0) return void end();
    clearTimeout(leaving);
    leaving = setTimeout(() => void end(), lingerMs);
    leaving.unref();
  };

  return {
    isRunning: () => worker !== null,
    open(handlers, from) {
      clearTimeout(leaving);
      const line = nextLine;
      nextLine += 1;
      lines.set(line, handlers);
      worker ??= start();
      const post = (message: ToWorker): void => worker?.postMessage(message);
      post({ type: 'open', line, from: from ?? null });
      return {
        sound(time, frames) {
          // Copied, for a view takes all the memory that it looks into along.
          const own = frames.map(({ data, duration }) => ({ data: new Uint8Array(data), duration }));
          post({ type: 'sound', line, time, frames: own });
        },
        close() {
          if (!lines.delete(line)) return;
          post({ type: 'close', line });
          endUnused();
        },
      };
    },
    async stop() {
      clearTimeout(leaving);
      lines.clear();
      await end();
    },
  };
}
