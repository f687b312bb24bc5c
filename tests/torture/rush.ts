/**
 * A rush on one SKU through the real server, in which the server or its PostgreSQL is killed (-9) at a random moment;
 * after that everything that has no answer is sent again with the same key, and what was acknowledged is compared with
 * the database.
 *
 * What counts as an anomaly: an acknowledged order that is not there, is there twice or under another id; an order that
 * nobody was told of; stock that does not add up; an order with no payment or two; a payment that was acknowledged and
 * did not pay.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Product, StockLevel } from '@nacre/contract/catalog';
import type { Order } from '@nacre/contract/orders';
import { newBuyers } from '../support/buyers.ts';
import { ADDRESS } from '../support/market.ts';
import { openMarket, startNacre, type Client, type Nacre, type NacreOptions } from '../support/nacre.ts';
import { databaseOf, type ServerDatabase } from '../support/server-database.ts';

/** Orders on the way at a time. */
const WORKERS = 48;
/** The longest time from the first order to the kill. */
const KILL_WITHIN_MS = 700;
/** Each buyer buys once: a limit per person is another test's. */
const BUYERS_A_ROUND = 400;
/** The most that is put on the shelf for a round: in many it is sold out before the kill. */
const STOCK_MAX = 300;
/** Server, database and facts on their way are there again after this, or it is an anomaly. */
const BACK_WITHIN_MS = 60_000;
const ANSWER_WITHIN_MS = 10_000;
/** A buyer who was told to try again. Shorter only keeps the processor busy. */
const INSIST_AFTER_MS = 50;

/** One order that somebody wants. */
interface Wish {
  key: string;
  cookie: string;
  quantity: number;
  pays: boolean;
  /** `open`: sent without an answer, it may be there or not. */
  is: 'unsent' | 'open' | 'placed' | 'refused';
  orderId: string | null;
  payment: { url: string; is: 'open' | 'acknowledged' } | null;
}

export interface TortureResult {
  rounds: number;
  /** Acknowledged ones. */
  orders: number;
  /** A sentence each. */
  anomalies: string[];
}

export interface Stage {
  nacre: Nacre;
  database: ServerDatabase;
  pool: pg.Pool;
  owner: Client;
  variant: Product['variants'][number];
  /** Put on the shelf so far. */
  stocked: number;
  /** Acknowledged so far. */
  placed: number;
  /** How often buyers were told what instead of an order. */
  refused: Map<string, number>;
}

export async function openStage(options: NacreOptions = {}): Promise<Stage & { remove(): Promise<void> }> {
  const nacre = await startNacre(options);
  try {
    const database = databaseOf(nacre);
    const pool = new pg.Pool({ connectionString: database.url, max: 2 });
    // A killed database ends idle connections of ours too.
    pool.on('error', () => {});
    const { owner, product } = await openMarket(nacre.url, { stock: 0 });
    return {
      nacre, database, pool, owner, variant: product.variants[0]!, stocked: 0, placed: 0,
      refused: new Map(),
      async remove() {
        await pool.end();
        await nacre.remove();
      },
    };
  } catch (error) {
    await nacre.remove();
    throw error;
  }
}

export async function torture(rounds: number, say: (line: string) => void = () => {}): Promise<TortureResult> {
  const stage = await openStage();
  try {
    const anomalies: string[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const victim = round % 2 === 0 ? 'database' : 'server';
      const found = await oneRush(stage, {
        stock: 1 + Math.floor(Math.random() * STOCK_MAX),
        disturb: (sendNoMore) => kill(stage, victim, sendNoMore),
      });
      anomalies.push(...found.map((anomaly) => `round ${round}, ${victim} killed: ${anomaly}`));
      say(`round ${round}: ${victim} killed; ${stage.placed} orders so far, ${anomalies.length} anomalies`);
    }
    return { rounds, orders: stage.placed, anomalies };
  } finally {
    await stage.remove();
  }
}

async function kill({ nacre, database }: Stage, victim: 'server' | 'database', sendNoMore: () => void): Promise<void> {
  await sleep(Math.floor(Math.random() * KILL_WITHIN_MS));
  if (victim === 'server') {
    await nacre.kill();
    sendNoMore();
    await nacre.startAgain();
  } else {
    process.kill(database.postmaster(), 'SIGKILL');
    await sleep(Math.floor(Math.random() * KILL_WITHIN_MS));
    sendNoMore();
  }
}

