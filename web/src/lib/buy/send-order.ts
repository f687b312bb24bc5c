/** Sends an order until it is taken or refused for good. */
import type { Order, OrderPlace } from '@nacre/contract/orders';
import { api, ApiError, ask } from '#lib/api.ts';

/** Longer than a rush lasts. After that the buyer decides whether to go on. */
const inLineMaxMs = 60_000;
const retryAfterSeconds = 2;

/**
 * In a rush the server may have no room for the order, and says so at once; then it is sent again, each time with the
 * same key. @throws ApiError; in a rush also when nobody waits for the order any more
 */
export async function sendOrder(
  body: OrderPlace,
  { onInLine, isStopped }: { onInLine: () => void; isStopped: () => boolean },
): Promise<Order> {
  const giveUpAtMs = Date.now() + inLineMaxMs;
  for (;;) {
    try {
      return (await ask(api.POST('/api/orders', { body }))) as Order;
    } catch (error) {
      const isRush = error instanceof ApiError && error.code === 'orders.rush';
      if (!isRush || isStopped() || Date.now() > giveUpAtMs) throw error;
      onInLine();
      const waitMs = (error.retryAfterSeconds ?? retryAfterSeconds) * 1000;
      // Not all of those who were sent away come back in the same moment.
      await new Promise((resolve) => setTimeout(resolve, waitMs * (0.5 + Math.random())));
      if (isStopped()) throw error;
    }
  }
}
