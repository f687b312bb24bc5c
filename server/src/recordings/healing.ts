/**
 * Mends replays with what the host's device kept of the show: says what is missing, takes parts, and puts them in.
 *
 * Invariants: a part is kept as it came until it is in the replay, and the index is replaced as a whole, so that a
 * process killed at any moment leaves the old replay or the new one, and the job does the rest again. What was healed
 * is known as such for ever; it proves nothing.
 */
import { buffer } from 'node:stream/consumers';
import { healingLimits, readPart, type RecordingHoles } from '@nacre/contract/healing';
import type { PublishedMedia } from '@nacre/contract/publish';
import { excerptOf } from '@nacre/media/recording/excerpt';
import { createHealer, holesOf, spanOf, withHealed, type Hole } from '@nacre/media/recording/healing';
import { indexKey, mapKey, segmentKey } from '@nacre/media/recording/recorder';
import {
  bytesOf, durationOf, emptyIndex, linesOf, stretchesOf, type RecordingIndex, type Stretch,
} from '@nacre/media/recording/recording-index';
import { addSpans, givingWay, weakIn, type KeptSpan } from '@nacre/media/recording/weak';
import type { PersonActor } from '../http/actor.ts';
import { Refusal } from '../lib/refusal.ts';
import type { Blobs } from '../platform/blobs.ts';
import type { Tx } from '../platform/database.ts';
import type { Jobs } from '../platform/jobs.ts';
import type { Platform } from '../platform/platform.ts';
import type { Shops } from '../shops/shops.ts';
import type { Shows } from '../shows/shows.ts';
import * as store from './healing-store.ts';
import { JOB_CHECK, type RecordingJob } from './recordings.ts';
import type { Shelf } from './shelf.ts';
import { find } from './store.ts';

export interface HealingDeps {
  platform: Platform;
  jobs: Pick<Jobs, 'add'>;
  shows: Pick<Shows, 'brief' | 'standing'>;
  shops: Pick<Shops, 'assertMay'>;
  shelf: Pick<Shelf, 'stored' | 'forget'>;
  blobs: Blobs;
  hasRoom(): boolean;
}

export interface Healing {
  /** @throws Refusal `shows.not_found`, `shops.…` unless the person may run the show */
  holes(person: PersonActor, showId: string): Promise<RecordingHoles>;
  /**
   * Keeps a part; a repeat changes nothing. `startedAtMs`: of its first picture, Unix epoch.
   * @throws Refusal as `holes`; `recordings.part_unusable`, `recordings.part_elsewhere`, `recordings.not_healable`,
   * `recordings.parts_full`
   */
  take(person: PersonActor, showId: string, startedAtMs: number, body: Buffer): Promise<void>;
  /** All that will come has come: it is put into the replay. @throws Refusal as `holes`; `recordings.not_healable` */
  heal(person: PersonActor, showId: string): Promise<void>;
  /** The job; each again does no harm. */
  work(showId: string): Promise<void>;
  /** Lets go of what was sent and can be added no more; begins anew what was not done within two hours. */
  sweep(): Promise<void>;
  /** The recording was taken away, and what was sent for it goes too. */
  deleteParts(showId: string): Promise<void>;
}

export const JOB_HEAL = 'recordings.heal';

/** Shows whose parts go by one sweep. */
const SWEEP_MOST = 100;
/** A job is tried for half an hour; a disk or a store may be away for longer. */
const STUCK_MS = 2 * 3_600_000;
const DAY_MS = 86_400_000;
/** What a device keeps for each second; more is not what Nacre's pages send. */
const BYTES_A_SECOND_MOST = 400_000;
/** The device's clock against the server's, and how long a picture is on its way. */
const CLOCK_SLACK_MS = 500;
/** Places are whole ms, times are not. */
const ROUNDED_MS = 2;

const partKey = (showId: string, startedAtMs: number): string => `recordings/${showId}/part-${startedAtMs}.bin`;

