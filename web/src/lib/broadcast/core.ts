/** What the broadcaster's parts share: its state, and how it changes. See `broadcaster.ts`. */
import type { BroadcastReason, BroadcasterOptions, BroadcastView } from './face.ts';
import { fullFrameRate } from './economy.ts';
import type { PictureShape } from './picture-encoder.ts';
import type { Publication } from './publication.ts';
import type { Ways } from './ways.ts';
import type { StillPicture } from './still-picture.ts';

/** Above this, phones on mobile networks lose more than viewers on phones can see. */
const defaultMaxBitrateBps = 2_500_000;

export interface Core {
  options: BroadcasterOptions;
  view: BroadcastView;
  listeners: Set<(view: BroadcastView) => void>;
  /** Chosen, now or the last time on this device; undefined: whatever there is. */
  cameraId: string | undefined;
  microphoneId: string | undefined;
  publication: Publication | null;
  ways: Ways;
  /** The direct way is being tried while on air by socket; `lose` is called when the socket ends meanwhile. */
  returning: { lose: () => void } | null;
  /** Sent in place of the camera while the system holds it. */
  pause: StillPicture | null;
  /** The line carries no moving picture: a camera's picture every few seconds is sent. */
  isStill: boolean;
  slow: (StillPicture & { camera: MediaStreamTrack }) | null;
  /** Aborted when the show is not wanted any more; null when none is. */
  wanted: AbortController | null;
  /** Ends the pause between two attempts early. */
  hurry: () => void;
  /** Ends the attempt that is under way, for another one at once. */
  restart: () => void;
  changing: Promise<unknown>;
  retakeTimer: ReturnType<typeof setTimeout> | undefined;
  /** Another stream is shown and heard. */
  onStream: (stream: MediaStream) => void;
  /** Destroyed: devices that open only now are closed at once. */
  isOver: boolean;
}

export function change(core: Core, patch: Partial<BroadcastView>): void {
  core.view = { ...core.view, ...patch };
  for (const listener of core.listeners) listener(core.view);
}

/** What is sent when nothing is in the way. */
export function fullShape(core: Core): PictureShape {
  const bitrateBps = core.options.maxBitrateBps ?? defaultMaxBitrateBps;
  return { bitrateBps, framesPerSecond: fullFrameRate, scale: 1 };
}

export function endShow(core: Core, goodbye = true): void {
  core.wanted?.abort();
  core.wanted = null;
  core.hurry();
  clearTimeout(core.retakeTimer);
  core.publication?.end(goodbye);
  core.publication = null;
  core.pause?.stop();
  core.pause = null;
  core.slow?.stop();
  core.slow = null;
}

export function fail(core: Core, reason: BroadcastReason, detail: string | null = null): void {
  endShow(core);
  change(core, { state: 'failed', reason, detail: detail || null, stats: null, way: null });
}

/** Changes of devices happen one after another: two at once would fight for the camera. */
export function inTurn<T>(core: Core, work: () => Promise<T>): Promise<T> {
  const done = core.changing.then(work, work);
  core.changing = done;
  return done;
}

export function stopTracks(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
