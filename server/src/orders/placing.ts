/**
 * What may be placed, and at which price. Pure: the request on one side, the goods as they are now on the other.
 */
import { createHash } from 'node:crypto';
import { QUANTITY_MAX, type CounterSale, type OrderPlace } from '@nacre/contract/orders';
import { addressParts } from '@nacre/contract/shipping';
import type { OrderableVariant } from '../catalog/catalog.ts';
import { Refusal } from '../lib/refusal.ts';
import type { LineRow } from './store.ts';

/** Lines of one order: what a parcel and a page hold. More makes a placing hold many stock rows at once. */
export const LINES_MAX = 20;

export interface AskedLine {
  variantId: string;
  quantity: number;
  /** What the buyer saw. */
  unitPriceMinor: bigint;
}

export interface PricedLine extends OrderableVariant {
  /** What a piece costs in this order; a live price, where there is one for this buyer. */
  priceMinor: bigint;
  quantity: number;
  /** Null at the price of the day. */
  livePriceId: string | null;
  /** What may stand struck out beside a live price; else null. */
  formerMinor: bigint | null;
}

/** A price that counts for a line instead of that of the day. */
export interface OwnPrice {
  id: string;
  priceMinor: bigint;
  formerMinor: bigint | null;
}

export interface PricedOrder {
  shopId: string;
  currency: string;
  /** Of the goods; what sending costs comes on top. */
  totalMinor: bigint;
  /** In the order asked for. */
  lines: PricedLine[];
}

/**
 * The lines, when they make sense in themselves.
 * @throws Refusal `request.invalid` for none, too many or one variant twice; `orders.too_many_pieces`
 */
export function readLines(lines: OrderPlace['lines']): AskedLine[] {
  const variants = new Set(lines.map((line) => line.variantId));
  if (lines.length === 0 || lines.length > LINES_MAX || variants.size !== lines.length) {
    throw new Refusal('request.invalid', { details: { field: 'lines' } });
  }
  return lines.map(({ variantId, quantity, unitPriceMinor }) => {
    if (!Number.isInteger(quantity) || quantity < 1 || quantity > QUANTITY_MAX) {
      throw new Refusal('orders.too_many_pieces', { details: { variantId, most: QUANTITY_MAX } });
    }
    return { variantId, quantity, unitPriceMinor: BigInt(unitPriceMinor) };
  });
}

/**
 * SHA-256 of what is asked for. Two requests have the same one when they ask for the same order: the sequence of lines
 * and of the address's fields, whether the address is kept, and the fee that the buyer saw make no difference.
 */
export function hashRequest(
  request: Pick<OrderPlace, 'showId' | 'lines' | 'address' | 'pickup' | 'coupon'>,
): Buffer {
  const { showId, lines, address, pickup, coupon } = request;
  const parcel = address === undefined ? null : addressParts(address);
  const where = pickup === undefined ? parcel : ['pickup', pickup.name, pickup.phone];
  // At the end: requests without one have the hash that they had before there were coupons.
  return hashOf([showId, sortedParts(lines), where, ...(coupon === undefined ? [] : [coupon.claimId])]);
}

/** The same of a sale at the counter. */
export function hashSale({ lines, method }: Pick<CounterSale, 'lines' | 'method'>): Buffer {
  return hashOf(['counter', sortedParts(lines), method]);
}

function hashOf(parts: unknown): Buffer {
  return createHash('sha256').update(JSON.stringify(parts)).digest();
}

function sortedParts(lines: OrderPlace['lines']) {
  return lines
    .map(({ variantId, quantity, unitPriceMinor }) => [variantId, quantity, unitPriceMinor])
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
}

/**
 * The lines to be written, in the words and at the prices of now; `numbers` are those of the show's bag, `discounts`
 * what a coupon takes off each.
 */
export function lineRows(
  orderId: string, priced: PricedOrder, numbers: ReadonlyMap<string, number> | null, discounts: readonly number[] = [],
): LineRow[] {
  return priced.lines.map((line, position) => ({
    order_id: orderId,
    position,
    variant_id: line.variantId,
    product_id: line.productId,
    title: line.title,
    option_values: line.optionValues,
    sku: line.sku,
    image_id: line.imageId,
    bag_number: numbers?.get(line.productId) ?? null,
    unit_price_minor: line.priceMinor,
    quantity: line.quantity,
    discount_minor: BigInt(discounts[position] ?? 0),
  }));
}

/** What is offered, by variant. */
export type Goods = ReadonlyMap<string, OrderableVariant>;

export const byVariant = (goods: readonly OrderableVariant[]): Goods => (
  new Map(goods.map((one) => [one.variantId, one]))
);

/**
 * The order with the prices of now. `livePriceOf` says which live price a line is to be had at, and may refuse it; null
 * for the price of the day.
 * @throws Refusal `orders.not_for_sale`; `orders.price_changed` with the new price; `request.invalid` when the lines
 * are of several shops; `orders.too_many_pieces` when the total is no safe integer
 */
export function priceOrder(
  asked: readonly AskedLine[], goods: Goods, livePriceOf: (line: AskedLine) => OwnPrice | null = () => null,
): PricedOrder {
  const lines = asked.map((line) => {
    const { variantId, quantity, unitPriceMinor } = line;
    const found = goods.get(variantId);
    if (found === undefined || !found.isForSale) throw new Refusal('orders.not_for_sale', { details: { variantId } });
    const live = livePriceOf(line);
    const priceMinor = live?.priceMinor ?? found.priceMinor;
    if (priceMinor !== unitPriceMinor) {
      const details = { variantId, priceMinor: Number(priceMinor), currency: found.currency };
      throw new Refusal('orders.price_changed', { details });
    }
    return { ...found, priceMinor, quantity, livePriceId: live?.id ?? null, formerMinor: live?.formerMinor ?? null };
  });
  const [first] = lines;
  if (first === undefined || lines.some((line) => line.shopId !== first.shopId)) {
    throw new Refusal('request.invalid', { details: { field: 'lines', reason: 'of several shops' } });
  }
  const totalMinor = lines.reduce((sum, line) => sum + line.priceMinor * BigInt(line.quantity), 0n);
  if (totalMinor > BigInt(Number.MAX_SAFE_INTEGER)) throw new Refusal('orders.too_many_pieces');
  return { shopId: first.shopId, currency: first.currency, totalMinor, lines };
}
