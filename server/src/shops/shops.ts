/**
 * Shops: who sells, under which address, and who may act for a shop. Rules: README.md.
 *
 * Invariants: a shop has one owner at least; its currency never changes. Who works in it, and inviting: team.ts.
 */
import type { ShopRef } from '@nacre/contract/accounts';
import type { Page, PageQuery } from '@nacre/contract/common';
import type { SpokenLanguage } from '@nacre/contract/languages';
import type { RefusalCode } from '@nacre/contract/refusals';
import type {
  Shop, ShopCategory, ShopCreate, ShopPatch, ShopPlace, ShopTerms, ShippingTerms,
} from '@nacre/contract/shops';
import type { Membership, ShopRight, ShopRole } from '@nacre/contract/team';
import type { Images } from '../images/images.ts';
import { PAGE_LIMIT_DEFAULT, pageOf, readCursor } from '../lib/cursor.ts';
import { Refusal } from '../lib/refusal.ts';
import { violates, type Tx } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import { SHOPS_CHANGED_TOPIC, type ShopsChanged } from './events.ts';
import { rightsOf, roleMay } from './rights.ts';
import * as store from './store.ts';

/** Shops that one person may work in. Nobody has this many; without a bound one account takes all good addresses. */
export const SHOPS_PER_PERSON = 20;

export interface ShopsDeps {
  platform: Platform;
  images: Pick<Images, 'describe' | 'assertExist'>;
}

export interface Shops {
  /**
   * A new shop, owned by the person. `isDemo` marks what the demo brings along. Without a language: English.
   * @throws Refusal `shops.slug_taken`, `shops.too_many`, `images.unknown`, `request.invalid`
   */
  create(personId: string, input: ShopCreate, options?: { isDemo?: boolean }): Promise<Shop>;
  /**
   * Taking the place away ends pick-up.
   * @throws Refusal as `assertMay`, and `shops.slug_taken`, `shops.no_place`, `images.unknown`, `request.invalid`
   */
  patch(personId: string, shopId: string, patch: ShopPatch): Promise<Shop>;
  /** @throws Refusal `shops.not_found` */
  byId(shopId: string): Promise<Shop>;
  /** @throws Refusal `shops.not_found` */
  bySlug(slug: string): Promise<Shop>;
  /** Ids without a shop are missing from the answer. */
  byIds(ids: readonly string[]): Promise<Map<string, Shop>>;
  /** Ids of all shops in their order, on from an id; empty at the end. */
  idsAfter(last: string | null, limit: number): Promise<string[]>;
  /** Newest first. With `slug`: the shop at that address, or nobody. */
  list(query: PageQuery & { slug?: string }): Promise<Page<Shop>>;
  /**
   * What a stranger may not know of is told them by `stranger` instead, as the thing's own "not found".
   * @throws Refusal `shops.not_found` when there is no such shop, `shops.not_a_member` when it is another's,
   * `shops.not_allowed` with `details.right` when the person's role there does not include it
   */
  assertMay(personId: string, shopId: string, right: ShopRight, stranger?: RefusalCode): Promise<void>;
  /** As what the person works in the shop; null when they do not. */
  roleOf(personId: string, shopId: string): Promise<ShopRole | null>;
  isMember(personId: string, shopId: string): Promise<boolean>;
  /** Those of the people who work in the shop. */
  membersAmong(personIds: readonly string[], shopId: string): Promise<Set<string>>;
  may(personId: string, shopId: string, right: ShopRight): Promise<boolean>;
  /** Shops in which the person works, the first joined first. */
  membershipsOf(personId: string): Promise<Membership[]>;
  /** By id, in the caller's transaction's view; ids without a shop are missing from the answer. */
  sellersOf(tx: Tx, shopIds: readonly string[]): Promise<Map<string, Seller>>;
  /** Where the shop is; null for one that is online only. */
  placeOf(shopId: string): Promise<ShopPlace | null>;
  /** Ids without a shop are missing from the answer. */
  refs(ids: readonly string[]): Promise<Map<string, ShopRef>>;
}

/** What an order must know of a shop. */
export interface Seller extends Pick<ShopRef, 'id' | 'slug' | 'name'> {
  terms: ShopTerms;
  /** What it takes for sending; null: nothing. */
  shipping: ShippingTerms | null;
  /** Where buyers may pick up; null when it does not offer that. */
  pickupPlace: ShopPlace | null;
}

