/**
 * Keeps on this device what it films while viewers may be missing it, or see a small picture or stills, to be added to
 * the replay after the show. A bystander of the broadcast: it has encoders of its own, reads the view, and changes
 * nothing of it. Whatever fails here ends the copy, never the show; under strain it ends first.
 */
import { encodePublished } from '@nacre/contract/publish';
import type { BroadcastView } from './face.ts';
import { createKeptRing, type KeptPiece } from './kept-ring.ts';
import { canKeep, openKeptStore, type KeptStore } from './kept-store.ts';
import { createPictureEncoder, type PictureEncoder } from './picture-encoder.ts';
import { canPublishBySocket } from './socket-publication.ts';
import { createSoundEncoder, type SoundEncoder } from './sound-encoder.ts';

/** Sharp enough beside a live picture of 2.5 Mbit/s, and a minute of it is 11 MB. */
const shape = { bitrateBps: 1_500_000, framesPerSecond: 30, scale: 1 };
/** Pieces that wait for the device's disk. More is memory that the broadcast needs. */
const writesMost = 4;
const lookEveryMs = 1_000;
/** An encoder that is behind at so many looks one after another is too much for this device. */
const overloadsMost = 5;
const measureEveryMs = 60_000;
/** Of some the quickest is exact enough: half of its way there and back is what it may be wrong. */
const firstMeasures = 8;
/** The page's clock against the server's: what is less is the network's, and not worth a break. */
const clockStepMs = 80;

export type LocalCopyState =
  /** The host does not want it. */
  | 'off'
  /** This browser cannot. */
  | 'unsupported'
  /** Nothing is on air. */
  | 'idle'
  | 'on'
  /** Stopped for the sake of the show: the battery, the processor, or the device's disk. */
  | 'strained';

export interface LocalCopyView {
  state: LocalCopyState;
  /** Kept for good so far of this show. */
  keptMs: number;
}

export interface LocalCopy {
  follow(view: BroadcastView): void;
  setWanted(isWanted: boolean): void;
  destroy(): void;
}

export interface ServerTime {
  nowMs: number;
  tookMs: number;
}

export interface LocalCopyOptions {
  showId: string;
  isWanted: boolean;
  /** The server's time as it answers, Unix epoch in ms, and how long before it was asked. */
  serverNow(): Promise<ServerTime>;
  onView(view: LocalCopyView): void;
}

const isOnAir = ({ state }: BroadcastView): boolean => (
  state === 'connecting' || state === 'live' || state === 'reconnecting'
);
const isInTrouble = ({ state, tooWeakFor, stats }: BroadcastView): boolean => (
  state !== 'live' || tooWeakFor === 'size' || tooWeakFor === 'moving' || stats?.quality === 'lost'
);

export function createLocalCopy(options: LocalCopyOptions): LocalCopy {
  let { isWanted } = options;
  let view: BroadcastView | null = null;
  let filming: Filming | null = null;
  let hasGivenUp = false;
  let keptMs = 0;
  let isPossible: boolean | null = null;
  let said: LocalCopyView | null = null;

  const tell = (): void => {
    const state: LocalCopyState = !isWanted ? 'off'
      : isPossible === false ? 'unsupported'
        : hasGivenUp || (view?.saving ?? null) !== null ? 'strained'
          : filming ? 'on' : 'idle';
    if (said?.state === state && said.keptMs === keptMs) return;
    said = { state, keptMs };
    options.onView(said);
  };
  const update = (): void => {
    const isFilmed = view !== null && isOnAir(view) && view.saving === null;
    const may = isWanted && !hasGivenUp && isPossible === true && isFilmed;
    if (may && !filming) {
      filming = film(options, {
        onKept(ms) {
          keptMs += ms;
          tell();
        },
        onTooMuch() {
          hasGivenUp = true;
          update();
        },
      });
    }
    if (!may) {
      filming?.stop();
      filming = null;
    } else if (view !== null) filming?.follow(view);
    tell();
  };
  const find = async (): Promise<void> => {
    isPossible = canKeep() && (await canPublishBySocket());
    update();
  };
  void find();

  return {
    follow(next) {
      view = next;
      update();
    },
    setWanted(is) {
      isWanted = is;
      hasGivenUp = false;
      update();
    },
    destroy() {
      isWanted = false;
      filming?.stop();
      filming = null;
    },
  };
}

interface Filming {
  follow(view: BroadcastView): void;
  stop(): void;
}

