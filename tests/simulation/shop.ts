/**
 * Days of a shop's life in seconds: buyers, host, payments that come doubled and late, holds that run out, and a server
 * that dies between any two statements and is started again. One seed, one clock; after every step what must always
 * hold is asked of the database.
 */
import type { Product } from '@nacre/contract/catalog';
import { bestCoupon, type OwnCoupon } from '@nacre/contract/coupons';
import type { OrderPlace } from '@nacre/contract/orders';
import { sql } from 'kysely';
import type { PersonActor } from '../../server/src/http/actor.ts';
import { Refusal } from '../../server/src/lib/refusal.ts';
import type { Buyer } from '../../server/src/orders/orders.ts';
import { ADDRESS, createMarket, createTestClock, type Market, type TestClock } from '../support/market.ts';
import { createChance, createIds, fuseOf, jobsInOutbox, type Chance, type Fuse } from './world.ts';

const BUYERS = 12;
const PRODUCTS = 4;
const START_MS = Date.UTC(2027, 0, 1);
/** Time that passes between two steps. */
const PAUSE_MAX_MS = 90_000;
/** Now and then nothing happens for longer. */
const QUIET_MAX_MS = 6 * 3_600_000;

export interface SimulationResult {
  steps: number;
  simulatedMs: number;
  crashes: number;
  orders: number;
}

/** What a buyer asked for and was told. */
interface Asked {
  buyer: Buyer;
  request: OrderPlace;
  /** Null as long as no answer came. */
  orderId: string | null;
}

interface Stage {
  url: string;
  chance: Chance;
  clock: TestClock;
  market: Market;
  fuse: Fuse;
  owner: Buyer;
  shopId: string;
  showId: string;
  products: Product[];
  buyers: Buyer[];
  asked: Asked[];
  crashes: number;
}

/** @throws Error with the seed and the step, when something that must hold does not */
export async function simulate(url: string, seed: number, steps: number): Promise<SimulationResult> {
  const stage = await open(url, seed);
  try {
    for (let step = 1; step <= steps; step += 1) {
      const verb = stage.chance.pick(VERBS);
      try {
        await oneStep(stage, verb);
      } catch (error) {
        throw new Error(`seed ${seed}, step ${step}, ${verb.name}: ${String(error)}`, { cause: error });
      }
    }
    const simulatedMs = stage.clock.now().getTime() - START_MS;
    const orders = stage.asked.filter(({ orderId }) => orderId !== null).length;
    return { steps, simulatedMs, crashes: stage.crashes, orders };
  } finally {
    await stage.market.stop().catch(() => {});
  }
}

async function oneStep(stage: Stage, verb: Verb): Promise<void> {
  const { chance, clock } = stage;
  if (chance.is(0.15)) stage.fuse.light(chance.whole(1, 25), chance.is(0.5));
  try {
    await verb(stage);
    // What others hear of, and jobs that are due; sometimes later.
    if (chance.is(0.8)) await stage.market.outbox.drain();
    if (chance.is(0.7)) await stage.market.orders.sweepExpired();
    if (chance.is(0.7)) await stage.market.catalog.sweepKept();
  } catch (error) {
    if (!stage.fuse.hasBlown()) throw error;
  }
  stage.fuse.putOut();
  if (stage.fuse.hasBlown()) await startAgain(stage);
  clock.advance(chance.whole(0, chance.is(0.04) ? QUIET_MAX_MS : PAUSE_MAX_MS));
  await check(stage);
}

