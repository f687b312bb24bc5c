/** Devices that are lost, held and refused, with cameras and microphones of our own in the browser's place. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { open, retake, sendPicture, useDevices } from './capture.ts';
import type { Core } from './core.ts';
import type { BroadcastView } from './face.ts';
import type { Publication } from './publication.ts';
import type { StillPicture } from './still-picture.ts';
import { pictureWatch } from './strain.ts';

type Track = ReturnType<typeof newTrack>;

function newTrack(kind: string, id: string) {
  const track = Object.assign(new EventTarget(), {
    kind, id, readyState: 'live', muted: false, enabled: true,
    stop: () => void (track.readyState = 'ended'),
    getSettings: () => ({ deviceId: id, width: 720, height: 1280 }),
  });
  return track;
}

/** Also with `new`, as pages call it. */
function newStream(tracks: Track[] = []) {
  return {
    getTracks: () => tracks,
    getVideoTracks: () => tracks.filter(({ kind }) => kind === 'video'),
    getAudioTracks: () => tracks.filter(({ kind }) => kind === 'audio'),
  };
}

/** What the browser says to a camera or a microphone: null gives it, else the name of the error. */
let refusal: { video: string | null; audio: string | null };
let isHeld: boolean;
let asked: string[];
let made: Track[];
/** As Firefox of old: not told. */
let countPictures: () => number | null;

const globals: Record<string, unknown> = {
  MediaStream: newStream,
  isSecureContext: true,
  // Neither still pictures nor pause signs can be drawn here.
  document: {
    hidden: false,
    createElement: () => ({ getContext: () => null, play: () => Promise.reject(new Error('not here')) }),
  },
  localStorage: { getItem: () => null, setItem: () => undefined },
};
const before = new Map<string, PropertyDescriptor | undefined>();
const put = (name: string, value: unknown): void => {
  before.set(name, Object.getOwnPropertyDescriptor(globalThis, name));
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
};

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout'] });
  [refusal, isHeld, asked, made] = [{ video: null, audio: null }, false, [], []];
  countPictures = () => null;
  for (const [name, value] of Object.entries(globals)) put(name, value);
  put('navigator', {
    mediaDevices: {
      enumerateDevices: async () => [],
      async getUserMedia(wish: Partial<Record<'video' | 'audio', { deviceId?: { exact: string } } | undefined>>) {
        const kinds = (['video', 'audio'] as const).filter((kind) => wish[kind]);
        asked.push(kinds.join('+'));
        for (const kind of kinds) if (refusal[kind]) throw new DOMException('no', refusal[kind]);
        const tracks = kinds.map((kind) => newTrack(kind, wish[kind]?.deviceId?.exact ?? `${kind}${asked.length}`));
        for (const track of tracks) track.muted = track.kind === 'video' && isHeld;
        made.push(...tracks);
        return newStream(tracks);
      },
    },
  });
});
afterEach(() => {
  mock.timers.reset();
  for (const [name, old] of before) {
    if (old) Object.defineProperty(globalThis, name, old);
    else Reflect.deleteProperty(globalThis, name);
  }
});

/** On air when it has somebody to send to. */
function stage(sent?: string[]): Core {
  const still = { missing: { camera: false, microphone: false }, state: 'idle', facing: 'user', stream: null };
  const replaceTrack = async ({ id }: MediaStreamTrack): Promise<void> => void sent?.push(id);
  const publication = { replaceTrack, pictures: async () => countPictures() };
  return {
    options: {}, view: { ...still, microphoneOn: true, cameras: [], microphones: [] } as unknown as BroadcastView,
    listeners: new Set(), publication: sent ? publication as unknown as Publication : null, pause: null,
    wanted: sent ? new AbortController() : null, changing: Promise.resolve(), onStream: () => undefined,
    hurry: () => undefined, isOver: false, retakeTimer: undefined, cameraId: undefined, microphoneId: undefined,
  } as unknown as Core;
}

const sign = { track: { id: 'sign', kind: 'video' }, stop: () => undefined } as unknown as StillPicture;