export function createShops(deps: ShopsDeps): Shops {
  const { db } = deps.platform.database;
  return {
    create: (personId, input, options = {}) => create(deps, personId, input, options.isDemo ?? false),
    patch: (personId, shopId, change) => patch(deps, personId, shopId, change),
    byId: async (shopId) => viewOfOne(deps, await store.shopById(db, shopId)),
    bySlug: async (slug) => viewOfOne(deps, await store.shopBySlug(db, slug)),
    byIds: async (ids) => {
      const views = await viewsOf(deps, await store.shopsByIds(db, [...new Set(ids)]));
      return new Map(views.map((shop) => [shop.id, shop]));
    },
    idsAfter: (last, limit) => store.shopIdsAfter(db, last, limit),
    list: (query) => list(deps, query),
    assertMay: (personId, shopId, right, stranger) => assertMay(deps, personId, shopId, right, stranger),
    roleOf: (personId, shopId) => store.roleOf(db, shopId, personId),
    isMember: async (personId, shopId) => (await store.roleOf(db, shopId, personId)) !== null,
    membersAmong: (personIds, shopId) => store.membersAmong(db, shopId, [...new Set(personIds)]),
    may: async (personId, shopId, right) => {
      const role = await store.roleOf(db, shopId, personId);
      return role !== null && roleMay(role, right);
    },
    membershipsOf: (personId) => membershipsOf(deps, personId),
    sellersOf: async (tx, shopIds) => new Map((await store.shopsByIds(tx, shopIds)).map((shop) => [shop.id, {
      id: shop.id, slug: shop.slug, name: shop.name, terms: termsOf(shop),
      shipping: shop.shipping_fee_minor > 0n ? shippingOf(shop) : null,
      pickupPlace: shop.offers_pickup ? shop.place as ShopPlace : null,
    }])),
    placeOf: async (shopId) => ((await store.shopById(db, shopId))?.place ?? null) as ShopPlace | null,
    refs: async (ids) => {
      const found = await refsOf(deps, await store.shopsByIds(db, [...new Set(ids)]));
      return new Map(found.map((ref) => [ref.id, ref]));
    },
  };
}

async function create(deps: ShopsDeps, personId: string, input: ShopCreate, isDemo: boolean): Promise<Shop> {
  const { database, clock, newId } = deps.platform;
  if (!isCurrency(input.currency)) throw new Refusal('request.invalid', { details: { field: 'currency' } });
  const id = newId();
  const row = await slugConflicts(input.slug, () => database.transaction(async (tx) => {
    if ((await store.countMembershipsAlone(tx, personId)) >= SHOPS_PER_PERSON) throw new Refusal('shops.too_many');
    await assertImage(deps, tx, input.imageId);
    const now = clock.now();
    const { name, slug, story, imageId, region, category, language = 'en', currency } = input;
    await store.insertShop(tx, {
      id, slug, name: name.trim(), story: story.trim(), image_id: imageId, region: region.trim(), category,
      language, currency, is_demo: isDemo, created_at: now, updated_at: now,
    });
    await store.insertMember(tx, id, personId, 'owner', now);
    await publishChange(deps, tx, id);
    return store.shopById(tx, id);
  }));
  return viewOfOne(deps, row);
}

async function patch(deps: ShopsDeps, personId: string, shopId: string, change: ShopPatch): Promise<Shop> {
  const { database, clock } = deps.platform;
  await assertMay(deps, personId, shopId, 'shop.change');
  const { name, slug, story, imageId, region, category, language, terms, shipping } = change;
  const row = await slugConflicts(slug, () => database.transaction(async (tx) => {
    await assertImage(deps, tx, imageId);
    await publishChange(deps, tx, shopId);
    const placeChange = placeColumns(await store.lockShop(tx, shopId), change);
    return store.updateShop(tx, shopId, {
      ...(name === undefined ? {} : { name: name.trim() }),
      ...(slug === undefined ? {} : { slug }),
      ...(story === undefined ? {} : { story: story.trim() }),
      ...(imageId === undefined ? {} : { image_id: imageId }),
      ...(region === undefined ? {} : { region: region.trim() }),
      ...(category === undefined ? {} : { category }),
      ...(language === undefined ? {} : { language }),
      ...(terms === undefined ? {} : { terms_returns: terms.returns.trim(), terms_shipping: terms.shipping.trim() }),
      ...placeChange,
      ...shippingColumns(shipping),
      updated_at: clock.now(),
    });
  }));
  return viewOfOne(deps, row);
}

async function publishChange(deps: ShopsDeps, tx: Tx, shopId: string): Promise<void> {
  const payload: ShopsChanged = { shopId };
  await deps.platform.outbox.publish(tx, { topic: SHOPS_CHANGED_TOPIC, payload: { ...payload } });
}

/** @throws Refusal `shops.no_place` for pick-up without an address; `request.invalid` for a day without length */
function placeColumns(before: store.ShopRow, { place, offersPickup }: ShopPatch) {
  if (place?.hours?.some((day) => day !== null && day.opens === day.closes) === true) {
    throw new Refusal('request.invalid', { details: { field: 'place', reason: 'opens as it closes' } });
  }
  const hasPlace = place === undefined ? before.place !== null : place !== null;
  if (offersPickup === true && !hasPlace) throw new Refusal('shops.no_place');
  const offers = hasPlace && (offersPickup ?? before.offers_pickup);
  return {
    ...(place === undefined ? {} : { place: place === null ? null : JSON.stringify(trimmed(place)) }),
    offers_pickup: offers,
  };
}

