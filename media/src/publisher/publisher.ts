/**
 * Publishes a clip in a loop over WHIP (RFC 9725), in real time, until stopped. Comes back by itself when the server
 * goes; ends when the server refuses the key, because somebody has made a new one.
 *
 * For the demo show, tests and benchmarks. Invariants: timestamps grow without a jump over the loop's seam; at most one
 * publication at a time; the key stands in the Authorization header and nowhere else.
 */
import { randomInt } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { buildGoodbye, parseRtcp } from '../rtp/rtcp.ts';
import type { Clip } from './clip.ts';
import { openSenderConnection, payloadTypes, transportExtensionId, type SenderConnection } from './connection.ts';
import { packetiseH264 } from './packetise.ts';
import { createRtpSender, type RtpSender } from './rtp-sender.ts';

export interface PublisherOptions {
  /** The WHIP endpoint. */
  url: string;
  key: string;
  clip: Clip;
  log(message: string): void;
  /** Tells when pictures begin to flow and when they stop. */
  onState?(state: 'up' | 'down'): void;
  /** For tests: true drops the packet instead of sending it. */
  dropPacket?(packet: Buffer): boolean;
}

export interface PublisherCounts {
  packets: number;
  bytes: number;
  repeated: number;
  dropped: number;
  connections: number;
}

export interface Publisher {
  counts(): PublisherCounts;
  /** Says goodbye to the server; resolves when done. */
  stop(): Promise<void>;
  /** Resolves when it publishes no more: stopped, or the key was refused, which no further try would change. */
  ended: Promise<'stopped' | 'key refused'>;
}

class KeyRefused extends Error {}

/** Shorter: a restarting server is flooded; longer: the show stays dark although it is back. */
const firstRetryMs = 300;
const longestRetryMs = 5000;
/**
 * While nothing answers, this often is looked whether the server is there. Shorter: needless requests; longer: the
 * picture comes back later by as much.
 */
const lookEveryMs = 500;
/** Of one look. Shorter: slow networks never answer in time; longer: more looks wait beside each other. */
const lookTimeoutMs = 5000;
/** The server reports each second. Shorter: a hiccup ends the show; longer: viewers wait after a restart. */
const silenceTimeoutMs = 3500;
const answerTimeoutMs = 10_000;
const maxAnswerBytes = 64 * 1024;
/** Finer than a frame of sound; each step sends what is due. */
const stepMs = 5;
const reportIntervalMs = 1000;
/** After a pause of the process (a laptop's sleep) the clip goes on from now instead of catching up. */
const maxCatchUpMs = 1000;

export function startPublisher(options: PublisherOptions): Publisher {
  const counts: PublisherCounts = { packets: 0, bytes: 0, repeated: 0, dropped: 0, connections: 0 };
  const stopped = new AbortController();
  const run = async (): Promise<'stopped' | 'key refused'> => {
    let retryMs = firstRetryMs;
    while (!stopped.signal.aborted) {
      try {
        if (await publishOnce(options, counts, stopped.signal)) retryMs = firstRetryMs;
      } catch (error) {
        if (!stopped.signal.aborted) options.log(`Publishing failed: ${describe(error)}`);
        if (error instanceof KeyRefused) return 'key refused';
      }
      await pause(retryMs, stopped.signal);
      await serverAnswers(options.url, stopped.signal);
      retryMs = Math.min(retryMs * 2, longestRetryMs);
    }
    return 'stopped';
  };
  const ended = run();
  return {
    counts: () => ({ ...counts }),
    async stop() {
      stopped.abort();
      await ended;
    },
    ended,
  };
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}

/**
 * Resolves as soon as the server answers anything, or when stopped. An offer into a dead network would only be noticed
 * to have been in vain after its timeout, with the network long back; these looks overlap instead.
 */
async function serverAnswers(url: string, signal: AbortSignal): Promise<void> {
  const found = new AbortController();
  const over = AbortSignal.any([signal, found.signal]);
  while (!over.aborted) {
    fetch(url, { method: 'HEAD', signal: AbortSignal.any([over, AbortSignal.timeout(lookTimeoutMs)]) })
      .then(() => found.abort(), () => undefined);
    await pause(lookEveryMs, over);
  }
}

/** One publication from offer to goodbye; true when pictures flowed. */
async function publishOnce(options: PublisherOptions, counts: PublisherCounts, signal: AbortSignal): Promise<boolean> {
  const gone = new AbortController();
  let isUp = false;
  let lastHeardMs = performance.now();
  const senders: RtpSender[] = [];
  const ssrcs: number[] = [];
  const connection = await openSenderConnection({
    hasSound: options.clip.sounds.length > 0,
    profileLevelId: options.clip.profileLevelId,
    onUp: () => {
      isUp = true;
      counts.connections += 1;
      lastHeardMs = performance.now();
      options.onState?.('up');
    },
    onPacket: (packet) => {
      lastHeardMs = performance.now();
      for (const message of parseRtcp(packet)) {
        if (message.type !== 'nack') continue;
        counts.repeated += senders[ssrcs.indexOf(message.mediaSsrc)]?.repeat(message.sequences) ?? 0;
      }
    },
    onGone: () => gone.abort(),
    onError: (error) => options.log(`The connection failed: ${describe(error)}`),
  });
  let location: string | null = null;
  try {
    location = await offer(options, connection, signal);
    const playing = play(options, connection, counts, { isUp: () => isUp, senders, ssrcs });
    const watch = setInterval(() => {
      if (performance.now() - lastHeardMs > (isUp ? silenceTimeoutMs : answerTimeoutMs)) gone.abort();
    }, 200);
    await pause(2 ** 31 - 1, AbortSignal.any([signal, gone.signal]));
    clearInterval(watch);
    playing.stop();
    if (!signal.aborted) options.log('The server is gone; publishing anew.');
  } finally {
    // Said while the connection stands: a server that hears the connection close first takes the publisher for lost.
    if (location !== null) await goodbye(location, options.key, signal.aborted);
    connection.close();
    if (isUp) options.onState?.('down');
  }
  return isUp;
}

