/**
 * A camera's pictures as H.264 (WebCodecs): of one size, at most so many a second, with a key picture every 2 s.
 *
 * What cannot be sent is not encoded: an encoded picture that is left out would break all that refer to it.
 */
import { readPictures } from './picture-source.ts';

const keyEveryMs = 2_000;
/** More wait only where the processor does not keep up. */
const maxWaiting = 3;
/** Level 3.1 carries 720 × 1280 at 30 pictures a second, and no more. */
const longestSide = 1_280;
const shortestSide = 720;
const codec = 'avc1.42e01f';

export interface PictureShape {
  bitrateBps: number;
  framesPerSecond: number;
  /** Of the full size, 0…1. */
  scale: number;
}

export interface PictureEncoder {
  /** Pictures come from this track from now on. */
  follow(track: MediaStreamTrack): void;
  setShape(shape: PictureShape): void;
  /** The next picture is a key picture. */
  needKey(): void;
  /** Pictures that came from the camera so far. */
  taken(): number;
  stats(): { width: number; height: number; framesPerSecond: number; isOverloaded: boolean };
  stop(): void;
}

export interface PictureEncoderOptions {
  shape: PictureShape;
  /** Whether the line has room for a picture now. */
  hasRoom(): boolean;
  onPicture(bytes: Uint8Array, capturedMs: number, isKey: boolean): void;
  /** The encoder failed, and cannot be used any more. */
  onFailed(error: unknown): void;
}

export async function canEncodePictures(): Promise<boolean> {
  if (typeof VideoEncoder === 'undefined' || typeof VideoFrame === 'undefined') return false;
  const config = configOf(720, 1_280, { bitrateBps: 1_000_000, framesPerSecond: 30, scale: 1 });
  const { supported } = await VideoEncoder.isConfigSupported(config).catch(() => ({ supported: false }));
  return supported === true;
}

function configOf(width: number, height: number, shape: PictureShape): VideoEncoderConfig {
  return {
    codec, width, height,
    bitrate: shape.bitrateBps,
    framerate: shape.framesPerSecond,
    latencyMode: 'realtime',
    avc: { format: 'annexb' },
  };
}

/** Of a picture of this size, both even, as H.264 wants it. */
export function sizeFor(width: number, height: number, scale: number): { width: number; height: number } {
  const fit = Math.min(1, longestSide / Math.max(width, height), shortestSide / Math.min(width, height)) * scale;
  const even = (side: number): number => Math.max(2, Math.round((side * fit) / 2) * 2);
  return { width: even(width), height: even(height) };
}

export function createPictureEncoder(options: PictureEncoderOptions): PictureEncoder {
  let { shape } = options;
  let stopReading = (): void => undefined;
  let configured = { width: 0, height: 0, bitrateBps: 0, framesPerSecond: 0 };
  let nextKeyMs = 0;
  let lastMs = 0;
  let taken = 0;
  let isOverloaded = false;
  let isOver = false;
  /** When the pictures of the last second were sent. */
  let sent: number[] = [];
  const encoder = new VideoEncoder({
    output(chunk) {
      const bytes = new Uint8Array(chunk.byteLength);
      chunk.copyTo(bytes);
      sent.push(performance.now());
      options.onPicture(bytes, chunk.timestamp / 1_000, chunk.type === 'key');
    },
    error: options.onFailed,
  });

  const configure = (frame: VideoFrame): void => {
    const { width, height } = sizeFor(frame.displayWidth, frame.displayHeight, shape.scale);
    const { bitrateBps, framesPerSecond } = shape;
    const isSame =
      width === configured.width && height === configured.height &&
      bitrateBps === configured.bitrateBps && framesPerSecond === configured.framesPerSecond;
    if (isSame) return;
    if (width !== configured.width || height !== configured.height) nextKeyMs = 0;
    configured = { width, height, bitrateBps, framesPerSecond };
    encoder.configure(configOf(width, height, shape));
  };

  const take = (frame: VideoFrame): void => {
    taken += 1;
    const atMs = frame.timestamp / 1_000;
    // A little early is in time: cameras do not keep their own pace to the millisecond.
    const isEarly = atMs - lastMs < 800 / shape.framesPerSecond;
    isOverloaded = encoder.encodeQueueSize >= maxWaiting;
    if (isOver || isEarly || isOverloaded || !options.hasRoom() || encoder.state === 'closed') return frame.close();
    const upright = asShown(frame);
    try {
      configure(upright);
      const keyFrame = atMs >= nextKeyMs;
      if (keyFrame) nextKeyMs = atMs + keyEveryMs;
      lastMs = atMs;
      encoder.encode(upright, { keyFrame });
    } catch (error) {
      options.onFailed(error);
    } finally {
      upright.close();
    }
  };

  return {
    follow(track) {
      stopReading();
      stopReading = readPictures(track, take);
    },
    setShape(wanted) {
      shape = wanted;
    },
    needKey() {
      nextKeyMs = 0;
    },
    taken: () => taken,
    stats() {
      const nowMs = performance.now();
      sent = sent.filter((atMs) => nowMs - atMs < 1_000);
      const { width, height } = configured;
      return { width, height, framesPerSecond: sent.length, isOverloaded };
    },
    stop() {
      isOver = true;
      stopReading();
      if (encoder.state !== 'closed') encoder.close();
    },
  };
}

/** Phones hand out pictures lying on their side with a word to turn them, which no encoder heeds. */
function asShown(frame: VideoFrame): VideoFrame {
  const { rotation = 0 } = frame as VideoFrame & { rotation?: number };
  if (rotation === 0) return frame;
  const canvas = new OffscreenCanvas(frame.displayWidth, frame.displayHeight);
  canvas.getContext('2d', { alpha: false })?.drawImage(frame, 0, 0);
  const { timestamp } = frame;
  frame.close();
  return new VideoFrame(canvas, { timestamp });
}
