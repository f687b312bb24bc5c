/**
 * Fills an empty installation with the demo market, through the same faces that the web uses. What is there already
 * (a seeding that was killed half-way) is left as it is, so it can be repeated.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProductOption } from '@nacre/contract/catalog';
import sharp from 'sharp';
import type { Modules } from '../modules.ts';
import type { Platform } from '../platform/platform.ts';
import type { Shows } from '../shows/shows.ts';
import {
  DEMO_ADDRESS, DEMO_BUYERS, DEMO_PASSWORD, DEMO_SHOPS, type DemoProduct, type DemoShop, type DemoShow,
} from './market.ts';
import { holdPastShow } from './past.ts';
import * as store from './store.ts';

/** Drawings are vectors; this is what the shop's page can show at most. */
const PICTURE_WIDTH = 1080;
const HOUR_MS = 3_600_000;

export interface SeedDeps {
  platform: Platform;
  modules: Modules;
  /** Folder of the drawings. */
  artFolder: string;
}

export async function seedDemo(deps: SeedDeps): Promise<void> {
  const pictures = new Map<string, string>();
  for (const buyer of DEMO_BUYERS) await ensurePerson(deps, buyer);
  for (const shop of DEMO_SHOPS) await seedShop(deps, shop, pictures);
  await seedOrders(deps);
}

/** A few paid orders, so that the office has something to ship. The keys make a repeat harmless. */
async function seedOrders(deps: SeedDeps): Promise<void> {
  const { catalog, orders, payments } = deps.modules;
  const shop = DEMO_SHOPS[0];
  if (shop === undefined) return;
  const { items } = await catalog.listForVisitor(shop.slug, { limit: 100 });
  for (const [index, buyer] of DEMO_BUYERS.entries()) {
    const personId = await ensurePerson(deps, buyer);
    const variant = items[index]?.variants.find(({ available }) => available > 1);
    if (variant === undefined) continue;
    const order = await orders.place({ personId, name: buyer.name }, {
      idempotencyKey: `demo-order-${index}`,
      showId: null,
      lines: [{ variantId: variant.id, quantity: 1, unitPriceMinor: variant.priceMinor }],
      address: { ...DEMO_ADDRESS, name: buyer.name },
    });
    const paymentId = order.paymentUrl?.split('/').at(-1);
    if (paymentId !== undefined) await payments.decide(personId, paymentId, 'succeed');
  }
}

async function ensurePerson(deps: SeedDeps, person: { name: string; email: string }): Promise<string> {
  const known = await store.personIdByEmail(deps.platform.database.db, person.email);
  if (known !== null) return known;
  return deps.modules.accounts.createPerson({
    name: person.name, email: person.email, password: DEMO_PASSWORD, locale: 'en', timeZone: 'UTC', isDemo: true,
  });
}

/** Uploads a drawing once per run, as the shop owner would upload a photograph. */
async function pictureOf(
  deps: SeedDeps, pictures: Map<string, string>, personId: string, art: string,
): Promise<string> {
  const known = pictures.get(art);
  if (known !== undefined) return known;
  const drawing = await readFile(join(deps.artFolder, art));
  const png = await sharp(drawing, { density: 288 }).resize({ width: PICTURE_WIDTH }).png().toBuffer();
  const image = await deps.modules.images.upload(personId, png);
  pictures.set(art, image.id);
  return image.id;
}

async function seedShop(deps: SeedDeps, demo: DemoShop, pictures: Map<string, string>): Promise<void> {
  const { shops } = deps.modules;
  const ownerId = await ensurePerson(deps, demo.owner);
  const own = (await shops.membershipsOf(ownerId)).find((shop) => shop.slug === demo.slug);
  const shopId = own?.id ?? (await shops.create(ownerId, {
    name: demo.name, slug: demo.slug, story: demo.story, region: demo.region, category: demo.category,
    currency: demo.currency, imageId: await pictureOf(deps, pictures, ownerId, demo.art),
  }, { isDemo: true })).id;
  if (own === undefined && demo.shipping !== undefined) {
    await shops.patch(ownerId, shopId, { shipping: demo.shipping });
  }

  const existing = await deps.modules.catalog.listForOffice(ownerId, shopId, { limit: 100 });
  const productIds: string[] = [];
  for (const product of demo.products) {
    const known = existing.items.find((item) => item.title === product.title);
    productIds.push(known?.id ?? await seedProduct(deps, ownerId, shopId, product, pictures));
  }
  const planned = await deps.modules.shows.listForOffice(ownerId, shopId, { limit: 100 });
  for (const show of demo.shows) {
    // Its footage takes a while: filmed.ts.
    if (show.kind === 'filmed') continue;
    if (planned.items.some((item) => item.title === show.title)) continue;
    const coverId = await pictureOf(deps, pictures, ownerId, show.art);
    const bag = show.bag.flatMap((index) => productIds[index] ?? []);
    await seedShow(deps, ownerId, shopId, show, { coverId, bag });
  }
}

/** Every combination of the options' values, the first option slowest. */
function combinations(options: ProductOption[]): string[][] {
  return options.reduce<string[][]>(
    (rows, option) => rows.flatMap((row) => option.values.map(({ value }) => [...row, value])),
    [[]],
  );
}

async function seedProduct(
  deps: SeedDeps, ownerId: string, shopId: string, product: DemoProduct, pictures: Map<string, string>,
): Promise<string> {
  const imageIds: string[] = [];
  for (const art of product.art) imageIds.push(await pictureOf(deps, pictures, ownerId, art));
  const variants = combinations(product.options).map((optionValues, index) => ({
    optionValues,
    sku: [product.sku, ...optionValues.map((value) => value.toUpperCase().replaceAll(' ', ''))].join('-'),
    priceMinor: product.priceMinor,
    stock: product.stock[index] ?? product.stock.at(-1) ?? 0,
  }));
  const created = await deps.modules.catalog.create(ownerId, shopId, {
    title: product.title, description: product.description, imageIds, options: product.options, variants,
    state: 'active',
  });
  return created.id;
}

async function seedShow(
  deps: SeedDeps, ownerId: string, shopId: string, show: DemoShow, goods: { coverId: string; bag: string[] },
): Promise<void> {
  const startsAt = new Date(deps.platform.clock.now().getTime() + show.startsInHours * HOUR_MS);
  const plan = (shows: Shows) => shows.plan(ownerId, shopId, {
    title: show.title, description: show.description, coverImageId: goods.coverId, visibility: 'public',
    startsAt: startsAt.toISOString(), productIds: goods.bag,
  });
  if (show.kind !== 'past') {
    await plan(deps.modules.shows);
    return;
  }
  await holdPastShow(deps, { startsAt, bag: goods.bag, hostId: ownerId, plan });
}
