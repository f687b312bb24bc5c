import type { Receipt } from '@nacre/contract/orders';
import { apiOf, askPage } from '#lib/server/load.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const path = { params: { path: { orderId: event.params.id } } };
  return { receipt: (await askPage(apiOf(event).GET('/api/receipts/{orderId}', path))) as Receipt };
};
