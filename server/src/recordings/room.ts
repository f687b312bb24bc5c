/**
 * Room on the disk for recordings: they end before it is full, since orders need the same disk. A full one would stop
 * the shop for the sake of its past.
 */
import { mkdirSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import type { Log } from '../platform/log.ts';
import { createPeriodic } from '../platform/periodic.ts';

/** At 80 shows of 2 Mbit/s 200 MB are written in between. */
const LOOK_EVERY_MS = 10_000;

export interface Room {
  folder: string;
  hasRoom(): boolean;
  /** Bytes that may still be written; null until it was looked at. */
  left(): number | null;
  stop(): Promise<void>;
}

export function createRoom(deps: {
  folder: string;
  /** Left free for everything else. */
  reserveBytes: number;
  log: Log;
  /** For tests. */
  everyMs?: number;
}): Room {
  let left: number | null = null;
  mkdirSync(deps.folder, { recursive: true });

  async function look(): Promise<void> {
    const { bavail, bsize } = await statfs(deps.folder);
    const now = bavail * bsize - deps.reserveBytes;
    if (now <= 0 && (left === null || left > 0)) {
      const facts = { folder: deps.folder, freeBytes: bavail * bsize };
      deps.log.error(facts, 'the disk is nearly full: nothing is recorded');
    }
    left = now;
  }
  const looking = createPeriodic({
    name: 'room', everyMs: deps.everyMs ?? LOOK_EVERY_MS, firstAfterMs: 0, work: look, log: deps.log,
  });
  return { folder: deps.folder, hasRoom: () => left === null || left > 0, left: () => left, stop: looking.stop };
}
