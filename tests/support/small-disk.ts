/** A small file system of its own, to be filled. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, rmdirSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorCode } from '../../server/src/platform/start-refusal.ts';

export interface SmallDisk {
  folder: string;
  /** Leaves no byte free. */
  fill(): void;
  /** Takes away again what `fill` has put there. */
  clear(): void;
  remove(): void;
}

/** Null, and why not in words, where nothing may be mounted. */
export function mountSmallDisk(megabytes: number): SmallDisk | { why: string } {
  const folder = mkdtempSync(join(tmpdir(), 'nacre-disk-'));
  const options = `size=${megabytes}m,mode=755`;
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { encoding: 'utf8' });
  if (mounted.status !== 0) {
    rmdirSync(folder);
    return { why: `a file system of its own cannot be mounted: ${mounted.stderr || mounted.error?.message}`.trim() };
  }
  const ballast = join(folder, 'ballast');
  return {
    folder,
    fill() {
      const file = openSync(ballast, 'a');
      try {
        // The last pieces are small, so that a page of 4 KiB has no room.
        for (let size = 1024 * 1024; size >= 1;) {
          try {
            writeSync(file, Buffer.alloc(size));
          } catch (error) {
            if (errorCode(error) !== 'ENOSPC') throw error;
            size /= 4;
          }
        }
      } finally {
        closeSync(file);
      }
    },
    clear: () => rmSync(ballast, { force: true }),
    remove() {
      const unmounted = spawnSync('umount', [folder], { encoding: 'utf8' });
      if (unmounted.status !== 0) throw new Error(`${folder} cannot be unmounted: ${unmounted.stderr}`);
      rmdirSync(folder);
    },
  };
}
