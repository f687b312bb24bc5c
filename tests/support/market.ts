/**
 * A small market on a real database, for tests of buying: people, shops, goods, payments, orders, wired as the server
 * wires them, with a clock that the test owns.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Address } from '@nacre/contract/accounts';
import type { Product } from '@nacre/contract/catalog';
import type { OrderPlace } from '@nacre/contract/orders';
import type { PersonalEvent } from '@nacre/contract/realtime';
import type { ShowState } from '@nacre/contract/shows';
import { createCarts, type Carts } from '../../server/src/carts/carts.ts';
import { namesOf } from '../../server/src/accounts/store.ts';
import type { Wait } from '@nacre/contract/waiting';
import { createCatalog, type Catalog } from '../../server/src/catalog/catalog.ts';
import { createImages } from '../../server/src/images/images.ts';
import { Refusal } from '../../server/src/lib/refusal.ts';
import { createOffers, type Offers, type OffersDeps } from '../../server/src/offers/offers.ts';
import { offersReactions } from '../../server/src/offers/reactions.ts';
import { createOrders, type Bag, type Buyer, type Orders } from '../../server/src/orders/orders.ts';
import { ordersReactions } from '../../server/src/orders/reactions.ts';
import { createPayments, type Payments } from '../../server/src/payments/payments.ts';
import type { PaymentProvider } from '../../server/src/payments/provider.ts';
import { paymentsReactions } from '../../server/src/payments/reactions.ts';
import { createSandbox } from '../../server/src/payments/sandbox.ts';
import { createDiskBlobs } from '../../server/src/platform/blobs.ts';
import { createMemoryBus } from '../../server/src/platform/bus.ts';
import type { Clock } from '../../server/src/platform/clock.ts';
import { createDatabase, type Database } from '../../server/src/platform/database.ts';
import { newId, type NewId } from '../../server/src/platform/ids.ts';
import { createJobs, type Jobs } from '../../server/src/platform/jobs.ts';
import { createLog, type Log } from '../../server/src/platform/log.ts';
import { createOutbox, type Outbox } from '../../server/src/platform/outbox.ts';
import type { Platform } from '../../server/src/platform/platform.ts';
import { screensNow } from '../../server/src/shows/store.ts';
import { createShops, type Shops } from '../../server/src/shops/shops.ts';
import { isOpen, isRunning } from '../../server/src/shows/states.ts';

export interface TestClock extends Clock {
  advance(ms: number): void;
}

/**
 * Starts an hour ago, so that what is due at the test's now has long been due for the job queue, which goes by the
 * database's clock.
 */
export function createTestClock(start = Date.now() - 3_600_000): TestClock {
  let millis = start;
  return {
    now: () => new Date(millis),
    advance(ms) {
      millis += ms;
    },
  };
}

export interface Told<Kind extends PersonalEvent['type'] = 'own-order'> {
  personId: string;
  event: Extract<PersonalEvent, { type: Kind }>;
}

export interface Market {
  clock: TestClock;
  database: Database;
  platform: Platform;
  outbox: Outbox;
  jobs: Jobs;
  shops: Shops;
  catalog: Catalog;
  payments: Payments;
  offers: Offers;
  orders: Orders;
  carts: Carts;
  /** What people were told on their sockets. */
  told: Told[];
  toldOfCarts: Told<'own-cart'>[];
  /** What people in line were told; null: it is over. */
  toldWaits: Array<{ personId: string; waitId: string; wait: Wait | null }>;
  /** Whose address was put into the address book; each has room for one. */
  keptAddresses: string[];
  newPerson(name?: string): Promise<Buyer>;
  newShop(ownerId: string): Promise<string>;
  /** An active product without options, or with the sizes given; `stock` pieces of each. */
  newProduct(ownerId: string, shopId: string, goods: { stock: number; priceMinor?: number; sizes?: string[] }):
    Promise<Product>;
  /** A live show with these goods, numbered from 1. */
  newShow(shopId: string, productIds: string[]): Promise<string>;
  levelsOf(variantId: string): Promise<{ available: number; held: number; sold: number }>;
  paymentOf(orderId: string): Promise<{ id: string; state: string }>;
  transitionsOf(orderId: string): Promise<{ to: string; personId: string | null; at: Date }[]>;
  stop(): Promise<void>;
}

export const ADDRESS: Address = {
  name: '林小雨', phone: '+86 138 0000 0000', line1: '南滨河路 18 号', line2: '', city: '兰州', region: '甘肃',
  postalCode: '730000', country: 'CN',
};

