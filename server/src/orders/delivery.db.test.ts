/** Facts of orders when a process dies, and the sum of all stock under random work. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, test } from 'node:test';
import type { Product } from '@nacre/contract/catalog';
import { SANDBOX_OUTCOMES, type OrderState } from '@nacre/contract/orders';
import { createTestDatabase } from '../../../tests/support/database.ts';
import { asking, createMarket, createTestClock, linesOf, type Market } from '../../../tests/support/market.ts';
import { Refusal } from '../lib/refusal.ts';
import type { PaymentProvider } from '../payments/provider.ts';
import { createSandbox } from '../payments/sandbox.ts';
import type { OrderFact } from './events.ts';
import type { Buyer } from './orders.ts';
import { mayBecome } from './states.ts';

const database = await createTestDatabase(import.meta.url);
const supportUrl = new URL('../../../tests/support/market.ts', import.meta.url).href;
const seed = Number(process.env['NACRE_SEED'] ?? Date.now() % 1_000_000);
const clock = createTestClock();
/** Delivers nothing by itself: what is written stays written. */
const silent = await createMarket({ url: database.serverUrl, clock, deliver: false });
after(async () => {
  await silent.stop();
  await database.drop();
});
const owner = await silent.newPerson('Owner');
const shopId = await silent.newShop(owner.personId);

