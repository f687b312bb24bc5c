/**
 * The live player: one socket, one `<video>`, near the live edge, back by itself. See `face.ts` for what it promises.
 *
 * Three parts turn around the same element: the socket (`live-line.ts`) brings messages, the feed (`media-feed.ts`)
 * puts them into the browser, and a tick of ten a second steers (`steering.ts`), notices what is stuck, and measures.
 */
import type { LiveServerMessage } from '@nacre/contract/live';
import type { CreatePlayer, Player, PlayerReason, PlayerState, PlayerView } from './face.ts';
import { connectLive } from './live-line.ts';
import { createMediaFeed, mediaSourceClass, playableType } from './media-feed.ts';
import type { MediaFeed } from './media-feed.ts';
import { createServerClock } from './server-clock.ts';
import { createSteering } from './steering.ts';

/** Below 150 ms ordinary lines stall; from 300 on the answer of a host to a question feels late. */
const defaultTargetMs = 200;

const tickMs = 100;
/** A newcomer is put on the edge when the picture appended last is younger than this, or after the wait. */
const freshMs = 400;
const settleMs = 400;
/** The picture stands although more is buffered: nudge. Sooner disturbs a slow decoder, later is a frozen picture. */
const frozenMs = 1_200;
/** The picture stands for want of data: say so. */
const dryMs = 1_500;
/** A hidden and silent page goes on receiving this long, so that a short look elsewhere costs nothing. */
const pauseAfterHiddenMs = 5_000;
const measureEveryMs = 1_000;

