/** Planning and changing a show: texts, time, bag, stream key. All by members of its shop whose role includes it. */
import type { Product } from '@nacre/contract/catalog';
import type { ShowCreate, ShowPatch } from '@nacre/contract/shows';
import { BAG_MAX } from '@nacre/contract/shows';
import { Refusal } from '../lib/refusal.ts';
import { afterCommit, type Tx } from '../platform/database.ts';
import { showRoom } from '../realtime/channel.ts';
import { numberBag } from './bag.ts';
import { MOVED_TOPIC, publishChange, WENT_LIVE_TOPIC } from './events.ts';
import { locked, ownShow, publishFact, type Parts } from './parts.ts';
import { isOpen, isRunning, mayPatch } from './states.ts';
import * as store from './store.ts';
import { hashStreamKey, newStreamKey } from './stream-key.ts';

const DAY_MS = 24 * 3600 * 1000;
/** Yesterday is a show that begins late; earlier is a slip of the finger that would hide the show. */
const STARTS_BEFORE_MAX_MS = DAY_MS;
/** Likewise a wrong year. */
const STARTS_AHEAD_MAX_MS = 400 * DAY_MS;

function readStart(parts: Parts, startsAt: string): Date {
  const at = new Date(startsAt);
  const aheadMs = at.getTime() - parts.platform.clock.now().getTime();
  if (!(aheadMs >= -STARTS_BEFORE_MAX_MS && aheadMs <= STARTS_AHEAD_MAX_MS)) {
    throw new Refusal('request.invalid', { details: { field: 'startsAt' } });
  }
  return at;
}

function readTitle(title: string): string {
  const text = title.trim();
  if (text === '') throw new Refusal('request.invalid', { details: { field: 'title' } });
  return text;
}

/**
 * Goods that come into the bag must be the shop's and for sale; what is in it already may stay whatever became of it.
 * @throws Refusal `shows.bag_full`, `shows.foreign_product` with `details.productId`, `request.invalid`
 */
async function assertBag(
  parts: Parts, shopId: string, productIds: readonly string[], known: ReadonlySet<string>,
): Promise<void> {
  if (productIds.length > BAG_MAX) throw new Refusal('shows.bag_full');
  if (new Set(productIds).size !== productIds.length) {
    throw new Refusal('request.invalid', { details: { field: 'productIds' } });
  }
  const added = productIds.filter((id) => !known.has(id));
  const products = added.length === 0 ? new Map<string, Product>() : await parts.catalog.productsByIds(added);
  for (const productId of added) {
    const product = products.get(productId);
    if (product === undefined || product.shopId !== shopId || product.state !== 'active') {
      throw new Refusal('shows.foreign_product', { details: { productId } });
    }
  }
}

/** @returns the new show's id */
export async function plan(parts: Parts, personId: string, shopId: string, input: ShowCreate): Promise<string> {
  const { database, clock, newId } = parts.platform;
  await parts.shops.assertMay(personId, shopId, 'show.plan');
  const shop = await parts.shops.byId(shopId);
  const startsAt = readStart(parts, input.startsAt);
  await assertBag(parts, shopId, input.productIds, new Set());
  const id = newId();
  await database.transaction(async (tx) => {
    if (input.coverImageId !== null) await parts.images.assertExist(tx, [input.coverImageId]);
    const now = clock.now();
    await store.insertShow(tx, {
      id,
      shop_id: shopId,
      title: readTitle(input.title),
      description: input.description.trim(),
      cover_image_id: input.coverImageId,
      state: 'planned',
      visibility: input.visibility,
      language: input.language ?? shop.language,
      currency: shop.currency,
      is_demo: shop.isDemo,
      starts_at: startsAt,
      created_at: now,
      updated_at: now,
    });
    await writeNumbered(tx, id, input.productIds);
    await publishChange(parts.platform.outbox, tx, id);
  });
  return id;
}

