/** Carts on a real database. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Cart, CartAsk } from '@nacre/contract/carts';
import type { OrderPlace } from '@nacre/contract/orders';
import { createTestDatabase } from '../../../tests/support/database.ts';
import { deadlocksDuring } from '../../../tests/support/deadlocks.ts';
import { ADDRESS, createMarket } from '../../../tests/support/market.ts';
import type { PersonActor } from '../http/actor.ts';
import { Refusal } from '../lib/refusal.ts';
import { newId } from '../platform/ids.ts';

const database = await createTestDatabase(import.meta.url);
const market = await createMarket({ url: database.serverUrl });
after(async () => {
  await market.stop();
  await database.drop();
});
const owner = await market.newPerson('Owner');
const [silk, tea] = [await market.newShop(owner.personId), await market.newShop(owner.personId)];

async function goods(shopId: string, stock: number, priceMinor = 12_900) {
  const product = await market.newProduct(owner.personId, shopId, { stock, priceMinor });
  return { ...product, variantId: product.variants[0]!.id };
}
const ask = (variantId: string, quantity = 1, more: Partial<CartAsk> = {}): CartAsk => (
  { variantId, quantity, seenPriceMinor: 12_900, showId: null, ...more }
);
const put = (personId: string, ...lines: CartAsk[]) => {
  market.clock.advance(1_000);
  return market.carts.put(personId, { putId: newId(), lines });
};
const linesOf = (cart: Cart) => cart.groups.flatMap((group) => group.lines);
const pieces = (cart: Cart) => Object.fromEntries(linesOf(cart).map((line) => [line.variantId, line.quantity]));

/** What the page sends to buy a group as it is shown. */
function buying(cart: Cart, shopId: string, more: Partial<OrderPlace> = {}): OrderPlace {
  const group = cart.groups.find(({ shop }) => shop.id === shopId);
  assert.ok(group);
  const { idempotencyKey, showId, lines } = group;
  return {
    idempotencyKey, showId, fromCart: true, address: ADDRESS,
    lines: lines.map(({ variantId, quantity, priceMinor }) => ({ variantId, quantity, unitPriceMinor: priceMinor })),
    ...more,
  };
}

test('[CA1] [CA2] what is put in is there, a line a variant, by shop; the pages are told a newer version', async () => {
  const { personId } = await market.newPerson();
  const [dress, cup] = [await goods(silk, 5), await goods(tea, 5)];
  const show = await market.newShow(silk, [dress.id]);
  await put(personId, ask(dress.variantId));
  await put(personId, ask(cup.variantId, 1, { showId: show }));
  const { cart, left } = await put(personId, ask(dress.variantId, 2, { showId: show }));
  assert.deepEqual([left, cart.pieces], [[], 4]);
  assert.deepEqual(cart.groups.map(({ shop, showId }) => [shop.id, showId]), [[silk, show], [tea, null]]);
  assert.deepEqual(linesOf(cart).map(({ quantity, showId, title }) => [quantity, showId, title]), [
    [3, show, 'Summer dress'], [1, null, 'Summer dress'],
  ]);
  assert.deepEqual(await market.carts.get(personId), cart);
  const told = market.toldOfCarts.filter((one) => one.personId === personId).map(({ event }) => event.cart);
  assert.deepEqual(told, [{ version: 1, pieces: 1 }, { version: 2, pieces: 2 }, { version: 3, pieces: 4 }]);
  assert.equal(cart.version, 3);
  assert.deepEqual(await market.carts.count(personId), { version: 3, pieces: 4 });
  const other = await market.newPerson();
  assert.deepEqual(await market.carts.get(other.personId), { version: 0, pieces: 0, groups: [] });
});

test('[CA3] a putting sent again, ten times at once, puts in once and is answered alike', async () => {
  const { personId } = await market.newPerson();
  const dress = await goods(silk, 5);
  await put(personId, ask(dress.variantId, 97));
  const input = { putId: newId(), lines: [ask(dress.variantId, 5)] };
  const answers = await Promise.all(Array.from({ length: 10 }, () => market.carts.put(personId, input)));
  for (const { cart, left } of answers) {
    assert.deepEqual([cart.pieces, left], [99, [{ variantId: dress.variantId, quantity: 3 }]]);
  }
});

