/** Packing an order, and sending it in one parcel or several. Each verb locks the order first. */
import { PARCELS_MAX, type Order, type OrderShip } from '@nacre/contract/orders';
import { Refusal } from '../lib/refusal.ts';
import type { Tx } from '../platform/database.ts';
import { move } from './moving.ts';
import type { OrdersDeps } from './orders.ts';
import { insertParcel, readParcels, readPieces, type ParcelRow, type PieceRow } from './parcel-store.ts';
import { lockedOfShop, tellBuyersAfterCommit, viewOne } from './reading.ts';
import { assertMayBecome } from './states.ts';
import * as store from './store.ts';
import { factOf } from './view.ts';

/** Pieces of a line, by its place in the order. */
type Packed = Pick<PieceRow, 'position' | 'quantity'>;

export async function pack(deps: OrdersDeps, personId: string, orderId: string): Promise<Order> {
  const order = await lockedOfShop(deps, personId, orderId, 'orders.ship', (tx, found) => (
    packIn(deps, tx, personId, found)
  ));
  return viewOne(deps, order, 'shop');
}

/** Of an order that is locked. */
export async function packIn(
  deps: OrdersDeps, tx: Tx, personId: string, found: store.OrderRow,
): Promise<store.OrderRow> {
  return found.state === 'packed' ? found : move(deps, tx, found, 'packed', personId);
}

export async function ship(
  deps: OrdersDeps, personId: string, orderId: string, parcel: OrderShip,
): Promise<Order> {
  const order = await lockedOfShop(deps, personId, orderId, 'orders.ship', (tx, found) => (
    shipIn(deps, tx, personId, found, parcel)
  ));
  return viewOne(deps, order, 'shop');
}

/** Of an order that is locked. The parcel with the last pieces makes it shipped; one before that, packed. */
export async function shipIn(
  deps: OrdersDeps, tx: Tx, personId: string, found: store.OrderRow, asked: OrderShip,
): Promise<store.OrderRow> {
  const carrier = asked.carrier.trim();
  const trackingNumber = asked.trackingNumber.trim();
  const [parcels, sent, lines] = [
    await readParcels(tx, [found.id]), await readPieces(tx, [found.id]), await store.readLines(tx, [found.id]),
  ];
  const same = parcels.find((one) => one.carrier === carrier && one.tracking_number === trackingNumber);
  if (same !== undefined) {
    assertSame(same, sent, lines, asked.pieces);
    return found;
  }
  assertMayBecome(found.delivery, found.state, 'shipped');
  if (parcels.length >= PARCELS_MAX) throw new Refusal('orders.too_many_parcels', { details: { max: PARCELS_MAX } });
  const left = leftOf(lines, sent);
  const pieces = asked.pieces === undefined ? left : takenFrom(left, lines, asked.pieces);
  const parcelId = deps.platform.newId();
  await insertParcel(tx, {
    id: parcelId, order_id: found.id, number: parcels.length + 1, carrier, tracking_number: trackingNumber,
    sent_at: deps.platform.clock.now(),
  }, pieces.map((piece) => ({ ...piece, parcel_id: parcelId, order_id: found.id })));
  const count = (packed: readonly Packed[]) => packed.reduce((sum, { quantity }) => sum + quantity, 0);
  if (count(pieces) < count(left)) return sentInPart(deps, tx, personId, found);
  const after = await move(deps, tx, found, 'shipped', personId, { shipped_at: deps.platform.clock.now() });
  await deps.platform.outbox.publish(tx, {
    topic: 'orders.shipped', payload: { ...factOf(after, lines), carrier, trackingNumber },
  });
  return after;
}

async function sentInPart(
  deps: OrdersDeps, tx: Tx, personId: string, found: store.OrderRow,
): Promise<store.OrderRow> {
  if (found.state !== 'packed') return move(deps, tx, found, 'packed', personId);
  tellBuyersAfterCommit(deps, tx, [found]);
  return found;
}

/** What is not in a parcel yet, without lines of which nothing is left. */
function leftOf(lines: readonly store.LineRow[], sent: readonly PieceRow[]): Packed[] {
  return lines.flatMap(({ position, quantity }) => {
    const gone = sent.filter((piece) => piece.position === position).reduce((sum, piece) => sum + piece.quantity, 0);
    return quantity > gone ? [{ position, quantity: quantity - gone }] : [];
  });
}

/** @throws Refusal `orders.nothing_left` with `{ variantId, left }` for more pieces than are left, or a line twice */
function takenFrom(
  left: readonly Packed[], lines: readonly store.LineRow[], asked: NonNullable<OrderShip['pieces']>,
): Packed[] {
  return asked.map(({ variantId, quantity }, index) => {
    const line = lines.find((one) => one.variant_id === variantId);
    const rest = left.find((one) => one.position === line?.position);
    const isTwice = asked.findIndex((one) => one.variantId === variantId) !== index;
    if (rest === undefined || rest.quantity < quantity || isTwice) {
      throw new Refusal('orders.nothing_left', { details: { variantId, left: rest?.quantity ?? 0 } });
    }
    return { position: rest.position, quantity };
  });
}

/** @throws Refusal `orders.parcel_known` when the parcel was sent with other contents than are told now */
function assertSame(
  parcel: ParcelRow, sent: readonly PieceRow[], lines: readonly store.LineRow[], asked: OrderShip['pieces'],
): void {
  if (asked === undefined) return;
  const inIt = sent.filter((piece) => piece.parcel_id === parcel.id);
  const isSame = inIt.length === asked.length && asked.every(({ variantId, quantity }) => inIt.some((piece) => (
    lines[piece.position]?.variant_id === variantId && piece.quantity === quantity
  )));
  if (!isSame) throw new Refusal('orders.parcel_known', { details: { parcel: parcel.number } });
}
