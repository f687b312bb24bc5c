/**
 * The live player: one socket, one `<video>`, near the live edge, back by itself. See `face.ts` for what it promises.
 *
 * Three parts turn around the same element: the line (`live-line.ts`) brings messages, the feed (`media-feed.ts`) puts
 * them into the browser, and a tick of ten a second steers (`steering.ts`), notices what is stuck, and measures.
 */
import type { LiveFragment, LiveInit, LiveRendition, LiveServerMessage } from '@nacre/contract/live';
import { createCore, type Core } from './core.ts';
import type { CreatePlayer, PlayerReason, PlayerState, PlayerStats, PlayerView } from './face.ts';
import type { Fallback } from './hls-fallback.ts';
import { connectLive } from './live-line.ts';
import { createMediaFeed, mediaSourceClass, pictureOf, playableType } from './media-feed.ts';
import { createSteering } from './steering.ts';

/** Below 150 ms ordinary lines stall; from 300 on the answer of a host to a question feels late. */
const defaultTargetMs = 200;

const tickMs = 100;
/** A newcomer is put on the edge when the picture appended last is younger than this, or after the wait. */
const freshMs = 400;
const settleMs = 400;
/**
 * Starting a decoder may take a slow phone a second, in which the stream goes on. So soon after the start a jump is
 * hardly seen, and better than half a minute of playing faster: from this excess (seconds) on, within this time, and so
 * often at most, because each jump costs such a device time again.
 */
const startExcess = 0.35;
const startMs = 4_000;
const startJumps = 2;
/** The picture stands although more is buffered: nudge. Sooner disturbs a slow decoder, later is a frozen picture. */
const frozenMs = 1_000;
/** Buffered seconds that are no excuse for standing still. */
const enoughAhead = 0.3;
/** The picture stands for want of data: say so. */
const dryMs = 1_500;
/** A hidden and silent page goes on receiving this long, so that a short look elsewhere costs nothing. */
const pauseAfterHiddenMs = 5_000;
const measureEveryMs = 1_000;
/** Ahead of the screen on average, in seconds, when parts of a third of a second come one by one. */
const hlsTarget = 0.34;
/** A decoder that fails is tried again after this, doubling; and so often in a row before the browser is taken at its
 * word. Fewer times gives up on a phone that was only short of memory, more loads the same pictures for nothing. */
const firstRepairMs = 200;
const maxRepairs = 6;
/** Playing for so long counts as repaired. */
const repairedMs = 5_000;

export const createPlayer: CreatePlayer = ({
  video, url, sound = false, targetMs = defaultTargetMs, rendition = 'whole',
}) => {
  const core = createCore({ video, sound, targetMs, rendition });
  const events: Record<string, () => void> = {
    playing: () => onPlaying(core),
    waiting: () => onDry(core),
    volumechange: () => change(core, { muted: video.muted }),
    error: () => {
      if (video.error && core.feed) startAnew(core);
    },
  };
  const onVisibility = (): void => onVisibilityChange(core);
  for (const [name, handler] of Object.entries(events)) video.addEventListener(name, handler);
  document.addEventListener('visibilitychange', onVisibility);
  video.playsInline = true;
  video.disableRemotePlayback = true;
  video.muted = !sound;
  start(core, url);
  return {
    view: () => core.view,
    subscribe(listener) {
      core.listeners.add(listener);
      listener(core.view);
      return () => core.listeners.delete(listener);
    },
    async unmute() {
      video.muted = false;
      await play(core);
      return !video.muted;
    },
    mute() {
      video.muted = true;
    },
    async resume() {
      if (core.view.state === 'blocked') become(core, 'connecting');
      if (core.positioned) toEdge(core);
      await play(core);
    },
    choose: (wanted) => choose(core, wanted),
    stats: () => statsOf(core),
    destroy() {
      core.isOver = true;
      clearInterval(core.ticker);
      core.line?.stop();
      for (const [name, handler] of Object.entries(events)) video.removeEventListener(name, handler);
      document.removeEventListener('visibilitychange', onVisibility);
      leaveFallback(core);
      dropFeed(core);
      core.listeners.clear();
    },
  };
};

function start(core: Core, url: string): void {
  core.hlsUrl = url.replace(/^ws/, 'http').replace(/socket$/, '');
  core.ticker = setInterval(() => tick(core), tickMs);
  if (!mediaSourceClass()) return void fallBack(core);
  core.line = connectLive({
    url,
    rendition: () => core.rendition,
    onText: (message) => onText(core, message),
    onBinary: (message) => onBinary(core, message),
    onOpen() {
      // What rests in the fallback wakes with the page.
      if (core.fallback === null) core.paused = false;
      if (core.view.state === 'error') goOn(core);
    },
    onTrouble: (reason) => become(core, 'error', reason),
    onBlocked: () => void fallBack(core),
    onClock: (sentMs, serverNowMs) => core.clock.measure(sentMs, serverNowMs, performance.now()),
    delayMs: () => toTell(core),
    onFinal: (reason) => (reason === 'ended' ? finish(core, 'ended') : finish(core, 'error', 'not-open')),
  });
}