function shippingColumns(shipping: ShippingTerms | undefined) {
  if (shipping === undefined) return {};
  const { feeMinor, freeFromMinor } = shipping;
  return {
    shipping_fee_minor: BigInt(feeMinor),
    free_shipping_from_minor: freeFromMinor === null ? null : BigInt(freeFromMinor),
  };
}

function shippingOf(row: Pick<store.ShopRow, 'shipping_fee_minor' | 'free_shipping_from_minor'>): ShippingTerms {
  const { shipping_fee_minor: feeMinor, free_shipping_from_minor: freeFromMinor } = row;
  return { feeMinor: Number(feeMinor), freeFromMinor: freeFromMinor === null ? null : Number(freeFromMinor) };
}

function trimmed({ address, hours }: ShopPlace): ShopPlace {
  const fields = Object.entries(address).map(([name, text]) => [name, text.trim()]);
  return { address: Object.fromEntries(fields) as ShopPlace['address'], hours };
}

async function list(deps: ShopsDeps, query: PageQuery & { slug?: string }): Promise<Page<Shop>> {
  if (query.slug !== undefined) {
    const found = await store.shopBySlug(deps.platform.database.db, query.slug);
    return { items: await viewsOf(deps, found ? [found] : []), next: null };
  }
  const limit = query.limit ?? PAGE_LIMIT_DEFAULT;
  const rows = await store.newestShops(deps.platform.database.db, readCursor(query.cursor), limit);
  const views = await viewsOf(deps, rows);
  return pageOf(views, limit, (shop) => ({ at: new Date(shop.createdAt), id: shop.id }), (shop) => shop);
}

async function assertMay(
  deps: ShopsDeps, personId: string, shopId: string, right: ShopRight, stranger?: RefusalCode,
): Promise<void> {
  const { db } = deps.platform.database;
  const role = await store.roleOf(db, shopId, personId);
  if (role !== null) {
    if (roleMay(role, right)) return;
    throw new Refusal('shops.not_allowed', { details: { right } });
  }
  if (stranger !== undefined) throw new Refusal(stranger);
  throw new Refusal((await store.shopById(db, shopId)) === undefined ? 'shops.not_found' : 'shops.not_a_member');
}

async function membershipsOf(deps: ShopsDeps, personId: string): Promise<Membership[]> {
  const rows = await store.shopsOfMember(deps.platform.database.db, personId);
  const roles = new Map(rows.map(({ id, role }) => [id, role]));
  return (await refsOf(deps, rows)).map((ref) => {
    const role = roles.get(ref.id) as ShopRole;
    return { ...ref, role, rights: rightsOf(role) };
  });
}

async function assertImage(deps: ShopsDeps, tx: Tx, imageId: string | null | undefined): Promise<void> {
  if (imageId !== null && imageId !== undefined) await deps.images.assertExist(tx, [imageId]);
}

async function slugConflicts<T>(slug: string | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (violates(error, 'shop_slug_key')) throw new Refusal('shops.slug_taken', { details: { slug } });
    throw error;
  }
}

/** Whether the code is one of ISO 4217's, as far as this Node.js knows them. */
function isCurrency(code: string): boolean {
  return Intl.supportedValuesOf('currency').includes(code);
}

async function viewOfOne(deps: ShopsDeps, row: store.ShopRow | undefined): Promise<Shop> {
  const [view] = row === undefined ? [] : await viewsOf(deps, [row]);
  if (view === undefined) throw new Refusal('shops.not_found');
  return view;
}

async function viewsOf(deps: ShopsDeps, rows: store.ShopRow[]): Promise<Shop[]> {
  const images = await imagesOf(deps, rows);
  return rows.map((row) => ({
    id: row.id,
    slug: row.slug,
    name: row.name,
    story: row.story,
    image: row.image_id === null ? null : images.get(row.image_id) ?? null,
    region: row.region,
    category: row.category as ShopCategory,
    language: row.language as SpokenLanguage,
    currency: row.currency,
    place: row.place as ShopPlace | null,
    offersPickup: row.offers_pickup,
    terms: termsOf(row),
    shipping: shippingOf(row),
    isDemo: row.is_demo,
    createdAt: row.created_at.toISOString(),
  }));
}

function termsOf(row: store.ShopRow): ShopTerms {
  return { returns: row.terms_returns, shipping: row.terms_shipping };
}

async function refsOf(deps: ShopsDeps, rows: store.ShopRow[]): Promise<ShopRef[]> {
  const images = await imagesOf(deps, rows);
  return rows.map(({ id, slug, name, image_id: imageId }) => ({
    id, slug, name, image: imageId === null ? null : images.get(imageId) ?? null,
  }));
}

function imagesOf(deps: ShopsDeps, rows: store.ShopRow[]) {
  return deps.images.describe(rows.flatMap(({ image_id: id }) => (id === null ? [] : [id])));
}