/** `quantity` of every variant. */
export function linesOf(product: Product, quantity = 1): OrderPlace['lines'] {
  return product.variants.map(({ id, priceMinor }) => ({ variantId: id, quantity, unitPriceMinor: priceMinor }));
}

let keys = 0;
/** A request for pieces of a product's variants, at the price they have. */
export function asking(product: Product, options: Partial<OrderPlace> & { quantity?: number } = {}): OrderPlace {
  keys += 1;
  const { quantity = 1, ...rest } = options;
  const [variant] = product.variants;
  if (variant === undefined) throw new Error('a product without variants');
  return {
    idempotencyKey: `key-${process.pid}-${keys}`,
    showId: null,
    lines: [{ variantId: variant.id, quantity, unitPriceMinor: variant.priceMinor }],
    address: ADDRESS,
    ...rest,
  };
}

export interface MarketOptions {
  url: string;
  log?: Log;
  clock?: TestClock;
  provider?: PaymentProvider;
  /** False: facts stay in the outbox, as in a process that died. Default: true. */
  deliver?: boolean;
  newId?: NewId;
  /** Work for later; default: the server's own, which goes by the database's clock. */
  jobsOn?: (outbox: Outbox, clock: Clock) => Jobs;
}

export async function createMarket(options: MarketOptions): Promise<Market> {
  const log = options.log ?? createLog('silent', false);
  const clock = options.clock ?? createTestClock();
  const database = createDatabase({ url: options.url, log });
  const outbox = createOutbox({ database, clock, log });
  const bus = createMemoryBus({ log });
  const jobs = options.jobsOn?.(outbox, clock) ?? createJobs({ url: options.url, log });
  const folder = mkdtempSync(join(tmpdir(), 'nacre-market-'));
  const platform: Platform = { database, outbox, bus, clock, newId: options.newId ?? newId, log };
  const images = createImages({ platform, blobs: createDiskBlobs({ folder }) });
  const shops = createShops({ platform, images });
  const toldWaits: Market['toldWaits'] = [];
  const catalog = createCatalog({
    platform, images, shops,
    tell: (personId, event) => {
      if (event.type === 'own-wait') toldWaits.push({ personId, waitId: event.waitId, wait: event.wait });
    },
  });
  const payments = createPayments({ platform, jobs, provider: options.provider ?? createSandbox() });
  const told: Told[] = [];
  const toldOfCarts: Told<'own-cart'>[] = [];
  const keptAddresses: string[] = [];
  const offers = createOffers({ platform, jobs, shops, catalog, shows: showsOf(database, shops) });
  const orders = createOrders({
    platform, catalog, offers, payments, shops, images,
    bagOf: (showId) => bagOf(database, showId),
    screensNow,
    people: {
      // An address book with room for one.
      async keepAddress(personId) {
        if (keptAddresses.includes(personId)) throw new Refusal('accounts.too_many_addresses');
        keptAddresses.push(personId);
      },
      namesOf: (personIds) => namesOf(database.db, personIds),
    },
    takeFromCarts: (tx, bought) => carts.takeOut(tx, bought),
    tell: (personId, event) => {
      if (event.type === 'own-order') told.push({ personId, event });
    },
  });
  offersReactions(platform, jobs, { offers });
  const carts: Carts = createCarts({
    platform, catalog, images, shops, offers, orders,
    shopOfShow: async (showId) => (await bagOf(database, showId))?.shopId ?? null,
    tell: (personId, event) => {
      if (event.type === 'own-cart') toldOfCarts.push({ personId, event });
    },
  });
  ordersReactions(outbox, { orders });
  paymentsReactions(jobs, { payments });
  await jobs.start();
  if (options.deliver ?? true) outbox.start();

  return {
    clock, database, platform, outbox, jobs, shops, catalog, payments, offers, orders, carts, told,
    toldOfCarts, toldWaits, keptAddresses,
    newPerson: (name = 'Mei') => newPerson(platform, name),
    newShop: (ownerId) => newShop(shops, ownerId),
    newProduct: (ownerId, shopId, goods) => newProduct(catalog, ownerId, shopId, goods),
    newShow: (shopId, productIds) => newShow(platform, shopId, productIds),
    levelsOf: (variantId) => levelsOf(database, variantId),
    paymentOf: (orderId) =>
      database.db.selectFrom('payment').select(['id', 'state']).where('subject', '=', `order/${orderId}`)
        .executeTakeFirstOrThrow(),
    transitionsOf: (orderId) =>
      database.db.selectFrom('order_transition').select(['to_state as to', 'person_id as personId', 'at'])
        .where('order_id', '=', orderId).orderBy('id').execute(),
    async stop() {
      await outbox.stop();
      await jobs.stop();
      await bus.stop();
      await database.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function newPerson({ database, clock }: Platform, name: string): Promise<Buyer> {
  const id = newId();
  const now = clock.now();
  await database.db
    .insertInto('person')
    .values({ id, name, email: `${id}@example.test`, created_at: now, updated_at: now })
    .execute();
  return { personId: id, name };
}

async function newShop(shops: Shops, ownerId: string): Promise<string> {
  const slug = `shop-${newId().slice(-12)}`;
  const shop = await shops.create(ownerId, {
    name: 'Silk Road Dresses', slug, story: '', imageId: null, region: '甘肃', category: 'clothes', currency: 'CNY',
  });
  return shop.id;
}

async function newProduct(
  catalog: Catalog,
  ownerId: string,
  shopId: string,
  goods: { stock: number; priceMinor?: number; sizes?: string[] },
): Promise<Product> {
  const { stock, priceMinor = 12_900, sizes } = goods;
  return catalog.create(ownerId, shopId, {
    title: 'Summer dress', description: '', imageIds: [], state: 'active',
    options: sizes === undefined ? [] : [{ name: 'Size', values: sizes.map((value) => ({ value })) }],
    variants: (sizes ?? [null]).map((size) => ({
      optionValues: size === null ? [] : [size], sku: `D-${size ?? '1'}`, priceMinor, stock,
    })),
  });
}

async function newShow({ database, clock }: Platform, shopId: string, productIds: string[]): Promise<string> {
  const id = newId();
  const now = clock.now();
  await database.db
    .insertInto('show')
    .values({
      id, shop_id: shopId, title: 'Tonight', state: 'live', visibility: 'public', currency: 'CNY', starts_at: now,
      went_live_at: now, created_at: now, updated_at: now,
    })
    .execute();
  await database.db
    .insertInto('show_item')
    .values(productIds.map((productId, index) => ({
      show_id: id, product_id: productId, number: index + 1, position: index,
    })))
    .execute();
  return id;
}

async function bagOf({ db }: Database, showId: string): Promise<Bag | null> {
  const rows = await db.selectFrom('show').leftJoin('show_item', 'show_item.show_id', 'show.id')
    .select(['show.shop_id', 'product_id', 'number']).where('show.id', '=', showId).execute();
  const [show] = rows;
  if (show === undefined) return null;
  const numbers = new Map(rows.flatMap(({ product_id: id, number }) => (
    id === null || number === null ? [] : [[id, number] as const]
  )));
  return { shopId: show.shop_id, numbers };
}

/** What offers asks of shows, read from the table that the test writes. */
function showsOf(database: Database, shops: Shops): OffersDeps['shows'] {
  const stateOf = async (showId: string) => {
    const row = await database.db.selectFrom('show').select('state').where('id', '=', showId).executeTakeFirst();
    return (row?.state ?? null) as ShowState | null;
  };
  return {
    stateOf,
    async standing(showId) {
      const [bag, state] = await Promise.all([bagOf(database, showId), stateOf(showId)]);
      return bag === null || state === null
        ? null : { shopId: bag.shopId, isRunning: isRunning(state), isDemo: false, wentLiveAt: null, endedAt: null };
    },
    isBanned: async () => false,
    bagNumbers: async (showId) => {
      const bag = await bagOf(database, showId);
      return bag && { ...bag, numbers: new Map(bag.numbers) };
    },
    async brief(actor, showId) {
      const [bag, state] = await Promise.all([bagOf(database, showId), stateOf(showId)]);
      if (bag === null || state === null) throw new Refusal('shows.not_found');
      const isMember = actor.kind === 'person' && await shops.isMember(actor.personId, bag.shopId);
      return {
        id: showId, shopId: bag.shopId, state, isRunning: isRunning(state), isOpen: isOpen(state), isMember,
        mayRun: isMember, mayModerate: isMember,
      };
    },
  };
}

async function levelsOf({ db }: Database, variantId: string) {
  const { available, held } = await db.selectFrom('stock').select(['available', 'held'])
    .where('variant_id', '=', variantId).executeTakeFirstOrThrow();
  const moves = await db
    .selectFrom('stock_move')
    .select(['reason', (eb) => eb.fn.sum<string>(eb('available_change', '-', eb.ref('held_change'))).as('pieces')])
    .where('variant_id', '=', variantId)
    .where('reason', 'in', ['sold', 'returned'])
    .groupBy('reason')
    .execute();
  const piecesOf = (reason: string) => Number(moves.find((move) => move.reason === reason)?.pieces ?? 0);
  return { available, held, sold: piecesOf('sold') - piecesOf('returned') };
}