function change(core: Core, patch: Partial<PlayerView>): void {
  const next = { ...core.view, ...patch };
  const names = Object.keys(next) as (keyof PlayerView)[];
  if (names.every((name) => next[name] === core.view[name])) return;
  core.view = next;
  for (const listener of core.listeners) listener(next);
}

function become(core: Core, state: PlayerState, reason: PlayerReason = null): void {
  if (core.view.state !== 'ended' && core.view.state !== 'unsupported') change(core, { state, reason });
}

function finish(core: Core, state: PlayerState, reason: PlayerReason = null): void {
  become(core, state, reason);
  core.line?.stop();
  fallbackOf(core)?.pause();
  clearInterval(core.ticker);
}

function dropFeed(core: Core): void {
  core.unwantedSinceMs = null;
  core.counts.dropped += core.feed?.droppedMessages() ?? 0;
  core.feed?.destroy();
  core.feed = null;
  core.positioned = false;
  core.firstAppendMs = null;
}

/** Plays by HLS what no socket brings. When one comes through, `onBinary` goes back to it. */
async function fallBack(core: Core): Promise<void> {
  if (core.fallback !== null || core.isOver) return;
  core.fallback = 'loading';
  const module = await import('./hls-fallback.ts').catch(() => null);
  if (core.fallback !== 'loading' || core.isOver) return;
  core.fallback = null;
  // The page's own files do not come either: the line goes on trying, and with it this.
  if (module === null) return;
  dropFeed(core);
  core.steering = createSteering(hlsTarget);
  core.fallback = module.startFallback({
    video: core.video,
    url: core.hlsUrl,
    rendition: core.rendition,
    onReady() {
      core.positioned = true;
      core.positionedMs = performance.now();
      core.startJumpsLeft = startJumps;
      goOn(core);
      change(core, { hasSound: true, rendition: core.rendition });
    },
    onRendition: (rendition) => change(core, { rendition }),
    onTrouble: (reason) => become(core, 'error', reason),
    delayMs: () => toTell(core),
    onEnded: () => finish(core, 'ended'),
    onImpossible: () => finish(core, 'unsupported', mediaSourceClass() ? 'no-codec' : 'no-mse'),
  });
}

function leaveFallback(core: Core): void {
  if (core.fallback === null) return;
  core.counts.receivedBytes += fallbackOf(core)?.receivedBytes() ?? 0;
  fallbackOf(core)?.destroy();
  core.fallback = null;
  // Its rest ends with it; what comes now is looked at anew.
  core.paused = false;
  core.positioned = false;
  core.steering = createSteering(core.targetMs / 1000);
}

/** Another rendition: by the socket on the same line, by HLS from another playlist. */
function choose(core: Core, rendition: LiveRendition): void {
  if (core.rendition === rendition) return;
  core.rendition = rendition;
  if (core.fallback === null) {
    core.paused = false;
    core.line?.send({ type: 'rendition', rendition });
  } else {
    leaveFallback(core);
    become(core, 'connecting');
    void fallBack(core);
  }
}

/** End of what is buffered, in seconds; null while nothing is, or where the browser steers itself. */
function edgeOf(core: Core): number | null {
  return core.fallback === null ? (core.feed?.edge() ?? null) : (fallbackOf(core)?.edge() ?? null);
}

function fallbackOf(core: Core): Fallback | null {
  return core.fallback === 'loading' ? null : core.fallback;
}

/** The browser gave up on what it got: throw it all away and join again. */
function startAnew(core: Core): void {
  dropFeed(core);
  if (core.repairs >= maxRepairs) return finish(core, 'unsupported', 'no-codec');
  core.line?.reconnect(firstRepairMs * 2 ** core.repairs);
  core.repairs += 1;
}

/** There is a picture again, or soon will be. One that was paused in the meantime has to be started. */
function goOn(core: Core): void {
  become(core, 'connecting');
  if (core.positioned && core.video.paused) void play(core);
}

