/**
 * What becomes of each placing of a batch, one after the other in the sequence in which they came. Pure: what is there
 * is read and locked before; what one takes is not there for the next.
 */
import { Refusal } from '../lib/refusal.ts';
import type { Kept } from '../catalog/catalog.ts';
import type { ClaimTerms, LiveTerms } from '../offers/offers.ts';
import { createCouponTaking, type TakenCoupon } from './couponing.ts';
import type { Placing } from './place.ts';
import { priceOrder, type AskedLine, type Goods, type OwnPrice, type PricedOrder } from './placing.ts';
import { createShipper, type Shipping, type ShippingGround } from './shipping.ts';
import type { OrderRow, PurchaseKey } from './store.ts';

/** Unpaid orders of one person at a time. Fewer hinder somebody who buys here and there; more let one person empty a
 * shelf without paying. */
export const HELD_ORDERS_MAX = 5;

/** What there is before the first of a batch. */
export interface Ground {
  /** By `nameOf`: orders that exist under a key of the batch. */
  orders: ReadonlyMap<string, OrderRow>;
  /** How many orders a buyer has not paid, by person. */
  heldBy: ReadonlyMap<string, number>;
  goods: Goods;
  /** Live prices in the shows of the batch. */
  live: readonly LiveTerms[];
  /** Claims of coupons that placings name. */
  claims: readonly ClaimTerms[];
  now: Date;
  /** Where a shop's goods are picked up, by shop; a shop without is missing. */
  places: ReadonlyMap<string, PickupPlace>;
  shipping: ShippingGround;
  /** By `keptName`: pieces that are kept for somebody who waited in line; nobody else can take them. */
  kept: ReadonlyMap<string, Kept>;
}

type PickupPlace = NonNullable<OrderRow['pickup']>['place'];

/** What of a new order is decided here. */
export interface DecidedOrder {
  priced: PricedOrder;
  pickup: OrderRow['pickup'];
  shipping: Shipping;
  /** Null without one. */
  coupon: TakenCoupon | null;
  /** What was kept for the buyer and goes into this order, all of it. */
  kept: Kept[];
}

export type Decision =
  /** A new order. */
  | ({ is: 'new' } & DecidedOrder)
  /** The order that exists under this key. */
  | { is: 'known'; order: OrderRow }
  /** What becomes of the placing at that place of the batch, which has the same key. */
  | { is: 'same'; as: number }
  | { is: 'refused'; refusal: Refusal };

/** Whose pieces of which variant. */
export const keptName = ({ personId, variantId }: Pick<Kept, 'personId' | 'variantId'>) => `${personId} ${variantId}`;

export const nameOf = ({ buyerId, idempotencyKey }: PurchaseKey): string => `${buyerId} ${idempotencyKey}`;

/** Each in its place. */
export function decideAll(placings: readonly Placing[], ground: Ground): Decision[] {
  const decider = createDecider(ground);
  return placings.map((placing, at) => {
    try {
      return decider(placing, at);
    } catch (error) {
      if (error instanceof Refusal) return { is: 'refused', refusal: error };
      throw error;
    }
  });
}

