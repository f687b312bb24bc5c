/** What a refused order teaches the page. Pure. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Product } from '@nacre/contract/catalog';
import { learn, newsOf } from './goods-news.ts';

const dress = () => ({
  variants: [{ id: 's', priceMinor: 4_900, available: 5 }, { id: 'm', priceMinor: 4_900, available: 5 }],
}) as unknown as Product;

test('[W16] a refusal tells the new price, or what is left, of its variant', () => {
  const price = { variantId: 'm', priceMinor: 5_900, currency: 'USD' };
  assert.deepEqual(newsOf('orders.price_changed', price), { variantId: 'm', priceMinor: 5_900 });
  assert.deepEqual(newsOf('orders.sold_out', { variantId: 'm', available: 2 }), { variantId: 'm', available: 2 });
  assert.deepEqual(newsOf('orders.not_for_sale', { variantId: 'm' }), { variantId: 'm', available: 0 });
  assert.equal(newsOf('orders.too_many_open', { most: 5 }), null);
  assert.equal(newsOf('orders.price_changed', {}), null);
});

test('[W16] what a refusal tells is written into that variant and no other', () => {
  const product = dress();
  learn(product, { variantId: 'm', priceMinor: 5_900 });
  learn(product, { variantId: 's', available: 0 });
  learn(product, { variantId: 'of another product', available: 0 });
  assert.deepEqual(product.variants.map(({ priceMinor, available }) => [priceMinor, available]), [
    [4_900, 0], [5_900, 5],
  ]);
});