export const createPlayer: CreatePlayer = ({ video, url, sound = false, targetMs = defaultTargetMs }) => {
  const bornMs = performance.now();
  const clock = createServerClock();
  const steering = createSteering(targetMs / 1000);
  const listeners = new Set<(view: PlayerView) => void>();
  let view: PlayerView = {
    state: 'connecting',
    reason: null,
    muted: !sound,
    hasSound: false,
    width: 0,
    height: 0,
    delayMs: null,
  };
  const counts = { receivedBytes: 0, jumps: 0, stalls: 0, dropped: 0 };
  let firstPictureMs: number | null = null;
  let uplinkMs: number | null = null;
  let feed: MediaFeed | null = null;
  let firstAppendMs: number | null = null;
  let positioned = false;
  let lastTime = -1;
  let lastMoveMs = bornMs;
  let lastTickMs = bornMs;
  let lastMeasureMs = 0;
  let hiddenSinceMs: number | null = null;
  let paused = false;
  let isDestroyed = false;

  function change(patch: Partial<PlayerView>): void {
    const next = { ...view, ...patch };
    const names = Object.keys(next) as (keyof PlayerView)[];
    if (names.every((name) => next[name] === view[name])) return;
    view = next;
    for (const listener of listeners) listener(view);
  }

  function become(state: PlayerState, reason: PlayerReason = null): void {
    if (view.state !== 'ended' && view.state !== 'unsupported') change({ state, reason });
  }

  function finish(state: PlayerState, reason: PlayerReason = null): void {
    become(state, reason);
    line?.stop();
    clearInterval(ticker);
  }

  function dropFeed(): void {
    counts.dropped += feed?.droppedMessages() ?? 0;
    feed?.destroy();
    feed = null;
    positioned = false;
    firstAppendMs = null;
  }

  async function play(): Promise<void> {
    try {
      await video.play();
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== 'NotAllowedError' || isDestroyed) return;
      if (video.muted) return become('blocked');
      video.muted = true;
      await play();
    }
  }

  function toEdge(goal: number): void {
    const end = feed?.edge();
    if (end == null) return;
    const { buffered } = video;
    const start = buffered.length ? buffered.start(buffered.length - 1) : 0;
    video.currentTime = Math.max(start, end - goal);
    steering.reset();
    lastMoveMs = performance.now();
  }

  function onAppended(last: { arrivedAtMs: number }): void {
    if (positioned || feed?.edge() == null) return;
    const nowMs = performance.now();
    firstAppendMs ??= nowMs;
    const serverNowMs = clock.at(nowMs);
    const isFresh = serverNowMs !== null && serverNowMs - last.arrivedAtMs < freshMs;
    if (!isFresh && nowMs - firstAppendMs < settleMs) return;
    positioned = true;
    // Half: while the browser seeks and decodes, the other half comes in.
    toEdge(steering.goal() / 2);
    void play();
  }

  function onText(message: LiveServerMessage): void {
    if (message.type === 'hello') clock.guess(message.now, performance.now());
    else if (message.type === 'pong') clock.measure(message.sent, message.now, performance.now());
    else {
      uplinkMs = message.uplinkMs;
      if (message.state === 'waiting') become('waiting', 'not-started');
      else if (message.state === 'interrupted') become('waiting', 'interrupted');
      else if (message.state === 'ended') finish('ended');
      else if (view.state === 'waiting') become('connecting');
    }
  }

  function startFeed(): MediaFeed {
    return createMediaFeed({
      video,
      onAppended,
      onBroken() {
        dropFeed();
        line?.reconnect();
      },
    });
  }

  const line = connectLive({
    url,
    onText,
    onBinary(message) {
      counts.receivedBytes += message.bytes.length;
      if (message.kind === 'fragment') return feed?.fragment(message);
      if (!playableType(message.mime)) return finish('unsupported', 'no-codec');
      feed ??= startFeed();
      feed.init(message);
      change({ hasSound: message.hasAudio, width: message.width, height: message.height });
      if (view.state === 'waiting' || view.state === 'error') become('connecting');
    },
    onOpen() {
      if (view.state === 'error') become('connecting');
      paused = false;
    },
    onTrouble: (reason) => become('error', reason),
    onFinal: (reason) => (reason === 'ended' ? finish('ended') : finish('error', 'not-open')),
  });

  function watchMovement(nowMs: number): void {
    const time = video.currentTime;
    if (time !== lastTime) {
      lastTime = time;
      lastMoveMs = nowMs;
      return;
    }
    if (!positioned || video.paused || nowMs - lastMoveMs < tickMs) return;
    const end = feed?.edge() ?? 0;
    const stoodMs = nowMs - lastMoveMs;
    if (end - time > 0.3 && stoodMs > frozenMs) {
      counts.jumps += 1;
      toEdge(steering.goal());
    } else if (stoodMs > dryMs && view.state === 'playing') become('connecting');
  }

  function tick(): void {
    const nowMs = performance.now();
    const elapsed = (nowMs - lastTickMs) / 1000;
    lastTickMs = nowMs;
    pauseWhileHidden(nowMs);
    const end = feed?.edge();
    if (end != null && !positioned && firstAppendMs !== null && nowMs - firstAppendMs > settleMs) {
      onAppended({ arrivedAtMs: 0 });
    }
    if (end == null || !positioned) return;
    watchMovement(nowMs);
    if (nowMs - lastMeasureMs >= measureEveryMs) {
      lastMeasureMs = nowMs;
      measure();
    }
    if (video.paused || view.state === 'waiting') return;
    const { rate, jump } = steering.step(end - video.currentTime, elapsed);
    if (jump) {
      counts.jumps += 1;
      toEdge(steering.goal());
    }
    if (video.playbackRate !== rate) video.playbackRate = rate;
  }

  /** How old the picture on the screen is. */
  function measure(): void {
    const noteAge = (mediaTime: number, shownAtMs: number): void => {
      const arrivedAtMs = feed?.arrivedAt(mediaTime) ?? null;
      const serverNowMs = clock.at(shownAtMs);
      if (arrivedAtMs === null || serverNowMs === null || !clock.isMeasured()) return;
      change({ delayMs: Math.max(0, Math.round(serverNowMs - arrivedAtMs + (uplinkMs ?? 0))) });
    };
    if (!('requestVideoFrameCallback' in video)) return noteAge(lastTime, performance.now());
    video.requestVideoFrameCallback((_now, frame) => noteAge(frame.mediaTime, frame.expectedDisplayTime));
  }

  function pauseWhileHidden(nowMs: number): void {
    if (hiddenSinceMs === null || paused || !video.muted || nowMs - hiddenSinceMs < pauseAfterHiddenMs) return;
    paused = line?.send({ type: 'pause' }) ?? false;
  }

  function onVisibility(): void {
    hiddenSinceMs = document.hidden ? performance.now() : null;
    if (document.hidden) return;
    if (paused) {
      paused = false;
      line?.send({ type: 'resume' });
      // Stays where it is until the new group of pictures is there, then goes to its edge.
      positioned = false;
      firstAppendMs = null;
    } else if (positioned) toEdge(steering.goal());
    if (positioned && video.paused) void play();
  }

  const events: readonly [string, () => void][] = [
    [
      'playing',
      () => {
        firstPictureMs ??= performance.now() - bornMs;
        if (view.state !== 'waiting' || feed?.edge() != null) become('playing');
      },
    ],
    [
      'waiting',
      () => {
        if (!positioned || video.seeking || view.state !== 'playing') return;
        counts.stalls += 1;
        steering.stalled();
      },
    ],
    ['volumechange', () => change({ muted: video.muted })],
    ['error', () => {
      if (!video.error || !feed) return;
      dropFeed();
      line?.reconnect();
    }],
  ];

  const ticker = setInterval(tick, tickMs);
  video.playsInline = true;
  video.disableRemotePlayback = true;
  video.muted = !sound;
  for (const [name, handler] of events) video.addEventListener(name, handler);
  document.addEventListener('visibilitychange', onVisibility);
  if (!mediaSourceClass()) finish('unsupported', 'no-mse');

  const player: Player = {
    view: () => view,
    subscribe(listener) {
      listeners.add(listener);
      listener(view);
      return () => listeners.delete(listener);
    },
    async unmute() {
      video.muted = false;
      await play();
      return !video.muted;
    },
    mute() {
      video.muted = true;
    },
    async resume() {
      if (view.state === 'blocked') become('connecting');
      if (positioned) toEdge(steering.goal());
      await play();
    },
    stats() {
      const quality = video.getVideoPlaybackQuality?.();
      const end = feed?.edge();
      return {
        firstPictureMs,
        delayMs: view.delayMs,
        bufferedMs: end == null ? 0 : Math.max(0, Math.round((end - video.currentTime) * 1000)),
        playbackRate: video.playbackRate,
        receivedBytes: counts.receivedBytes,
        pictures: quality?.totalVideoFrames ?? 0,
        picturesDropped: quality?.droppedVideoFrames ?? 0,
        jumps: counts.jumps,
        stalls: counts.stalls,
        reconnects: line?.reconnects() ?? 0,
        droppedMessages: counts.dropped + (feed?.droppedMessages() ?? 0),
        roundTripMs: clock.roundTripMs(),
      };
    },
    destroy() {
      if (isDestroyed) return;
      isDestroyed = true;
      clearInterval(ticker);
      line?.stop();
      for (const [name, handler] of events) video.removeEventListener(name, handler);
      document.removeEventListener('visibilitychange', onVisibility);
      dropFeed();
      listeners.clear();
    },
  };
  return player;
};
