import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Product, VariantInput } from '@nacre/contract/catalog';
import type { Shop } from '@nacre/contract/shops';
import sharp from 'sharp';
import { createTestApi, dress, type SignedInPerson, type TestApi } from '../../../tests/support/api.ts';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';

describe('products', () => {
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
    await api.stop();
    await database.drop();
  });

  const add = (body: unknown, cookie: string | undefined = mei.cookie) =>
    api.ask(`/api/office/shops/${shop.id}/products`, { body, cookie });
  const change = (id: string, body: unknown, cookie: string | undefined = mei.cookie) =>
    api.ask(`/api/office/products/${id}`, { method: 'PATCH', body, cookie });
  /** The variants as they would be sent back unchanged. */
  const inputs = (product: Product): VariantInput[] =>
    product.variants.map(({ id, optionValues, sku, priceMinor }) => ({ id, optionValues, sku, priceMinor }));

  it('[C1] a dress in two sizes and two colours, with a picture, is there as it was written', async () => {
    const create = { width: 90, height: 120, channels: 3, background: '#a23' } as const;
    const picture = await sharp({ create }).png().toBuffer();
    const image = await api.images.upload(mei.id, picture);
    const answer = await add(dress({ title: ' Summer dress ', imageIds: [image.id] }));
    assert.equal(answer.status, 201);
    const product = answer.json as unknown as Product;
    assert.deepEqual([product.title, product.currency, product.state], ['Summer dress', 'CNY', 'active']);
    assert.deepEqual(product.options, dress().options);
    assert.deepEqual(product.images, [image]);
    assert.deepEqual(
      product.variants.map(({ optionValues, available, held }) => [optionValues.join(' '), available, held]),
      [['S Red', 5, 0], ['S Blue', 5, 0], ['M Red', 5, 0], ['M Blue', 5, 0]],
    );
    assert.deepEqual((await api.ask(`/api/products/${product.id}`)).json, product);
    assert.deepEqual((await api.ask(`/api/office/products/${product.id}`, { cookie: mei.cookie })).json, product);
    assert.deepEqual((await api.catalog.productsByIds([product.id, api.platform.newId()])).get(product.id), product);
  });

  it('[C1] nobody adds to, changes or reads the office of another\'s shop', async () => {
    const lin = await api.newPerson();
    await api.newShop(lin.cookie);
    const product = await api.newProduct(mei.cookie, shop.id, { state: 'draft' });
    const variantId = product.variants[0]?.id ?? '';
    const asks: [string, Parameters<TestApi['ask']>[1]][] = [
      [`/api/office/shops/${shop.id}/products`, { body: dress() }],
      [`/api/office/shops/${shop.id}/products`, {}],
      [`/api/office/products/${product.id}`, {}],
      [`/api/office/products/${product.id}`, { method: 'PATCH', body: { title: 'Mine' } }],
      [`/api/office/variants/${variantId}/stock`, { body: { setTo: 0 } }],
    ];
    for (const [path, asked] of asks) {
      const foreign = await api.ask(path, { ...asked, cookie: lin.cookie });
      assert.equal(foreign.json['code'], 'shops.not_a_member', path);
      assert.equal((await api.ask(path, asked)).json['code'], 'accounts.sign_in_first', path);
    }
    assert.deepEqual(await api.catalog.forOffice(mei.id, product.id), product);
    const unknown = api.platform.newId();
    assert.equal((await change(unknown, { title: 'x' })).json['code'], 'catalog.not_found');
    const stock = await api.ask(`/api/office/variants/${unknown}/stock`, { body: { change: 1 }, cookie: mei.cookie });
    assert.equal(stock.json['code'], 'catalog.not_found');
  });

  it('[C1] another product\'s variants cannot be taken', async () => {
    const [mine, other] = [await api.newProduct(mei.cookie, shop.id), await api.newProduct(mei.cookie, shop.id)];
    const answer = await change(mine.id, { options: other.options, variants: inputs(other) });
    assert.deepEqual(answer.json['details'], { reason: 'variant_unknown', variant: 0 });
    assert.deepEqual(await api.catalog.forOffice(mei.id, other.id), other);
    assert.deepEqual(await api.catalog.forOffice(mei.id, mine.id), mine);
  });

  it('[C2] options and variants that do not fit are refused, and nothing is kept', async () => {
    const product = await api.newProduct(mei.cookie, shop.id);
    const [first] = inputs(product);
    const bad = [
      { options: product.options, variants: [{ ...first, optionValues: ['S'] }] },
      { options: product.options, variants: [{ ...first, optionValues: ['S', 'Green'] }] },
      { options: product.options },
      { variants: inputs(product) },
    ];
    for (const body of bad) {
      const answer = await change(product.id, { title: 'Changed', ...body });
      assert.equal(answer.json['code'], 'catalog.options_mismatch', JSON.stringify(body));
    }
    assert.deepEqual(await api.catalog.forOffice(mei.id, product.id), product);
  });

  it('[C2] what is not as it should be is refused', async () => {
    const [variant] = dress().variants;
    const bad: Record<string, unknown>[] = [
      { title: '' }, { title: 'x'.repeat(121) }, { title: 'nul \u0000' }, { description: 'x'.repeat(4001) },
      { state: 'sold' }, { shopId: shop.id }, { imageIds: Array(10).fill(shop.id) }, { imageIds: ['x'] },
      { options: [{ name: 'Size \u0000', values: [{ value: 'S' }] }], variants: [] , state: 'draft' },
      { options: [{ name: 'Colour', values: [{ value: 'Red', swatch: 'javascript:' }] }] },
      { variants: [{ ...variant, priceMinor: -1 }] }, { variants: [{ ...variant, priceMinor: 1.5 }] },
      { variants: [{ ...variant, priceMinor: 2 ** 53 }] }, { variants: [{ ...variant, stock: -1 }] },
      { variants: Array(101).fill(variant) },
    ];
    for (const changes of bad) {
      const answer = await add({ ...dress(), ...changes });
      assert.equal(answer.json['code'], 'request.invalid', JSON.stringify(changes).slice(0, 200));
    }
    assert.equal((await add(dress({ imageIds: [shop.id] }))).json['code'], 'images.unknown');
    const cookie = mei.cookie;
    const nowhere = `/api/office/shops/${api.platform.newId()}/products`;
    assert.equal((await api.ask(nowhere, { body: dress(), cookie })).json['code'], 'shops.not_found');
    assert.equal((await api.ask('/api/products/not-an-id')).json['code'], 'request.invalid');
  });

  it('[C3] what is for sale has a variant', async () => {
    const empty = dress({ options: [], variants: [] });
    assert.equal((await add(empty)).json['code'], 'catalog.nothing_to_sell');
    const draft = await add({ ...empty, state: 'draft' });
    assert.equal(draft.status, 201);
    const id = String(draft.json['id']);
    assert.equal((await change(id, { state: 'active' })).json['code'], 'catalog.nothing_to_sell');
    const variants = [{ optionValues: [], sku: 'one', priceMinor: 0 }];
    assert.equal((await change(id, { state: 'active', options: [], variants })).status, 200);
    assert.equal((await change(id, { options: [], variants: [] })).json['code'], 'catalog.nothing_to_sell');
  });

  it('[C3] visitors see what is active, members all', async () => {
    const own = await api.newShop(mei.cookie);
    const made = new Map<string, Product>();
    for (const state of ['draft', 'active', 'archived'] as const) {
      made.set(state, await api.newProduct(mei.cookie, own.id, { state }));
    }
    for (const [state, { id }] of made) {
      const { json } = await api.ask(`/api/products/${id}`, { cookie: mei.cookie });
      assert.equal(json['code'] ?? json['state'], state === 'active' ? 'active' : 'catalog.not_found');
    }
    const states = async (path: string) =>
      ((await api.ask(path, { cookie: mei.cookie })).json['items'] as Product[]).map(({ state }) => state);
    assert.deepEqual(await states(`/api/shops/${own.slug}/products?state=draft`), ['active']);
    assert.deepEqual(await states(`/api/office/shops/${own.id}/products`), ['archived', 'active', 'draft']);
    assert.deepEqual(await states(`/api/office/shops/${own.id}/products?state=draft`), ['draft']);
    const wrong = await api.ask(`/api/office/shops/${own.id}/products?state=sold`, { cookie: mei.cookie });
    assert.equal(wrong.json['code'], 'request.invalid');
  });

  it('[C4] two variants exchange their values and keep their ids and stock', async () => {
    const product = await api.newProduct(mei.cookie, shop.id);
    const sent = inputs(product);
    const [a, b] = [sent[0], sent[1]];
    assert.ok(a !== undefined && b !== undefined);
    [a.optionValues, b.optionValues] = [b.optionValues, a.optionValues];
    await api.catalog.changeStock(mei.id, a.id ?? '', { setTo: 9 });
    const answer = await change(product.id, { options: product.options, variants: sent });
    assert.equal(answer.status, 200);
    const { variants } = answer.json as unknown as Product;
    assert.deepEqual(variants.map(({ id }) => id), product.variants.map(({ id }) => id));
    assert.deepEqual(variants[0]?.optionValues, ['S', 'Blue']);
    assert.deepEqual(variants.map(({ available }) => available), [9, 5, 5, 5]);
  });

  it('[C4] a missing variant is withdrawn, keeps its held pieces, and can come back', async () => {
    const product = await api.newProduct(mei.cookie, shop.id);
    const [first, ...others] = inputs(product);
    const variantId = first?.id ?? '';
    const { transaction } = api.platform.database;
    const ref = { orderId: api.platform.newId(), personId: mei.id };
    await transaction((tx) => api.catalog.hold(tx, [{ variantId, quantity: 2 }], ref));
    const without = await change(product.id, { options: product.options, variants: others });
    assert.equal((without.json['variants'] as unknown[]).length, 3);
    const [row] = await transaction((tx) => api.catalog.lockForOrder(tx, [variantId]));
    assert.deepEqual([row?.isForSale, row?.available, row?.held], [false, 3, 2]);
    await transaction((tx) => api.catalog.release(tx, [{ variantId, quantity: 2 }], ref));
    // The same values may be sold again, by a new variant or by the old one.
    const fresh = { ...first, id: undefined, sku: 'new', stock: 1 };
    const again = await change(product.id, { options: product.options, variants: [fresh, ...others] });
    assert.equal((again.json['variants'] as Product['variants'])[0]?.available, 1);
    const back = await change(product.id, { options: product.options, variants: [first, ...others] });
    assert.equal((back.json['variants'] as Product['variants'])[0]?.available, 5);
  });

  it('[C9] a changed price and a changed product are told after the commit, and not when refused', async () => {
    const product = await api.newProduct(mei.cookie, shop.id);
    const heard: unknown[] = [];
    const ends = ['catalog.price', 'catalog.product'].map((topic) =>
      api.platform.bus.subscribe(topic, (message) => void heard.push([topic, message])));
    const [first, ...others] = inputs(product);
    const dearer = { ...first, priceMinor: 13_000 };
    const { options } = product;
    const refused = await change(product.id, { options, variants: [dearer, ...others], imageIds: [shop.id] });
    assert.equal(refused.status, 422);
    assert.deepEqual(heard, []);
    await change(product.id, { options, variants: [dearer, ...others] });
    for (const end of ends) end();
    assert.deepEqual(heard, [
      ['catalog.price', { productId: product.id, prices: [{ variantId: first?.id, priceMinor: 13_000 }] }],
      ['catalog.product', { productId: product.id, shopId: shop.id }],
    ]);
  });

  it('[C11] pages of a list neither lose nor repeat a product', async () => {
    const own = await api.newShop(mei.cookie);
    const made = [];
    for (let n = 0; n < 5; n += 1) made.push(await api.newProduct(mei.cookie, own.id, { title: `No ${n}` }));
    const seen: string[] = [];
    let next: unknown = null;
    do {
      const cursor = next === null ? '' : `&cursor=${String(next)}`;
      const { json } = await api.ask(`/api/shops/${own.slug}/products?limit=2${cursor}`);
      seen.push(...(json['items'] as Product[]).map(({ id }) => id));
      next = json['next'];
    } while (next !== null);
    assert.deepEqual(seen, made.map(({ id }) => id).toReversed());
    assert.equal((await api.ask('/api/shops/nowhere/products')).json['code'], 'shops.not_found');
  });

  it('[C12] the largest price comes back exactly', async () => {
    const priceMinor = Number.MAX_SAFE_INTEGER;
    const variants = [{ optionValues: [], sku: 'one', priceMinor, stock: 1 }];
    const product = await api.newProduct(mei.cookie, shop.id, { options: [], variants });
    assert.equal(product.variants[0]?.priceMinor, priceMinor);
    const variantId = product.variants[0]?.id ?? '';
    const [row] = await api.platform.database.transaction((tx) => api.catalog.lockForOrder(tx, [variantId]));
    assert.equal(row?.priceMinor, 9_007_199_254_740_991n);
  });

  it('[C13] stock given for a variant that exists is not taken over', async () => {
    const product = await api.newProduct(mei.cookie, shop.id);
    const variants = inputs(product).map((variant) => ({ ...variant, stock: 1000 }));
    const answer = await change(product.id, { options: product.options, variants });
    assert.deepEqual((answer.json['variants'] as Product['variants']).map(({ available }) => available), [5, 5, 5, 5]);
  });

  it('[C4] two members who change a product at once leave one of the two versions, not a mixture', async () => {
    const product = await api.newProduct(mei.cookie, shop.id);
    const version = (name: string) => ({
      title: name, options: product.options,
      variants: inputs(product).map((variant) => ({ ...variant, sku: `${name} ${variant.sku}` })),
    });
    const answers = await Promise.all(['A', 'B', 'C', 'D'].map((name) => change(product.id, version(name))));
    assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200, 200]);
    const { title, variants } = await api.catalog.forOffice(mei.id, product.id);
    assert.ok(variants.every(({ sku }) => sku.startsWith(`${title} `)));
    assert.equal(variants.length, 4);
  });
});
