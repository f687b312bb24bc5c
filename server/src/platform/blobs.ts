/**
 * Named bytes that do not change: pictures now, recordings later. A blob is there whole or not at all, also after
 * kill -9: it is written beside its place, flushed, and then renamed.
 */
import { randomUUID } from 'node:crypto';
import { createReadStream, type ReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Segments of lower-case letters, digits, dots and hyphens, parted by slashes: never a way out of the folder. */
const KEY = /^[a-z0-9][a-z0-9.-]*(\/[a-z0-9][a-z0-9.-]*)*$/;
const KEY_LENGTH_MAX = 200;

export interface Blobs {
  put(key: string, bytes: Buffer): Promise<void>;
  /** Null when there is no such blob, or when the key is not one. */
  read(key: string): Promise<{ size: number; stream: ReadStream } | null>;
  remove(key: string): Promise<void>;
}

export function isBlobKey(key: string): boolean {
  return key.length <= KEY_LENGTH_MAX && KEY.test(key);
}

export function createDiskBlobs(deps: { folder: string }): Blobs {
  function pathOf(key: string): string {
    if (!isBlobKey(key)) throw new Error(`not a blob key: ${key}`);
    return join(deps.folder, key);
  }

  return {
    async put(key, bytes) {
      const path = pathOf(key);
      const beside = `${path}.${randomUUID()}.part`;
      await mkdir(dirname(path), { recursive: true });
      const file = await open(beside, 'wx');
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(beside, path);
    },
    async read(key) {
      if (!isBlobKey(key)) return null;
      const path = pathOf(key);
      const found = await stat(path).catch(() => null);
      if (found === null || !found.isFile()) return null;
      return { size: found.size, stream: createReadStream(path) };
    },
    async remove(key) {
      await rm(pathOf(key), { force: true });
    },
  };
}
