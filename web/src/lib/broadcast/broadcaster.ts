/**
 * The broadcaster: camera, microphone and a publication that is made anew whenever it is lost. See `face.ts`.
 *
 * Invariant: at most one publication is wanted at a time, and every way out of a show (stop, destroy, a closed page)
 * ends it with a DELETE, so that viewers are told at once rather than after the server's timeout.
 */
import { CameraFailure, countCameras, openCamera, openDevices, openMicrophone } from './camera.ts';
import type { BroadcastReason, BroadcastView, Broadcaster, BroadcasterOptions, CreateBroadcaster } from './face.ts';
import { createLevelMeter } from './level-meter.ts';
import { PublishFailure, publish } from './publication.ts';
import type { Publication } from './publication.ts';

/** Above this, phones on mobile networks lose more than viewers on phones can see. */
const defaultMaxBitrateBps = 2_500_000;
const defaultGiveUpAfterMs = 15_000;

/** Pauses between attempts: the first comes at once, then doubling. Longer than 2 s is picture lost for nothing. */
const firstPauseMs = 250;
const longestPauseMs = 2_000;

const statsEveryMs = 1_000;

interface Core {
  options: BroadcasterOptions;
  view: BroadcastView;
  listeners: Set<(view: BroadcastView) => void>;
  cameraId: string | undefined;
  microphoneId: string | undefined;
  publication: Publication | null;
  /** Aborted when the show is not wanted any more; null when none is. */
  wanted: AbortController | null;
  /** Ends the pause between two attempts early. */
  hurry: () => void;
  changing: Promise<void>;
  statsTimer: ReturnType<typeof setInterval> | undefined;
  /** Destroyed: devices that open only now are closed at once. */
  isOver: boolean;
}

export const createBroadcaster: CreateBroadcaster = (options): Broadcaster => {
  const core: Core = {
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
      stats: null,
    },
    listeners: new Set(),
    cameraId: undefined,
    microphoneId: undefined,
    publication: null,
    wanted: null,
    hurry: () => undefined,
    changing: Promise.resolve(),
    statsTimer: undefined,
    isOver: false,
  };
  const meter = createLevelMeter();
  let airing: Promise<void> | null = null;
  let opening: Promise<void> | null = null;

  const onOnline = (): void => {
    core.hurry();
    core.publication?.checkSoon();
  };
  const onPageHide = (): void => {
    core.publication?.end(true);
  };
  const onPageShow = (event: PageTransitionEvent): void => {
    // Back from the browser's cache of pages: the connection was closed on leaving.
    if (event.persisted && core.view.state === 'live') void reconnect(core, null);
  };
  addEventListener('online', onOnline);
  addEventListener('pagehide', onPageHide);
  addEventListener('pageshow', onPageShow);
  const network = (navigator as { connection?: EventTarget }).connection;
  network?.addEventListener('change', onOnline);

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
        meter.follow(core.view.stream);
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
    useDevices: (devices) =>
      inTurn(core, async () => {
        await useDevices(core, devices);
        meter.follow(core.view.stream);
      }),
    setMicrophone(on) {
      for (const track of core.view.stream?.getAudioTracks() ?? []) track.enabled = on;
      change(core, { microphoneOn: on });
    },
    async stop(how = { goodbye: true }) {
      endShow(core, how.goodbye);
      if (core.view.stream) change(core, { state: 'preview', reason: null, detail: null, stats: null });
    },
    destroy() {
      core.isOver = true;
      endShow(core);
      removeEventListener('online', onOnline);
      removeEventListener('pagehide', onPageHide);
      removeEventListener('pageshow', onPageShow);
      network?.removeEventListener('change', onOnline);
      meter.stop();
      if (!options.source && core.view.stream) stopTracks(core.view.stream);
      change(core, { state: 'idle', reason: null, detail: null, stream: null, stats: null });
      core.listeners.clear();
    },
  };
  return broadcaster;
};

function change(core: Core, patch: Partial<BroadcastView>): void {
  core.view = { ...core.view, ...patch };
  for (const listener of core.listeners) listener(core.view);
}

function fail(core: Core, reason: BroadcastReason, detail: string | null = null): void {
  endShow(core);
  change(core, { state: 'failed', reason, detail: detail || null, stats: null });
}

/** Changes of devices happen one after another: two at once would fight for the camera. */
function inTurn(core: Core, work: () => Promise<void>): Promise<void> {
  core.changing = core.changing.then(work, work);
  return core.changing;
}

