/** Orders as people see them, gathered from orders, shops, images and payments in one read each. */
import type { ShopRef } from '@nacre/contract/accounts';
import type { Image } from '@nacre/contract/common';
import type { Order } from '@nacre/contract/orders';
import { trackingUrlOf } from './carriers.ts';
import type { CounterFact, OrderFact, SoldFact } from './events.ts';
import type { ParcelRow, PieceRow, StepRow } from './parcel-store.ts';
import type { LineRow, OrderRow } from './store.ts';

/** Only the buyer is shown where to pay, and the code to pick up with. */
export type Reader = 'buyer' | 'shop';

export interface ViewParts {
  reader: Reader;
  lines: Map<string, LineRow[]>;
  parcels: Map<string, ParcelRow[]>;
  /** By parcel. */
  pieces: Map<string, PieceRow[]>;
  /** Of orders that were not just written. */
  steps: Map<string, StepRow[]>;
  /** Of people of the shop and buyers, by id; empty when the order is shown to its buyer. */
  names: Map<string, string>;
  shops: Map<string, Pick<ShopRef, 'id' | 'slug' | 'name'>>;
  images: Map<string, Image>;
  /** By `subjectOf(order)`; empty when the order is not shown to its buyer. */
  pages: Map<string, string>;
  /** Of the orders with which others are sent, by id. */
  numbers: Map<string, bigint>;
}

/** What people say on the phone. */
export function numberOf(order: Pick<OrderRow, 'number'>): string {
  return `N-${order.number}`;
}

/** Under which name payments knows the order. */
export function subjectOf(orderId: string): string {
  return `order/${orderId}`;
}

/** The order's id, or null when the subject is something else. */
export function orderOf(subject: string): string | null {
  return /^order\/([0-9a-f-]{36})$/.exec(subject)?.[1] ?? null;
}

export function viewOf(order: OrderRow, parts: ViewParts): Order {
  const shop = parts.shops.get(order.shop_id);
  if (shop === undefined) throw new Error(`order ${order.id} has no shop`);
  return {
    id: order.id,
    number: numberOf(order),
    state: order.state,
    shop: { id: shop.id, slug: shop.slug, name: shop.name },
    showId: order.show_id,
    channel: order.channel,
    delivery: order.delivery,
    buyerName: order.buyer_name,
    lines: (parts.lines.get(order.id) ?? []).map((line) => ({
      variantId: line.variant_id,
      productId: line.product_id,
      title: line.title,
      optionValues: line.option_values,
      sku: line.sku,
      image: line.image_id === null ? null : parts.images.get(line.image_id) ?? null,
      unitPriceMinor: Number(line.unit_price_minor),
      quantity: line.quantity,
      number: line.bag_number,
    })),
    totalMinor: Number(order.total_minor),
    coupon: couponOf(order),
    shippingMinor: Number(order.shipping_minor),
    shipsWith: shipsWithOf(order, parts),
    currency: order.currency,
    address: order.address,
    pickup: pickupOf(order, parts.reader),
    counterMethod: order.counter_method,
    placedAt: order.placed_at.toISOString(),
    holdExpiresAt: order.hold_expires_at.toISOString(),
    paidAt: order.paid_at?.toISOString() ?? null,
    latePayment: order.late_payment,
    shippedAt: order.shipped_at?.toISOString() ?? null,
    readyAt: order.ready_at?.toISOString() ?? null,
    handedOverAt: order.handed_over_at?.toISOString() ?? null,
    voidedAt: order.voided_at?.toISOString() ?? null,
    parcels: parcelsOf(order, parts),
    history: historyOf(order, parts),
    cancellation: order.cancelled_by === null
      ? null : { by: order.cancelled_by, reason: order.cancel_reason, note: order.cancel_note },
    paymentUrl: order.state === 'held' ? parts.pages.get(subjectOf(order.id)) ?? null : null,
  };
}

/** What an order keeps of it, as people read it. */
export function couponOf({ coupon, discount_minor: discount }: OrderRow): Order['coupon'] {
  return coupon === null ? null : { id: coupon.id, name: coupon.name, discountMinor: Number(discount) };
}

function shipsWithOf({ ships_with: id }: OrderRow, { numbers }: ViewParts): Order['shipsWith'] {
  const number = id === null ? undefined : numbers.get(id);
  return id === null || number === undefined ? null : { id, number: numberOf({ number }) };
}

function parcelsOf({ id }: OrderRow, { parcels, pieces, lines }: ViewParts): Order['parcels'] {
  const places = new Map((lines.get(id) ?? []).map((line) => [line.position, line.variant_id]));
  return (parcels.get(id) ?? []).map((parcel) => ({
    number: parcel.number,
    carrier: parcel.carrier,
    trackingNumber: parcel.tracking_number,
    trackingUrl: trackingUrlOf(parcel.carrier, parcel.tracking_number),
    sentAt: parcel.sent_at.toISOString(),
    pieces: (pieces.get(parcel.id) ?? []).map(({ position, quantity }) => (
      { variantId: places.get(position) ?? '', quantity }
    )),
  }));
}

/** An order that was just written has gone one step. */
function historyOf(order: OrderRow, { steps, names }: ViewParts): Order['history'] {
  const gone = steps.get(order.id);
  if (gone === undefined) return [{ state: order.state, at: order.placed_at.toISOString(), by: null }];
  return gone.map((step) => ({
    state: step.to_state,
    at: step.at.toISOString(),
    by: step.person_id === null ? null : names.get(step.person_id) ?? null,
  }));
}

/** The code ends with the handing over: what lies in a drawer of screenshots opens nothing. */
function pickupOf({ pickup, pickup_code: code, state }: OrderRow, reader: Reader): Order['pickup'] {
  if (pickup === null) return null;
  const isShown = reader === 'buyer' && (state === 'paid' || state === 'ready');
  return { ...pickup, code: isShown ? code : null };
}

/** Of an order with a buyer. */
export function factOf(order: OrderRow, lines: readonly LineRow[]): OrderFact {
  const { buyer_id: buyerId, buyer_name: buyerName, show_id: showId } = order;
  if (buyerId === null) throw new Error(`order ${order.id} has no buyer`);
  return { ...soldOf(order, lines), showId, buyerId, buyerName };
}

export function counterFactOf(order: OrderRow, lines: readonly LineRow[]): CounterFact {
  const { counter_method: method } = order;
  if (method === null) throw new Error(`order ${order.id} was not sold at the counter`);
  return { ...soldOf(order, lines), method };
}

function soldOf(order: OrderRow, lines: readonly LineRow[]): SoldFact {
  return {
    orderId: order.id,
    orderNumber: numberOf(order),
    shopId: order.shop_id,
    lines: lines.map((line) => ({
      variantId: line.variant_id,
      productId: line.product_id,
      title: line.title,
      optionValues: line.option_values,
      quantity: line.quantity,
      amountMinor: Number(line.unit_price_minor) * line.quantity - Number(line.discount_minor),
      number: line.bag_number,
    })),
    totalMinor: Number(order.total_minor),
    goodsMinor: Number(order.total_minor - order.shipping_minor),
    currency: order.currency,
    placedAt: order.placed_at.toISOString(),
    paidAt: order.paid_at?.toISOString() ?? null,
  };
}
