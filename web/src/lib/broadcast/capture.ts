/**
 * The broadcaster's camera and microphone: opened, changed, taken away by the system and taken anew.
 *
 * Invariant: while on air something is always sent in the camera's place. Viewers hear the host only as long as
 * pictures come, so a missing camera must not take the sound with it.
 */
import { CameraFailure, openCamera, openDevices, openMicrophone, type CameraWish } from './camera.ts';
import { change, fail, inTurn, stopTracks, type Core } from './core.ts';
import { listDevices, rememberDevices } from './devices.ts';
import { holdLast, showPause, showSlowly, type StillPicture } from './still-picture.ts';

/** Shorter silences of a camera come with every change of it. */
const missingAfterMs = 600;
/** What comes back by itself after a look elsewhere does so within this. */
const returnWithinMs = 1_000;
/** How often a camera that another program holds is asked for. Each try may flash a lamp or a sign. */
const retakeEveryMs = 2_500;
/** A camera that was just opened gives its first pictures within this, phones' slow ones included. */
const firstPicturesWithinMs = 2_000;
/** The first may be the still picture's last. */
const firstPictures = 2;
const pictureLookMs = 100;

type Kind = 'camera' | 'microphone';
type TorchCapabilities = MediaTrackCapabilities & { torch?: boolean };

export async function open(core: Core): Promise<void> {
  if (core.view.stream?.getVideoTracks().some((track) => track.readyState === 'live')) {
    if (core.view.state === 'failed') change(core, { state: 'preview', reason: null, detail: null });
    return;
  }
  change(core, { state: 'asking', reason: null, detail: null });
  // Its camera is gone; a microphone that goes on would be held twice.
  if (!core.options.source && core.view.stream) stopTracks(core.view.stream);
  try {
    adopt(core, core.options.source ?? (await openChosen(core)));
    change(core, { state: 'preview' });
  } catch (error) {
    if (!(error instanceof CameraFailure)) throw error;
    change(core, { state: 'failed', reason: error.reason });
  }
}

async function openChosen(core: Core): Promise<MediaStream> {
  const { facing } = core.view;
  const sound = core.options.sound ?? 'voice';
  try {
    return await openDevices(cameraWish(core), sound, core.microphoneId);
  } catch (error) {
    const isChosen = core.cameraId !== undefined || core.microphoneId !== undefined;
    if (!isChosen || !(error instanceof CameraFailure) || error.reason !== 'no-camera') throw error;
    // What was chosen the last time is not plugged in today.
    core.cameraId = core.microphoneId = undefined;
    return openDevices({ facing }, sound);
  }
}

function cameraWish(core: Core): CameraWish {
  const { facing } = core.view;
  return core.cameraId ? { facing, cameraId: core.cameraId } : { facing };
}

/** Takes a stream as the one that is shown and sent. */
function adopt(core: Core, stream: MediaStream): void {
  if (core.isOver) return core.options.source ? undefined : stopTracks(stream);
  const [camera] = stream.getVideoTracks();
  const sounds = stream.getAudioTracks();
  const { facingMode, deviceId } = camera?.getSettings() ?? {};
  const facing = facingMode === 'user' || facingMode === 'environment' ? facingMode : core.view.facing;
  const known = new Set(core.view.stream?.getTracks());
  for (const track of sounds) track.enabled = core.view.microphoneOn;
  for (const track of stream.getTracks()) if (!known.has(track)) watchTrack(core, track);
  const hasTorch = (camera?.getCapabilities?.() as TorchCapabilities | undefined)?.torch === true;
  const isSameCamera = camera !== undefined && known.has(camera);
  const { missing } = core.view;
  const isMissing = (track: MediaStreamTrack | undefined, was: boolean): boolean =>
    track !== undefined && (known.has(track) ? was : track.muted);
  change(core, {
    stream,
    facing,
    mirrored: facing === 'user' && !core.options.source,
    hasMicrophone: sounds.length > 0,
    cameraId: deviceId ?? null,
    microphoneId: sounds[0]?.getSettings().deviceId ?? null,
    missing: {
      camera: isMissing(camera, missing.camera), microphone: isMissing(sounds[0], missing.microphone),
    },
    ...(isSameCamera ? {} : { torch: hasTorch ? false : null }),
  });
  core.onStream(stream);
  void renewLists(core);
}

/** What can be chosen, by name. */
export async function renewLists(core: Core): Promise<void> {
  if (core.options.source || !core.view.stream) return;
  const { cameras, microphones, meant } = await listDevices();
  if (core.isOver) return;
  const { microphoneId } = core.view;
  change(core, {
    cameras, microphones, canFlip: cameras.length > 1,
    microphoneId: microphoneId === null ? null : (meant.get(microphoneId) ?? microphoneId),
  });
}

