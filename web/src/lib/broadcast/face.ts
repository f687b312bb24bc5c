/**
 * What a page sees of the broadcaster. `createBroadcaster(options)` in `broadcaster.ts` makes one.
 *
 * The broadcaster holds camera and microphone, publishes them by WHIP (RFC 9725) and, while live, keeps publishing:
 * a lost network, a restarted server or media process is mended without the page doing anything. It draws nothing and
 * holds no text; the page puts `stream` into a `<video muted playsinline>` and translates `reason`.
 */

export type BroadcastState =
  /** Nothing is open. */
  | 'idle'
  /** The browser is asking the person for camera and microphone. */
  | 'asking'
  /** The camera is on; nobody else sees it. */
  | 'preview'
  /** First time on air. */
  | 'connecting'
  | 'live'
  /** Was live, is coming back by itself. */
  | 'reconnecting'
  /** Stopped with `reason`; `open()` or `goLive()` tries again. */
  | 'failed';

export type BroadcastReason =
  /** The person or the browser's settings refused camera or microphone. */
  | 'permission-denied'
  | 'no-camera'
  /** Another program holds it. */
  | 'camera-busy'
  /** Camera access needs https or localhost. */
  | 'insecure-origin'
  /** This browser has no camera access or no WebRTC. */
  | 'browser-unsupported'
  /** This browser cannot encode H.264 (42e01f). */
  | 'codec-missing'
  /** The server does not take this stream key (rotated, wrong, show over). */
  | 'key-refused'
  /** The server refused the offer for another reason; `detail` holds its sentence. */
  | 'refused'
  /** As many publishers as the server carries; while reconnecting it is tried again. */
  | 'server-full'
  /** Another device went live with the same key. */
  | 'replaced'
  /** The server was not reached within `giveUpAfterMs` on the first attempt. When once live, it is tried for ever. */
  | 'server-unreachable'
  /** Media does not get through although the server answers (blocked UDP). */
  | 'media-blocked'
  | null;

export type CameraFacing = 'user' | 'environment';

/** Why fewer pictures a second are sent: the battery runs out, or the device is too hot or too weak. */
export type BroadcastSaving = 'battery' | 'heat' | null;

export interface DeviceChoice {
  id: string;
  /** As the browser names it. */
  label: string;
}

export interface BroadcastStats {
  /** Sent, in bits per second, picture and sound. */
  bitrateBps: number;
  /** What the line could carry by the browser's estimate; null when unknown. */
  availableBps: number | null;
  roundTripMs: number | null;
  /** Share of packets lost on the way, 0…1, as the server reports; null when unknown. */
  lossRatio: number | null;
  /** As sent, in pixels. */
  width: number;
  height: number;
  framesPerSecond: number;
  /** The device cannot make more or better pictures, by the browser's account. */
  limitedByCpu: boolean;
  /** By socket: how far behind the line is, in ms. 0 by the direct way, which drops rather than waits. */
  backlogMs: number;
  /**
   * `good`: viewers see what the camera sees. `weak`: the line carries less than half of the wished bitrate, or over
   * 5 % lost, or over 400 ms round trip. `lost`: nothing gets through.
   */
  quality: 'good' | 'weak' | 'lost';
}