function onText(core: Core, message: LiveServerMessage): void {
  const nowMs = performance.now();
  if (message.type === 'hello') core.clock.guess(message.now, nowMs);
  else if (message.type === 'pong') core.clock.measure(message.sent, message.now, nowMs);
  else if (message.type === 'state') {
    core.uplinkMs = message.uplinkMs;
    if (message.state === 'waiting') become(core, 'waiting', 'not-started');
    else if (message.state === 'interrupted') become(core, 'waiting', 'interrupted');
    else if (message.state === 'ended') finish(core, 'ended');
    else if (core.view.state === 'waiting') goOn(core);
  }
}

function onBinary(core: Core, message: LiveInit | LiveFragment): void {
  core.counts.receivedBytes += message.bytes.length;
  if (message.kind === 'fragment') return core.feed?.fragment(message);
  const type = playableType(message.mime);
  if (!type && playableType(pictureOf(message.mime))) {
    // No Opus in this browser, and AAC wherever there is H.264: the picture comes by HLS with AAC. The socket goes on
    // to tell of the show.
    core.line?.send({ type: 'pause' });
    return void fallBack(core);
  }
  if (!type) return finish(core, 'unsupported', 'no-codec');
  leaveFallback(core);
  core.feed ??= createMediaFeed({
    video: core.video,
    onNewSource: () => Object.assign(core, { positioned: false, firstAppendMs: null }),
    onAppended: (last) => settle(core, last.arrivedAtMs),
    onBroken: () => startAnew(core),
    onWanted: (isWanted) => onWanted(core, isWanted),
  });
  core.feed.init(message, type);
  const { hasVideo, hasAudio, isSmall, width, height } = message;
  const size = isSmall ? 'small' : 'whole';
  change(core, { hasSound: hasAudio, rendition: hasVideo ? size : 'sound', width, height });
  if (core.view.state === 'waiting' || core.view.state === 'error') goOn(core);
}

/** Begins to play near the edge, once what came in at joining is in the buffer. */
function settle(core: Core, arrivedAtMs: number): void {
  if (core.positioned || core.feed?.edge() == null) return;
  const nowMs = performance.now();
  core.firstAppendMs ??= nowMs;
  const serverNowMs = core.clock.at(nowMs);
  const isFresh = serverNowMs !== null && serverNowMs - arrivedAtMs < freshMs;
  if (!isFresh && nowMs - core.firstAppendMs < settleMs) return;
  core.positioned = true;
  core.positionedMs = nowMs;
  core.startJumpsLeft = startJumps;
  // Half: while the browser seeks and decodes, the other half comes in.
  toEdge(core, core.steering.goal() / 2);
  void play(core);
}

function toEdge(core: Core, behind = core.steering.goal()): void {
  const end = edgeOf(core);
  if (end === null) return;
  const { buffered } = core.video;
  const first = buffered.length ? buffered.start(buffered.length - 1) : 0;
  core.video.currentTime = Math.max(first, end - behind);
  core.steering.reset();
  core.lastMoveMs = performance.now();
}

async function play(core: Core): Promise<void> {
  try {
    await core.video.play();
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== 'NotAllowedError' || core.isOver) return;
    if (core.video.muted) return become(core, 'blocked');
    core.video.muted = true;
    await play(core);
  }
}

function onPlaying(core: Core): void {
  core.firstPictureMs ??= performance.now() - core.bornMs;
  if (core.positioned && core.view.state !== 'waiting') become(core, 'playing');
}

function onDry(core: Core): void {
  if (!core.positioned || core.video.seeking || core.view.state !== 'playing') return;
  core.counts.stalls += 1;
  core.steering.stalled();
}

function tick(core: Core): void {
  const nowMs = performance.now();
  const elapsed = (nowMs - core.lastTickMs) / 1000;
  core.lastTickMs = nowMs;
  pauseWhileHidden(core, nowMs);
  if (core.firstAppendMs !== null) settle(core, 0);
  const end = edgeOf(core);
  if (!core.positioned) return;
  if (nowMs - core.lastMeasureMs >= measureEveryMs) {
    core.lastMeasureMs = nowMs;
    if (core.view.state === 'playing' && nowMs - core.positionedMs > repairedMs) core.repairs = 0;
    measure(core);
  }
  if (end === null) return;
  watchMovement(core, nowMs, end);
  const { video } = core;
  if (video.paused || video.seeking || core.view.state === 'waiting') return;
  const ahead = end - video.currentTime;
  const isStart = nowMs - core.positionedMs < startMs && core.startJumpsLeft > 0 && video.readyState > 2;
  if (isStart && ahead > core.steering.goal() + startExcess) {
    core.startJumpsLeft -= 1;
    return toEdge(core);
  }
  const { rate, jump } = core.steering.step(ahead, elapsed);
  if (jump) {
    core.counts.jumps += 1;
    toEdge(core);
  }
  if (video.playbackRate !== rate) video.playbackRate = rate;
}

