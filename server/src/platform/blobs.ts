/**
 * Named bytes that do not change: pictures now, recordings later. A blob is there whole or not at all, also after
 * kill -9: it is written beside its place, flushed, and then renamed.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';

/** Segments of lower-case letters, digits, dots and hyphens, parted by slashes: never a way out of the folder. */
const KEY = /^[a-z0-9][a-z0-9.-]*(\/[a-z0-9][a-z0-9.-]*)*$/;
const KEY_LENGTH_MAX = 200;
/** What is being written has this ending, which no key may have. */
const UNFINISHED = '.part';

export interface Blobs {
  /** Writing a blob again replaces it; readers get all of the old one or all of the new one. */
  put(key: string, bytes: Buffer): Promise<void>;
  /** Null when there is no such blob, or when the key is not one. Read the stream to its end, or destroy it. */
  read(key: string): Promise<{ size: number; stream: Readable } | null>;
  /** Also when there is none. */
  remove(key: string): Promise<void>;
}

export function isBlobKey(key: string): boolean {
  return key.length <= KEY_LENGTH_MAX && KEY.test(key) && !key.endsWith(UNFINISHED);
}

const MISSING = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG']);

async function writeFlushed(path: string, bytes: Buffer): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Without this the name, and with it the blob, may be gone after a power cut. */
async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export function createDiskBlobs(deps: { folder: string }): Blobs {
  function pathOf(key: string): string {
    if (!isBlobKey(key)) throw new Error(`not a blob key: ${key}`);
    return join(deps.folder, key);
  }

  return {
    async put(key, bytes) {
      const path = pathOf(key);
      const beside = `${path}.${randomUUID()}${UNFINISHED}`;
      await mkdir(dirname(path), { recursive: true });
      try {
        await writeFlushed(beside, bytes);
        await rename(beside, path);
      } catch (error) {
        // A full disk must not get fuller by what could not be finished.
        await rm(beside, { force: true });
        throw error;
      }
      await flushFolder(dirname(path));
    },
    async read(key) {
      if (!isBlobKey(key)) return null;
      const path = pathOf(key);
      // Opened before it is measured: size and bytes are of the same blob, also when another takes its place.
      const file = await open(path, 'r').catch((error: unknown) => {
        if (MISSING.has((error as { code?: string }).code ?? '')) return null;
        throw error;
      });
      if (file === null) return null;
      const found = await file.stat();
      if (found.isFile()) return { size: found.size, stream: file.createReadStream() };
      await file.close();
      return null;
    },
    async remove(key) {
      await rm(pathOf(key), { force: true });
    },
  };
}