export interface BroadcastView {
  state: BroadcastState;
  reason: BroadcastReason;
  /** The server's own sentence for `refused`; else null. */
  detail: string | null;
  /** Camera and microphone, for the preview; null when closed. Changes on `flip`. */
  stream: MediaStream | null;
  facing: CameraFacing;
  /** Whether there is another camera to flip to. */
  canFlip: boolean;
  /** Whether the preview should be mirrored (front camera). Viewers never see it mirrored. */
  mirrored: boolean;
  hasMicrophone: boolean;
  microphoneOn: boolean;
  /** What can be chosen here; empty until the browser tells names, which it does once the camera is open. */
  cameras: DeviceChoice[];
  microphones: DeviceChoice[];
  /** In use; null when unknown. */
  cameraId: string | null;
  microphoneId: string | null;
  /** The lamp beside the camera; null when this camera has none. */
  torch: boolean | null;
  /**
   * What the system has taken away for now, a phone call or another program: without its camera a pause sign is sent,
   * without its microphone silence. Each comes back by itself.
   */
  missing: { camera: boolean; microphone: boolean };
  saving: BroadcastSaving;
  /** What the line is too weak for now; null for nothing. `moving`: sound goes, and a picture every few seconds. */
  tooWeakFor: 'bitrate' | 'frame-rate' | 'size' | 'moving' | null;
  /** Null when not live. `socket`: this network blocks the direct way, and the picture goes by another, later one. */
  way: 'direct' | 'socket' | null;
  /** Null when not live. Refreshed about once a second. */
  stats: BroadcastStats | null;
}

export interface BroadcasterOptions {
  /** `/whip`, or an absolute URL. */
  whipUrl: string;
  /** `/live/publish`, or an absolute URL: where to publish when media does not get through. Without it not at all. */
  socketUrl?: string;
  /**
   * Asked before each attempt, so that a rotated key is picked up. Held in memory while publishing, logged nowhere. A
   * rejection is the server out of reach, and tried again, unless it is a `PublishFailure` that says otherwise.
   */
  streamKey: () => string | Promise<string>;
  /** Default `'user'`. */
  facing?: CameraFacing;
  /**
   * `voice` (default): echo cancellation, noise suppression and automatic gain, for a phone on a stand. `music`: none
   * of them, for instruments or an external microphone.
   */
  sound?: 'voice' | 'music';
  /** Upper bound of the picture, in bits per second. Default 2 500 000. */
  maxBitrateBps?: number;
  /** How long the very first attempt may fail before it ends as `failed`, in ms. Default 15 000. */
  giveUpAfterMs?: number;
  /** Instead of the camera: tests and screen sharing hand in their own stream. Then `flip` does nothing. */
  source?: MediaStream;
}

export interface Broadcaster {
  view(): BroadcastView;
  /** Calls back at once and on each change; returns the way out. Fits Svelte's store contract. */
  subscribe(listener: (view: BroadcastView) => void): () => void;
  /** Microphone level 0…1 (peak of the last tenth of a second), for a meter; cheap enough for each animation frame. */
  level(): number;
  /** Opens camera and microphone → `preview` or `failed`. Nothing when they are open. */
  open(): Promise<void>;
  /** Publishes, opening the camera first if need be. Resolves when `live` or `failed`. Nothing when live. */
  goLive(): Promise<void>;
  /**
   * Changes camera without interrupting the show: the last picture stands until the other camera is there. Keeps the
   * old one when the other cannot be opened.
   */
  flip(): Promise<void>;
  /**
   * Chooses a camera or microphone by device id, as `flip` does, and remembers it on this device. False when one of
   * them was not to be had: then the one of before stays.
   */
  useDevices(devices: { cameraId?: string; microphoneId?: string }): Promise<boolean>;
  setMicrophone(on: boolean): void;
  /** Asks at once for what is `missing`, rather than when the system gives it back. */
  retake(): Promise<void>;
  /** The lamp beside the camera, on or off. Nothing where it has none. */
  setTorch(on: boolean): Promise<void>;
  /**
   * Ends publishing and goes back to `preview`. Nothing when not publishing. With `goodbye` (the default) the server is
   * told by a DELETE; a show that ended has taken its session with it, and there is nothing left to tell.
   */
  stop(how?: { goodbye: boolean }): Promise<void>;
  /** Stops and lets go of camera and microphone. Idempotent. */
  destroy(): void;
}

export type CreateBroadcaster = (options: BroadcasterOptions) => Broadcaster;

/** Keeps the screen on while held; taken again by itself when the page becomes visible. `createWakeLock()`. */
export interface WakeLock {
  /** Nothing where the browser has none. */
  hold(): void;
  release(): void;
}
