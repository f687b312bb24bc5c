import type { Payment } from '@nacre/contract/orders';
import { apiOf, askPage } from '#lib/server/load.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const path = { params: { path: { paymentId: event.params.paymentId } } };
  return { payment: (await askPage(apiOf(event).GET('/api/payments/{paymentId}', path))) as Payment };
};
