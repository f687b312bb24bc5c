/**
 * Clips: of each product that was on screen long enough, the longest time of it, cut out of the replay by itself when
 * the show is over. Nothing is encoded or kept twice: a clip is two places in a recording.
 */
import { CLIP_LONGEST_MS, type Clip, type ClipTile, type ShowClip } from '@nacre/contract/clips';
import type { Image } from '@nacre/contract/common';
import type { ReplayChapter } from '@nacre/contract/replays';
import { excerptOf, remuxExcerpt, type Excerpt } from '@nacre/media/recording/excerpt';
import type { RecordingIndex } from '@nacre/media/recording/recording-index';
import type { Catalog } from '../catalog/catalog.ts';
import type { Actor, PersonActor } from '../http/actor.ts';
import { readAhead } from '../lib/read-ahead.ts';
import { Refusal } from '../lib/refusal.ts';
import type { Images } from '../images/images.ts';
import type { Platform } from '../platform/platform.ts';
import type { Shops } from '../shops/shops.ts';
import type { Shows } from '../shows/shows.ts';
import type { Shelf } from './shelf.ts';
import * as store from './store.ts';
import { createTurns } from './turns.ts';

export interface ClipsDeps {
  platform: Pick<Platform, 'database' | 'clock'>;
  shows: Pick<Shows, 'get' | 'brief' | 'mayReplay' | 'publicTiles' | 'assertRuns' | 'screensOf'>;
  shops: Pick<Shops, 'assertMay' | 'may'>;
  catalog: Pick<Catalog, 'forVisitor'>;
  images: Pick<Images, 'describe' | 'assertExist'>;
  shelf: Shelf;
}

export interface Clips {
  /**
   * Keeps a picture of a product as it is shown; the first of each product in a show stays.
   * @throws Refusal as `Shows.assertRuns`; `recordings.not_shown` unless the product was on screen; `images.unknown`
   */
  notePoster(person: PersonActor, showId: string, productId: string, imageId: string): Promise<void>;
  /** @throws Refusal `recordings.no_clip`, also when the actor may not see its show or the product is not on sale */
  get(actor: Actor, clipId: string): Promise<Clip>;
  /** Of public shows that this actor may see again, the latest first. @throws Refusal `catalog.not_found` */
  ofProduct(actor: Actor, productId: string): Promise<ClipTile[]>;
  /**
   * In the order of the show, of what is still on sale.
   * @throws Refusal `shows.not_found` for who may not see its replay
   */
  ofShow(actor: Actor, showId: string): Promise<ShowClip[]>;
  /**
   * As an MP4 file. @throws Refusal `recordings.no_clip`, `shops.…` unless the person may see the shop's shows,
   * `server.busy`
   */
  file(person: PersonActor, clipId: string): Promise<Buffer>;
  /** The same of a public show, for everybody. @throws Refusal `recordings.no_clip`, `server.busy` */
  publicFile(clipId: string): Promise<Buffer>;
}

/** Shorter says nothing of a product. */
const CLIP_SHORTEST_MS = 8_000;
const LISTED = 6;
/** Files that are made at once: each lies in memory twice, of up to 60 MB. */
const FILES_AT_ONCE = 2;
const BUSY_SECONDS = 5;
const READ_AHEAD = 8;
const NOBODY: Actor = { kind: 'guest', guestId: 'anybody' };

export function createClips(deps: ClipsDeps): Clips {
  const turns = createTurns({ atOnce: FILES_AT_ONCE, waitingMost: 0, waitMs: 0, retryAfterSeconds: BUSY_SECONDS });
  const inTurn = (row: store.ClipRow): Promise<Buffer> => turns.take(() => makeFile(deps, row));

  return {
    notePoster: (person, showId, productId, imageId) => notePoster(deps, person, showId, productId, imageId),
    get: (actor, clipId) => get(deps, actor, clipId),
    ofProduct: (actor, productId) => ofProduct(deps, actor, productId),
    ofShow: (actor, showId) => ofShow(deps, actor, showId),
    async file(person, clipId) {
      const row = await findClip(deps, person, clipId);
      const { shopId } = await deps.shows.brief(person, row.show_id);
      await deps.shops.assertMay(person.personId, shopId, 'show.see');
      return inTurn(row);
    },
    async publicFile(clipId) {
      const row = await findClip(deps, NOBODY, clipId);
      // What one has to be a member for, others may not keep.
      if ((await deps.shows.publicTiles([row.show_id])).size === 0) throw new Refusal('recordings.no_clip');
      return inTurn(row);
    },
  };
}

/** Of each product its longest time on screen, as far as it is one unbroken piece of the recording. */
export function clipsOf(
  index: RecordingIndex, chapters: readonly ReplayChapter[],
): Array<{ productId: string; fromMs: number; toMs: number }> {
  const longest = new Map<string, { productId: string; fromMs: number; toMs: number }>();
  for (const { productId, ...chapter } of chapters) {
    const excerpt = excerptOf(index, chapter.fromMs, chapter.toMs);
    if (excerpt === null) continue;
    const fromMs = Math.round(Math.max(excerpt.fromMs, chapter.fromMs));
    const toMs = Math.round(Math.min(excerpt.toMs, fromMs + CLIP_LONGEST_MS));
    const known = longest.get(productId);
    if (toMs - fromMs < CLIP_SHORTEST_MS || (known && known.toMs - known.fromMs >= toMs - fromMs)) continue;
    longest.set(productId, { productId, fromMs, toMs });
  }
  return [...longest.values()];
}

