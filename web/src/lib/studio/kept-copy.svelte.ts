/**
 * After a show: what this device kept of it (`#lib/broadcast/kept-store.ts`), held against what is missing in the
 * replay, and sent where the host says so.
 *
 * Invariant: nothing is deleted here before it is in the replay, or the host says so, or it is of no use.
 */
import { healingLimits, type RecordingHoles } from '@nacre/contract/healing';
import { canKeep, type KeptNote, type KeptStore, openKeptStore } from '#lib/broadcast/kept-store.ts';
import { healRecording, loadHoles, sendPart } from '#lib/office/healing-api.ts';
import { ApiError } from '#lib/problem.ts';
import { mayPass, sendPatiently } from './send-parts.ts';

export type KeptCopyState =
  /** Nothing is known yet, or there is nothing to offer. */
  | 'none'
  | 'offered' | 'sending'
  /** All was sent, and is put into the replay. */
  | 'adding'
  | 'added';

/** A show has its replay within seconds of its end; healing takes as long as writing what was sent. */
const lookEveryMs = 2_000;
const looksMost = 60;

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** Less is the edge of what was added already. */
const leastMs = 1_000;

/** How much of a piece lies in these holes, in ms. */
export const missedMs = ({ startedAtMs, endedAtMs }: KeptNote, holes: RecordingHoles['holes']): number => (
  holes.reduce((sum, { from, to }) => (
    sum + Math.max(0, Math.min(endedAtMs, Date.parse(to)) - Math.max(startedAtMs, Date.parse(from)))
  ), 0)
);
const missedOf = (notes: readonly KeptNote[], holes: RecordingHoles['holes']): number => (
  notes.reduce((sum, note) => sum + missedMs(note, holes), 0)
);

export function createKeptCopy(showId: string, onAdded: () => void = () => undefined) {
  let state = $state<KeptCopyState>('none');
  let sizeBytes = $state(0);
  let missingMs = $state(0);
  let weakMs = $state(0);
  let sentBytes = $state(0);
  let store: KeptStore | null = null;
  /** What lies in a hole and is not with the server yet. */
  let wanted: KeptNote[] = [];
  /** Whether the server has anything to add. */
  let isAnyThere = false;
  let isOver = false;

  /** Until the replay is there, or there is nothing to wait for. */
  async function untilSettled(): Promise<RecordingHoles | null> {
    for (let looks = 0; looks < looksMost && !isOver; looks += 1) {
      const told = await loadHoles(showId).catch((error: unknown) => {
        if (mayPass(error)) return null;
        throw error;
      });
      if (told?.state === 'healing') state = 'adding';
      if (told?.state === 'open' || told?.state === 'closed') return told;
      await pause(lookEveryMs);
    }
    return null;
  }

  async function forget(): Promise<void> {
    await store?.remove(await store.list(showId));
    wanted = [];
  }

  async function look(): Promise<void> {
    if (!canKeep()) return;
    store = await openKeptStore();
    await store.sweep(Date.now());
    // What the end of the show cut off is written a moment later.
    if ((await store.list(showId)).length === 0) await pause(lookEveryMs);
    if ((await store.list(showId)).length === 0) return;
    const told = await untilSettled();
    if (told === null || isOver) return;
    const wasAdding = state === 'adding';
    const notes = await store.list(showId);
    const inHoles = notes.filter((note) => missedMs(note, told.holes) > 0);
    if (told.state === 'closed' || missedOf(inHoles, told.holes) < leastMs) {
      await forget();
      if (wasAdding) onAdded();
      state = wasAdding ? 'added' : 'none';
      return;
    }
    const sent = new Set(told.parts);
    isAnyThere = sent.size > 0;
    wanted = inHoles.filter(({ startedAtMs }) => !sent.has(Math.round(startedAtMs)));
    sizeBytes = inHoles.reduce((sum, { bytes }) => sum + bytes, 0);
    sentBytes = sizeBytes - wanted.reduce((sum, { bytes }) => sum + bytes, 0);
    missingMs = missedOf(inHoles, told.holes.filter(({ isWeak }) => !isWeak));
    weakMs = missedOf(inHoles, told.holes.filter(({ isWeak }) => isWeak));
    state = 'offered';
  }

  return {
    get state() {
      return state;
    },
    /** That viewers missed, of what is kept. */
    get missingMs() {
      return missingMs;
    },
    /** That they saw as stills, or small. */
    get weakMs() {
      return weakMs;
    },
    get sizeBytes() {
      return sizeBytes;
    },
    /** 0…1 */
    get sentShare() {
      return sizeBytes === 0 ? 0 : sentBytes / sizeBytes;
    },
    /** Throws when the server refuses, or the network stays away: then it is offered again, and goes on from there. */
    async add(): Promise<void> {
      if (state !== 'offered' || store === null) return;
      state = 'sending';
      try {
        for (const note of [...wanted].slice(0, healingLimits.parts)) {
          const body = await store.body(note);
          const isTaken = body !== null
            && (await sendPatiently(() => sendPart(showId, note.startedAtMs, body), pause));
          if (isOver) return;
          if (!isTaken) continue;
          isAnyThere = true;
          wanted = wanted.filter((one) => one !== note);
          sentBytes += note.bytes;
        }
        // Else it would be said to be added, and the only copy be deleted.
        if (!isAnyThere) throw new ApiError('recordings.part_unusable', 422);
        await healRecording(showId);
      } catch (error) {
        state = 'offered';
        throw error;
      }
      state = 'adding';
      if ((await untilSettled()) === null) return;
      await forget();
      state = 'added';
      onAdded();
    },
    async remove(): Promise<void> {
      await forget();
      state = 'none';
    },
    /** In the browser only; returns the way out. */
    start(): () => void {
      // A browser that keeps nothing has nothing to offer, and who may not run the show is not asked.
      look().catch(() => undefined);
      return () => {
        isOver = true;
        store?.close();
      };
    },
  };
}
