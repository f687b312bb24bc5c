/**
 * What is kept of shows: the replay, who may see it, how long it is kept. The bytes are kept by the recorder
 * (media/src/recording) while a show runs; here it is decided that they are a replay, and when they go.
 */
import type {
  OfficeRecording, RecordingReport, Replay, ReplayChapter, ReplayStretch, WatchedUntil, Watching, WatchingQuery,
} from '@nacre/contract/replays';
import type { ShowTile } from '@nacre/contract/shows';
import type { Recorder } from '@nacre/media/recording/recorder';
import { beginCheck, checkOn, isChecked, type RecordingCheck } from '@nacre/media/recording/check';
import {
  airedOf, bytesOf, durationOf, placeOf, stretchesOf, type RecordingIndex, type Stretch,
} from '@nacre/media/recording/recording-index';
import type { Actor, PersonActor } from '../http/actor.ts';
import { readAhead } from '../lib/read-ahead.ts';
import { Refusal } from '../lib/refusal.ts';
import type { Tx } from '../platform/database.ts';
import type { Jobs } from '../platform/jobs.ts';
import type { Platform } from '../platform/platform.ts';
import type { Shops } from '../shops/shops.ts';
import type { Shows } from '../shows/shows.ts';
import { clipsOf } from './clips.ts';
import type { Shelf } from './shelf.ts';
import * as store from './store.ts';
import { replayTiles, watching } from './watching.ts';

export interface RecordingsDeps {
  platform: Platform;
  jobs: Pick<Jobs, 'add'>;
  shows: Pick<Shows, 'brief' | 'stateOf' | 'standing' | 'screensOf' | 'mayReplay' | 'publicTiles'>;
  shops: Pick<Shops, 'assertMay'>;
  recorder: Pick<Recorder, 'index' | 'finish' | 'recover'>;
  shelf: Shelf;
  /** Nobody publishes the show any more. A repeat does nothing. */
  endPicture(showId: string): Promise<void>;
  /** Likes of each minute since the show went live. */
  likesByMinute(showId: string): Promise<number[]>;
  /** Recordings are kept for so long. */
  keepMs: number;
}

export interface Recordings {
  /** @param isAired as it went out, where some of it gave way. @throws Refusal `shows.not_found` */
  replay(actor: Actor, showId: string, isAired?: boolean): Promise<Replay>;
  /** @throws Refusal `shows.not_found`, `shops.…` unless the person may see the shop's shows */
  forOffice(person: PersonActor, showId: string): Promise<OfficeRecording>;
  /** Takes the replay away for good. A repeat changes nothing. @throws Refusal as `forOffice`; `recordings.running` */
  remove(person: PersonActor, showId: string): Promise<void>;
  /** @throws Refusal `shows.not_found` */
  watchedUntil(person: PersonActor, showId: string): Promise<number | null>;
  /** Towards the end it is forgotten. @throws Refusal `shows.not_found` */
  noteWatched(person: PersonActor, showId: string, until: WatchedUntil): Promise<void>;
  /** It is on no list any more and begins anew. A repeat changes nothing. */
  forgetWatched(person: PersonActor, showId: string): Promise<void>;
  /** What the person began and did not finish, of public shows, the latest first; `WATCHING_MOST` at most. */
  watching(person: PersonActor, query: WatchingQuery): Promise<Watching[]>;
  /** Of these shows the public ones that this actor may see again, in this order. */
  replayTiles(actor: Actor, showIds: readonly string[]): Promise<ShowTile[]>;
  /** How long the replays of these shows are, in ms; one without is missing. */
  lengthsOf(showIds: readonly string[]): Promise<Map<string, number>>;
  /**
   * Makes the clips that a show which is over has not, as they would have come of its end. A repeat makes none.
   * @returns how many. @throws Refusal as `remove`
   */
  makeClips(person: PersonActor, showId: string): Promise<number>;
  /** In the outbox's transaction: a show that is over has its recording finished. */
  noteChanged(tx: Tx, showId: string): Promise<void>;
  /** Jobs; each does no harm again. */
  finish(showId: string): Promise<void>;
  check(job: CheckJob): Promise<void>;
  deleteBytes(showId: string): Promise<void>;
  /** Takes away what is too old. @returns how many */
  sweep(): Promise<number>;
  /** Takes up what an earlier process left. Before anything is published. */
  start(): Promise<void>;
}

