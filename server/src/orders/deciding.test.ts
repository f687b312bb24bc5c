/** What becomes of the placings of one batch. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { OrderableVariant } from '../catalog/catalog.ts';
import { decideAll, HELD_ORDERS_MAX, keptName, nameOf, type Decision, type Ground } from './deciding.ts';
import type { Placing } from './place.ts';
import { byVariant, hashRequest, readLines } from './placing.ts';
import type { OrderRow } from './store.ts';

const ADDRESS = {
  name: 'Mei', phone: '1', line1: 'Road 1', line2: '', city: 'Town', region: '', postalCode: '1', country: 'CN',
};

const goods = (variantId: string, available: number): OrderableVariant => ({
  variantId, productId: `p-${variantId}`, shopId: 'shop', title: variantId, imageId: null, optionValues: [],
  sku: variantId, priceMinor: 100n, currency: 'CNY', isForSale: true, available, held: 0,
});

function wants(
  personId: string, quantities: Record<string, number>, idempotencyKey = `key of ${personId}`,
  more: Partial<Placing['request']> = {},
): Placing {
  const lines = Object.entries(quantities).map(([variantId, quantity]) => (
    { variantId, quantity, unitPriceMinor: 100 }
  ));
  const request = { idempotencyKey, showId: null, lines, address: ADDRESS, ...more };
  return {
    buyer: { personId, name: personId }, request, asked: readLines(lines), requestHash: hashRequest(request),
    bag: request.showId === null ? null : { shopId: 'shop', numbers: new Map() },
  };
}

const ground = (available: Record<string, number>, more: Partial<Ground> = {}): Ground => ({
  orders: new Map(), heldBy: new Map(), live: [], claims: [], now: new Date(0), kept: new Map(), places: new Map(),
  shipping: { terms: new Map(), parcels: new Map() },
  goods: byVariant(Object.entries(available).map(([variantId, left]) => goods(variantId, left))), ...more,
});

const said = (decisions: Decision[]) => decisions.map((one) => (one.is === 'refused' ? one.refusal.code : one.is));

test('[O43] what one takes is not there for those after it; whoever wants less may still get it', () => {
  const decided = decideAll(
    [wants('a', { x: 2 }), wants('b', { x: 2 }), wants('c', { x: 1 }), wants('d', { x: 1 })], ground({ x: 3 }),
  );
  assert.deepEqual(said(decided), ['new', 'orders.sold_out', 'new', 'orders.sold_out']);
  const second = decided[1]!;
  assert.deepEqual(second.is === 'refused' && second.refusal.details, { variantId: 'x', available: 1 });
});

test('[O4] [O43] an order that lacks one of its lines takes nothing of the others', () => {
  const decided = decideAll([wants('a', { x: 1, y: 1 }), wants('b', { x: 1 })], ground({ x: 1, y: 0 }));
  assert.deepEqual(said(decided), ['orders.sold_out', 'new']);
});

test('[O3] one key twice in a batch is one order; with other contents it is refused, known it is as it was', () => {
  const again = wants('a', { x: 1 });
  const decided = decideAll([again, again, wants('a', { x: 2 })], ground({ x: 9 }));
  assert.deepEqual(said(decided), ['new', 'same', 'orders.key_reused']);
  assert.deepEqual(decided[1], { is: 'same', as: 0 });
  const before = { id: 'before', request_hash: again.requestHash } as OrderRow;
  const name = nameOf({ buyerId: 'a', idempotencyKey: again.request.idempotencyKey });
  const orders = new Map([[name, before]]);
  assert.deepEqual(decideAll([again], ground({ x: 0 }, { orders })), [{ is: 'known', order: before }]);
});

test('[O3] a key whose first placing was refused is free for the next', () => {
  const decided = decideAll([wants('a', { x: 2 }), wants('a', { x: 1 })], ground({ x: 1 }));
  assert.deepEqual(said(decided), ['orders.sold_out', 'new']);
});

test('[O8] orders of one batch count as open ones', () => {
  const placings = Array.from({ length: HELD_ORDERS_MAX + 1 }, (_, n) => wants('a', { x: 1 }, `key number ${n}`));
  const decided = said(decideAll(placings, ground({ x: 99 }, { heldBy: new Map([['a', 1]]) })));
  assert.equal(decided.filter((one) => one === 'new').length, HELD_ORDERS_MAX - 1);
  assert.equal(decided.at(-1), 'orders.too_many_open');
});

// Goods cost 100 each.
const TERMS = new Map([['shop', { feeMinor: 8, freeFromMinor: 500 }]]);
const shipped = (decisions: Decision[]) => decisions.map((one) => {
  if (one.is === 'refused') return one.refusal.code;
  return one.is === 'new' ? [Number(one.shipping.feeMinor), one.shipping.shipsWith] : one.is;
});

test('[O75] [O78] sending costs the fee, nothing from a sum on, and exactly what the buyer saw', () => {
  const decided = decideAll([
    wants('a', { x: 1 }, 'key one', { shippingMinor: 8 }),
    wants('a', { x: 5 }, 'key two', { shippingMinor: 0 }),
    wants('a', { x: 4 }, 'key three'),
  ], ground({ x: 99 }, { shipping: { terms: TERMS, parcels: new Map() } }));
  assert.deepEqual(shipped(decided), [[8, null], [0, null], 'orders.shipping_changed']);
  const third = decided[2]!;
  assert.deepEqual(third.is === 'refused' && third.refusal.details, {
    shopId: 'shop', shippingMinor: 8, currency: 'CNY',
  });
});

test('[O76] [O77] of one buyer’s parcels of a show the first of a batch pays, and one to another address', () => {
  const inShow = (key: string, shippingMinor: number, more: object = {}) => (
    wants('a', { x: 1 }, key, { showId: 'show', shippingMinor, ...more })
  );
  const elsewhere = { address: { ...ADDRESS, line1: 'Road 2' } };
  const placings = [
    wants('a', { x: 99 }, 'sold out', { showId: 'show' }), inShow('key one', 8), inShow('key one', 8),
    inShow('key two', 0), inShow('key three', 0, elsewhere), inShow('key four', 8, elsewhere),
    wants('b', { x: 1 }, 'of another', { showId: 'show', shippingMinor: 8 }),
    inShow('key five', 0, { showId: 'later' }),
  ];
  const shipping = { terms: TERMS, parcels: new Map() };
  const decided = decideAll(placings, ground({ x: 98 }, { shipping }));
  assert.deepEqual(shipped(decided), [
    'orders.sold_out', [8, null], 'same', [0, { at: 1, address: ADDRESS }], 'orders.shipping_changed',
    [8, null], [8, null], 'orders.shipping_changed',
  ]);
});

test('[WL5] [WL7] [WL8] what is kept is one person’s, for one order; the rest is not for the next of a batch', () => {
  const kept = new Map([[keptName({ personId: 'a', variantId: 'x' }), {
    waitId: 'wait', personId: 'a', variantId: 'x', quantity: 2,
  }]]);
  const decide = (...placings: Placing[]) => decideAll(placings, ground({ x: 1 }, { kept }));
  const [, first, second, other] = decide(
    wants('b', { x: 2 }), wants('a', { x: 1 }, 'key number 1'), wants('a', { x: 2 }, 'key number 2'),
    wants('c', { x: 1 }),
  );
  assert.deepEqual(said([first!, second!, other!]), ['new', 'orders.sold_out', 'new']);
  assert.deepEqual(first?.is === 'new' && first.kept.map(({ waitId }) => waitId), ['wait']);
  assert.deepEqual(other?.is === 'new' && other.kept, []);
  assert.deepEqual(said(decide(wants('a', { x: 3 }), wants('c', { x: 1 }))), ['new', 'orders.sold_out']);
  // A page knows what is kept for its person: it is told what lies there for everybody.
  const [refused] = decide(wants('a', { x: 4 }));
  assert.deepEqual(refused?.is === 'refused' && refused.refusal.details, { variantId: 'x', available: 1 });
});