async function open(core: Core): Promise<void> {
  if (core.view.stream?.getVideoTracks().some((track) => track.readyState === 'live')) {
    if (core.view.state === 'failed') change(core, { state: 'preview', reason: null, detail: null });
    return;
  }
  change(core, { state: 'asking', reason: null, detail: null });
  try {
    const { facing } = core.view;
    const wish = core.cameraId ? { facing, cameraId: core.cameraId } : { facing };
    const stream =
      core.options.source ?? (await openDevices(wish, core.options.sound ?? 'voice', core.microphoneId));
    adopt(core, stream);
    const canFlip = !core.options.source && (await countCameras()) > 1;
    change(core, { state: 'preview', canFlip });
  } catch (error) {
    if (!(error instanceof CameraFailure)) throw error;
    change(core, { state: 'failed', reason: error.reason });
  }
}

/** Takes a stream as the one that is shown and sent. */
function adopt(core: Core, stream: MediaStream): void {
  if (core.isOver) return core.options.source ? undefined : stopTracks(stream);
  const [camera] = stream.getVideoTracks();
  const facing = camera?.getSettings().facingMode;
  const isFacing = facing === 'user' || facing === 'environment' ? facing : core.view.facing;
  const sounds = stream.getAudioTracks();
  for (const track of sounds) track.enabled = core.view.microphoneOn;
  camera?.addEventListener('ended', () => {
    // Another program or the system took the camera. `stop()` of our own does not come here.
    if (core.view.stream === stream) void inTurn(core, () => reopenCamera(core));
  });
  change(core, {
    stream,
    facing: isFacing,
    mirrored: isFacing === 'user' && !core.options.source,
    hasMicrophone: sounds.length > 0,
  });
}

function stopTracks(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

async function swapCamera(core: Core, wish: { facing: BroadcastView['facing']; cameraId?: string }): Promise<void> {
  const old = core.view.stream;
  // Phones open one camera at a time: the old one has to go first.
  for (const track of old?.getVideoTracks() ?? []) track.stop();
  const fresh = await openCamera(wish);
  const [camera] = fresh.getVideoTracks();
  if (!camera) throw new CameraFailure('no-camera', null);
  change(core, { facing: wish.facing });
  adopt(core, new MediaStream([camera, ...(old?.getAudioTracks() ?? [])]));
  await core.publication?.replaceTrack(camera);
}

async function flip(core: Core): Promise<void> {
  if (core.options.source || !core.view.stream) return;
  const { facing } = core.view;
  try {
    await swapCamera(core, { facing: facing === 'user' ? 'environment' : 'user' });
    core.cameraId = undefined;
  } catch (error) {
    if (!(error instanceof CameraFailure)) throw error;
    await reopenCamera(core);
  }
}

async function reopenCamera(core: Core): Promise<void> {
  const { facing } = core.view;
  try {
    await swapCamera(core, core.cameraId ? { facing, cameraId: core.cameraId } : { facing });
  } catch (error) {
    if (!(error instanceof CameraFailure)) throw error;
    fail(core, error.reason);
  }
}

async function useDevices(core: Core, devices: { cameraId?: string; microphoneId?: string }): Promise<void> {
  if (core.options.source || !core.view.stream) return;
  try {
    if (devices.microphoneId) {
      const sound = await openMicrophone(core.options.sound ?? 'voice', devices.microphoneId);
      const [microphone] = sound.getAudioTracks();
      const old = core.view.stream;
      if (!microphone || !old) return stopTracks(sound);
      core.microphoneId = devices.microphoneId;
      adopt(core, new MediaStream([...old.getVideoTracks(), microphone]));
      for (const track of old.getAudioTracks()) track.stop();
      await core.publication?.replaceTrack(microphone);
    }
    if (devices.cameraId) {
      await swapCamera(core, { facing: core.view.facing, cameraId: devices.cameraId });
      core.cameraId = devices.cameraId;
    }
  } catch (error) {
    if (!(error instanceof CameraFailure)) throw error;
    await reopenCamera(core);
  }
}

function endShow(core: Core, goodbye = true): void {
  core.wanted?.abort();
  core.wanted = null;
  core.hurry();
  clearInterval(core.statsTimer);
  core.publication?.end(goodbye);
  core.publication = null;
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
  clearInterval(core.statsTimer);
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
  // The camera may have been changed while the offer was on its way.
  const [camera] = core.view.stream?.getVideoTracks() ?? [];
  if (camera && core.view.stream !== stream) await publication.replaceTrack(camera);
  clearInterval(core.statsTimer);
  core.statsTimer = setInterval(() => change(core, { stats: core.publication?.stats() ?? null }), statsEveryMs);
  change(core, { state: 'live', reason: null, detail: null, stats: publication.stats() });
}