function watchTrack(core: Core, track: MediaStreamTrack): void {
  const kind = track.kind === 'video' ? 'camera' : 'microphone';
  const isOurs = (): boolean => core.view.stream?.getTracks().includes(track) ?? false;
  const onMute = (): void => {
    setTimeout(() => {
      if (isOurs() && track.muted) void miss(core, kind, true);
    }, missingAfterMs);
  };
  track.addEventListener('mute', onMute);
  track.addEventListener('unmute', () => {
    if (isOurs()) void miss(core, kind, false);
  });
  // Another program or the system took it. `stop()` of our own does not come here.
  track.addEventListener('ended', () => {
    if (isOurs()) void inTurn(core, () => retake(core));
  });
  if (track.muted) onMute();
}

/** Says that the system holds a device, or gave it back, and sends a pause sign in the camera's place. */
export async function miss(core: Core, kind: Kind, isMissing: boolean): Promise<void> {
  if (core.view.missing[kind] !== isMissing) {
    change(core, { missing: { ...core.view.missing, [kind]: isMissing } });
  }
  if (kind === 'camera') await sendPicture(core);
}

/** Sends what is to be sent, whatever was: the pause sign while the camera is missing, else the camera. */
export async function sendPicture(core: Core): Promise<void> {
  const { publication, pause } = core;
  if (!publication) return;
  const [camera] = core.view.stream?.getVideoTracks() ?? [];
  if (core.view.missing.camera) {
    core.pause ??= showPause(camera?.getSettings() ?? {});
    if (core.pause) await publication.replaceTrack(core.pause.track);
  } else {
    core.pause = null;
    const slow = core.isStill && camera ? slowed(core, camera) : null;
    if (camera) await publication.replaceTrack(slow?.track ?? camera);
    pause?.stop();
    if (!slow) {
      core.slow?.stop();
      core.slow = null;
    }
  }
}

/** The page is seen again: what does not come back by itself is asked for. */
export function comeBack(core: Core): void {
  core.publication?.checkSoon();
  clearTimeout(core.retakeTimer);
  core.retakeTimer = setTimeout(() => void inTurn(core, () => retake(core)), returnWithinMs);
}

/** The camera with a picture every few seconds; null where the browser has no pictures from a canvas. */
function slowed(core: Core, camera: MediaStreamTrack): StillPicture | null {
  if (core.slow?.camera === camera) return core.slow;
  core.slow?.stop();
  const slow = showSlowly(camera);
  core.slow = slow && { ...slow, camera };
  return core.slow;
}

/** Takes anew what the system took away. Nothing while everything is there, or the page is hidden. */
export async function retake(core: Core): Promise<void> {
  clearTimeout(core.retakeTimer);
  const { stream } = core.view;
  if (core.options.source || core.isOver || !stream) return;
  const isGone = (track: MediaStreamTrack | undefined): boolean =>
    track !== undefined && (track.readyState === 'ended' || track.muted);
  const [camera] = stream.getVideoTracks();
  const [microphone] = stream.getAudioTracks();
  if (document.hidden) {
    // Browsers open no camera for a page that nobody sees; `comeBack` follows.
    if (isGone(camera)) await miss(core, 'camera', true);
    if (isGone(microphone)) await miss(core, 'microphone', true);
    return;
  }
  if (isGone(microphone)) await retakeMicrophone(core);
  if (isGone(camera)) await reopenCamera(core);
}

async function retakeMicrophone(core: Core): Promise<void> {
  const sound = core.options.sound ?? 'voice';
  try {
    const chosen = core.microphoneId;
    const fresh = await openMicrophone(sound, chosen).catch((error: unknown) => {
      if (chosen === undefined) throw error;
      return openMicrophone(sound);
    });
    await takeMicrophone(core, fresh);
  } catch (error) {
    if (!(error instanceof CameraFailure)) throw error;
    await miss(core, 'microphone', true);
    // Asked for again and again, what was refused would only ask the person again and again.
    if (mayReturn(error)) retakeLater(core);
  }
}

/** What is in use elsewhere or unplugged comes back; what was refused does not by itself. */
const mayReturn = ({ reason }: CameraFailure): boolean => reason === 'camera-busy' || reason === 'no-camera';

async function takeMicrophone(core: Core, fresh: MediaStream): Promise<void> {
  const [microphone] = fresh.getAudioTracks();
  const old = core.view.stream;
  if (!microphone || !old) return stopTracks(fresh);
  adopt(core, new MediaStream([...old.getVideoTracks(), microphone]));
  for (const track of old.getAudioTracks()) track.stop();
  await core.publication?.replaceTrack(microphone);
  await miss(core, 'microphone', microphone.muted);
}

function retakeLater(core: Core): void {
  clearTimeout(core.retakeTimer);
  if (!core.isOver) core.retakeTimer = setTimeout(() => void inTurn(core, () => retake(core)), retakeEveryMs);
}

