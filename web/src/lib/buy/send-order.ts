/** Sends an order until it is taken or refused for good. */
import type { Order, OrderPlace } from '@nacre/contract/orders';
import { api, ask } from '#lib/api.ts';
import { sendInLine, type InLine } from '#lib/in-line.ts';

/** Each time with the same key. @throws ApiError; in a rush also when nobody waits for the order any more */
export const sendOrder = (body: OrderPlace, waiting: Required<Omit<InLine, 'rushCode'>>): Promise<Order> => sendInLine(
  async () => (await ask(api.POST('/api/orders', { body }))) as Order, { rushCode: 'orders.rush', ...waiting },
);
