/**
 * What an order was promised, as a text of which there is one only. Pure.
 *
 * Invariant: the document is `{"offer":…,"order":…}` in canonical JSON (RFC 8785), and its hash is of exactly these
 * bytes. The offer, which many orders share, is kept once under its own hash; put together again it is the same text.
 */
import { createHash } from 'node:crypto';
import { PROMISE_FORMAT, type PromiseCard, type PromiseOffer, type PromisedOrder } from '@nacre/contract/promise';
import type { ShopTerms } from '@nacre/contract/shops';
import { canonicalJson } from '../lib/canonical-json.ts';
import type { PricedOrder } from './placing.ts';
import type { LineRow, OrderRow } from './store.ts';
import { couponOf, numberOf } from './view.ts';

/** A show as it is at the moment of placing. */
export interface Screen {
  title: string;
  /** Null unless it runs. */
  wentLiveAt: Date | null;
  onScreenProductId: string | null;
}

/** What the orders of a batch may have been promised. */
export interface PromiseGround {
  cards: ReadonlyMap<string, PromiseCard>;
  shops: ReadonlyMap<string, { name: string; terms: ShopTerms }>;
  screens: ReadonlyMap<string, Screen>;
}

export interface OfferRow {
  sha256: Buffer;
  body: string;
}

export interface PromiseRow {
  order_id: string;
  offer_sha256: Buffer;
  body: string;
  sha256: Buffer;
}

export interface PromisedOne {
  row: OrderRow;
  lines: readonly LineRow[];
  /** Its lines in the same sequence. */
  priced: Pick<PricedOrder, 'lines'>;
}

/** Rows for all orders of a batch, in their sequence, and each offer once. */
export function promisesOf(
  orders: readonly PromisedOne[], ground: PromiseGround,
): { offers: OfferRow[]; promises: PromiseRow[] } {
  const offers = new Map<string, OfferRow>();
  const offerOf = (order: PromisedOne): OfferRow => {
    const { shop_id: shopId, show_id: showId } = order.row;
    const productIds = [...new Set(order.lines.map((line) => line.product_id))].sort();
    const name = [shopId, showId, ...productIds].join(' ');
    const known = offers.get(name);
    if (known !== undefined) return known;
    const body = canonicalJson(describeOffer(shopId, showId, productIds, ground));
    const made = { sha256: sha256(body), body };
    offers.set(name, made);
    return made;
  };
  const promises = orders.map((order) => {
    const offer = offerOf(order);
    const body = canonicalJson(describeOrder(order, ground));
    return {
      order_id: order.row.id, offer_sha256: offer.sha256, body, sha256: sha256(documentOf(offer.body, body)),
    };
  });
  return { offers: [...offers.values()], promises };
}

/** The whole, of two texts in canonical JSON: "offer" sorts before "order". */
export const documentOf = (offer: string, order: string): string => `{"offer":${offer},"order":${order}}`;

export const sha256 = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();

function describeOffer(
  shopId: string, showId: string | null, productIds: readonly string[], ground: PromiseGround,
): PromiseOffer {
  const shop = ground.shops.get(shopId);
  if (shop === undefined) throw new Error(`nothing is known of the shop ${shopId}`);
  const screen = showId === null ? undefined : ground.screens.get(showId);
  const onScreenProductId = screen?.onScreenProductId ?? null;
  const shown = new Set([...productIds, ...(onScreenProductId === null ? [] : [onScreenProductId])]);
  return {
    cards: [...shown].sort().map((productId) => {
      const card = ground.cards.get(productId);
      if (card === undefined) throw new Error(`nothing is known of the product ${productId}`);
      return card;
    }),
    shop: { id: shopId, name: shop.name, terms: shop.terms },
    show: showId === null ? null : { id: showId, title: screen?.title ?? '', onScreenProductId },
  };
}

const minorOf = (amount: bigint | null): number | null => (amount === null ? null : Number(amount));

function describeOrder({ row, lines, priced }: PromisedOne, ground: PromiseGround): PromisedOrder {
  const coupon = couponOf(row);
  const wentLiveAt = row.show_id === null ? undefined : ground.screens.get(row.show_id)?.wentLiveAt;
  return {
    format: PROMISE_FORMAT,
    id: row.id,
    number: numberOf(row),
    placedAt: row.placed_at.toISOString(),
    lines: lines.map((line, at) => ({
      productId: line.product_id,
      variantId: line.variant_id,
      title: line.title,
      optionValues: line.option_values,
      sku: line.sku,
      number: line.bag_number,
      quantity: line.quantity,
      unitPriceMinor: Number(line.unit_price_minor),
      formerPriceMinor: minorOf(priced.lines[at]!.formerMinor),
      totalMinor: Number(line.unit_price_minor) * line.quantity,
    })),
    shippingMinor: Number(row.shipping_minor),
    ...(coupon === null ? {} : { coupon }),
    totalMinor: Number(row.total_minor),
    currency: row.currency,
    delivery: row.delivery,
    address: row.address,
    pickup: row.pickup,
    showOffsetMs: wentLiveAt === undefined || wentLiveAt === null ? null
      : Math.max(0, row.placed_at.getTime() - wentLiveAt.getTime()),
  };
}