test('[CA4] a cart is bounded by lines, by lines of a shop and by pieces, also when filled in parallel', async () => {
  const { personId } = await market.newPerson();
  const shops = [];
  for (let n = 0; n < 6; n += 1) {
    const keeper = await market.newPerson();
    const shopId = await market.newShop(keeper.personId);
    const sizes = Array.from({ length: n === 0 ? 22 : 18 }, (_, i) => `Size ${i}`);
    const product = await market.newProduct(keeper.personId, shopId, { stock: 1, sizes });
    shops.push(product.variants.map(({ id }) => ask(id)));
  }
  const answers = await Promise.all(shops.map((lines) => put(personId, ...lines)));
  const cart = await market.carts.get(personId);
  assert.equal(linesOf(cart).length, 100);
  assert.ok(cart.groups.every((group) => group.lines.length <= 20));
  const left = answers.flatMap((answer) => answer.left);
  assert.equal(left.length, 22 + 5 * 18 - 100);
  await assert.rejects(market.carts.set(personId, left[0]!.variantId, ask2()), { code: 'carts.full' });
});
const ask2 = () => ({ quantity: 1, seenPriceMinor: 12_900, showId: null });

test('[CA5] a line is changed, taken out, and put back as it was', async () => {
  const { personId } = await market.newPerson();
  const [dress, hat] = [await goods(silk, 5), await goods(silk, 5)];
  await put(personId, ask(dress.variantId));
  const { cart: before } = await put(personId, ask(hat.variantId, 2));
  assert.equal((await market.carts.set(personId, hat.variantId, { ...ask2(), quantity: 7 })).pieces, 8);
  const line = linesOf(before)[0]!;
  const { quantity, seenPriceMinor, showId } = line;
  assert.deepEqual(pieces(await market.carts.takeAway(personId, hat.variantId)), { [dress.variantId]: 1 });
  assert.deepEqual(pieces(await market.carts.takeAway(personId, hat.variantId)), { [dress.variantId]: 1 });
  const back = await market.carts.set(personId, hat.variantId, { quantity, seenPriceMinor, showId });
  assert.deepEqual(back.groups, before.groups);
  await assert.rejects(market.carts.set(personId, personId, ask2()), { code: 'catalog.not_found' });
});

test('[CA6] [CA7] a cart tells what is true now, a browser’s lines too', async () => {
  const { personId } = await market.newPerson();
  const [dress, hat, last] = [await goods(silk, 5), await goods(silk, 5), await goods(silk, 1)];
  await put(personId, ask(last.variantId), ask(hat.variantId), ask(dress.variantId));
  const [variant] = dress.variants;
  assert.ok(variant);
  const { id, optionValues, sku } = variant;
  await market.catalog.patch(owner.personId, dress.id, {
    options: [], variants: [{ id, optionValues, sku, priceMinor: 9_900 }],
  });
  await market.catalog.patch(owner.personId, hat.id, { state: 'archived' });
  await market.orders.place(await market.newPerson(), {
    ...buying((await put(owner.personId, ask(last.variantId))).cart, silk), fromCart: false,
  });
  const cart = await market.carts.get(personId);
  const seen = linesOf(cart).map((line) => [
    line.seenPriceMinor, line.priceMinor, line.available, line.isForSale,
  ]);
  const now = [[12_900, 9_900, 5, true], [12_900, 12_900, 0, false], [12_900, 12_900, 0, true]];
  assert.deepEqual(seen, now);
  const looked = await market.carts.look([
    ask(last.variantId), ask(personId), ask(hat.variantId), ask(dress.variantId),
  ]);
  assert.deepEqual(linesOf(looked), linesOf(cart));
});