export const JOB_FINISH = 'recordings.finish';
export const JOB_CHECK = 'recordings.check';
export const JOB_DELETE = 'recordings.delete';
export interface RecordingJob {
  showId: string;
}
export interface CheckJob extends RecordingJob {
  /** Where the job before came to, in the recording of so many bytes: healing makes another one of it. */
  soFar?: { bytes: number; check: RecordingCheck };
}

/** A show with more is cut too often to be leafed through. */
const STRETCHES_MOST = 1_000;
/** Shorter than this on screen was a slip. */
const CHAPTER_MIN_MS = 1_000;
/** Whoever has come so far has seen it. */
const END_MS = 10_000;
/** Of one person; who watches more goes on with the latest. */
const WATCHED_MOST = 200;
/** Segments of half a megabyte; an object store takes its time for each. */
const READ_AHEAD = 8;
/**
 * One job reads for so long, and the next goes on: a job that takes a minute counts as lost with its process. Shorter
 * asks the index of a long show often.
 */
const CHECK_JOB_MS = 20_000;
/** Taken away by one sweep. */
const SWEEP_MOST = 100;

export function createRecordings(deps: RecordingsDeps): Recordings {
  const { database, clock } = deps.platform;
  return {
    replay: (actor, showId, isAired = false) => replay(deps, actor, showId, isAired),
    forOffice: (person, showId) => forOffice(deps, person, showId),
    remove: (person, showId) => remove(deps, person, showId),
    async watchedUntil(person, showId) {
      await deps.shows.brief(person, showId);
      return store.watchedUntil(database.db, person.personId, showId);
    },
    noteWatched: (person, showId, until) => noteWatched(deps, person, showId, until),
    forgetWatched: ({ personId }, showId) => (
      database.transaction((tx) => store.forgetWatched(tx, personId, showId))
    ),
    watching: (person, query) => watching(deps, person, query),
    replayTiles: (actor, showIds) => replayTiles(deps, actor, showIds),
    lengthsOf: (showIds) => store.lengthsOf(database.db, showIds),
    makeClips: (person, showId) => makeClips(deps, person, showId),
    async noteChanged(tx, showId) {
      if (deps.recorder.index(showId) !== null && (await isOver(deps, showId))) {
        await deps.jobs.add(tx, JOB_FINISH, { showId });
      }
    },
    finish: (showId) => finish(deps, showId),
    check: (job) => check(deps, job),
    deleteBytes: (showId) => deps.shelf.remove(showId),
    async sweep() {
      const due = await store.dueToGo(database.db, clock.now(), SWEEP_MOST);
      for (const showId of due) await take(deps, showId, { by: null, why: 'age' });
      return due.length;
    },
    async start() {
      for (const showId of await deps.recorder.recover()) {
        if (!(await isOver(deps, showId))) continue;
        await database.transaction((tx) => deps.jobs.add(tx, JOB_FINISH, { showId }));
      }
    },
  };
}

async function isOver(deps: RecordingsDeps, showId: string): Promise<boolean> {
  const state = await deps.shows.stateOf(showId);
  return state === null || state === 'ended' || state === 'cancelled';
}

async function replay(deps: RecordingsDeps, actor: Actor, showId: string, isAired: boolean): Promise<Replay> {
  await deps.shows.brief(actor, showId);
  const row = await store.find(deps.platform.database.db, showId);
  const live = deps.recorder.index(showId);
  const nothing = {
    showId, isReplaced: false, durationMs: 0, stretches: [], chapters: [], likesByMinute: [], keptUntil: null,
    removedWhy: null,
  };
  if (!(await deps.shows.mayReplay(showId, actor))) return { ...nothing, state: 'none' };
  if (row?.state === 'removed') return { ...nothing, state: 'removed', removedWhy: row.removed_why as 'shop' | 'age' };
  if (row === undefined && (live === null || live.segments.length === 0)) return { ...nothing, state: 'none' };
  const whole = row === undefined ? stretchesOf(live!) : row.stretches as unknown as Stretch[];
  const isReplaced = whole.some(({ isReplacing }) => isReplacing);
  const aired = isAired && isReplaced ? await deps.shelf.find(showId) : null;
  const stretches = aired === null ? whole : stretchesOf(airedOf(aired.index));
  const durationMs = stretches.reduce((sum, stretch) => sum + stretch.durationMs, 0);
  const [screens, likesByMinute] = await Promise.all([deps.shows.screensOf(showId), deps.likesByMinute(showId)]);
  return {
    showId,
    state: row === undefined ? 'running' : 'ready',
    isReplaced,
    durationMs: Math.round(durationMs),
    stretches: stretches.slice(0, STRETCHES_MOST).map(stretchTold),
    chapters: chaptersOf(screens, stretches, durationMs),
    likesByMinute,
    keptUntil: row?.keep_until.toISOString() ?? null,
    removedWhy: null,
  };
}

