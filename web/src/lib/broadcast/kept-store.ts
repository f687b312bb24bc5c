/**
 * Where pieces are kept on this device: IndexedDB, which every browser has and which takes a piece whole or not at all,
 * also when the page crashes. Bounded: the oldest go first.
 */
import { healingLimits } from '@nacre/contract/healing';
import type { KeptPiece } from './kept-ring.ts';

/** Of all shows together, and not more than this share of what the browser gives this site. */
const bytesMost = 1.5e9;
const shareMost = 0.3;
const dayMs = 86_400_000;
const name = 'nacre-kept';

export interface KeptNote {
  showId: string;
  /** By the server's clock. */
  startedAtMs: number;
  endedAtMs: number;
  bytes: number;
}

export interface KeptStore {
  /** Rejects when the device takes no more. */
  add(showId: string, piece: KeptPiece): Promise<void>;
  /** In order of time. */
  list(showId: string): Promise<KeptNote[]>;
  body(note: KeptNote): Promise<Uint8Array<ArrayBuffer> | null>;
  remove(notes: readonly KeptNote[]): Promise<void>;
  /** Lets go of what is older than a week. */
  sweep(nowMs: number): Promise<void>;
  close(): void;
}

export const canKeep = (): boolean => typeof indexedDB !== 'undefined';

const done = <T>(request: IDBRequest<T>): Promise<T> => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error ?? new Error('the device’s store failed'));
});

const settled = (transaction: IDBTransaction): Promise<void> => new Promise((resolve, reject) => {
  transaction.oncomplete = () => resolve();
  transaction.onabort = transaction.onerror = () => reject(transaction.error ?? new Error('nothing was kept'));
});

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore('notes', { keyPath: ['showId', 'startedAtMs'] });
    request.result.createObjectStore('bodies');
  };
  return done(request);
}

const keyOf = ({ showId, startedAtMs }: KeptNote): [string, number] => [showId, startedAtMs];

/** Rejects where the browser has none, as in some private windows. */
export async function openKeptStore(): Promise<KeptStore> {
  const database = await open();
  const all = (): Promise<KeptNote[]> => done(database.transaction('notes').objectStore('notes').getAll());

  async function remove(notes: readonly KeptNote[]): Promise<void> {
    if (notes.length === 0) return;
    const transaction = database.transaction(['notes', 'bodies'], 'readwrite');
    for (const note of notes) {
      transaction.objectStore('notes').delete(keyOf(note));
      transaction.objectStore('bodies').delete(keyOf(note));
    }
    await settled(transaction);
  }

  async function makeRoom(bytes: number): Promise<void> {
    const { quota = Infinity } = (await navigator.storage?.estimate?.()) ?? {};
    const most = Math.min(bytesMost, quota * shareMost);
    const notes = (await all()).sort((a, b) => a.startedAtMs - b.startedAtMs);
    let total = notes.reduce((sum, note) => sum + note.bytes, bytes);
    const gone: KeptNote[] = [];
    for (const note of notes) {
      if (total <= most) break;
      total -= note.bytes;
      gone.push(note);
    }
    await remove(gone);
  }

  return {
    async add(showId, { startedAtMs, endedAtMs, body }) {
      await makeRoom(body.length);
      const note: KeptNote = { showId, startedAtMs, endedAtMs, bytes: body.length };
      const transaction = database.transaction(['notes', 'bodies'], 'readwrite');
      transaction.objectStore('notes').put(note);
      transaction.objectStore('bodies').put(body.buffer, keyOf(note));
      await settled(transaction);
    },
    async list(showId) {
      const notes = (await all()).filter((note) => note.showId === showId);
      return notes.sort((a, b) => a.startedAtMs - b.startedAtMs);
    },
    async body(note) {
      const request = database.transaction('bodies').objectStore('bodies').get(keyOf(note));
      const body = (await done(request)) as ArrayBuffer | undefined;
      return body === undefined ? null : new Uint8Array(body);
    },
    remove,
    async sweep(nowMs) {
      const keepMs = healingLimits.withinDays * dayMs;
      await remove((await all()).filter(({ endedAtMs }) => nowMs - endedAtMs > keepMs));
    },
    close: () => database.close(),
  };
}