test('[S72] a camera lost in the preview and opened anew is sent itself, and nothing of before is held', async () => {
  const core = stage();
  await open(core);
  const [camera, microphone] = made;
  core.view = { ...core.view, missing: { camera: true, microphone: true }, state: 'failed' };
  camera!.readyState = 'ended';
  await open(core);
  assert.deepEqual(core.view.missing, { camera: false, microphone: false });
  assert.equal(microphone!.readyState, 'ended', 'the microphone of before is held');
  assert.deepEqual(core.view.stream?.getTracks().map(({ readyState }) => readyState), ['live', 'live']);
});

test('[S73] a camera that is taken anew and still held leaves the pause sign, and is sent once free', async () => {
  const sent: string[] = [];
  const core = stage(sent);
  await open(core);
  core.pause = sign;
  core.view = { ...core.view, missing: { camera: true, microphone: false } };
  made[0]!.readyState = 'ended';
  isHeld = true;
  await retake(core);
  assert.equal(core.view.missing.camera, true);
  assert.deepEqual(new Set(sent), new Set(['sign']));
  isHeld = false;
  await retake(core);
  assert.equal(sent.at(-1), made.at(-1)?.id);
  assert.equal(core.pause, null);
  await sendPicture(core);
  assert.equal(sent.at(-1), made.at(-1)?.id);
});

test('[S75] whether a choice was to be had is answered, and the one of before goes on', async () => {
  const core = stage();
  await open(core);
  const before = made[1]!.id;
  refusal.audio = 'OverconstrainedError';
  assert.equal(await useDevices(core, { microphoneId: 'gone' }), false);
  assert.equal(core.view.stream?.getAudioTracks()[0]?.id, before);
  refusal = { video: null, audio: null };
  assert.equal(await useDevices(core, { cameraId: 'desk', microphoneId: 'desk' }), true);
  assert.deepEqual([core.view.cameraId, core.view.microphoneId], ['desk', 'desk']);
});

test('[S76] a microphone that was refused is not asked for by itself again; one in use elsewhere is', async () => {
  for (const [reason, times] of [['NotAllowedError', 0], ['NotReadableError', 3]] as const) {
    const core = stage([]);
    await open(core);
    refusal.audio = reason;
    made.at(-1)!.readyState = 'ended';
    await retake(core);
    assert.equal(core.view.missing.microphone, true);
    asked.length = 0;
    for (let round = 0; round < 3; round += 1) {
      mock.timers.tick(2_500);
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    }
    assert.equal(asked.length, times, reason);
    refusal.audio = null;
  }
});

/** Time goes on by so many ms, and everything that waited for it. */
async function pass(ms: number): Promise<void> {
  for (let passedMs = 0; passedMs < ms; passedMs += 100) {
    mock.timers.tick(100);
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  }
}

test('[S77] a camera whose pictures do not go out is not to be had, and the one of before goes on', async () => {
  const core = stage([]);
  await open(core);
  let pictures = 0;
  const used = (): string | undefined => core.view.stream?.getVideoTracks()[0]?.id;
  countPictures = () => (used() === 'depth' ? pictures : ++pictures);
  const isTaken = useDevices(core, { cameraId: 'desk' });
  await pass(500);
  assert.equal(await isTaken, true);
  const isDepthTaken = useDevices(core, { cameraId: 'depth' });
  await pass(3_000);
  assert.equal(await isDepthTaken, false);
  assert.deepEqual([used(), core.view.missing.camera], ['desk', false]);
});

test('[S77] a camera that gives no pictures any more is opened anew, behind the pause sign', async () => {
  const core = stage([]);
  await open(core);
  core.view = { ...core.view, state: 'live' };
  const watch = pictureWatch(core);
  const [first] = made;
  let pictures = 0;
  countPictures = () => ++pictures;
  for (let atMs = 0; atMs < 10_000; atMs += 1_000) await watch(atMs);
  assert.equal(first!.readyState, 'live');
  const still = pictures;
  countPictures = () => still;
  const watched = (async () => {
    for (let atMs = 10_000; atMs < 16_000; atMs += 1_000) await watch(atMs);
  })();
  await pass(3_000);
  await watched;
  assert.deepEqual([first!.readyState, core.view.missing.camera], ['ended', true]);
  countPictures = () => ++pictures;
  await pass(6_000);
  assert.deepEqual([made.at(-1)!.readyState, core.view.missing.camera], ['live', false]);
});
