/**
 * A publisher, a bad network (`lossy-link.ts`) and the real media process, and a judgement of what came out: which
 * pictures, whether each is exactly as it was sent and stands on the one before it, and how long a viewer saw none.
 */
import { createHash } from 'node:crypto';
import { readFragments } from '@nacre/media/fmp4/fragment-reader';
import type { MediaEvent, StreamFragment } from '@nacre/media/hooks';
import type { Clip } from '@nacre/media/publisher/clip';
import { startPublisher, type Publisher } from '@nacre/media/publisher/publisher';
import { openLossyLink, type LossyLink, type Weather } from './lossy-link.ts';
import type { Scope } from './processor.ts';
import { startPublisherStage, type PublisherStage } from './publisher-stage.ts';

export interface NetworkStage {
  stage: PublisherStage;
  link: LossyLink;
  publisher: Publisher;
  /** What came out so far, as files that others read: one for each init segment. */
  files(): Buffer[];
  /** What came out since the last call (or the beginning); the last picture of that time is the first of this. */
  judge(): Judgement;
  /** The network is away, for media and for HTTP; and there again. */
  cut(): void;
  mend(): void;
  /** When the newest picture came, by `performance.now()`; null before the first. */
  lastPictureMs(): number | null;
}

export interface Judgement {
  pictures: number;
  /** Not as they were sent, or passed on without the picture that they stand on. */
  broken: number;
  /** Of the clip, between two that came in one session. */
  missing: number;
  /** Times that a viewer who keeps `bufferMs` in hand saw the picture stand for longer than `stallMs`. */
  stalls: number;
  longestStallMs: number;
  sessions: number;
}

/** What a viewer's player has in hand. */
const bufferMs = 200;
/** A picture that stands longer is seen to stand. */
const stallMs = 200;

interface Heard {
  fragment: StreamFragment;
  atMs: number;
}

export async function startNetworkStage(
  scope: Scope, options: { clip: Clip; seed: number; weather?: Weather },
): Promise<NetworkStage> {
  const heard: Heard[] = [];
  let isReachable = true;
  let link: LossyLink | null = null;
  const stage = await startPublisherStage({
    mediaPort: () => link?.port ?? 0,
    isReachable: () => isReachable,
    onEvent(event: MediaEvent) {
      if (event.type !== 'fragment' || event.track !== 'video') return;
      heard.push({ fragment: event, atMs: performance.now() });
    },
  });
  scope.after(() => stage.stop());
  const { udpPort: serverPort } = await stage.supervisor.ready();
  const { seed, weather = {} } = options;
  const opened = await openLossyLink({ serverPort, seed, weather });
  link = opened;
  scope.after(() => opened.stop());
  const publisher = startPublisher({ url: stage.url, key: 'show', clip: options.clip, log: () => undefined });
  scope.after(() => publisher.stop());
  const places = placesOf(options.clip);
  return {
    stage,
    link: opened,
    publisher,
    judge() {
      const part = heard.splice(0, Math.max(0, heard.length - 1)).concat(heard.slice(-1));
      return judge(part, places, options.clip.pictures.length);
    },
    cut() {
      isReachable = false;
      opened.cut();
    },
    mend() {
      isReachable = true;
      opened.mend();
    },
    files: () => filesOf(stage),
    lastPictureMs: () => heard.at(-1)?.atMs ?? null,
  };
}

export function filesOf({ of }: PublisherStage): Buffer[] {
  const fragments = of('fragment');
  return of('init').map(({ sessionId, generation, initSegment }) => Buffer.concat([
    initSegment,
    ...fragments.filter((each) => each.sessionId === sessionId && each.generation === generation)
      .map(({ data }) => data),
  ]));
}

const isSlice = (nal: Buffer): boolean => ((nal[0] ?? 0) & 0x1f) >= 1 && ((nal[0] ?? 0) & 0x1f) <= 5;
const nameOf = (nals: readonly Buffer[]): string => nals
  .reduce((hash, nal) => hash.update(nal), createHash('sha256')).digest('base64');

/** By a picture's slices, where it stands in the clip; several places when the clip has it several times. */
function placesOf(clip: Clip): Map<string, number[]> {
  const places = new Map<string, number[]>();
  clip.pictures.forEach(({ nals }, index) => {
    const name = nameOf(nals.filter(isSlice));
    places.set(name, [...(places.get(name) ?? []), index]);
  });
  return places;
}

/** NAL units of a sample of ours (ISO/IEC 14496-15 §5.2.3, lengths of four bytes). */
function nalsOf(sample: Buffer): Buffer[] {
  const nals: Buffer[] = [];
  for (let at = 0; at + 4 <= sample.length; ) {
    const size = sample.readUInt32BE(at);
    nals.push(sample.subarray(at + 4, at + 4 + size));
    at += 4 + size;
  }
  return nals;
}

function judge(heard: readonly Heard[], places: Map<string, number[]>, clipPictures: number): Judgement {
  const result = { pictures: heard.length, broken: 0, missing: 0, ...standing(heard), sessions: 0 };
  let sessionId = '';
  let place: number | null = null;
  for (const { fragment } of heard) {
    if (fragment.sessionId !== sessionId) {
      sessionId = fragment.sessionId;
      place = null;
      result.sessions += 1;
    }
    const [sample] = readFragments(fragment.data)[0]?.samples ?? [];
    const candidates = places.get(nameOf(nalsOf(sample?.data ?? Buffer.alloc(0)).filter(isSlice))) ?? [];
    const expected: number | null = place === null ? null : (place + 1) % clipPictures;
    if (expected !== null && candidates.includes(expected)) {
      place = expected;
      continue;
    }
    const [found = null] = candidates;
    if (found === null || !fragment.isKey) result.broken += 1;
    else if (expected !== null) result.missing += (found - expected + clipPictures) % clipPictures;
    place = found;
  }
  return result;
}

/** How long each picture stood for a viewer who plays as it comes and waits where nothing is there. */
function standing(heard: readonly Heard[]): Pick<Judgement, 'stalls' | 'longestStallMs'> {
  let stalls = 0;
  let longestStallMs = 0;
  let shownMs: number | null = null;
  let offsetMs: number | null = null;
  let sessionId = '';
  for (const { fragment, atMs } of heard) {
    if (fragment.sessionId !== sessionId) {
      sessionId = fragment.sessionId;
      offsetMs = null;
    }
    offsetMs = Math.max(offsetMs ?? atMs + bufferMs - fragment.timeMs, atMs - fragment.timeMs);
    const showMs = fragment.timeMs + offsetMs;
    const stoodMs = shownMs === null ? 0 : showMs - shownMs;
    if (stoodMs > stallMs) stalls += 1;
    longestStallMs = Math.max(longestStallMs, stoodMs);
    shownMs = showMs;
  }
  return { stalls, longestStallMs: Math.round(longestStallMs) };
}
