/**
 * Room on the disk for recordings: they end before it is full, since orders need the same disk. A full one would stop
 * the shop for the sake of its past.
 */
import { mkdirSync } from 'node:fs';
import { freeBytesOf } from '../platform/disk-space.ts';
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
    const freeBytes = await freeBytesOf(deps.folder);
    if (freeBytes === null) throw new Error(`the system cannot tell how much room ${deps.folder} has`);
    const now = freeBytes - deps.reserveBytes;
    if (now <= 0 && (left === null || left > 0)) {
      deps.log.error({ folder: deps.folder, freeBytes }, 'the disk is nearly full: nothing is recorded');
    }
    left = now;
  }
  const looking = createPeriodic({
    name: 'room', everyMs: deps.everyMs ?? LOOK_EVERY_MS, firstAfterMs: 0, work: look, log: deps.log,
  });
  return { folder: deps.folder, hasRoom: () => left === null || left > 0, left: () => left, stop: looking.stop };
}
