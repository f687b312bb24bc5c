/**
 * What happens in the demo show while somebody watches: the goods come on screen in turn, people talk, now and then one
 * buys. All of it by demo accounts, through the same faces that the web uses; counts of viewers are never touched.
 */
import { parcelTo, shippingFee } from '@nacre/contract/shipping';
import type { Show } from '@nacre/contract/shows';
import type { PersonActor } from '../http/actor.ts';
import { Refusal } from '../lib/refusal.ts';
import type { Modules } from '../modules.ts';
import { createPeriodic } from '../platform/periodic.ts';
import type { Platform } from '../platform/platform.ts';
import { DEMO_COUPON, DEMO_ADDRESS, DEMO_OPENING, DEMO_TALK } from './market.ts';

/** Each product stays on screen this long: time enough to open its card, and the next one is not far. */
const ON_SCREEN_EVERY_MS = 25_000;
const TALK_EVERY_MS = 7_000;
/** Faster would sell the demo's stock out within minutes. */
const BUY_EVERY_MS = 40_000;
/** The picture needs a second or two after the start; looked for this often until it is there. */
const OPENING_EVERY_MS = 500;
/** The host reads a question before she answers it. */
const ANSWER_AFTER_MS = 2_500;
/** Below this many pieces a variant is filled up again, so that tomorrow's visitor can still buy. */
const RESTOCK_BELOW = 2;
const RESTOCK_TO = 8;
/** Longer than anybody looks at the demo; then another is made at the next start. */
const COUPON_MS = 30 * 24 * 3_600_000;

export interface LifeDeps {
  platform: Platform;
  modules: Modules;
  showId: string;
  host: PersonActor;
  people: PersonActor[];
  /** 0 ≤ x < 1 */
  random(): number;
}

/** One that lies on the picture for whoever opens the demo. */
async function handOutCoupon({ modules, platform, host, showId }: LifeDeps, shopId: string): Promise<void> {
  const now = platform.clock.now().getTime();
  const { coupons } = modules.offers;
  const made = await coupons.make(host, shopId, {
    ...DEMO_COUPON, showId, validFrom: new Date(now).toISOString(),
    validUntil: new Date(now + COUPON_MS).toISOString(),
  });
  await coupons.handOut(host, showId, made.id);
}

export function createLife(deps: LifeDeps): { stop(): Promise<void> } {
  const { modules, showId, platform } = deps;
  /** Whoever comes in first finds the counter set and the talk begun. */
  let opened = false;
  const parts = [
    { name: 'demo.on-screen', everyMs: ON_SCREEN_EVERY_MS, work: () => showNext(deps) },
    { name: 'demo.talk', everyMs: TALK_EVERY_MS, work: talk() },
    { name: 'demo.buy', everyMs: BUY_EVERY_MS, work: () => buySomething(deps) },
  ].map(({ name, everyMs, work }) => createPeriodic({
    name, everyMs, log: platform.log, work: () => whileWatched(work),
  }));
  parts.push(createPeriodic({ name: 'demo.opening', everyMs: OPENING_EVERY_MS, log: platform.log, work: open }));

  async function open(): Promise<void> {
    if (opened) return;
    const show = await modules.shows.get(deps.host, showId);
    if (show.state !== 'live') return;
    opened = true;
    if (show.onScreenProductId === null) await showNext(deps);
    if (show.coupons.length === 0) await handOutCoupon(deps, show.shop.id);
    if ((await modules.chat.recent(showId)).length > 0) return;
    for (const [index, text] of DEMO_OPENING.entries()) {
      const person = deps.people[index % deps.people.length];
      if (person !== undefined) await say(deps, person, text);
    }
  }

  /** Nobody there: nothing happens. A refusal means that the show is over or sold out: also nothing. */
  async function whileWatched(work: () => Promise<void>): Promise<void> {
    if (modules.realtime.viewers(`show/${showId}`) === 0) return;
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }

  function talk(): () => Promise<void> {
    let next = 0;
    return async () => {
      const line = DEMO_TALK[next % DEMO_TALK.length];
      next += 1;
      const person = pick(deps, deps.people);
      if (line === undefined || person === undefined) return;
      await say(deps, person, line.say);
      if (line.answer === undefined) return;
      await new Promise((resolve) => setTimeout(resolve, ANSWER_AFTER_MS));
      await say(deps, deps.host, `@${person.name} ${line.answer}`);
    };
  }

  return {
    async stop() {
      await Promise.all(parts.map((part) => part.stop()));
    },
  };
}

function pick<T>(deps: LifeDeps, from: readonly T[]): T | undefined {
  return from[Math.floor(deps.random() * from.length)];
}

async function say(deps: LifeDeps, actor: PersonActor, text: string): Promise<void> {
  await deps.modules.chat.send(actor, deps.showId, { clientId: deps.platform.newId(), text });
}

async function showNext(deps: LifeDeps): Promise<void> {
  const { shows } = deps.modules;
  const show = await shows.get(deps.host, deps.showId);
  const now = show.bag.findIndex((item) => item.product.id === show.onScreenProductId);
  // The host's own hand comes first: what viewers ask for is shown next.
  const asked = show.bag.filter((item) => item.explainRequests > 0);
  const next = asked[0] ?? show.bag[(now + 1) % show.bag.length];
  if (next !== undefined) await shows.putOnScreen(deps.host.personId, deps.showId, next.product.id);
}

async function buySomething(deps: LifeDeps): Promise<void> {
  const { modules, host } = deps;
  const show: Show = await modules.shows.get(host, deps.showId);
  const buyer = pick(deps, deps.people);
  const item = pick(deps, show.bag);
  const variant = item === undefined ? undefined : pick(deps, item.product.variants);
  if (buyer === undefined || variant === undefined) return;
  if (variant.available <= RESTOCK_BELOW) {
    await modules.catalog.changeStock(host.personId, variant.id, { setTo: RESTOCK_TO });
    return;
  }
  const address = { ...DEMO_ADDRESS, name: buyer.name };
  const { terms, open } = await modules.carts.shippingOffer(buyer.personId, show.shop.slug, deps.showId);
  const shippingMinor = shippingFee(terms, variant.priceMinor, parcelTo(open, address) !== undefined);
  const order = await modules.orders.place(buyer, {
    idempotencyKey: deps.platform.newId(),
    showId: deps.showId,
    lines: [{ variantId: variant.id, quantity: 1, unitPriceMinor: variant.priceMinor }],
    address,
    shippingMinor,
  });
  const paymentId = order.paymentUrl?.split('/').at(-1);
  if (paymentId !== undefined) await modules.payments.decide(buyer.personId, paymentId, 'succeed');
}
