/**
 * Orders that are picked up in the shop: ready, found by their code, handed over.
 *
 * A code is looked up within the shop of the one who asks, by an index, and every "no" is the same: nobody learns
 * whether it opens something elsewhere.
 */
import type { Order } from '@nacre/contract/orders';
import { Refusal } from '../lib/refusal.ts';
import type { Tx } from '../platform/database.ts';
import type { CodeTries } from './code-tries.ts';
import { move } from './moving.ts';
import type { OrdersDeps } from './orders.ts';
import { readCode } from './pickup-code.ts';
import { lockedOfShop, viewOne } from './reading.ts';
import * as store from './store.ts';
import { factOf } from './view.ts';

export async function ready(deps: OrdersDeps, personId: string, orderId: string): Promise<Order> {
  const order = await lockedOfShop(deps, personId, orderId, 'orders.ship', async (tx, found) => {
    if (found.state === 'ready') return found;
    const after = await move(deps, tx, found, 'ready', personId, { ready_at: deps.platform.clock.now() });
    await publish(deps, tx, 'orders.ready', after);
    return after;
  });
  return viewOne(deps, order, 'shop');
}

export async function findPickup(
  deps: OrdersDeps, tries: CodeTries, personId: string, shopId: string, typed: string,
): Promise<Order> {
  await deps.shops.assertMay(personId, shopId, 'orders.ship');
  tries.assertMay(personId);
  const code = readCode(typed);
  const found = code === null ? null : await store.findOpenPickup(deps.platform.database.db, shopId, code);
  if (found === null) throw wrongCode(tries, personId);
  return viewOne(deps, found, 'shop');
}

export async function handOver(
  deps: OrdersDeps, tries: CodeTries, personId: string, orderId: string, typed: string,
): Promise<Order> {
  const code = readCode(typed);
  const order = await lockedOfShop(deps, personId, orderId, 'orders.ship', async (tx, found) => {
    if (found.delivery !== 'pickup' || found.pickup_code === null) {
      throw new Refusal('orders.wrong_state', { details: { state: found.state } });
    }
    tries.assertMay(personId);
    if (found.pickup_code !== code) throw wrongCode(tries, personId);
    if (found.state === 'handed_over') return found;
    const after = await move(deps, tx, found, 'handed_over', personId, { handed_over_at: deps.platform.clock.now() });
    await publish(deps, tx, 'orders.handed_over', after);
    return after;
  });
  return viewOne(deps, order, 'shop');
}

function wrongCode(tries: CodeTries, personId: string): Refusal {
  tries.wrong(personId);
  return new Refusal('orders.code_unknown');
}

async function publish(
  deps: OrdersDeps, tx: Tx, topic: 'orders.ready' | 'orders.handed_over', order: store.OrderRow,
): Promise<void> {
  const fact = factOf(order, await store.readLines(tx, [order.id]));
  await deps.platform.outbox.publish(tx, { topic, payload: { ...fact } });
}