const stretchTold = ({ fromMs, startedAtMs, durationMs, isHealed, isReplacing }: Stretch): ReplayStretch => ({
  fromMs: Math.round(fromMs), startedAt: new Date(startedAtMs).toISOString(), durationMs: Math.round(durationMs),
  isHealed: isHealed ?? false, isReplacing: isReplacing ?? false,
});

/** What was on screen, as places in the recording; the same product twice in a row is one chapter. */
export function chaptersOf(
  screens: Awaited<ReturnType<Shows['screensOf']>>, stretches: readonly Stretch[], durationMs: number,
): ReplayChapter[] {
  const chapters: ReplayChapter[] = [];
  for (const { productId, number, startedAt, endedAt } of screens) {
    const fromMs = Math.round(placeOf(stretches, startedAt.getTime()));
    const toMs = Math.round(endedAt === null ? durationMs : placeOf(stretches, endedAt.getTime()));
    const last = chapters.at(-1);
    if (toMs - fromMs < CHAPTER_MIN_MS) continue;
    if (last?.productId === productId && fromMs - last.toMs < CHAPTER_MIN_MS) last.toMs = toMs;
    else chapters.push({ productId, number, fromMs, toMs });
  }
  return chapters;
}

async function forOffice(deps: RecordingsDeps, person: PersonActor, showId: string): Promise<OfficeRecording> {
  await ownShow(deps, person, showId, 'show.see');
  const row = await store.find(deps.platform.database.db, showId);
  const live = deps.recorder.index(showId);
  const isLive = row === undefined && live !== null;
  return {
    showId,
    state: row === undefined ? (live === null ? 'none' : 'running') : row.state as 'ready' | 'removed',
    durationMs: isLive ? Math.round(durationOf(live)) : Number(row?.duration_ms ?? 0),
    bytes: isLive ? bytesOf(live) : Number(row?.bytes ?? 0),
    keptUntil: row?.state === 'ready' ? row.keep_until.toISOString() : null,
    healed: healedIn((row?.stretches ?? []) as unknown as Stretch[]),
    report: (row?.report ?? null) as RecordingReport | null,
    removedAt: row?.removed_at?.toISOString() ?? null,
    removedWhy: (row?.removed_why ?? null) as 'shop' | 'age' | null,
  };
}

function healedIn(stretches: readonly Stretch[]): OfficeRecording['healed'] {
  const healed = stretches.filter(({ isHealed }) => isHealed);
  return {
    parts: healed.length, durationMs: Math.round(healed.reduce((sum, { durationMs }) => sum + durationMs, 0)),
  };
}

async function ownShow(
  deps: RecordingsDeps, person: PersonActor, showId: string, right: 'show.see' | 'show.plan',
): Promise<void> {
  const { shopId } = await deps.shows.brief(person, showId);
  await deps.shops.assertMay(person.personId, shopId, right);
}

async function remove(deps: RecordingsDeps, person: PersonActor, showId: string): Promise<void> {
  await ownShow(deps, person, showId, 'show.plan');
  if (deps.recorder.index(showId) !== null) throw new Refusal('recordings.running');
  await take(deps, showId, { by: person.personId, why: 'shop' });
}

/** Nobody sees it from now on; its bytes go a little later. */
async function take(
  deps: RecordingsDeps, showId: string, { by, why }: { by: string | null; why: 'shop' | 'age' },
): Promise<void> {
  const { database, clock } = deps.platform;
  await database.transaction(async (tx) => {
    if (!(await store.markRemoved(tx, showId, { at: clock.now(), by, why }))) return;
    await deps.jobs.add(tx, JOB_DELETE, { showId } satisfies RecordingJob);
  });
  deps.shelf.forget(showId);
}

async function noteWatched(
  deps: RecordingsDeps, { personId, ...person }: PersonActor, showId: string, { positionMs }: WatchedUntil,
): Promise<void> {
  const { database, clock } = deps.platform;
  await deps.shows.brief({ personId, ...person }, showId);
  const recorded = await deps.shelf.find(showId);
  const isSeen = recorded === null || positionMs >= durationOf(recorded.index) - END_MS;
  await database.transaction((tx) => (isSeen
    ? store.forgetWatched(tx, personId, showId)
    : store.writeWatched(tx, {
      person_id: personId, show_id: showId, position_ms: BigInt(positionMs), watched_at: clock.now(),
    }, WATCHED_MOST)
  ));
}