/** From now on until stopped: encodes what the view's stream shows. */
function film(
  { showId, serverNow }: LocalCopyOptions, told: { onKept(ms: number): void; onTooMuch(): void },
): Filming {
  const clock = followServer(serverNow);
  const writer = createWriter(showId, told);
  const ring = createKeptRing(writer.write);
  let offsetMs: number | null = null;
  let tracks: { picture: MediaStreamTrack | undefined; sound: MediaStreamTrack | undefined } | null = null;
  let overloads = 0;
  let isOver = false;

  const add = (kind: 'picture' | 'sound', bytes: Uint8Array, capturedMs: number, isKey: boolean): void => {
    const now = clock.offsetMs();
    if (isOver || now === null) return;
    // Within a piece time must not go back.
    if (isKey && (offsetMs === null || Math.abs(now - offsetMs) > clockStepMs)) {
      ring.end();
      offsetMs = now;
    }
    if (offsetMs === null) return;
    const atMs = capturedMs + offsetMs;
    ring.add({ kind, isKey, atMs, bytes: encodePublished({ kind, capturedMs: atMs, bytes }) });
  };
  const pictures: PictureEncoder = createPictureEncoder({
    shape,
    hasRoom: () => true,
    onPicture: (bytes, capturedMs, isKey) => add('picture', bytes, capturedMs, isKey),
    onFailed: told.onTooMuch,
  });
  let sound: SoundEncoder | null = null;
  const followSound = (track: MediaStreamTrack | undefined): void => void (track && sound?.follow(track));
  createSoundEncoder((bytes, capturedMs) => add('sound', bytes, capturedMs, false)).then((made) => {
    if (isOver) return made.stop();
    sound = made;
    followSound(tracks?.sound);
  }, () => undefined);
  const timer = setInterval(() => {
    overloads = pictures.stats().isOverloaded ? overloads + 1 : 0;
    if (overloads >= overloadsMost) told.onTooMuch();
  }, lookEveryMs);

  return {
    follow(view) {
      const [picture] = view.stream?.getVideoTracks() ?? [];
      const [heard] = view.stream?.getAudioTracks() ?? [];
      if (picture && picture !== tracks?.picture) pictures.follow(picture);
      if (heard !== tracks?.sound) followSound(heard);
      tracks = { picture, sound: heard };
      ring.setTrouble(isInTrouble(view), performance.now() + (offsetMs ?? 0));
    },
    stop() {
      if (isOver) return;
      ring.end();
      isOver = true;
      clearInterval(timer);
      pictures.stop();
      sound?.stop();
      clock.stop();
      writer.stop();
    },
  };
}

/** Writes pieces one after the other; what comes on top of some that wait is let go. */
function createWriter(showId: string, told: { onKept(ms: number): void; onTooMuch(): void }) {
  let store: Promise<KeptStore> | null = null;
  let waiting = 0;
  let writing: Promise<void> = Promise.resolve();
  const put = async (piece: KeptPiece): Promise<void> => {
    store ??= openKeptStore();
    await (await store).add(showId, piece);
    told.onKept(piece.endedAtMs - piece.startedAtMs);
  };
  return {
    write(piece: KeptPiece): void {
      if (waiting >= writesMost) return;
      waiting += 1;
      writing = writing.then(() => put(piece)).catch(told.onTooMuch).finally(() => (waiting -= 1));
    },
    stop(): void {
      writing.then(async () => (await store)?.close()).catch(() => undefined);
    },
  };
}

/** What to add to `performance.now()` for the server's time: by the quickest answer of the last minutes. */
function followServer(serverNow: () => Promise<ServerTime>) {
  let best: { offsetMs: number; roundTripMs: number; atMs: number } | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let measures = 0;
  let isOver = false;
  const measure = async (): Promise<void> => {
    const askedMs = performance.now();
    const server = await serverNow().catch(() => null);
    const atMs = performance.now();
    const isOld = best === null || atMs - best.atMs > 5 * measureEveryMs;
    // As NTP does it (RFC 5905 §8): the server's part of the round trip is not the network's.
    const roundTripMs = server === null ? Infinity : atMs - askedMs - server.tookMs;
    if (server !== null && (isOld || roundTripMs <= best!.roundTripMs)) {
      best = { offsetMs: server.nowMs + roundTripMs / 2 - atMs, roundTripMs, atMs };
    }
    measures += 1;
    if (!isOver) timer = setTimeout(() => void measure(), measures < firstMeasures ? lookEveryMs : measureEveryMs);
  };
  void measure();
  return {
    offsetMs: () => best?.offsetMs ?? null,
    stop() {
      isOver = true;
      clearTimeout(timer);
    },
  };
}
