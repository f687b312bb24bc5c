/**
 * Pictures that people upload: checked by content, re-encoded, kept in a few widths.
 *
 * Invariants: what is served was written by our encoder, never by a visitor; a picture never changes under its id, so
 * that descriptions may be cached and blobs kept by browsers for ever.
 */
import type { Image } from '@nacre/contract/common';
import { LRUCache } from 'lru-cache';
import { Refusal } from '../lib/refusal.ts';
import type { Blobs } from '../platform/blobs.ts';
import { afterCommit, type Tx } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import { createEncoder, type Encoder } from './encoder.ts';
import * as store from './store.ts';

/** Largest upload. Phones make pictures of 3–12 MB; more only costs memory. */
export const UPLOAD_BYTES_MAX = 15 * 1024 * 1024;
/** Pictures of one person in a day. A shop that opens uploads hundreds; without a bound one account fills the disk. */
const UPLOADS_PER_DAY = 1_000;
const DAY_MS = 24 * 3600 * 1000;
/** Descriptions kept in memory, 0.3 KB each. Fewer means a query for each list of goods. */
const CACHE_SIZE = 20_000;

export interface ImagesDeps {
  platform: Platform;
  blobs: Blobs;
}

export interface Images {
  /**
   * Re-encodes and keeps a picture. `uploaderId` is null for what the installation itself brings along.
   * @throws Refusal `images.not_an_image`, `images.too_large`, `images.too_small`, `images.too_many`, `server.busy`
   */
  upload(uploaderId: string | null, bytes: Buffer): Promise<Image>;
  /** What is known of these pictures; ids without a picture are missing from the answer. */
  describe(ids: readonly string[]): Promise<Map<string, Image>>;
  /** @throws Refusal `images.unknown` with `details.imageIds` unless every id names a picture. */
  assertExist(tx: Tx, ids: readonly string[]): Promise<void>;
}

interface Parts extends ImagesDeps {
  encoder: Encoder;
  known: LRUCache<string, Image>;
}

export function createImages(deps: ImagesDeps): Images {
  const parts: Parts = { ...deps, encoder: createEncoder(), known: new LRUCache({ max: CACHE_SIZE }) };
  return {
    upload: (uploaderId, bytes) => upload(parts, uploaderId, bytes),
    describe: (ids) => describe(parts, ids),
    assertExist,
  };
}

async function upload(parts: Parts, uploaderId: string | null, bytes: Buffer): Promise<Image> {
  const { platform, blobs, encoder } = parts;
  if (bytes.length > UPLOAD_BYTES_MAX) throw new Refusal('images.too_large');
  if (uploaderId !== null) await refuseTooMany(platform, uploaderId);
  const encoded = await encoder.encode(bytes);
  const id = platform.newId();
  const keys = encoded.map(({ width }) => blobKey(id, width));
  const largest = encoded.at(-1);
  if (largest === undefined) throw new Error('the encoder made no picture');
  const row: store.ImageRow = {
    id,
    width: largest.width,
    height: largest.height,
    widths: encoded.map(({ width }) => width),
  };
  try {
    for (const [index, key] of keys.entries()) await blobs.put(key, encoded[index]?.bytes ?? Buffer.alloc(0));
    await platform.database.transaction(async (tx) => {
      const size = encoded.reduce((sum, { bytes: part }) => sum + part.length, 0);
      await store.insertImage(tx, row, uploaderId, size, platform.clock.now());
      afterCommit(tx, () => parts.known.set(id, viewOf(row)));
    });
  } catch (error) {
    await Promise.allSettled(keys.map((key) => blobs.remove(key)));
    throw error;
  }
  return viewOf(row);
}

async function refuseTooMany(platform: Platform, uploaderId: string): Promise<void> {
  const since = new Date(platform.clock.now().getTime() - DAY_MS);
  const count = await store.countSince(platform.database.db, uploaderId, since);
  if (count >= UPLOADS_PER_DAY) throw new Refusal('images.too_many');
}

async function describe(parts: Parts, ids: readonly string[]): Promise<Map<string, Image>> {
  const found = new Map<string, Image>();
  const missing: string[] = [];
  for (const id of new Set(ids)) {
    const known = parts.known.get(id);
    if (known === undefined) missing.push(id);
    else found.set(id, known);
  }
  if (missing.length === 0) return found;
  for (const row of await store.imagesByIds(parts.platform.database.db, missing)) {
    const image = viewOf(row);
    parts.known.set(row.id, image);
    found.set(row.id, image);
  }
  return found;
}

async function assertExist(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const found = new Set((await store.imagesByIds(tx, [...new Set(ids)])).map(({ id }) => id));
  const missing = ids.filter((id) => !found.has(id));
  if (missing.length > 0) throw new Refusal('images.unknown', { details: { imageIds: missing } });
}

function blobKey(id: string, width: number): string {
  return `image/${id}/${width}.webp`;
}

function viewOf(row: store.ImageRow): Image {
  return {
    id: row.id,
    width: row.width,
    height: row.height,
    sources: row.widths.map((width) => ({ url: `/blobs/${blobKey(row.id, width)}`, width })),
  };
}
