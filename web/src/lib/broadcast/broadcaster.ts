/**
 * The broadcaster: camera, microphone and a publication that is made anew whenever it is lost. See `face.ts`.
 *
 * Invariant: at most one publication is wanted at a time, and every way out of a show (stop, destroy, a closed page)
 * ends it with a DELETE, so that viewers are told at once rather than after the server's timeout.
 */
import { comeBack, flip, miss, open, renewLists, retake, sendPicture, setTorch, useDevices } from './capture.ts';
import { change, endShow, fail, inTurn, stopTracks, type Core } from './core.ts';
import { rememberedDevices, watchDevices } from './devices.ts';
import type { Broadcaster, BroadcasterOptions, CreateBroadcaster } from './face.ts';
import { createLevelMeter } from './level-meter.ts';
import { PublishFailure, publish } from './publication.ts';
import type { Publication } from './publication.ts';
import { watchStrain } from './strain.ts';

/** Above this, phones on mobile networks lose more than viewers on phones can see. */
const defaultMaxBitrateBps = 2_500_000;
const defaultGiveUpAfterMs = 15_000;

/** Pauses between attempts: the first comes at once, then doubling. Longer than 2 s is picture lost for nothing. */
const firstPauseMs = 250;
const longestPauseMs = 2_000;

export const createBroadcaster: CreateBroadcaster = (options): Broadcaster => {
  const meter = createLevelMeter((isInterrupted) => void miss(core, 'microphone', isInterrupted));
  const core = createCore(options, (stream) => meter.follow(stream));
  const leavePage = listenToPage(core);
  const relax = watchStrain(core);
  let airing: Promise<void> | null = null;
  let opening: Promise<void> | null = null;

  const broadcaster: Broadcaster = {
    view: () => core.view,
    subscribe(listener) {
      core.listeners.add(listener);
      listener(core.view);
      return () => core.listeners.delete(listener);
    },
    level: () => (core.view.microphoneOn ? meter.level() : 0),
    async open() {
      opening ??= open(core).finally(() => {
        opening = null;
      });
      await opening;
    },
    async goLive() {
      if (core.wanted) return airing ?? undefined;
      await broadcaster.open();
      if (!core.view.stream || core.wanted) return;
      airing = air(core);
      await airing;
    },
    flip: () => inTurn(core, () => flip(core)),
    useDevices: (devices) => inTurn(core, () => useDevices(core, devices)),
    setMicrophone(on) {
      for (const track of core.view.stream?.getAudioTracks() ?? []) track.enabled = on;
      change(core, { microphoneOn: on });
    },
    retake: () => inTurn(core, () => retake(core)),
    setTorch: (on) => inTurn(core, () => setTorch(core, on)),
    async stop(how = { goodbye: true }) {
      endShow(core, how.goodbye);
      if (core.view.stream) change(core, { state: 'preview', reason: null, detail: null, stats: null });
    },
    destroy() {
      core.isOver = true;
      endShow(core);
      leavePage();
      relax();
      meter.stop();
      if (!options.source && core.view.stream) stopTracks(core.view.stream);
      change(core, { state: 'idle', reason: null, detail: null, stream: null, stats: null });
      core.listeners.clear();
    },
  };
  return broadcaster;
};

function createCore(options: BroadcasterOptions, onStream: (stream: MediaStream) => void): Core {
  const { cameraId, microphoneId } = options.source ? {} : rememberedDevices();
  return {
    options,
    view: {
      state: 'idle',
      reason: null,
      detail: null,
      stream: null,
      facing: options.facing ?? 'user',
      canFlip: false,
      mirrored: false,
      hasMicrophone: false,
      microphoneOn: true,
      cameras: [],
      microphones: [],
      cameraId: null,
      microphoneId: null,
      torch: null,
      missing: { camera: false, microphone: false },
      saving: null,
      stats: null,
    },
    listeners: new Set(),
    cameraId,
    microphoneId,
    publication: null,
    pause: null,
    wanted: null,
    hurry: () => undefined,
    changing: Promise.resolve(),
    retakeTimer: undefined,
    onStream,
    isOver: false,
  };
}