test('[CA8] [CA9] [O79] what is bought leaves the cart once, only that; a repeat is the same order', async () => {
  const buyer = await market.newPerson();
  const { personId } = buyer;
  const [dress, hat, cup] = [await goods(silk, 50), await goods(silk, 50), await goods(tea, 50)];
  const { cart } = await put(personId, ask(cup.variantId), ask(hat.variantId), ask(dress.variantId, 3));
  const request = buying(cart, silk, {
    lines: [{ variantId: dress.variantId, quantity: 2, unitPriceMinor: 12_900 }],
  });
  const [order, ...same] = await Promise.all(Array.from({ length: 5 }, () => market.orders.place(buyer, request)));
  assert.ok(order);
  for (const { id } of same) assert.equal(id, order.id);
  const rest = await market.carts.get(personId);
  assert.deepEqual(pieces(rest), { [dress.variantId]: 1, [hat.variantId]: 1, [cup.variantId]: 1 });
  assert.equal((await market.orders.place(buyer, request)).id, order.id);
  assert.deepEqual(await market.carts.get(personId), rest);
  const keyOf = (from: Cart, shopId: string) => from.groups.find(({ shop }) => shop.id === shopId)?.idempotencyKey;
  assert.notEqual(keyOf(rest, silk), request.idempotencyKey);
  assert.equal(keyOf(rest, tea), keyOf(cart, tea));
  const told = market.toldOfCarts.filter((one) => one.personId === personId).map(({ event }) => event.cart.pieces);
  assert.deepEqual(told, [5, 3]);
  // Bought beside the cart: nothing leaves it.
  await market.orders.place(buyer, { ...buying(rest, tea, { idempotencyKey: newId() }), fromCart: false });
  assert.deepEqual(pieces(await market.carts.get(personId)), pieces(rest));
});

test('[CA8] [CA9] a refused purchase takes nothing, and its key is good for the next try', async () => {
  const buyer = await market.newPerson();
  const dress = await goods(silk, 1);
  const { cart } = await put(buyer.personId, ask(dress.variantId, 2));
  await assert.rejects(market.orders.place(buyer, buying(cart, silk)), { code: 'orders.sold_out' });
  const less = await market.carts.set(buyer.personId, dress.variantId, ask2());
  assert.equal(less.groups[0]!.idempotencyKey, cart.groups[0]!.idempotencyKey);
  await market.orders.place(buyer, buying(less, silk));
  assert.deepEqual((await market.carts.get(buyer.personId)).groups, []);
});

test('[CA10] one shop’s goods are placed while another’s are sold out', async () => {
  const buyer = await market.newPerson();
  const [dress, cup] = [await goods(silk, 5), await goods(tea, 0)];
  const { cart } = await put(buyer.personId, ask(dress.variantId), ask(cup.variantId));
  const [first, second] = await Promise.allSettled([silk, tea].map((shopId) => (
    market.orders.place(buyer, buying(cart, shopId))
  )));
  assert.equal(first?.status, 'fulfilled');
  assert.ok(second?.status === 'rejected' && second.reason instanceof Refusal);
  assert.equal(second.reason.code, 'orders.sold_out');
  assert.deepEqual(pieces(await market.carts.get(buyer.personId)), { [cup.variantId]: 1 });
});

test('[CA11] parallel carts with shuffled goods, changed while they are bought, never wait in a circle', async () => {
  const all = await Promise.all(Array.from({ length: 6 }, (_, i) => goods(i % 2 === 0 ? silk : tea, 200)));
  const buyers = await Promise.all(Array.from({ length: 16 }, () => market.newPerson()));
  const placed: string[] = [];
  const deadlocks = await deadlocksDuring(market.database.db, () => Promise.all(buyers.map(async (buyer, n) => {
    const shuffled = [...all.slice(n % 6), ...all.slice(0, n % 6)];
    if (n % 2 === 0) shuffled.reverse();
    const { cart } = await put(buyer.personId, ...shuffled.map(({ variantId }) => ask(variantId, 2)));
    const orders = [silk, tea].map((shopId) => market.orders.place(buyer, buying(cart, shopId, {
      lines: shuffled.filter((one) => one.shopId === shopId).map(({ variantId }) => (
        { variantId, quantity: 1, unitPriceMinor: 12_900 }
      )),
    })));
    const changes = shuffled.map(({ variantId }) => put(buyer.personId, ask(variantId)));
    await Promise.all(changes);
    for (const { id } of await Promise.all(orders)) placed.push(id);
  })));
  assert.equal(deadlocks, 0);
  assert.equal(placed.length, 32);
  for (const buyer of buyers) {
    const quantities = Object.values(pieces(await market.carts.get(buyer.personId)));
    assert.deepEqual(quantities, Array.from({ length: 6 }, () => 2));
  }
  for (const { variantId } of all) {
    assert.deepEqual(await market.levelsOf(variantId), { available: 184, held: 16, sold: 0 });
  }
});