export interface Rush {
  /** Pieces that are put on the shelf for it. */
  stock: number;
  /** What befalls the server while orders come in, until it has called `sendNoMore` or is done. */
  disturb(sendNoMore: () => void): Promise<void>;
  /** Sends again during the disturbance what was not answered, instead of something new. */
  insists?: boolean;
}

/** Orders while something befalls the server; then all that has no answer again. @returns the anomalies */
export async function oneRush(stage: Stage, { stock, disturb, insists = false }: Rush): Promise<string[]> {
  const { pool, owner, variant } = stage;
  await owner.must<StockLevel>(200, 'POST', `/api/office/variants/${variant.id}/stock`, { change: stock });
  stage.stocked += stock;
  const cookies = await newBuyers(pool, stage.database.sessionSecret, BUYERS_A_ROUND);
  const fresh = cookies.map((cookie): Wish => ({
    key: randomUUID(), cookie, quantity: 1 + Math.floor(Math.random() * 2), pays: Math.random() < 0.5, is: 'unsent',
    orderId: null,
    payment: null,
  }));
  const waiting = [...fresh];
  let ends = false;
  const workers = Promise.all(Array.from({ length: WORKERS }, async () => {
    while (!ends) {
      const wish = waiting.shift();
      if (wish === undefined) return;
      // A connection that breaks leaves the wish open.
      await attend(stage, wish).catch(() => {});
      if (!insists || !isOpen(wish)) continue;
      waiting.push(wish);
      await sleep(INSIST_AFTER_MS);
    }
  }));
  await disturb(() => { ends = true; });
  ends = true;
  await workers;
  await isBack(stage);
  const sent = fresh.filter(({ is }) => is !== 'unsent');
  return [...await answerAll(stage, sent), ...await compare(stage, sent)];
}

const isOpen = (wish: Wish): boolean => wish.is === 'open' || wish.payment?.is === 'open';

/** A database that was killed is started again by the server, within seconds. */
async function isBack({ nacre, pool }: Stage): Promise<void> {
  const endMs = performance.now() + BACK_WITHIN_MS;
  for (;;) {
    try {
      await pool.query('select 1');
      if ((await fetch(`${nacre.url}/readyz`)).ok) return;
    } catch (error) {
      if (performance.now() > endMs) throw error;
    }
    if (performance.now() > endMs) throw new Error(`the server is not ready after ${BACK_WITHIN_MS} ms`);
    await sleep(50);
  }
}

/** Sends what is open until it is answered. */
async function answerAll(stage: Stage, wishes: readonly Wish[]): Promise<string[]> {
  const endMs = performance.now() + BACK_WITHIN_MS;
  for (;;) {
    const open = wishes.filter(isOpen);
    if (open.length === 0) return [];
    if (performance.now() > endMs) return [`${open.length} wishes have no answer after a minute`];
    const waiting = [...open];
    await Promise.all(Array.from({ length: WORKERS }, async () => {
      for (let wish = waiting.shift(); wish !== undefined; wish = waiting.shift()) {
        await attend(stage, wish).catch(() => {});
      }
    }));
    await sleep(50);
  }
}

/** Places it, and pays for it if its buyer means to. Throws when there is no answer; what is known is kept. */
async function attend(stage: Stage, wish: Wish): Promise<void> {
  if (wish.is === 'unsent' || wish.is === 'open') await place(stage, wish);
  if (wish.payment?.is === 'open') await pay(stage, wish);
}

async function place({ nacre, variant, refused }: Stage, wish: Wish): Promise<void> {
  wish.is = 'open';
  const { status, body } = await post(nacre.url, '/api/orders', wish.cookie, {
    idempotencyKey: wish.key, showId: null, address: ADDRESS,
    lines: [{ variantId: variant.id, quantity: wish.quantity, unitPriceMinor: variant.priceMinor }],
  });
  if (status === 201) {
    const order = body as Order;
    wish.is = 'placed';
    wish.orderId = order.id;
    if (wish.pays && order.paymentUrl !== null) wish.payment = { url: order.paymentUrl, is: 'open' };
  } else {
    const { code = '' } = body as { code?: string };
    refused.set(code, (refused.get(code) ?? 0) + 1);
    if (code === 'orders.sold_out') wish.is = 'refused';
  }
}

