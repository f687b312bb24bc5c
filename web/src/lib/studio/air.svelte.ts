/**
 * The broadcaster as the studio sees it: its view as state, the key it publishes with, the screen kept on.
 *
 * The key is made on the first Go live and kept in memory only. A refused or replaced one is thrown away, so that the
 * next Go live takes over with a new one.
 */
import { publishPath } from '@nacre/contract/publish';
import { createBroadcaster } from '#lib/broadcast/broadcaster.ts';
import { createLocalCopy, type LocalCopyView } from '#lib/broadcast/local-copy.ts';
import type { Broadcaster, BroadcastView } from '#lib/broadcast/face.ts';
import { PublishFailure } from '#lib/broadcast/publish-failure.ts';
import { createWakeLock } from '#lib/broadcast/wake-lock.ts';
import { serverNow } from '#lib/office/healing-api.ts';
import { issueStreamKey } from '#lib/office/office-api.ts';
import { ApiError } from '#lib/problem.ts';

/** What the server refuses it refuses again; everything else may pass. */
async function newKey(showId: string): Promise<string> {
  try {
    return (await issueStreamKey(showId, true)).key;
  } catch (error) {
    const isFinal = error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429;
    throw isFinal ? new PublishFailure('refused', false, error.code) : error;
  }
}

/** Of this device: a copy is kept unless the host says no. */
const keepKey = 'nacre-keep-copy';

/** In the browser only. */
export function createAir(showId: string) {
  let key: string | null = null;
  const broadcaster: Broadcaster = createBroadcaster({
    whipUrl: '/whip',
    socketUrl: publishPath,
    streamKey: async () => (key ??= await newKey(showId)),
  });
  const wakeLock = createWakeLock();
  let copy = $state.raw<LocalCopyView>({ state: 'idle', keptMs: 0 });
  const localCopy = createLocalCopy({
    showId,
    isWanted: localStorage.getItem(keepKey) !== 'off',
    serverNow: () => serverNow(showId),
    onView: (next) => (copy = next),
  });
  let view = $state.raw<BroadcastView>(broadcaster.view());
  const unsubscribe = broadcaster.subscribe((next) => {
    view = next;
    localCopy.follow(next);
    if (next.reason === 'key-refused' || next.reason === 'replaced') key = null;
    // A host who sets up the picture must not have the screen go dark either.
    if (next.state === 'idle' || next.state === 'failed') wakeLock.release();
    else wakeLock.hold();
  });

  return {
    get view() {
      return view;
    },
    /** What is kept on this device, for the replay. */
    get copy() {
      return copy;
    },
    keepCopy(isWanted: boolean): void {
      localStorage.setItem(keepKey, isWanted ? 'on' : 'off');
      localCopy.setWanted(isWanted);
    },
    /** The picture is meant to be out: connecting, live, or coming back. */
    get isPublishing() {
      return view.state === 'connecting' || view.state === 'live' || view.state === 'reconnecting';
    },
    level: () => broadcaster.level(),
    open: () => broadcaster.open(),
    goLive: () => broadcaster.goLive(),
    flip: () => broadcaster.flip(),
    setMicrophone: (on: boolean) => broadcaster.setMicrophone(on),
    setTorch: (on: boolean) => broadcaster.setTorch(on),
    /** Asks for what another program holds. */
    retake: () => broadcaster.retake(),
    useDevices: (devices: { cameraId?: string; microphoneId?: string }) => broadcaster.useDevices(devices),
    /** With the end of the show, which ends the session at the server as well. */
    stop: () => broadcaster.stop({ goodbye: false }),
    destroy(): void {
      unsubscribe();
      localCopy.destroy();
      wakeLock.release();
      broadcaster.destroy();
    },
  };
}

export type Air = ReturnType<typeof createAir>;