export function createHealing(deps: HealingDeps): Healing {
  /** One after the other: two of one show would write each other's index away. */
  let working: Promise<void> = Promise.resolve();
  return {
    holes: (person, showId) => holes(deps, person, showId),
    take: (person, showId, startedAtMs, body) => take(deps, person, showId, startedAtMs, body),
    heal: (person, showId) => heal(deps, person, showId),
    work(showId) {
      const done = working.then(() => work(deps, showId));
      working = done.catch(() => undefined);
      return done;
    },
    sweep: () => sweep(deps),
    deleteParts: (showId) => deleteParts(deps, showId),
  };
}

async function assertMay(deps: HealingDeps, person: PersonActor, showId: string): Promise<void> {
  const { shopId } = await deps.shows.brief(person, showId);
  await deps.shops.assertMay(person.personId, shopId, 'show.run');
}

/** How it stands with the show's replay, and the index where parts are taken. */
async function openFor(
  deps: HealingDeps, showId: string,
): Promise<{ state: 'waiting' | 'healing' | 'closed' } | ({ state: 'open'; until: Date } & Wanting)> {
  const { database: { db }, clock } = deps.platform;
  const [row, standing] = await Promise.all([find(db, showId), deps.shows.standing(showId)]);
  // A show that ended a moment ago has its replay within seconds.
  if (row === undefined) return { state: standing === null ? 'closed' : 'waiting' };
  if (row.state !== 'ready') return { state: 'closed' };
  if (row.healing_since !== null) return { state: 'healing' };
  const until = new Date(row.finished_at.getTime() + healingLimits.withinDays * DAY_MS);
  const index = clock.now() < until ? await deps.shelf.stored(showId) : null;
  return index === null ? { state: 'closed' } : { state: 'open', until, ...wantingIn(index, standing) };
}

/** What a replay can do with. */
interface Wanting {
  missing: Hole[];
  weak: Hole[];
}

function wantingIn(index: RecordingIndex, standing: Awaited<ReturnType<Shows['standing']>>): Wanting {
  const wentLiveMs = standing?.wentLiveAt?.getTime() ?? null;
  const endedMs = standing?.endedAt?.getTime() ?? null;
  const missing = holesOf(index, { wentLiveMs, endedMs });
  return { missing, weak: weakIn(index, missing) };
}

async function holes(deps: HealingDeps, person: PersonActor, showId: string): Promise<RecordingHoles> {
  await assertMay(deps, person, showId);
  const open = await openFor(deps, showId);
  if (open.state !== 'open') return { state: open.state, holes: [], parts: [], until: null };
  const parts = await store.partsOf(deps.platform.database.db, showId);
  return {
    state: 'open',
    holes: [...open.missing.map((hole) => told(hole, false)), ...open.weak.map((hole) => told(hole, true))],
    parts: parts.map(({ startedAtMs }) => startedAtMs),
    until: open.until.toISOString(),
  };
}

/** By the device's own times, which are those of capture. */
const told = ({ fromMs, toMs, placedMs }: Hole, isWeak: boolean): RecordingHoles['holes'][number] => ({
  from: new Date(fromMs - placedMs).toISOString(), to: new Date(toMs - placedMs).toISOString(), isWeak,
});

async function take(
  deps: HealingDeps, person: PersonActor, showId: string, startedAtMs: number, body: Buffer,
): Promise<void> {
  const { database, clock } = deps.platform;
  await assertMay(deps, person, showId);
  const open = await openFor(deps, showId);
  if (open.state !== 'open') throw new Refusal('recordings.not_healable');
  const media = readPart(body);
  const span = media === null ? null : spanOf(media);
  if (span === null || Math.abs(span.fromMs - startedAtMs) >= 1 || span.toMs - span.fromMs > healingLimits.partMs) {
    throw new Refusal('recordings.part_unusable');
  }
  const missing = [...open.missing, ...open.weak];
  if (!missing.some((hole) => overlaps(span, hole))) throw new Refusal('recordings.part_elsewhere');
  if (!deps.hasRoom()) throw new Refusal('recordings.parts_full');
  const part = { startedAtMs, endedAtMs: Math.round(span.toMs), bytes: body.length };
  const assertFits = (known: readonly store.Part[]): void => assertOneMore(known, part, bytesMostOf(missing));
  const known = await store.partsOf(database.db, showId);
  if (known.some((one) => one.startedAtMs === startedAtMs)) return;
  assertFits(known);
  // The blob first: a row without one would be a part that is not there.
  await deps.blobs.put(partKey(showId, startedAtMs), body);
  await database.transaction(async (tx) => {
    // Two parts at once: the second one sees the first.
    if (!(await store.lockOpen(tx, showId))) throw new Refusal('recordings.not_healable');
    assertFits((await store.partsOf(tx, showId)).filter((one) => one.startedAtMs !== startedAtMs));
    await store.insertPart(tx, {
      show_id: showId, started_at_ms: BigInt(startedAtMs), ended_at_ms: BigInt(part.endedAtMs),
      bytes: BigInt(part.bytes), taken_at: clock.now(),
    });
  });
}