async function open(url: string, seed: number): Promise<Stage> {
  const chance = createChance(seed);
  const clock = createTestClock(START_MS);
  const market = await start(url, clock, chance);
  const owner = await market.newPerson('Owner');
  const shopId = await market.newShop(owner.personId);
  const products: Product[] = [];
  for (let made = 0; made < PRODUCTS; made += 1) {
    const goods = { stock: chance.whole(0, 40), priceMinor: 5_000 + made * 1_000, sizes: ['S', 'M'] };
    products.push(await market.newProduct(owner.personId, shopId, goods));
  }
  const buyers: Buyer[] = [];
  for (let made = 0; made < BUYERS; made += 1) buyers.push(await market.newPerson(`Buyer ${made}`));
  const showId = await market.newShow(shopId, products.map(({ id }) => id));
  return {
    url, chance, clock, market, fuse: fuseOf(market.database), owner, shopId, showId, products, buyers, asked: [],
    crashes: 0,
  };
}

function start(url: string, clock: TestClock, chance: Chance): Promise<Market> {
  return createMarket({ url, clock, deliver: false, newId: createIds(clock, chance), jobsOn: jobsInOutbox });
}

async function startAgain(stage: Stage): Promise<void> {
  stage.crashes += 1;
  // The dead process closes nothing any more; its pool only has to be let go of.
  await stage.market.stop().catch(() => {});
  stage.market = await start(stage.url, stage.clock, stage.chance);
  stage.fuse = fuseOf(stage.market.database);
}

// ---- what happens -----------------------------------------------------------------------------------------------

type Verb = (stage: Stage) => Promise<void>;

/** An expected "no" is part of life; everything else is not. */
async function unlessRefused<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

async function buy(stage: Stage): Promise<void> {
  const { chance, asked } = stage;
  // Some ask again for what they had no answer to, and some for what they have.
  const known = asked.length > 0 && chance.is(0.25) ? chance.pick(asked) : null;
  const ask = known ?? await newAsk(stage);
  if (known === null) asked.push(ask);
  const order = await unlessRefused(stage.market.orders.place(ask.buyer, ask.request));
  if (order === null) return;
  if (ask.orderId !== null && ask.orderId !== order.id) throw new Error(`${ask.orderId} became ${order.id}`);
  ask.orderId = order.id;
}

async function newAsk({ chance, clock, market, products, buyers, showId }: Stage): Promise<Asked> {
  const live = new Map((await market.offers.liveIn(showId)).map((one) => [one.variantId, one.priceMinor]));
  const variants = products.flatMap((product) => product.variants);
  const wanted = new Set(Array.from({ length: chance.whole(1, 3) }, () => chance.pick(variants)));
  const inShow = chance.is(0.8);
  const lines = [...wanted].map(({ id, priceMinor }) => ({
    variantId: id, quantity: chance.whole(1, 3),
    unitPriceMinor: inShow && chance.is(0.8) ? live.get(id) ?? priceMinor : priceMinor,
  }));
  const buyer = chance.pick(buyers);
  const idempotencyKey = `sim-${clock.now().getTime()}-${chance.whole(0, 1e9)}`;
  const own = (await market.offers.coupons.listMine(buyer.personId, { limit: 100 })).items;
  const coupon = own.length > 0 && chance.is(0.6) ? couponOf(chance, own, lines, products) : undefined;
  return {
    buyer, orderId: null,
    request: {
      idempotencyKey, showId: inShow ? showId : null, address: ADDRESS, lines,
      ...(coupon === undefined ? {} : { coupon }),
    },
  };
}

/** Mostly the best, with what it takes off at these prices; now and then any, used ones too. */
function couponOf(
  chance: Chance, own: readonly OwnCoupon[], lines: OrderPlace['lines'], products: readonly Product[],
): OrderPlace['coupon'] {
  const goods = lines.map(({ variantId, quantity, unitPriceMinor }) => ({
    productId: products.find(({ variants }) => variants.some(({ id }) => id === variantId))!.id,
    amountMinor: unitPriceMinor * quantity,
  }));
  const best = bestCoupon(chance.is(0.8) ? own.filter(({ state }) => state === 'good') : [chance.pick(own)], goods);
  return best === null ? undefined : { claimId: best.own.claimId, discountMinor: best.discountMinor };
}

