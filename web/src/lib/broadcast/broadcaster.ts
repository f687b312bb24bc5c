/**
 * The broadcaster: camera, microphone and a publication that is made anew whenever it is lost. See `face.ts`.
 *
 * Invariant: at most one publication is wanted at a time, and every way out of a show (stop, destroy, a closed page)
 * ends it with a DELETE, so that viewers are told at once rather than after the server's timeout.
 */
import { comeBack, flip, miss, open, renewLists, retake, setTorch, useDevices } from './capture.ts';
import { change, endShow, inTurn, stopTracks, type Core } from './core.ts';
import { rememberedDevices, watchDevices } from './devices.ts';
import type { Broadcaster, BroadcasterOptions, CreateBroadcaster } from './face.ts';
import { createLevelMeter } from './level-meter.ts';
import { air, reconnect, watchWays } from './on-air.ts';
import { rememberedBlocked } from './remembered-ways.ts';
import { watchStrain } from './strain.ts';
import { createWays } from './ways.ts';

export const createBroadcaster: CreateBroadcaster = (options): Broadcaster => {
  const meter = createLevelMeter((isInterrupted) => void miss(core, 'microphone', isInterrupted));
  const core = createCore(options, (stream) => meter.follow(stream));
  const leavePage = listenToPage(core);
  const relax = watchStrain(core);
  const unwatchWays = watchWays(core);
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
      if (core.view.stream) change(core, { state: 'preview', reason: null, detail: null, stats: null, way: null });
    },
    destroy() {
      core.isOver = true;
      endShow(core);
      leavePage();
      relax();
      unwatchWays();
      meter.stop();
      if (!options.source && core.view.stream) stopTracks(core.view.stream);
      change(core, { state: 'idle', reason: null, detail: null, stream: null, stats: null, way: null });
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
      tooWeakFor: null,
      way: null,
      stats: null,
    },
    listeners: new Set(),
    cameraId,
    microphoneId,
    publication: null,
    ways: createWays(options.socketUrl !== undefined, rememberedBlocked(), Date.now()),
    returning: null,
    isStill: false,
    slow: null,
    pause: null,
    wanted: null,
    hurry: () => undefined,
    restart: () => undefined,
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
  const onOtherNetwork = (): void => {
    core.ways.networkChanged(Date.now());
    core.restart();
    onOnline();
  };
  addEventListener('online', onOtherNetwork, { signal });
  const { connection } = navigator as { connection?: EventTarget & { type?: string } };
  let type = connection?.type;
  // It comes for each estimate of speed too, which is no other network.
  const onChange = (): void => {
    const isOther = type !== connection?.type && navigator.onLine;
    type = connection?.type;
    if (isOther) onOtherNetwork();
    else onOnline();
  };
  connection?.addEventListener('change', onChange, { signal });
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