/** For all holes together, with a part that reaches out of each at either side. */
function bytesMostOf(missing: readonly Hole[]): number {
  const ms = missing.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs + 2 * healingLimits.partMs, 0);
  return (ms / 1_000) * BYTES_A_SECOND_MOST;
}

/** @param span of a part, by the times of capture */
const overlaps = (span: { fromMs: number; toMs: number }, { fromMs, toMs, placedMs }: Hole): boolean => (
  span.fromMs + placedMs < toMs && span.toMs + placedMs > fromMs
);

/** Two devices that kept the same minute: the first one's is taken. */
function assertOneMore(known: readonly store.Part[], part: store.Part, bytesMost: number): void {
  const isTwice = known.some(({ startedAtMs, endedAtMs }) => (
    part.startedAtMs < endedAtMs - CLOCK_SLACK_MS && part.endedAtMs > startedAtMs + CLOCK_SLACK_MS
  ));
  if (isTwice) throw new Refusal('recordings.part_elsewhere');
  const bytes = known.reduce((sum, one) => sum + one.bytes, part.bytes);
  if (known.length >= healingLimits.parts || bytes > bytesMost) throw new Refusal('recordings.parts_full');
}

async function heal(deps: HealingDeps, person: PersonActor, showId: string): Promise<void> {
  const { database, clock } = deps.platform;
  await assertMay(deps, person, showId);
  const open = await openFor(deps, showId);
  if (open.state === 'healing') return;
  if (open.state !== 'open') throw new Refusal('recordings.not_healable');
  await database.transaction(async (tx) => {
    if ((await store.partsOf(tx, showId)).length === 0 || !(await store.beginHealing(tx, showId, clock.now()))) return;
    await deps.jobs.add(tx, JOB_HEAL, { showId } satisfies RecordingJob);
  });
}

async function work(deps: HealingDeps, showId: string): Promise<void> {
  const { database } = deps.platform;
  const [row, parts] = await Promise.all([find(database.db, showId), store.partsOf(database.db, showId)]);
  if (row?.state !== 'ready' || row.healing_since === null) return;
  const stored = await deps.shelf.stored(showId);
  if (stored === null) return;
  const index = await healed(deps, showId, stored, parts);
  await deps.blobs.put(indexKey(showId), Buffer.from(linesOf(index)));
  const stretches = stretchesOf(index);
  await database.transaction(async (tx) => {
    const isThere = await store.endHealing(tx, showId, {
      durationMs: Math.round(durationOf(index)), stretches, bytes: bytesOf(index),
    });
    if (!isThere) return;
    // By what the row said, which changes with them: again they move by nothing.
    await store.movePlaces(tx, showId, movesOf(row.stretches as unknown as Stretch[], stretches));
    await cutClips(tx, showId, index);
    await deps.jobs.add(tx, JOB_CHECK, { showId } satisfies RecordingJob);
  });
  deps.shelf.forget(showId);
  await deleteParts(deps, showId);
}

async function sweep(deps: HealingDeps): Promise<void> {
  const { database, clock } = deps.platform;
  const now = clock.now();
  const ago = (ms: number): Date => new Date(now.getTime() - ms);
  const tooLate = await store.showsTooLate(database.db, ago(healingLimits.withinDays * DAY_MS), SWEEP_MOST);
  for (const showId of tooLate) await deleteParts(deps, showId);
  await database.transaction(async (tx) => {
    for (const showId of await store.beginAnew(tx, ago(STUCK_MS), now, SWEEP_MOST)) {
      await deps.jobs.add(tx, JOB_HEAL, { showId } satisfies RecordingJob);
    }
  });
}

