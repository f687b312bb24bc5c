/** Camera and microphone of this device: opening, changing, and saying why not. */
import type { BroadcastReason, CameraFacing } from './face.ts';

/** Portrait as viewers hold their phones. Cameras without it give what they have; the page crops. */
const shortSide = 720;
const longSide = 1280;
const framesPerSecond = 30;

export class CameraFailure extends Error {
  readonly reason: Exclude<BroadcastReason, null>;
  constructor(reason: Exclude<BroadcastReason, null>, cause: unknown) {
    super(reason, { cause });
    this.name = 'CameraFailure';
    this.reason = reason;
  }
}

export interface CameraWish {
  facing: CameraFacing;
  /** A certain camera rather than a facing. */
  cameraId?: string;
}

/**
 * Asks for both at once, so that the person is asked once. Without a microphone the picture alone. Throws
 * `CameraFailure`.
 */
export async function openDevices(
  wish: CameraWish,
  sound: 'voice' | 'music',
  microphoneId?: string,
): Promise<MediaStream> {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new CameraFailure(isSecureContext ? 'browser-unsupported' : 'insecure-origin', null);
  }
  const audio = soundConstraints(sound, microphoneId);
  try {
    return await shaped(await navigator.mediaDevices.getUserMedia({ video: pictureConstraints(wish), audio }));
  } catch (error) {
    const isMissing = error instanceof DOMException && error.name === 'NotFoundError';
    if (!isMissing) throw new CameraFailure(reasonOf(error), error);
  }
  return openCamera(wish);
}

/** Throws `CameraFailure`. */
export async function openCamera(wish: CameraWish): Promise<MediaStream> {
  try {
    return await shaped(await navigator.mediaDevices.getUserMedia({ video: pictureConstraints(wish) }));
  } catch (error) {
    throw new CameraFailure(reasonOf(error), error);
  }
}

/** Throws `CameraFailure`. */
export async function openMicrophone(sound: 'voice' | 'music', microphoneId?: string): Promise<MediaStream> {
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: soundConstraints(sound, microphoneId) });
  } catch (error) {
    throw new CameraFailure(reasonOf(error), error);
  }
}

function pictureConstraints({ facing, cameraId }: CameraWish): MediaTrackConstraints {
  return {
    ...(cameraId ? { deviceId: { exact: cameraId } } : { facingMode: { ideal: facing } }),
    width: { ideal: shortSide },
    height: { ideal: longSide },
    frameRate: { ideal: framesPerSecond, max: framesPerSecond },
  };
}

function soundConstraints(sound: 'voice' | 'music', microphoneId?: string): MediaTrackConstraints {
  const isVoice = sound === 'voice';
  return {
    ...(microphoneId ? { deviceId: { exact: microphoneId } } : {}),
    echoCancellation: isVoice,
    noiseSuppression: isVoice,
    autoGainControl: isVoice,
    channelCount: { ideal: isVoice ? 1 : 2 },
  };
}

/**
 * Some phones count width and height along the sensor and turn the picture afterwards: asked for 720 × 1280 they cut a
 * strip. When the picture is smaller than asked, the other way round is tried, and kept where it gives more.
 */
async function shaped(stream: MediaStream): Promise<MediaStream> {
  const [track] = stream.getVideoTracks();
  if (!track || gain(track) >= 1) return stream;
  const before = gain(track);
  const asked = track.getConstraints();
  const swapped = { ...asked, width: { ideal: longSide }, height: { ideal: shortSide } };
  try {
    await track.applyConstraints(swapped);
    if (gain(track) <= before) await track.applyConstraints(asked);
  } catch {
    // It keeps the shape that it has, which can be shown as well.
  }
  return stream;
}

/** How much of the wished portrait picture a track gives; 1 is all. */
function gain(track: MediaStreamTrack): number {
  const { width = 0, height = 0 } = track.getSettings();
  return Math.min(width / shortSide, height / longSide);
}

function reasonOf(error: unknown): Exclude<BroadcastReason, null> {
  // Older Chromium's OverconstrainedError is no DOMException.
  const name = (error as { name?: string }).name ?? '';
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'no-camera';
  if (name === 'NotReadableError' || name === 'AbortError') return 'camera-busy';
  if (name === 'SecurityError' && !isSecureContext) return 'insecure-origin';
  return 'permission-denied';
}
