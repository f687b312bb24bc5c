import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Membership } from '@nacre/contract/team';
import { officeHome, rightsIn } from './rights.ts';

const shop = (id: string, rights: Membership['rights']): Membership => ({
  id, slug: `slug-${id}`, name: id, image: null, role: 'packer', rights,
});

test('[W40] rights are those of the one shop, and a stranger has none', () => {
  const shops = [shop('a', ['shop.see', 'orders.see']), shop('b', ['shop.see', 'show.run'])];
  assert.equal(rightsIn(shops, 'a')('orders.see'), true);
  assert.equal(rightsIn(shops, 'a')('show.run'), false);
  assert.equal(rightsIn(shops, 'c')('shop.see'), false);
});

test('[W40] the office opens at the first page that the role may see', () => {
  assert.equal(officeHome(shop('a', ['shop.see', 'show.see', 'orders.see'])), '/office/slug-a/shows');
  assert.equal(officeHome(shop('a', ['shop.see', 'goods.see', 'orders.see'])), '/office/slug-a/orders');
  assert.equal(officeHome(shop('a', ['shop.see'])), '/office/slug-a/team');
});