export async function patch(parts: Parts, personId: string, showId: string, change: ShowPatch): Promise<void> {
  await ownShow(parts, showId, personId, 'show.plan');
  const { database, clock } = parts.platform;
  const closed = await database.transaction(async (tx) => {
    const show = await locked(tx, showId);
    if (!mayPatch(show.state, change)) throw new Refusal('shows.wrong_state');
    if (change.coverImageId != null) await parts.images.assertExist(tx, [change.coverImageId]);
    const startsAt = change.startsAt === undefined ? show.starts_at : readStart(parts, change.startsAt);
    const visibility = change.visibility ?? show.visibility;
    await store.updateShow(tx, showId, {
      ...(change.title === undefined ? {} : { title: readTitle(change.title) }),
      ...(change.description === undefined ? {} : { description: change.description.trim() }),
      ...(change.coverImageId === undefined ? {} : { cover_image_id: change.coverImageId }),
      ...(change.language === undefined ? {} : { language: change.language }),
      starts_at: startsAt,
      visibility,
      updated_at: clock.now(),
    });
    await publishChange(parts.platform.outbox, tx, showId);
    const isOpened = visibility === 'public' && show.visibility === 'private';
    const hasMoved = startsAt.getTime() !== show.starts_at.getTime();
    // Opened while it runs, it goes live for everybody; what was private so far has not moved for anybody.
    if (isOpened && isRunning(show.state)) await publishFact(parts, tx, WENT_LIVE_TOPIC, { ...show, visibility });
    if (hasMoved && !isOpened) await publishFact(parts, tx, MOVED_TOPIC, { ...show, visibility, starts_at: startsAt });
    return change.visibility === 'private' && show.visibility === 'public';
  });
  if (!closed) return;
  // Those who wait for the picture of a show that has closed must not get it.
  parts.video.dismissViewers(showId);
  await parts.channel.recheck(showRoom(showId));
}

async function writeNumbered(tx: Tx, showId: string, productIds: readonly string[]): Promise<void> {
  const known = (await store.itemsOf(tx, showId)).map((item) => ({
    productId: item.product_id, number: item.number, removed: item.removed,
  }));
  const bag = numberBag(known, productIds);
  if (bag === null) throw new Refusal('shows.bag_full');
  await store.writeBag(tx, showId, bag);
}

export async function setBag(
  parts: Parts, personId: string, showId: string, productIds: readonly string[],
): Promise<void> {
  const show = await ownShow(parts, showId, personId, 'show.plan');
  const { database, clock } = parts.platform;
  const before = await store.itemsOf(database.db, showId);
  const known = new Set(before.filter((item) => !item.removed).map((item) => item.product_id));
  await assertBag(parts, show.shop_id, productIds, known);
  await database.transaction(async (tx) => {
    const now = await locked(tx, showId);
    if (!isOpen(now.state)) throw new Refusal('shows.wrong_state');
    await writeNumbered(tx, showId, productIds);
    await publishChange(parts.platform.outbox, tx, showId);
    const onScreen = await store.onScreenNow(tx, showId);
    if (onScreen === null || productIds.includes(onScreen)) return;
    await store.closeInterval(tx, showId, clock.now());
    afterCommit(tx, () => {
      parts.channel.publish(showRoom(showId), { type: 'on-screen', productId: null, number: null });
    });
  });
  parts.goods.markBag(showId);
}

/**
 * @param how.takeOver who publishes with the old key stays until the new device is connected; else it is cut at once
 * @returns the key, for this one time
 */
export async function issueStreamKey(
  parts: Parts, personId: string, showId: string, how: { takeOver: boolean } = { takeOver: false },
): Promise<string> {
  const { shop_id: shopId } = await ownShow(parts, showId, personId, 'show.run');
  if (await parts.guard.isSuspended(shopId)) throw new Refusal('moderation.suspended');
  const { database, clock } = parts.platform;
  const key = newStreamKey();
  const rotated = await database.transaction(async (tx) => {
    const show = await locked(tx, showId);
    if (!isOpen(show.state)) throw new Refusal('shows.wrong_state');
    const now = clock.now();
    await store.updateShow(tx, showId, {
      stream_key_hash: hashStreamKey(key), stream_key_issued_at: now, stream_key_issued_to: personId,
      updated_at: now,
    });
    return show.stream_key_hash !== null;
  });
  if (rotated && !how.takeOver) await parts.video.dropPublisher(showId);
  return key;
}
