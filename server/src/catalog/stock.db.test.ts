import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { StockLevel } from '@nacre/contract/catalog';
import type { Shop } from '@nacre/contract/shops';
import { createTestApi, type SignedInPerson, type TestApi } from '../../../tests/support/api.ts';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { deadlocksDuring } from '../../../tests/support/deadlocks.ts';
import type { StockLine } from './catalog.ts';

describe('stock', () => {
  let database: TestDatabase;
  let api: TestApi;
  let mei: SignedInPerson;
  let shop: Shop;

  before(async () => {
    database = await createTestDatabase(import.meta.url);
    api = await createTestApi({ url: database.serverUrl });
    mei = await api.newPerson();
    shop = await api.newShop(mei.cookie);
  });
  after(async () => {
    await checkMoves();
    await api.stop();
    await database.drop();
  });

  /** Ids of the variants of a new product, with these pieces. */
  async function newVariants(...stocks: number[]): Promise<string[]> {
    const values = stocks.map((_, n) => ({ value: `V${n}` }));
    const product = await api.newProduct(mei.cookie, shop.id, {
      options: [{ name: 'Kind', values }],
      variants: stocks.map((stock, n) => ({ optionValues: [`V${n}`], sku: `sku ${n}`, priceMinor: 100, stock })),
    });
    return product.variants.map(({ id }) => id);
  }

  const levelOf = (variantId: string) =>
    api.platform.database.db.selectFrom('stock').select(['available', 'held']).where('variant_id', '=', variantId)
      .executeTakeFirstOrThrow();
  const post = (variantId: string, body: unknown) =>
    api.ask(`/api/office/variants/${variantId}/stock`, { body, cookie: mei.cookie });
  function move(verb: 'hold' | 'release' | 'sell', lines: StockLine[]): Promise<StockLevel[]> {
    const ref = { orderId: api.platform.newId(), personId: mei.id };
    return api.platform.database.transaction((tx) => api.catalog[verb](tx, lines, ref));
  }

  /** [C8] over everything that the tests of this file did. */
  async function checkMoves(): Promise<void> {
    const { db } = api.platform.database;
    const moves = await db.selectFrom('stock_move').select(['variant_id', 'available_change', 'held_change']).execute();
    const sums = new Map<string, [number, number]>();
    for (const { variant_id: id, available_change: available, held_change: held } of moves) {
      const [a, h] = sums.get(id) ?? [0, 0];
      sums.set(id, [a + available, h + held]);
    }
    for (const row of await db.selectFrom('stock').selectAll().execute()) {
      assert.deepEqual(sums.get(row.variant_id) ?? [0, 0], [row.available, row.held], `[C8] ${row.variant_id}`);
    }
  }

  it('[C5] an arrival, a loss and a count change what can be bought', async () => {
    const [id = ''] = await newVariants(5);
    const arrival = await post(id, { change: 3 });
    assert.equal(arrival.status, 200);
    assert.deepEqual([arrival.json['available'], arrival.json['held']], [8, 0]);
    assert.equal((await post(id, { change: -8 })).json['available'], 0);
    assert.equal((await post(id, { setTo: 4 })).json['available'], 4);
    assert.equal((await post(id, { setTo: 4 })).json['available'], 4);
  });

  it('[C5] a loss larger than what is there is refused with what is there', async () => {
    const [id = ''] = await newVariants(5);
    const answer = await post(id, { change: -6 });
    assert.equal(answer.status, 409);
    assert.equal(answer.json['code'], 'catalog.stock_too_low');
    assert.deepEqual(answer.json['details'], { available: 5 });
  });

  it('[C5] what is no change of stock is refused', async () => {
    const [id = ''] = await newVariants(5);
    const bad = [{}, { change: 1, setTo: 1 }, { setTo: -1 }, { change: 0.5 }, { change: 1e7 }, { change: 'x' }];
    for (const body of bad) {
      assert.equal((await post(id, body)).json['code'], 'request.invalid', JSON.stringify(body));
    }
    assert.equal((await levelOf(id)).available, 5);
  });

  it('[C5] two losses at once of all there is: one is refused', async () => {
    for (let round = 0; round < 10; round += 1) {
      const [id = ''] = await newVariants(5);
      const answers = await Promise.all([post(id, { change: -5 }), post(id, { change: -5 })]);
      assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 409]);
      assert.equal((await levelOf(id)).available, 0);
    }
  });

  it('[C5] fifty who change, hold and give back at once lose no piece and never go below zero', async () => {
    const [id = ''] = await newVariants(10);
    let seenLow = Infinity;
    const end = api.platform.bus.subscribe('catalog.stock', (message) => {
      for (const { available, held } of (message as { levels: StockLevel[] }).levels) {
        seenLow = Math.min(seenLow, available, held);
      }
    });
    let change = 0;
    await Promise.all(Array.from({ length: 50 }, async (_, n) => {
      if (n % 5 === 0) {
        const delta = n % 2 === 0 ? 2 : -2;
        await api.catalog.changeStock(mei.id, id, { change: delta }).then(() => (change += delta), () => null);
        return;
      }
      const lines = [{ variantId: id, quantity: 1 + (n % 3) }];
      const held = await move('hold', lines).catch(() => null);
      if (held !== null) await move('release', lines);
    }));
    end();
    assert.deepEqual(await levelOf(id), { available: 10 + change, held: 0 });
    assert.ok(seenLow >= 0);
  });

  it('[C6] of twenty who want the last piece exactly one holds it, the others read how many are left', async () => {
    const [id = ''] = await newVariants(1);
    const answers = await Promise.allSettled(
      Array.from({ length: 20 }, () => move('hold', [{ variantId: id, quantity: 1 }])));
    const refused = answers.filter((answer) => answer.status === 'rejected');
    assert.equal(refused.length, 19);
    for (const { reason } of refused) {
      assert.equal((reason as { code: string }).code, 'orders.sold_out');
      assert.deepEqual((reason as { details: unknown }).details, { variantId: id, available: 0 });
    }
    assert.deepEqual(await levelOf(id), { available: 0, held: 1 });
  });

  it('[C6] all lines or none; lines of one variant count together', async () => {
    const [a = '', b = ''] = await newVariants(5, 1);
    const lines = [{ variantId: a, quantity: 2 }, { variantId: b, quantity: 2 }];
    await assert.rejects(move('hold', lines), { code: 'orders.sold_out', details: { variantId: b, available: 1 } });
    const twice = [{ variantId: a, quantity: 3 }, { variantId: a, quantity: 3 }];
    await assert.rejects(move('hold', twice), { code: 'orders.sold_out', details: { variantId: a, available: 5 } });
    assert.deepEqual(await levelOf(a), { available: 5, held: 0 });
    const levels = await move('hold', [{ variantId: a, quantity: 3 }, { variantId: a, quantity: 2 }]);
    assert.deepEqual(levels.map(({ available, held }) => [available, held]), [[0, 5]]);
    const unknown = api.platform.newId();
    await assert.rejects(move('hold', [{ variantId: unknown, quantity: 1 }]), { code: 'orders.sold_out' });
    assert.deepEqual(await move('hold', []), []);
    for (const quantity of [0, -1, 1.5, NaN]) {
      await assert.rejects(move('hold', [{ variantId: a, quantity }]), /not a quantity/);
    }
  });

  it('[C7] released pieces can be bought again, sold ones are gone', async () => {
    const [id = ''] = await newVariants(5);
    await move('hold', [{ variantId: id, quantity: 4 }]);
    await move('release', [{ variantId: id, quantity: 1 }]);
    assert.deepEqual(await levelOf(id), { available: 2, held: 3 });
    await move('sell', [{ variantId: id, quantity: 3 }]);
    assert.deepEqual(await levelOf(id), { available: 2, held: 0 });
  });

  it('[C7] giving back or selling more than is held changes nothing', async () => {
    const [id = ''] = await newVariants(5);
    await move('hold', [{ variantId: id, quantity: 2 }]);
    for (const verb of ['release', 'sell'] as const) {
      await assert.rejects(move(verb, [{ variantId: id, quantity: 3 }]), /but 2 are held/);
    }
    assert.deepEqual(await levelOf(id), { available: 3, held: 2 });
  });

  it('[C8] who changed what, and for which order, is written down and cannot be changed', async () => {
    const [id = ''] = await newVariants(5);
    const orderId = api.platform.newId();
    const { db, transaction } = api.platform.database;
    const lines = [{ variantId: id, quantity: 2 }];
    await transaction((tx) => api.catalog.hold(tx, lines, { orderId, personId: mei.id }));
    await transaction((tx) => api.catalog.sell(tx, lines, { orderId, personId: null }));
    await post(id, { change: 7 });
    const moves = await db.selectFrom('stock_move').selectAll().where('variant_id', '=', id).orderBy('id').execute();
    assert.deepEqual(moves.map((m) => [m.reason, m.available_change, m.held_change, m.order_id, m.person_id]), [
      ['set', 5, 0, null, mei.id],
      ['held', -2, 2, orderId, mei.id],
      ['sold', 0, -2, orderId, null],
      ['set', 7, 0, null, mei.id],
    ]);
    await assert.rejects(db.deleteFrom('stock_move').execute(), { code: '42501' });
    await assert.rejects(db.updateTable('stock_move').set({ held_change: 0 }).execute(), { code: '42501' });
  });

  it('[C9] levels are told after the commit, and not when it did not happen', async () => {
    const [id = ''] = await newVariants(5);
    const heard: StockLevel[][] = [];
    const end = api.platform.bus.subscribe('catalog.stock', (message) => {
      heard.push((message as { levels: StockLevel[] }).levels);
    });
    const lines = [{ variantId: id, quantity: 1 }];
    await assert.rejects(api.platform.database.transaction(async (tx) => {
      await api.catalog.hold(tx, lines, { orderId: api.platform.newId(), personId: null });
      throw new Error('payment could not be opened');
    }), /could not be opened/);
    await assert.rejects(move('hold', [{ variantId: id, quantity: 6 }]));
    assert.deepEqual(heard, []);
    const [level] = await move('hold', lines);
    end();
    assert.deepEqual(heard, [[level]]);
    assert.deepEqual([level?.available, level?.held, level?.variantId], [4, 1, id]);
  });

  it('[C10] orders of the same goods in another order do not wait for each other', async () => {
    const ids = await newVariants(100, 100, 100, 100);
    const started = performance.now();
    await Promise.all(Array.from({ length: 60 }, async (_, n) => {
      const order = n % 2 === 0 ? ids : ids.toReversed();
      await api.platform.database.transaction(async (tx) => {
        const rows = await api.catalog.lockForOrder(tx, order);
        assert.deepEqual(rows.map(({ variantId }) => variantId), ids.toSorted());
        const lines = order.map((variantId) => ({ variantId, quantity: 1 }));
        await api.catalog.hold(tx, lines, { orderId: api.platform.newId(), personId: null });
      });
    }));
    // PostgreSQL breaks a deadlock after a second; a few of them would be seen here.
    assert.ok(performance.now() - started < 5_000);
    for (const id of ids) assert.deepEqual(await levelOf(id), { available: 40, held: 60 });
  });

  it('[C10] orders and edits of the same product never wait for each other in a circle', async () => {
    const [id = ''] = await newVariants(1_000);
    const [orderable] = await api.platform.database.transaction((tx) => api.catalog.lockForOrder(tx, [id]));
    const product = await api.catalog.forOffice(mei.id, orderable?.productId ?? '');
    const [kind] = product.variants;
    assert.ok(kind);
    const order = () => api.platform.database.transaction(async (tx) => {
      await api.catalog.lockForOrder(tx, [id]);
      await api.catalog.hold(tx, [{ variantId: id, quantity: 1 }], { orderId: api.platform.newId(), personId: null });
    });
    const edit = (priceMinor: number) => api.catalog.patch(mei.id, product.id, {
      options: product.options, variants: [{ id, optionValues: kind.optionValues, sku: kind.sku, priceMinor }],
    });
    const all = () => Promise.all(Array.from({ length: 60 }, (_, n) => (n % 3 === 0 ? edit(100 + n) : order())));
    assert.equal(await deadlocksDuring(api.platform.database.db, all), 0);
    assert.deepEqual(await levelOf(id), { available: 960, held: 40 });
  });

  it('[C10] a price that changes while an order is placed waits for it', async () => {
    const [id = ''] = await newVariants(5);
    const [orderable] = await api.platform.database.transaction((tx) => api.catalog.lockForOrder(tx, [id]));
    const product = await api.catalog.forOffice(mei.id, orderable?.productId ?? '');
    const variants = product.variants.map(({ id: variantId, optionValues, sku }) => ({
      id: variantId, optionValues, sku, priceMinor: 200,
    }));
    let patched: Promise<unknown> | undefined;
    const steps: string[] = [];
    await api.platform.database.transaction(async (tx) => {
      const [row] = await api.catalog.lockForOrder(tx, [id]);
      patched = api.catalog.patch(mei.id, product.id, { options: product.options, variants })
        .then(() => steps.push('priced'));
      await new Promise((resolve) => setTimeout(resolve, 100));
      assert.equal(row?.priceMinor, 100n);
      await api.catalog.hold(tx, [{ variantId: id, quantity: 1 }], { orderId: api.platform.newId(), personId: null });
      steps.push('held');
    });
    await patched;
    assert.deepEqual(steps, ['held', 'priced']);
  });
});