async function swapCamera(core: Core, wish: CameraWish): Promise<void> {
  const old = core.view.stream;
  const [oldCamera] = old?.getVideoTracks() ?? [];
  const isSeen = core.publication !== null && oldCamera?.readyState === 'live' && !oldCamera.muted;
  const last = isSeen ? await holdLast(oldCamera) : null;
  try {
    if (last) await core.publication?.replaceTrack(last.track);
    // Phones open one camera at a time: the old one has to go first.
    oldCamera?.stop();
    const fresh = await openCamera(wish);
    const [camera] = fresh.getVideoTracks();
    if (!camera) throw new CameraFailure('no-camera', null);
    change(core, { facing: wish.facing });
    adopt(core, new MediaStream([camera, ...(old?.getAudioTracks() ?? [])]));
    // One that the system still holds would send nothing, and leave viewers without sound too.
    await miss(core, 'camera', camera.muted);
    if (camera.muted || (await givesPictures(core))) return;
    camera.stop();
    throw new CameraFailure('camera-busy', null);
  } finally {
    last?.stop();
  }
}

/** Not all do that open: what a depth camera sees, Chromium shows in the page and cannot send. */
async function givesPictures(core: Core): Promise<boolean> {
  const { publication } = core;
  const before = await publication?.pictures();
  if (!publication || typeof before !== 'number') return true;
  for (let waitedMs = 0; waitedMs < firstPicturesWithinMs; waitedMs += pictureLookMs) {
    await new Promise((done) => setTimeout(done, pictureLookMs));
    const pictures = await publication.pictures();
    if (pictures === null || pictures - before >= firstPictures || document.hidden) return true;
  }
  return false;
}

/** The camera is there, as it says, and gives no pictures any more: viewers get the pause sign until it does. */
export async function renewCamera(core: Core): Promise<void> {
  const [camera] = core.view.stream?.getVideoTracks() ?? [];
  if (core.options.source || !core.publication || !camera) return;
  camera.stop();
  await miss(core, 'camera', true);
  await retake(core);
}

export async function flip(core: Core): Promise<void> {
  const camera = core.view.stream?.getVideoTracks()[0];
  if (core.options.source || !camera) return;
  const { facing, cameras, cameraId } = core.view;
  // Webcams face nowhere: then it is the next one's turn.
  const next = cameras[(cameras.findIndex(({ id }) => id === cameraId) + 1) % Math.max(1, cameras.length)];
  const knowsFacing = camera.getSettings().facingMode !== undefined;
  const wish: CameraWish = { facing: facing === 'user' ? 'environment' : 'user' };
  await choose(core, !knowsFacing && next ? { facing, cameraId: next.id } : wish);
}

/** Changes to a camera that the host wants, and remembers it; false when it was not to be had. */
async function choose(core: Core, wish: CameraWish): Promise<boolean> {
  try {
    await swapCamera(core, wish);
    core.cameraId = core.view.cameraId ?? undefined;
    rememberDevices(core);
    return true;
  } catch (error) {
    if (!(error instanceof CameraFailure)) throw error;
    await reopenCamera(core);
    return false;
  }
}

async function reopenCamera(core: Core): Promise<void> {
  const { facing } = core.view;
  try {
    await swapCamera(core, cameraWish(core)).catch((error: unknown) => {
      if (!(error instanceof CameraFailure) || error.reason !== 'no-camera' || !core.cameraId) throw error;
      return swapCamera(core, { facing });
    });
  } catch (error) {
    if (!(error instanceof CameraFailure)) throw error;
    // A show goes on without a picture rather than not at all.
    if (!core.wanted || !mayReturn(error)) return fail(core, error.reason);
    await miss(core, 'camera', true);
    retakeLater(core);
  }
}

/** False when one of them was not to be had: then the one of before stays. */
export async function useDevices(core: Core, devices: { cameraId?: string; microphoneId?: string }): Promise<boolean> {
  if (core.options.source || !core.view.stream) return false;
  let isTaken = true;
  if (devices.microphoneId) {
    try {
      await takeMicrophone(core, await openMicrophone(core.options.sound ?? 'voice', devices.microphoneId));
      core.microphoneId = devices.microphoneId;
      rememberDevices(core);
    } catch (error) {
      if (!(error instanceof CameraFailure)) throw error;
      isTaken = false;
    }
  }
  if (!devices.cameraId) return isTaken;
  return (await choose(core, { facing: core.view.facing, cameraId: devices.cameraId })) && isTaken;
}

export async function setTorch(core: Core, on: boolean): Promise<void> {
  const [camera] = core.view.stream?.getVideoTracks() ?? [];
  if (!camera || core.view.torch === null) return;
  try {
    await camera.applyConstraints({ ...camera.getConstraints(), advanced: [{ torch: on } as MediaTrackConstraintSet] });
    change(core, { torch: on });
  } catch {
    // Some phones tell of a lamp that they do not lend: then there is none.
    change(core, { torch: null });
  }
}
