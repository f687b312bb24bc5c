import type { Order } from '@nacre/contract/orders';
import { apiOf, askPage } from '#lib/server/load.ts';
import { signInFirst } from '#lib/server/person.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  event.depends('nacre:orders');
  signInFirst((await event.parent()).me, event.url);
  const path = { params: { path: { orderId: event.params.id } } };
  return { order: (await askPage(apiOf(event).GET('/api/orders/{orderId}', path))) as Order };
};
