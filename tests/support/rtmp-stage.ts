/** The server's RTMP port with nothing behind it but its publishers; the key is the stream's id. */
import { spawn } from 'node:child_process';
import type { TestContext } from 'node:test';
import type { MediaEvent } from '@nacre/media/hooks';
import { createPublisherRegistry, type PublisherRegistry } from '@nacre/media/publishing/registry';
import type { EncoderProblem } from '@nacre/media/rtmp/problems';
import { createRtmpPublishers } from '@nacre/media/rtmp/rtmp-publishers';
import { Refusal } from '../../server/src/lib/refusal.ts';
import { createRtmpListener, rtmpSilenceMs, type RtmpListener } from '../../server/src/video/rtmp-listener.ts';

type EventOf<T extends MediaEvent['type']> = Extract<MediaEvent, { type: T }>;

export interface RtmpStage {
  url: string;
  port: number;
  events: MediaEvent[];
  of<T extends MediaEvent['type']>(type: T): EventOf<T>[];
  problems: (EncoderProblem | null)[];
  registry: PublisherRegistry;
  listener: RtmpListener;
  /** What was logged. */
  logged: string[];
  until(what: string, condition: () => boolean, withinMs?: number): Promise<void>;
}

/** Keys: `wrong` opens no show, `suspended` is refused, `broken` fails. */
export async function startRtmpStage(t: TestContext, silenceMs = rtmpSilenceMs): Promise<RtmpStage> {
  const events: MediaEvent[] = [];
  const problems: (EncoderProblem | null)[] = [];
  const logged: string[] = [];
  const log = { error: (fields: object, text: string) => void logged.push(JSON.stringify(fields) + text) };
  const registry = createPublisherRegistry({ onEvent: (event) => void events.push(event), takeOver: () => {}, log });
  const listener = createRtmpListener({
    publishers: createRtmpPublishers({ registry, silenceMs }), now: Date.now, log,
    onProblem: (_showId, problem) => void problems.push(problem),
    async authorizeStreamKey(key) {
      if (key === 'suspended') throw new Refusal('moderation.suspended');
      if (key === 'broken') throw new Error('the database is away');
      return key === 'wrong' ? null : { showId: key };
    },
  });
  const port = await listener.listen(0, '127.0.0.1');
  t.after(async () => {
    const stopped = listener.stop();
    registry.stop();
    await stopped;
  });
  return {
    url: `rtmp://127.0.0.1:${port}/live`, port, events, problems, registry, listener, logged,
    of: <T extends MediaEvent['type']>(type: T) => (
      events.filter((event): event is EventOf<T> => event.type === type)
    ),
    async until(what, condition, withinMs = 15_000) {
      const startMs = performance.now();
      while (!condition()) {
        if (performance.now() - startMs > withinMs) throw new Error(`no ${what} in ${withinMs} ms`);
        await new Promise((done) => setTimeout(done, 20));
      }
    },
  };
}

/** Runs the system's FFmpeg to its end; its words, or null where there is none. */
export function runFfmpeg(args: readonly string[]): Promise<{ code: number | null; words: string } | null> {
  const child = spawn('ffmpeg', ['-hide_banner', '-nostdin', '-v', 'error', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let words = '';
  child.stderr.on('data', (chunk: Buffer) => { words += chunk; });
  return new Promise((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', (code) => resolve({ code, words }));
  });
}