/** Pays in a process of its own that kills itself as soon as the payment is committed. */
function payAndDie(payerId: string, paymentId: string): Promise<string | null> {
  const program = `
    const { createMarket, createTestClock } = await import(${JSON.stringify(supportUrl)});
    const clock = createTestClock(${clock.now().getTime()});
    const market = await createMarket({ url: process.env.TEST_URL, clock, deliver: false });
    await market.payments.decide(${JSON.stringify(payerId)}, ${JSON.stringify(paymentId)}, 'succeed');
    process.kill(process.pid, 'SIGKILL');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    env: { ...process.env, TEST_URL: database.serverUrl },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal)));
}

test('[O20] a process that is killed right after the commit loses no news: the next delivers it, once', async () => {
  const product = await silent.newProduct(owner.personId, shopId, { stock: 3 });
  const buyer = await silent.newPerson();
  const order = await silent.orders.place(buyer, asking(product));
  const payment = await silent.paymentOf(order.id);
  assert.equal(await payAndDie(buyer.personId, payment.id), 'SIGKILL');
  assert.equal((await silent.paymentOf(order.id)).state, 'captured');
  assert.equal((await silent.orders.get(buyer.personId, order.id)).state, 'held');

  const heard: string[] = [];
  for (let start = 0; start < 2; start += 1) {
    const next = await createMarket({ url: database.serverUrl, clock, deliver: false });
    next.outbox.on('orders.paid', async (_tx, fact: { orders: OrderFact[] }) => {
      heard.push(...fact.orders.map(({ orderId }) => orderId));
    });
    next.outbox.start();
    await next.outbox.drain();
    await next.stop();
  }
  assert.equal((await silent.orders.get(buyer.personId, order.id)).state, 'paid');
  assert.deepEqual(heard, [order.id]);
  assert.deepEqual(await silent.levelsOf(order.lines[0]?.variantId ?? ''), { available: 2, held: 0, sold: 1 });
});

/** mulberry32: the same numbers for the same seed, 0 ≤ x < 1. */
function randomFrom(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface World {
  market: Market;
  random: () => number;
  buyers: Buyer[];
  products: Product[];
  orders: { orderId: string; paymentId: string; buyer: Buyer }[];
  /** Pieces put on the shelf, by variant. */
  shelf: Map<string, number>;
}

const STOCK = 6;
type Count = 'available' | 'held' | 'sold' | 'ordered' | 'bought';

async function createWorld(market: Market, random: () => number): Promise<World> {
  const sizes = [undefined, ['S', 'M']];
  const products = await Promise.all(sizes.map((some) =>
    market.newProduct(owner.personId, shopId, { stock: STOCK, ...(some && { sizes: some }) })));
  return {
    market, random, products,
    buyers: await Promise.all(Array.from({ length: 4 }, () => market.newPerson())),
    orders: [],
    shelf: new Map(products.flatMap((product) => product.variants.map(({ id }) => [id, STOCK] as const))),
  };
}

function pick<T>(random: () => number, items: readonly T[]): T | undefined {
  return items[Math.floor(random() * items.length)];
}

/** One random thing that somebody does. Refusals are part of the game. */
function act(world: World): () => Promise<unknown> {
  const { market, random, buyers, products, orders } = world;
  const dice = random();
  const order = pick(random, orders);
  const some = random();
  if (dice < 0.4 || order === undefined) {
    const buyer = pick(random, buyers) ?? owner;
    const lines = products.flatMap((product) => linesOf(product))
      .filter(() => random() < 0.5)
      .map((line) => ({ ...line, quantity: 1 + Math.floor(random() * 3) }));
    const product = products[0];
    if (product === undefined) throw new Error('no product');
    const request = asking(product, lines.length > 0 ? { lines } : {});
    return async () => {
      const placed = await market.orders.place(buyer, request);
      orders.push({ orderId: placed.id, paymentId: (await market.paymentOf(placed.id)).id, buyer });
    };
  }
  const { orderId, paymentId, buyer } = order;
  if (dice < 0.6) {
    const outcome = pick(random, SANDBOX_OUTCOMES) ?? 'succeed';
    return () => market.payments.decide(buyer.personId, paymentId, outcome);
  }
  if (dice < 0.7) {
    const kind = some < 0.7 ? 'captured' : 'declined';
    return () => market.payments.receive({ noticeId: `${paymentId}/${kind}`, paymentId, kind });
  }
  if (dice < 0.76) return () => market.orders.cancel(buyer.personId, orderId);
  if (dice < 0.78) return () => market.orders.pack(owner.personId, orderId);
  if (dice < 0.79) {
    return () => market.orders.cancelByShop(owner.personId, orderId, { reason: 'damaged', note: '' });
  }
  if (dice < 0.8) return () => market.orders.arrived(buyer.personId, orderId);
  if (dice < 0.84) {
    return () => market.orders.ship(owner.personId, orderId, { carrier: 'SF', trackingNumber: '1' });
  }
  if (dice < 0.92) {
    return () => {
      market.clock.advance(90_000);
      return market.orders.sweepExpired();
    };
  }
  return () => market.outbox.drain();
}

async function checkWorld({ market, shelf, orders }: World, step: string): Promise<void> {
  for (const [variantId, put] of shelf) {
    // One statement, because one statement sees one moment.
    const { rows } = await market.database.pool.query<Record<Count, number>>(
      `select available, held,
              (select coalesce(-sum(held_change), 0)::int from stock_move
                where stock_move.variant_id = stock.variant_id and reason = 'sold')
              - (select coalesce(sum(available_change), 0)::int from stock_move
                where stock_move.variant_id = stock.variant_id and reason = 'returned') as sold,
              (select coalesce(sum(quantity), 0)::int from order_line join "order" on id = order_id
                where order_line.variant_id = stock.variant_id and state = 'held') as ordered,
              (select coalesce(sum(quantity), 0)::int from order_line join "order" on id = order_id
                where order_line.variant_id = stock.variant_id
                  and state in ('paid', 'packed', 'shipped', 'delivered', 'completed')
              ) as bought
         from stock where variant_id = $1`, [variantId]);
    const [now] = rows;
    assert.ok(now);
    assert.deepEqual(
      { sum: now.available + now.held + now.sold, held: now.held, sold: now.sold },
      { sum: put, held: now.ordered, sold: now.bought },
      `${step}: variant ${variantId}`,
    );
  }
  for (const { orderId } of orders) {
    const ways = (await market.transitionsOf(orderId)).map((one) => one.to);
    const isWay = ways.every((to, index) => mayBecome('parcel', (ways[index - 1] ?? null) as OrderState | null,
      to as OrderState));
    assert.ok(isWay, `${step}: ${ways.join(' > ')}`);
  }
}

/** What the sandbox would send later takes a day. */
const decideSlowly: PaymentProvider['decide'] = (ask, outcome) => {
  const at = new Date(ask.now.getTime() + 86_400_000);
  return (createSandbox().decide?.(ask, outcome) ?? []).map((one) => (one.at === null ? one : { ...one, at }));
};

async function play(rounds: number, atOnce: number): Promise<void> {
  console.log(`seed ${seed} (NACRE_SEED), ${atOnce} at a time`);
  // One at a time nothing happens by itself, so that the same seed is the same play: news is delivered by `drain`, and
  // a slow payment's own notice takes a day.
  const sandbox = createSandbox();
  const market = await createMarket({
    url: database.serverUrl,
    deliver: atOnce > 1,
    provider: atOnce > 1 ? sandbox : { ...sandbox, decide: decideSlowly },
  });
  try {
    const world = await createWorld(market, randomFrom(seed + atOnce));
    for (let round = 0; round < rounds; round += 1) {
      const results = await Promise.allSettled(Array.from({ length: atOnce }, () => act(world)()));
      for (const result of results) {
        if (result.status === 'rejected' && !(result.reason instanceof Refusal)) throw result.reason;
      }
      await checkWorld(world, `seed ${seed}, round ${round}`);
    }
    market.clock.advance(3_600_000);
    await market.outbox.drain();
    await market.orders.sweepExpired();
    await checkWorld(world, `seed ${seed}, at the end`);
    for (const variantId of world.shelf.keys()) assert.equal((await market.levelsOf(variantId)).held, 0);
    assert.ok(world.orders.length > 5, 'too few orders to prove anything');
  } finally {
    await market.stop();
  }
}

test('[O21] whatever is done in whatever sequence: available + held + sold is what was put on the shelf', () =>
  play(150, 1));

test('[O21] the same with eight people at a time', () => play(40, 8));