function createDecider(ground: Ground): (placing: Placing, at: number) => Decision {
  const taken = new Map<string, number>();
  const heldBy = new Map(ground.heldBy);
  const kept = new Map(ground.kept);
  const firstOf = new Map<string, { at: number; requestHash: Buffer }>();
  const live = createLiveTaking(ground.live);
  const shipper = createShipper(ground.shipping);
  const coupons = createCouponTaking(ground.claims, ground.now);

  function decideNew(placing: Placing): DecidedOrder {
    const { buyer, request, bag, asked } = placing;
    if (request.showId !== null && bag === null) throw new Refusal('shows.not_found');
    if ((heldBy.get(buyer.personId) ?? 0) >= HELD_ORDERS_MAX) {
      throw new Refusal('orders.too_many_open', { details: { most: HELD_ORDERS_MAX } });
    }
    const priced = priceOrder(asked, ground.goods, (line) => live.priceOf(request.showId, buyer.personId, line));
    if (bag !== null && bag.shopId !== priced.shopId) {
      throw new Refusal('request.invalid', { details: { field: 'showId', reason: 'of another shop' } });
    }
    const pickup = pickupOf(placing, ground.places.get(priced.shopId));
    for (const { variantId, available, quantity, livePriceId } of priced.lines) {
      // Its pieces are set aside, and enough of them: `priceOf` has looked.
      if (livePriceId !== null) continue;
      // What is told is what lies there for everybody: the buyer knows what is kept.
      const left = available - (taken.get(variantId) ?? 0);
      if (left + keptOf(buyer.personId, variantId) < quantity) {
        throw new Refusal('orders.sold_out', { details: { variantId, available: left } });
      }
    }
    const own = priced.lines.flatMap(({ variantId, livePriceId }) => (
      livePriceId === null ? kept.get(keptName({ ...buyer, variantId })) ?? [] : []
    ));
    // Sending goes by what the goods cost without it: nobody loses free delivery to a coupon.
    return {
      priced, pickup, shipping: shipper.decide(placing, priced), coupon: coupons.decide(placing, priced), kept: own,
    };
  }

  function keptOf(personId: string, variantId: string): number {
    return kept.get(keptName({ personId, variantId }))?.quantity ?? 0;
  }

  return (placing, at) => {
    const { buyer: { personId }, request: { idempotencyKey }, requestHash } = placing;
    const name = nameOf({ buyerId: personId, idempotencyKey });
    const known = ground.orders.get(name);
    const first = firstOf.get(name);
    const before = known?.request_hash ?? first?.requestHash;
    if (before !== undefined && !requestHash.equals(before)) throw new Refusal('orders.key_reused');
    if (known !== undefined) return { is: 'known', order: known };
    if (first !== undefined) return { is: 'same', as: first.at };
    const decided = decideNew(placing);
    for (const { variantId, quantity, livePriceId } of decided.priced.lines) {
      if (livePriceId !== null) {
        live.take(livePriceId, personId, quantity);
        continue;
      }
      // What is kept beyond the quantity goes to the next in line, not to the next of the batch.
      const fromShelf = Math.max(0, quantity - keptOf(personId, variantId));
      taken.set(variantId, (taken.get(variantId) ?? 0) + fromShelf);
    }
    for (const one of decided.kept) kept.delete(keptName(one));
    if (decided.coupon !== null) coupons.take(decided.coupon);
    heldBy.set(personId, (heldBy.get(personId) ?? 0) + 1);
    firstOf.set(name, { at, requestHash });
    shipper.note(placing, decided.priced.shopId, at);
    return { is: 'new', ...decided };
  };
}

/** What the batch takes of live prices. */
function createLiveTaking(terms: readonly LiveTerms[]) {
  const byGoods = new Map(terms.map((one) => [`${one.showId} ${one.variantId}`, one]));
  const left = new Map(terms.map(({ id, left: pieces }) => [id, pieces]));
  const had = new Map(terms.flatMap(({ id, hadBy }) => (
    [...hadBy].map(([personId, pieces]) => [`${id} ${personId}`, pieces] as const)
  )));

  return {
    /**
     * The live price of this line for this person. Null: the price of the day counts, because there is no other, none
     * of it is left, or they have had theirs and ask for the price of the day.
     * @throws Refusal `offers.limit`, `offers.few_left`, when they ask for the live price and want too many
     */
    priceOf(showId: string | null, personId: string, line: AskedLine): OwnPrice | null {
      const { variantId, quantity, unitPriceMinor } = line;
      const found = byGoods.get(`${showId} ${variantId}`);
      if (found === undefined) return null;
      const { id, priceMinor, formerMinor, perPerson } = found;
      const pieces = left.get(id) ?? 0;
      if (pieces === 0) return null;
      const mine = had.get(`${id} ${personId}`) ?? 0;
      const asksForIt = unitPriceMinor === priceMinor;
      if (mine + quantity > perPerson) {
        if (!asksForIt) return null;
        const may = Math.max(0, perPerson - mine);
        throw new Refusal('offers.limit', { details: { variantId, most: perPerson, left: may } });
      }
      if (quantity > pieces) {
        if (!asksForIt) return null;
        throw new Refusal('offers.few_left', { details: { variantId, left: pieces } });
      }
      return { id, priceMinor, formerMinor };
    },
    take(id: string, personId: string, quantity: number): void {
      left.set(id, (left.get(id) ?? 0) - quantity);
      had.set(`${id} ${personId}`, (had.get(`${id} ${personId}`) ?? 0) + quantity);
    },
  };
}

/** Who comes, and the shop's place as it is now; null for a parcel. @throws Refusal `orders.no_pickup` */
function pickupOf({ request: { pickup } }: Placing, place: PickupPlace | undefined): OrderRow['pickup'] {
  if (pickup === undefined) return null;
  if (place === undefined) throw new Refusal('orders.no_pickup');
  return { name: pickup.name.trim(), phone: pickup.phone.trim(), place };
}
