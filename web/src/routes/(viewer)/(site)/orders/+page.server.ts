import type { Page } from '@nacre/contract/common';
import type { Order } from '@nacre/contract/orders';
import type { Waits } from '@nacre/contract/waiting';
import { apiOf, askPage } from '#lib/server/load.ts';
import { signInFirst } from '#lib/server/person.ts';
import type { PageServerLoad } from './$types';

const ordersLimit = 20;

export const load: PageServerLoad = async (event) => {
  event.depends('nacre:orders');
  signInFirst((await event.parent()).me, event.url);
  const query = { limit: ordersLimit };
  const api = apiOf(event);
  const [orders, waits] = await Promise.all([
    askPage(api.GET('/api/orders', { params: { query } })) as Promise<Page<Order>>,
    askPage(api.GET('/api/waits')) as Promise<Waits>,
  ]);
  return { orders, waits, nowMs: Date.now() };
};