test('[CA12] [CA13] a group counts to the show of its last line from one, and tells what it may go with', async () => {
  const buyer = await market.newPerson();
  const [dress, hat] = [await goods(silk, 9), await goods(silk, 9)];
  const [early, late] = [await market.newShow(silk, [dress.id]), await market.newShow(silk, [dress.id])];
  const shipping = { feeMinor: 700, freeFromMinor: 99_000 };
  const { slug } = await market.shops.patch(owner.personId, silk, { shipping });
  await put(buyer.personId, ask(dress.variantId, 1, { showId: early }), ask(dress.variantId, 1, { showId: late }));
  const { cart } = await put(buyer.personId, ask(hat.variantId));
  assert.equal(cart.groups[0]!.showId, late);
  assert.deepEqual(cart.groups[0]!.shipping, { terms: shipping, open: [] });
  const order = await market.orders.place(buyer, buying(cart, silk, { shippingMinor: 700 }));
  assert.deepEqual([order.showId, order.channel], [late, 'show']);
  const { cart: next } = await put(buyer.personId, ask(hat.variantId, 1, { showId: late }));
  const open = [{ orderId: order.id, number: order.number, address: ADDRESS }];
  assert.deepEqual(next.groups[0]!.shipping, { terms: shipping, open });
  assert.deepEqual(await market.carts.shippingOffer(buyer.personId, slug, late), { terms: shipping, open });
  assert.deepEqual(await market.carts.shippingOffer(null, slug, late), { terms: shipping, open: [] });
  const along = await market.orders.place(buyer, buying(next, silk));
  assert.deepEqual([along.shippingMinor, along.shipsWith?.id], [0, order.id]);
  await market.shops.patch(owner.personId, silk, { shipping: { feeMinor: 0, freeFromMinor: null } });
});

test('[CA14] a line in a show has its live price while this person may have it, and is bought at that', async () => {
  const buyer = await market.newPerson();
  const dress = await goods(silk, 9);
  const show = await market.newShow(silk, [dress.id]);
  await market.offers.set({ kind: 'person', ...owner } as PersonActor, show, {
    variantId: dress.variantId, priceMinor: 9_900, quota: 5, perPerson: 2,
  });
  const priced = (cart: Cart) => linesOf(cart).map(({ quantity, priceMinor }) => [quantity, priceMinor]);
  await put(buyer.personId, ask(dress.variantId, 2, { showId: show }));
  const cart = await market.carts.get(buyer.personId);
  assert.deepEqual(priced(cart), [[2, 9_900]]);
  const order = await market.orders.place(buyer, buying(cart, silk));
  assert.equal(order.totalMinor, 19_800);
  // She has had hers.
  await put(buyer.personId, ask(dress.variantId, 1, { showId: show }));
  const next = await market.carts.get(buyer.personId);
  assert.deepEqual(priced(next), [[1, 12_900]]);
  assert.equal((await market.orders.place(buyer, buying(next, silk))).totalMinor, 12_900);
});

test('[CA15] a group has the person’s own coupons of its shop, and is bought with one', async () => {
  const buyer = await market.newPerson();
  const [dress, cup] = [await goods(silk, 5), await goods(tea, 5)];
  const boss = { kind: 'person', ...owner } as PersonActor;
  const made = await market.offers.coupons.make(boss, silk, {
    name: 'Ten off', showId: null, amountMinor: 1_000, percent: null, mostMinor: null, minimumMinor: 0,
    productIds: null, quota: 9, validFrom: market.clock.now().toISOString(),
    validUntil: new Date(market.clock.now().getTime() + 3_600_000).toISOString(),
  });
  const own = await market.offers.coupons.claim({ kind: 'person', ...buyer } as PersonActor, made.id);
  const { cart } = await put(buyer.personId, ask(dress.variantId), ask(cup.variantId));
  const couponsOf = (one: Cart) => Object.fromEntries(one.groups.map(({ shop, coupons }) => (
    [shop.id, coupons.map(({ claimId }) => claimId)]
  )));
  assert.deepEqual(couponsOf(cart), { [silk]: [own.claimId], [tea]: [] });
  const coupon = { claimId: own.claimId, discountMinor: 1_000 };
  assert.equal((await market.orders.place(buyer, buying(cart, silk, { coupon }))).totalMinor, 11_900);
  await put(buyer.personId, ask(dress.variantId));
  assert.deepEqual(couponsOf(await market.carts.get(buyer.personId)), { [silk]: [], [tea]: [] });
});