async function finish(deps: RecordingsDeps, showId: string): Promise<void> {
  const { database, clock } = deps.platform;
  const standing = await deps.shows.standing(showId);
  if (standing === null || standing.isRunning) return;
  // Nothing may be added behind what is finished.
  await deps.endPicture(showId);
  // A process that ended just here has written the index and not the row.
  const index = (await deps.recorder.finish(showId)) ?? (await deps.shelf.stored(showId));
  if (index === null) return;
  const now = clock.now();
  const screens = await deps.shows.screensOf(showId);
  await database.transaction(async (tx) => {
    const isNew = await store.insert(tx, {
      show_id: showId, shop_id: standing.shopId, state: 'ready',
      duration_ms: BigInt(Math.round(durationOf(index))),
      bytes: BigInt(bytesOf(index)),
      stretches: JSON.stringify(stretchesOf(index)),
      finished_at: now, keep_until: new Date(now.getTime() + deps.keepMs),
    });
    if (!isNew) return;
    await store.insertClips(tx, clipRows(deps, showId, index, screens));
    await deps.jobs.add(tx, JOB_CHECK, { showId } satisfies RecordingJob);
  });
  deps.shelf.forget(showId);
}

function clipRows(
  { platform: { newId, clock } }: RecordingsDeps, showId: string, index: RecordingIndex,
  screens: Awaited<ReturnType<Shows['screensOf']>>,
) {
  const chapters = chaptersOf(screens, stretchesOf(index), durationOf(index));
  return clipsOf(index, chapters).map(({ productId, fromMs, toMs }) => ({
    id: newId(), show_id: showId, product_id: productId, created_at: clock.now(),
    from_ms: BigInt(fromMs), to_ms: BigInt(toMs),
  }));
}

async function makeClips(deps: RecordingsDeps, person: PersonActor, showId: string): Promise<number> {
  await ownShow(deps, person, showId, 'show.plan');
  const { database } = deps.platform;
  if (deps.recorder.index(showId) !== null) throw new Refusal('recordings.running');
  const index = (await store.find(database.db, showId))?.state === 'ready' ? await deps.shelf.stored(showId) : null;
  if (index === null) return 0;
  const rows = clipRows(deps, showId, index, await deps.shows.screensOf(showId));
  return database.transaction((tx) => store.insertClips(tx, rows));
}

async function check(deps: RecordingsDeps, { showId, soFar }: CheckJob): Promise<void> {
  const { database, clock } = deps.platform;
  const index = await deps.shelf.stored(showId);
  const row = await store.find(database.db, showId);
  if (index === null || row?.state !== 'ready' || row.report !== null) return;
  const bytes = bytesOf(index);
  // It was healed meanwhile, and what it is now has a job of its own.
  if (soFar !== undefined && soFar.bytes !== bytes) return;
  const from = soFar?.check ?? beginCheck(index);
  const kept = index.segments.slice(from.at).flatMap(({ sequence, isLost }) => (isLost ? [] : [sequence]));
  const untilMs = clock.now().getTime() + CHECK_JOB_MS;
  const check = await checkOn(
    index, from, readAhead(kept, READ_AHEAD, (sequence) => deps.shelf.segment(showId, sequence)),
    () => clock.now().getTime() < untilMs,
  );
  if (isChecked(index, check)) return tell(deps, showId, index, check);
  const job: CheckJob = { showId, soFar: { bytes, check } };
  await database.transaction((tx) => deps.jobs.add(tx, JOB_CHECK, { ...job }));
}

async function tell(
  deps: RecordingsDeps, showId: string, index: RecordingIndex, { report: found }: RecordingCheck,
): Promise<void> {
  const { database: { db }, log } = deps.platform;
  const placeOfSegment = new Map<number, number>();
  let atMs = 0;
  for (const { sequence, durationMs } of index.segments) {
    placeOfSegment.set(sequence, Math.round(atMs));
    atMs += durationMs;
  }
  const { pictures, keyPictures, soundFrames, gaps } = found;
  const faults = found.faults.map(({ sequence, fault }) => ({ atMs: placeOfSegment.get(sequence) ?? 0, fault }));
  const report: RecordingReport = { pictures, keyPictures, soundFrames, gaps, faults };
  if (faults.length > 0) log.warn({ showId, faults: found.faults }, 'a recording is not whole');
  await store.writeReport(db, showId, report, bytesOf(index));
}