function watchMovement(core: Core, nowMs: number, end: number): void {
  const time = core.video.currentTime;
  if (time !== core.lastTime) {
    core.lastTime = time;
    core.lastMoveMs = nowMs;
    if (core.view.state === 'connecting' && !core.video.seeking && !core.video.paused) become(core, 'playing');
    return;
  }
  if (core.video.paused) return;
  const stoodMs = nowMs - core.lastMoveMs;
  if (end - time > enoughAhead && stoodMs > frozenMs) {
    core.counts.jumps += 1;
    toEdge(core);
  } else if (stoodMs > dryMs && core.view.state === 'playing') become(core, 'connecting');
}

/** How old the picture on the screen is. */
function measure(core: Core): void {
  const fallback = fallbackOf(core);
  if (fallback !== null) {
    const { videoWidth: width, videoHeight: height } = core.video;
    const shownMs = fallback.shownMs();
    const nowMs = core.clock.at(performance.now());
    const isKnown = shownMs !== null && nowMs !== null && core.clock.isMeasured();
    return change(core, { delayMs: isKnown ? Math.max(0, Math.round(nowMs - shownMs)) : null, width, height });
  }
  const noteAge = (mediaTime: number, shownAtMs: number): void => {
    const arrivedAtMs = core.feed?.arrivedAt(mediaTime) ?? null;
    const serverNowMs = core.clock.at(shownAtMs);
    if (arrivedAtMs === null || serverNowMs === null || !core.clock.isMeasured()) return;
    change(core, { delayMs: Math.max(0, Math.round(serverNowMs - arrivedAtMs + (core.uplinkMs ?? 0))) });
  };
  if (core.view.rendition !== 'sound' && 'requestVideoFrameCallback' in core.video) {
    core.video.requestVideoFrameCallback((_now, frame) => noteAge(frame.mediaTime, frame.expectedDisplayTime));
  } else noteAge(core.video.currentTime, performance.now());
}

/** What the host may hear of it. */
const toTell = ({ view, paused }: Core): number | null => (view.state === 'playing' && !paused ? view.delayMs : null);

function pauseWhileHidden(core: Core, nowMs: number): void {
  const { hiddenSinceMs, unwantedSinceMs, paused, video } = core;
  const sinceMs = unwantedSinceMs ?? (video.muted ? hiddenSinceMs : null);
  if (sinceMs === null || paused || nowMs - sinceMs < pauseAfterHiddenMs) return;
  const fallback = fallbackOf(core);
  fallback?.pause();
  core.paused = fallback !== null || (core.line?.send({ type: 'pause' }) ?? false);
}

function onVisibilityChange(core: Core): void {
  core.hiddenSinceMs = document.hidden ? performance.now() : null;
  if (document.hidden) return;
  const fallback = fallbackOf(core);
  if (core.paused && fallback !== null) {
    core.paused = false;
    fallback.resume();
    if (core.video.paused) void play(core);
  } else if (core.paused) {
    if (core.unwantedSinceMs === null) receiveAgain(core);
  } else if (core.positioned) {
    toEdge(core);
    if (core.video.paused) void play(core);
  }
}

function receiveAgain(core: Core): void {
  core.paused = false;
  core.line?.send({ type: 'resume' });
  // Stays where it is until the new group of pictures is there, then goes to its edge.
  core.positioned = false;
  core.firstAppendMs = null;
}

/** Sources that manage themselves end their wish often and briefly: only a long end lets the line rest. */
function onWanted(core: Core, isWanted: boolean): void {
  core.unwantedSinceMs = isWanted ? null : performance.now();
  if (isWanted && core.paused) receiveAgain(core);
}

function statsOf(core: Core): PlayerStats {
  const { video, feed, counts } = core;
  const quality = video.getVideoPlaybackQuality?.();
  const end = edgeOf(core);
  return {
    transport: core.fallback === null ? 'socket' : 'hls',
    firstPictureMs: core.firstPictureMs,
    delayMs: core.view.delayMs,
    uplinkMs: core.uplinkMs,
    bufferedMs: end === null ? 0 : Math.max(0, Math.round((end - video.currentTime) * 1000)),
    playbackRate: video.playbackRate,
    receivedBytes: counts.receivedBytes + (fallbackOf(core)?.receivedBytes() ?? 0),
    pictures: quality?.totalVideoFrames ?? 0,
    picturesDropped: quality?.droppedVideoFrames ?? 0,
    jumps: counts.jumps,
    stalls: counts.stalls,
    reconnects: core.line?.reconnects() ?? 0,
    droppedMessages: counts.dropped + (feed?.droppedMessages() ?? 0),
    roundTripMs: core.clock.roundTripMs(),
  };
}