async function findClip(deps: ClipsDeps, actor: Actor, clipId: string): Promise<store.ClipRow> {
  const row = await store.findClip(deps.platform.database.db, clipId);
  if (row === undefined || !(await deps.shows.mayReplay(row.show_id, actor))) throw new Refusal('recordings.no_clip');
  return row;
}

async function notePoster(
  { shows, images, platform: { database, clock } }: ClipsDeps, { personId }: PersonActor,
  showId: string, productId: string, imageId: string,
): Promise<void> {
  await shows.assertRuns(personId, showId);
  const screens = await shows.screensOf(showId);
  if (!screens.some((screen) => screen.productId === productId)) throw new Refusal('recordings.not_shown');
  await database.transaction(async (tx) => {
    await images.assertExist(tx, [imageId]);
    await store.insertPoster(tx, {
      show_id: showId, product_id: productId, image_id: imageId, taken_at: clock.now(),
    });
  });
}

/** Pictures as the products were shown, by clip id; one without is missing. */
async function postersOf(deps: ClipsDeps, clips: readonly store.ClipRow[]): Promise<Map<string, Image>> {
  const ids = await store.postersOf(deps.platform.database.db, clips);
  const images = await deps.images.describe([...ids.values()]);
  return new Map(clips.flatMap(({ id, show_id, product_id }) => {
    const image = images.get(ids.get(`${show_id} ${product_id}`) ?? '');
    return image === undefined ? [] : [[id, image]];
  }));
}

async function get(deps: ClipsDeps, actor: Actor, clipId: string): Promise<Clip> {
  const row = await findClip(deps, actor, clipId);
  const [show, posters, product] = await Promise.all([
    deps.shows.get(actor, row.show_id),
    postersOf(deps, [row]),
    deps.catalog.forVisitor(row.product_id).catch((error: unknown) => {
      throw error instanceof Refusal ? new Refusal('recordings.no_clip') : error;
    }),
  ]);
  return {
    id: row.id,
    showId: show.id,
    showTitle: show.title,
    visibility: show.visibility,
    shownAt: show.wentLiveAt ?? show.startsAt,
    shop: show.shop,
    product,
    poster: posters.get(row.id) ?? product.images[0] ?? show.cover,
    fromMs: Number(row.from_ms),
    toMs: Number(row.to_ms),
    mayDownload: actor.kind === 'person' && await deps.shops.may(actor.personId, show.shop.id, 'show.see'),
  };
}

async function ofProduct(deps: ClipsDeps, actor: Actor, productId: string): Promise<ClipTile[]> {
  await deps.catalog.forVisitor(productId);
  const rows = await store.clipsOfProduct(deps.platform.database.db, productId, LISTED);
  const [tiles, posters] = await Promise.all([
    deps.shows.publicTiles(rows.map(({ show_id }) => show_id)), postersOf(deps, rows),
  ]);
  const listed = await Promise.all(rows.map(async (row): Promise<ClipTile | null> => {
    const show = tiles.get(row.show_id);
    if (show === undefined || !(await deps.shows.mayReplay(row.show_id, actor))) return null;
    return {
      id: row.id, durationMs: Number(row.to_ms) - Number(row.from_ms), showTitle: show.title,
      shownAt: show.wentLiveAt ?? show.startsAt, poster: posters.get(row.id) ?? null,
    };
  }));
  return listed.filter((tile) => tile !== null);
}

async function ofShow(deps: ClipsDeps, actor: Actor, showId: string): Promise<ShowClip[]> {
  if (!(await deps.shows.mayReplay(showId, actor))) throw new Refusal('shows.not_found');
  const rows = await store.clipsOfShow(deps.platform.database.db, showId);
  const posters = await postersOf(deps, rows);
  const listed = await Promise.all(rows.map(async (row): Promise<ShowClip | null> => {
    const product = await deps.catalog.forVisitor(row.product_id).catch((error: unknown) => {
      if (error instanceof Refusal) return null;
      throw error;
    });
    return product && {
      id: row.id, productId: product.id, title: product.title, durationMs: Number(row.to_ms) - Number(row.from_ms),
      poster: posters.get(row.id) ?? product.images[0] ?? null,
    };
  }));
  return listed.filter((clip) => clip !== null);
}

/** The part of the recording between these places; null when it is not there, or longer than a clip. */
export async function findExcerpt(
  shelf: Pick<Shelf, 'find'>, showId: string, fromMs: number, toMs: number,
): Promise<{ index: RecordingIndex; excerpt: Excerpt } | null> {
  if (toMs <= fromMs || toMs - fromMs > CLIP_LONGEST_MS) return null;
  const recorded = await shelf.find(showId);
  if (recorded === null || !recorded.isOver) return null;
  const excerpt = excerptOf(recorded.index, fromMs, toMs);
  return excerpt === null ? null : { index: recorded.index, excerpt };
}

async function makeFile({ shelf }: ClipsDeps, row: store.ClipRow): Promise<Buffer> {
  const toMs = Number(row.to_ms);
  const found = await findExcerpt(shelf, row.show_id, Number(row.from_ms), toMs);
  const map = found && await shelf.map(row.show_id, found.excerpt.segments[0]!.map);
  if (found === null || map === null) throw new Refusal('recordings.no_clip');
  const parts = [map];
  const sequences = found.excerpt.segments.map(({ sequence }) => sequence);
  const read = readAhead(sequences, READ_AHEAD, (sequence) => shelf.segment(row.show_id, sequence));
  for (const sequence of sequences) {
    const part = await read(sequence);
    if (part === null) throw new Refusal('recordings.no_clip');
    parts.push(part);
  }
  return remuxExcerpt(Buffer.concat(parts), toMs - found.excerpt.fromMs);
}