async function pay({ nacre }: Stage, wish: Wish): Promise<void> {
  const id = /[0-9a-f-]{36}/.exec(wish.payment!.url)![0];
  const { status, body } = await post(nacre.url, `/api/payments/${id}/sandbox`, wish.cookie, { outcome: 'succeed' });
  // Decided already: the answer to an earlier try was lost.
  const isDecided = (body as { code?: string }).code === 'payments.not_pending';
  if (status === 200 || isDecided) wish.payment!.is = 'acknowledged';
}

async function post(
  url: string, path: string, cookie: string, body: unknown,
): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(url + path, {
    method: 'POST', headers: { cookie, 'content-type': 'application/json' }, body: JSON.stringify(body),
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  });
  return { status: answer.status, body: await answer.json() };
}

interface OrderSeen {
  id: string;
  key: string;
  state: string;
  quantity: number;
  payments: number;
}

async function compare(stage: Stage, wishes: readonly Wish[]): Promise<string[]> {
  const endMs = performance.now() + BACK_WITHIN_MS;
  // Facts of captured payments may still be on their way.
  while ((await stage.pool.query('select 1 from outbox limit 1')).rows.length > 0 && performance.now() < endMs) {
    await sleep(50);
  }
  const { rows } = await stage.pool.query<OrderSeen>(
    `select "order".id, idempotency_key as key, "order".state, line.quantity,
            (select count(*)::int from payment where subject = 'order/' || "order".id) as payments
       from "order" join order_line as line on line.order_id = "order".id
      where line.variant_id = $1 and idempotency_key = any ($2)`, [stage.variant.id, wishes.map(({ key }) => key)],
  );
  const { rows: [level] } = await stage.pool.query<Level>(
    `select available, held, ordered.*,
            (select sum(available_change)::int from stock_move where variant_id = $1) as moved
       from stock, (
              select count(*)::int as orders,
                     coalesce(sum(quantity) filter (where state = 'held'), 0)::int as unpaid,
                     coalesce(sum(quantity) filter (where state = 'paid'), 0)::int as sold
                from "order" join order_line on order_id = "order".id
               where variant_id = $1
            ) as ordered
      where variant_id = $1`, [stage.variant.id],
  );
  stage.placed += wishes.filter(({ is }) => is === 'placed').length;
  return [...ordersThatDiffer(wishes, rows), ...sumsThatDiffer(stage, level!)];
}

interface Level {
  available: number;
  held: number;
  /** What the moves of the shelf add up to. */
  moved: number;
  /** Of all rounds. */
  orders: number;
  /** Pieces of orders that are held, and that are paid. */
  unpaid: number;
  sold: number;
}

function ordersThatDiffer(wishes: readonly Wish[], rows: readonly OrderSeen[]): string[] {
  const found: string[] = [];
  const byKey = new Map<string, OrderSeen[]>();
  for (const row of rows) byKey.set(row.key, [...(byKey.get(row.key) ?? []), row]);
  for (const wish of wishes) {
    const own = byKey.get(wish.key) ?? [];
    const [row] = own;
    if (wish.is !== 'placed') {
      if (own.length > 0) found.push(`${wish.key} was ${wish.is}, but there is an order`);
    } else if (own.length !== 1 || row!.id !== wish.orderId || row!.quantity !== wish.quantity) {
      found.push(`${wish.key} was acknowledged as ${wish.orderId}; there is ${JSON.stringify(own)}`);
    } else {
      if (row!.payments !== 1) found.push(`order ${row!.id} has ${row!.payments} payments`);
      const isPaid = wish.payment?.is === 'acknowledged';
      if (isPaid !== (row!.state === 'paid')) found.push(`order ${row!.id} is ${row!.state}, paid: ${isPaid}`);
    }
  }
  return found;
}

function sumsThatDiffer({ stocked, placed }: Stage, level: Level): string[] {
  const found: string[] = [];
  const { available, held, moved, orders, unpaid, sold } = level;
  if (available + held + sold !== stocked) found.push(`of ${stocked} pieces there are ${JSON.stringify(level)}`);
  if (held !== unpaid) found.push(`${held} pieces are held for orders of ${unpaid}`);
  if (moved !== available) found.push(`moves say ${moved} pieces, the shelf ${available}`);
  if (orders !== placed) found.push(`there are ${orders} orders, and ${placed} were acknowledged`);
  return found;
}