async function rush(stage: Stage): Promise<void> {
  const results = await Promise.allSettled(Array.from({ length: stage.chance.whole(2, 9) }, () => buy(stage)));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

const placedOnes = ({ asked }: Stage) => asked.filter(({ orderId }) => orderId !== null);

async function pay(stage: Stage): Promise<void> {
  const { chance, market } = stage;
  const all = placedOnes(stage);
  if (all.length === 0) return;
  // Mostly one of the latest, which can still be paid.
  const { buyer, orderId } = chance.is(0.8) ? all.at(-chance.whole(1, Math.min(4, all.length)))! : chance.pick(all);
  const payment = await market.paymentOf(orderId!);
  const outcome = chance.pick(['succeed', 'succeed', 'succeed', 'decline', 'slow'] as const);
  await unlessRefused(market.payments.decide(buyer.personId, payment.id, outcome));
}

/** The provider says something on its own: again, late, or the other way round. */
async function hearFromProvider(stage: Stage): Promise<void> {
  const { chance, market } = stage;
  const all = placedOnes(stage);
  if (all.length === 0) return;
  const { id } = await market.paymentOf(chance.pick(all).orderId!);
  const kind = chance.pick(['captured', 'captured', 'declined'] as const);
  const notice = { noticeId: `${id}/${kind}${chance.is(0.3) ? '/other' : ''}`, paymentId: id, kind };
  for (let time = chance.whole(1, 3); time > 0; time -= 1) await unlessRefused(market.payments.receive(notice));
}

async function giveUp(stage: Stage): Promise<void> {
  const all = placedOnes(stage);
  if (all.length === 0) return;
  const { buyer, orderId } = stage.chance.pick(all.slice(-6));
  await unlessRefused(stage.market.orders.cancel(buyer.personId, orderId!));
}

async function ship(stage: Stage): Promise<void> {
  const all = placedOnes(stage);
  if (all.length === 0) return;
  const { orderId } = stage.chance.pick(all);
  const parcel = { carrier: 'SF', trackingNumber: String(stage.chance.whole(1, 1e6)) };
  await unlessRefused(stage.market.orders.ship(stage.owner.personId, orderId!, parcel));
}

/** In line for what is sold out, or out of it. */
async function wait({ chance, market, products, buyers }: Stage): Promise<void> {
  const { personId } = chance.pick(buyers);
  const { id } = chance.pick(chance.pick(products).variants);
  const own = await market.catalog.waitsOf(personId);
  if (own.length > 0 && chance.is(0.2)) return market.catalog.leaveLine(personId, chance.pick(own).id);
  await unlessRefused(market.catalog.joinLine(personId, { variantId: id, quantity: chance.whole(1, 3) }));
}

async function restock({ chance, market, owner, products }: Stage): Promise<void> {
  const { id } = chance.pick(chance.pick(products).variants);
  await unlessRefused(market.catalog.changeStock(owner.personId, id, { change: chance.whole(-10, 25) }));
}

async function setLivePrice({ chance, market, owner, showId, products }: Stage): Promise<void> {
  const variant = chance.pick(chance.pick(products).variants);
  await unlessRefused(market.offers.set(actorOf(owner), showId, {
    variantId: variant.id, priceMinor: Math.floor(variant.priceMinor * (0.5 + chance.next() * 0.6)),
    quota: chance.whole(1, 8), perPerson: chance.whole(1, 3),
  }));
}

async function changeLivePrice({ chance, market, owner, showId }: Stage): Promise<void> {
  const all = await market.offers.liveIn(showId);
  if (all.length === 0) return;
  const one = chance.pick(all);
  await unlessRefused(chance.is(0.5)
    ? market.offers.end(actorOf(owner), one.id)
    : market.offers.lower(actorOf(owner), one.id, { quota: Math.max(0, one.quota - chance.whole(0, 3)) }));
}

async function makeCoupon({ chance, clock, market, owner, shopId, showId, products }: Stage): Promise<void> {
  const now = clock.now().getTime();
  const isPercent = chance.is(0.5);
  await unlessRefused(market.offers.coupons.make(actorOf(owner), shopId, {
    name: 'Coupon', showId: chance.is(0.5) ? showId : null, quota: chance.whole(1, 6),
    amountMinor: isPercent ? null : chance.whole(1, 9_000), percent: isPercent ? chance.whole(1, 99) : null,
    mostMinor: isPercent && chance.is(0.5) ? chance.whole(1, 4_000) : null,
    minimumMinor: chance.is(0.5) ? 0 : chance.whole(1, 20_000),
    productIds: chance.is(0.6) ? null : [chance.pick(products).id],
    validFrom: new Date(now - 1_000).toISOString(),
    validUntil: new Date(now + chance.whole(1, 20) * 600_000).toISOString(),
  }));
}

/** Several people at once, one of them perhaps twice. */
async function claimCoupons({ chance, market, owner, shopId, buyers }: Stage): Promise<void> {
  const all = (await market.offers.coupons.listOfShop(actorOf(owner), shopId)).slice(0, 4);
  if (all.length === 0) return;
  const results = await Promise.allSettled(Array.from({ length: chance.whole(1, 8) }, () => (
    unlessRefused(market.offers.coupons.claim(actorOf(chance.pick(buyers)), chance.pick(all).id))
  )));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

async function changeCoupon({ chance, market, owner, shopId }: Stage): Promise<void> {
  const { coupons } = market.offers;
  const all = (await coupons.listOfShop(actorOf(owner), shopId)).filter(({ state }) => state === 'open');
  if (all.length === 0) return;
  const { id, quota } = chance.pick(all);
  await unlessRefused(chance.is(0.3)
    ? coupons.end(actorOf(owner), id)
    : coupons.lower(actorOf(owner), id, { quota: Math.max(0, quota - chance.whole(0, 2)) }));
}

async function endShow(stage: Stage): Promise<void> {
  const { chance, clock, market } = stage;
  if (!chance.is(0.2)) return;
  await market.database.transaction(async (tx) => {
    await tx.updateTable('show').set({ state: 'ended', ended_at: clock.now() }).where('id', '=', stage.showId)
      .execute();
    await market.outbox.publish(tx, { topic: 'shows.changed', payload: { showId: stage.showId } });
  });
  stage.showId = await market.newShow(stage.shopId, stage.products.map(({ id }) => id));
}

function actorOf({ personId, name }: Buyer): PersonActor {
  return { kind: 'person', personId, name } as PersonActor;
}

/** As often as they stand here. */
const VERBS: readonly Verb[] = [
  buy, buy, buy, buy, rush, rush, pay, pay, pay, hearFromProvider, giveUp, ship, wait, wait,
  restock, setLivePrice, changeLivePrice, makeCoupon, claimCoupons, claimCoupons, changeCoupon,
  endShow,
];

// ---- what must always hold --------------------------------------------------------------------------------------

/** States in which the pieces are the buyer's. */
const SOLD = ['paid', 'packed', 'shipped', 'delivered', 'completed'];

/** Each finds rows that must not be. */
const FORBIDDEN = {
  'pieces that are not where they must be': sql`
    select variant_id, available, held, put, sold, set_aside from (
      select variant_id, available, held,
             (select coalesce(sum(available_change), 0) from stock_move
               where variant_id = stock.variant_id and reason = 'set') as put,
             (select coalesce(sum(quantity) filter (where state = any (${SOLD})), 0)
                from order_line join "order" on id = order_id where variant_id = stock.variant_id) as sold,
             (select coalesce(sum(quantity) filter (where state = 'held'), 0)
                from order_line join "order" on id = order_id where variant_id = stock.variant_id)
               + (select coalesce(sum(pieces_left), 0) from live_price where variant_id = stock.variant_id)
               + (select coalesce(sum(kept), 0) from waiting where variant_id = stock.variant_id and state = 'kept')
               as set_aside
        from stock
    ) as level where available + held + sold <> put or held <> set_aside or available < 0`,
  'an order without its one payment': sql`
    select "order".id from "order"
     where (select count(*) from payment where subject = 'order/' || "order".id) <> 1`,
  'a paid order without money, or with money on its way back': sql`
    select "order".id, payment.state from "order" join payment on subject = 'order/' || "order".id
     where "order".state = any (${SOLD})
       and (payment.state <> 'captured' or refund_requested_at is not null)`,
  'a live price that does not add up': sql`
    select live_price.id, quota, pieces_left, used from live_price, lateral (
             select coalesce(sum(quantity), 0) as used from live_price_use where live_price_id = live_price.id
           ) as uses
     where began_at is not null and ended_at is null and pieces_left + used <> quota`,
  'pieces of a live price with an order that is over': sql`
    select order_id, state from live_price_use join "order" on "order".id = order_id
     where state in ('expired', 'declined') or state = 'cancelled' and paid_at is null`,
  'more pieces for one person than the limit': sql`
    select live_price_id, live_price_use.person_id from live_price_use join live_price on id = live_price_id
     group by live_price_id, live_price_use.person_id, per_person having sum(quantity) > per_person`,
  'coupons that do not add up': sql`
    select coupon.id, quota, claimed, claims from coupon, lateral (
             select count(*)::int as claims from coupon_claim where coupon_id = coupon.id
           ) as counted
     where claims <> claimed or claimed > quota`,
  'a coupon with an order that is over, or that does not know of it': sql`
    select coupon_claim.id, "order".id as order_id, state from coupon_claim left join "order" on "order".id = order_id
     where order_id is not null and (
       state is null or state in ('expired', 'declined', 'cancelled', 'refunded')
       or coupon ->> 'claimId' is distinct from coupon_claim.id::text)`,
  'an order whose coupon another has, or none': sql`
    select "order".id from "order" left join coupon_claim on coupon_claim.order_id = "order".id
     where coupon is not null and coupon_claim.id is null
       and state not in ('expired', 'declined', 'cancelled', 'refunded')`,
  'an order that does not add up': sql`
    select "order".id from "order", lateral (
             select sum(unit_price_minor * quantity) as goods, sum(order_line.discount_minor) as shares
               from order_line where order_id = "order".id
           ) as lines
     where goods - "order".discount_minor + shipping_minor <> total_minor or shares <> "order".discount_minor`,
  'two orders under one key': sql`
    select buyer_id, idempotency_key from "order" group by 1, 2 having count(*) > 1`,
  'a state that its history does not end in': sql`
    select "order".id, state from "order"
     where state <> (select to_state from order_transition where order_id = "order".id order by id desc limit 1)`,
};

async function check({ market, asked, clock }: Stage): Promise<void> {
  const { db } = market.database;
  for (const [what, query] of Object.entries(FORBIDDEN)) {
    const { rows } = await query.execute(db);
    if (rows.length > 0) throw new Error(`${what}: ${JSON.stringify(rows.slice(0, 3), plain)}`);
  }
  const told = asked.flatMap(({ orderId }) => orderId ?? []);
  const there = await db.selectFrom('order').select(({ fn }) => fn.countAll<bigint>().as('count'))
    .where('id', 'in', told.length > 0 ? told : [NOBODY]).executeTakeFirstOrThrow();
  if (Number(there.count) !== told.length) throw new Error(`of ${told.length} orders there are ${there.count}`);
  // Every hold ends: once what is on its way has arrived and a sweep has run, none is left that is over.
  await market.outbox.drain();
  await market.orders.sweepExpired();
  const over = await db.selectFrom('order').select('id').where('state', '=', 'held')
    .where('hold_expires_at', '<=', clock.now()).execute();
  if (over.length > 0) throw new Error(`holds that do not end: ${JSON.stringify(over)}`);
}

const NOBODY = '00000000-0000-7000-8000-000000000000';

const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? Number(value) : value);