/** The index with what the parts hold: what was missing first, then what was weak. */
async function healed(
  deps: HealingDeps, showId: string, stored: RecordingIndex, parts: readonly store.Part[],
): Promise<RecordingIndex> {
  const { missing, weak } = wantingIn(stored, await deps.shows.standing(showId));
  let index = stored;
  for (const hole of missing) index = await fill(deps, showId, index, hole, parts);
  for (const run of weak) {
    const spans: KeptSpan[] = [];
    for await (const media of mediaIn(deps, showId, run, parts)) addSpans(spans, media);
    for (const hole of givingWay(index, run, spans)) index = await fill(deps, showId, index, hole, parts);
  }
  return index;
}

/** What the parts have of the hole, one after the other: all of it would be more than memory holds. */
async function* mediaIn(
  deps: HealingDeps, showId: string, hole: Hole, parts: readonly store.Part[],
): AsyncGenerator<PublishedMedia[]> {
  for (const { startedAtMs, endedAtMs } of parts) {
    if (!overlaps({ fromMs: startedAtMs, toMs: endedAtMs }, hole)) continue;
    const blob = await deps.blobs.read(partKey(showId, startedAtMs));
    yield blob === null ? [] : (readPart(await buffer(blob.stream)) ?? []);
  }
}

/** The index with what the parts hold of the hole; their segments are in the store. */
async function fill(
  deps: HealingDeps, showId: string, index: RecordingIndex, hole: Hole, parts: readonly store.Part[],
): Promise<RecordingIndex> {
  const filled = emptyIndex();
  let puts: Array<() => Promise<void>> = [];
  const healer = createHealer(hole, {
    onMap(map, initSegment) {
      filled.maps.push(map);
      puts.push(() => deps.blobs.put(mapKey(showId, map.name), initSegment));
    },
    onSegment(segment, data) {
      filled.segments.push(segment);
      puts.push(() => deps.blobs.put(segmentKey(showId, segment.sequence), data));
    },
  });
  const write = async (): Promise<void> => {
    for (const put of puts) await put();
    puts = [];
  };
  for await (const media of mediaIn(deps, showId, hole, parts)) {
    healer.add(media);
    await write();
  }
  healer.end();
  await write();
  return withHealed(index, hole, filled);
}

/** A clip is of one piece: where a part of it gave way, it is the longest that is left. */
async function cutClips(tx: Tx, showId: string, index: RecordingIndex): Promise<void> {
  for (const { id, from_ms, to_ms } of await store.placesOfClips(tx, showId)) {
    const excerpt = excerptOf(index, Number(from_ms), Number(to_ms));
    if (excerpt === null) continue;
    const fromMs = Math.round(Math.max(excerpt.fromMs, Number(from_ms)));
    const toMs = Math.round(excerpt.toMs);
    if (toMs - fromMs < Number(to_ms) - Number(from_ms) - ROUNDED_MS) await store.cutClip(tx, id, { fromMs, toMs });
  }
}

/** What lies between these places of the old recording lies so much further on in the new one. Pure. */
export function movesOf(before: readonly Stretch[], after: readonly Stretch[]): store.Move[] {
  const moves: store.Move[] = [];
  for (const was of before) {
    for (const is of after) {
      const fromMs = Math.max(was.startedAtMs, is.startedAtMs);
      const toMs = Math.min(was.startedAtMs + was.durationMs, is.startedAtMs + is.durationMs);
      if (toMs <= fromMs) continue;
      const placeMs = was.fromMs + fromMs - was.startedAtMs;
      const byMs = Math.round(is.fromMs + fromMs - is.startedAtMs - placeMs);
      moves.push({ fromMs: Math.round(placeMs), toMs: Math.round(placeMs + toMs - fromMs), byMs });
    }
  }
  return moves.filter(({ fromMs, toMs, byMs }) => byMs !== 0 && toMs > fromMs);
}

async function deleteParts(deps: HealingDeps, showId: string): Promise<void> {
  const { db } = deps.platform.database;
  for (const { startedAtMs } of await store.partsOf(db, showId)) {
    await deps.blobs.remove(partKey(showId, startedAtMs));
    await store.deletePart(db, showId, startedAtMs);
  }
}