/** Posts the offer; returns the address of the publication. */
async function offer(
  options: PublisherOptions,
  connection: SenderConnection,
  signal: AbortSignal,
): Promise<string | null> {
  const response = await fetch(options.url, {
    method: 'POST',
    headers: { authorization: `Bearer ${options.key}`, 'content-type': 'application/sdp' },
    body: connection.offerSdp,
    signal: AbortSignal.any([signal, AbortSignal.timeout(answerTimeoutMs)]),
  });
  const body = await response.text();
  if (response.status === 401) throw new KeyRefused('the server does not take this stream key');
  if (response.status !== 201) throw new Error(`the server answered ${response.status} ${body.slice(0, 200)}`);
  if (body.length > maxAnswerBytes) throw new Error('the answer is too large');
  connection.accept(body);
  const location = response.headers.get('location');
  return location === null ? null : new URL(location, options.url).href;
}

async function goodbye(location: string, key: string, isFinal: boolean): Promise<void> {
  try {
    await fetch(location, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${key}` },
      signal: AbortSignal.timeout(isFinal ? 2000 : 500),
    });
  } catch {
    // The server is gone or has forgotten us: either way there is nothing left to end.
  }
}

interface PlayState {
  isUp(): boolean;
  senders: RtpSender[];
  ssrcs: number[];
}

function play(
  options: PublisherOptions,
  connection: SenderConnection,
  counts: PublisherCounts,
  state: PlayState,
): { stop(): void } {
  const { clip } = options;
  const send = (packet: Buffer): void => {
    if (options.dropPacket?.(packet) === true) {
      counts.dropped += 1;
      return;
    }
    counts.packets += 1;
    counts.bytes += packet.length;
    connection.send(packet);
  };
  let transportSequence = randomInt(0x10000);
  const transport = { id: transportExtensionId, next: () => (transportSequence += 1) & 0xffff };
  const common = { cname: 'nacre', transport, send };
  const newSsrc = (): number => randomInt(1000, 2 ** 32);
  const addSender = (payloadType: number, clockRate: number, hasRtx: boolean): RtpSender => {
    const ssrc = newSsrc();
    const rtx = hasRtx ? { ssrc: newSsrc(), payloadType: payloadTypes.rtx } : null;
    const firsts = { firstSequence: randomInt(0x10000), firstTimestamp: randomInt(2 ** 32) };
    const sender = createRtpSender({ ...common, ...firsts, ssrc, payloadType, clockRate, rtx });
    state.senders.push(sender);
    state.ssrcs.push(ssrc);
    return sender;
  };
  const video = addSender(payloadTypes.h264, 90_000, true);
  const audio = addSender(payloadTypes.opus, 48_000, false);
  const payloads = clip.pictures.map((picture) => packetiseH264(picture.nals));
  const pictures = createLoop(clip.pictures, clip.durationMs * 90);
  const sounds = createLoop(clip.sounds, clip.durationMs * 48);
  let startedMs: number | null = null;
  let lastReportMs = 0;
  const step = (): void => {
    if (!state.isUp()) return;
    const nowMs = performance.now();
    startedMs ??= nowMs;
    let elapsedMs = nowMs - startedMs;
    const behindMs = elapsedMs - pictures.nextTicks() / 90;
    if (behindMs > maxCatchUpMs) {
      startedMs += behindMs;
      elapsedMs -= behindMs;
    }
    pictures.take(elapsedMs * 90, (ticks, index) => video.send(ticks, payloads[index]!, true));
    sounds.take(elapsedMs * 48, (ticks, index) => audio.send(ticks, [[clip.sounds[index]!.data]], false));
    if (nowMs - lastReportMs >= reportIntervalMs) {
      lastReportMs = nowMs;
      const ntpMs = performance.timeOrigin + nowMs;
      send(video.report(Math.round(elapsedMs * 90), ntpMs));
      if (clip.sounds.length > 0) send(audio.report(Math.round(elapsedMs * 48), ntpMs));
    }
  };
  const timer = setInterval(() => {
    try {
      step();
    } catch (error) {
      options.log(`Sending failed: ${describe(error)}`);
    }
  }, stepMs);
  return {
    stop: () => {
      clearInterval(timer);
      for (const ssrc of state.ssrcs) connection.send(buildGoodbye(ssrc));
    },
  };
}

interface Loop {
  nextTicks(): number;
  take(untilTicks: number, use: (ticks: number, index: number) => void): void;
}

/** Walks over timed items again and again, with times that only grow. */
function createLoop(items: readonly { ticks: number }[], loopTicks: number): Loop {
  let index = 0;
  let round = 0;
  const nextTicks = (): number =>
    items.length === 0 ? Number.POSITIVE_INFINITY : Math.round(round * loopTicks) + items[index]!.ticks;
  return {
    nextTicks,
    take(untilTicks, use) {
      for (let ticks = nextTicks(); ticks <= untilTicks; ticks = nextTicks()) {
        use(ticks, index);
        index += 1;
        if (index === items.length) {
          index = 0;
          round += 1;
        }
      }
    },
  };
}