/** Network, page and devices, as the browser tells of them. Returns the way out. */
function listenToPage(core: Core): () => void {
  const gone = new AbortController();
  const { signal } = gone;
  const onOnline = (): void => {
    core.hurry();
    core.publication?.checkSoon();
  };
  addEventListener('online', onOnline, { signal });
  (navigator as { connection?: EventTarget }).connection?.addEventListener('change', onOnline, { signal });
  addEventListener('pagehide', () => core.publication?.end(true), { signal });
  addEventListener(
    'pageshow',
    (event) => {
      // Back from the browser's cache of pages: the connection was closed on leaving.
      if (event.persisted && core.view.state === 'live') void reconnect(core, null);
    },
    { signal },
  );
  const onVisible = (): void => {
    if (!document.hidden) comeBack(core);
  };
  document.addEventListener('visibilitychange', onVisible, { signal });
  const unwatch = watchDevices(() => {
    void renewLists(core);
    const { camera, microphone } = core.view.missing;
    if (camera || microphone) void inTurn(core, () => retake(core));
  });
  return () => {
    gone.abort();
    unwatch();
  };
}

async function air(core: Core): Promise<void> {
  const wanted = new AbortController();
  core.wanted = wanted;
  change(core, { state: 'connecting', reason: null, detail: null });
  const giveUpAtMs = performance.now() + (core.options.giveUpAfterMs ?? defaultGiveUpAfterMs);
  await attempt(core, wanted, giveUpAtMs);
}

/** The connection was lost, or (`old` null) the page was away. */
async function reconnect(core: Core, old: Publication | null): Promise<void> {
  const { wanted } = core;
  if (!wanted) return;
  core.publication = null;
  change(core, { state: 'reconnecting', reason: null, detail: null, stats: null });
  // Otherwise two devices with one key would take the show from each other for ever.
  if (old && (await old.wasReplaced())) {
    if (core.wanted === wanted) fail(core, 'replaced');
    return;
  }
  await attempt(core, wanted, Infinity);
}

async function attempt(core: Core, wanted: AbortController, giveUpAtMs: number): Promise<void> {
  for (let failures = 0; core.wanted === wanted; failures++) {
    try {
      await goOnAir(core, wanted);
      return;
    } catch (error) {
      if (core.wanted !== wanted) return;
      const failure = error instanceof PublishFailure ? error : new PublishFailure('refused', false, String(error));
      if (!failure.mayRetry || performance.now() > giveUpAtMs) return fail(core, failure.reason, failure.message);
      change(core, { reason: failure.reason });
    }
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** failures) * (0.75 + Math.random() / 4);
    await new Promise<void>((resolve) => {
      core.hurry = resolve;
      setTimeout(resolve, pauseMs);
    });
  }
}

async function streamKeyOf(core: Core): Promise<string> {
  try {
    return await core.options.streamKey();
  } catch (error) {
    if (error instanceof PublishFailure) throw error;
    throw new PublishFailure('server-unreachable', true, String(error));
  }
}

async function goOnAir(core: Core, wanted: AbortController): Promise<void> {
  const { stream } = core.view;
  if (!stream) throw new PublishFailure('no-camera', false);
  let publication: Publication | null = null;
  publication = await publish({
    whipUrl: core.options.whipUrl,
    streamKey: await streamKeyOf(core),
    stream,
    maxBitrateBps: core.options.maxBitrateBps ?? defaultMaxBitrateBps,
    signal: wanted.signal,
    onLost: () => void reconnect(core, publication),
  });
  if (core.wanted !== wanted) return publication.end(true);
  core.publication = publication;
  // Devices may have been changed while the offer was on its way.
  if (core.view.stream !== stream) {
    for (const track of core.view.stream?.getTracks() ?? []) await publication.replaceTrack(track);
  }
  core.pause?.stop();
  core.pause = null;
  await sendPicture(core);
  change(core, { state: 'live', reason: null, detail: null, stats: publication.stats() });
}
