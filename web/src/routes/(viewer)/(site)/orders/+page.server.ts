import type { Page } from '@nacre/contract/common';
import type { Order } from '@nacre/contract/orders';
import { apiOf, askPage } from '#lib/server/load.ts';
import { signInFirst } from '#lib/server/person.ts';
import type { PageServerLoad } from './$types';

const ordersLimit = 20;

export const load: PageServerLoad = async (event) => {
  event.depends('nacre:orders');
  signInFirst((await event.parent()).me, event.url);
  const query = { limit: ordersLimit };
  const orders = (await askPage(apiOf(event).GET('/api/orders', { params: { query } }))) as Page<Order>;
  return { orders, nowMs: Date.now() };
};
