/**
 * Buys as a server process of its own on a database that others work on too. Reads its task as JSON from the standard
 * input; writes a line for each answer as soon as it is there: `<key> <order id>`, or `<key> <code of refusal>`.
 */
import { Refusal } from '../../server/src/lib/refusal.ts';
import { ADDRESS, createMarket } from './market.ts';

export interface PlacingTask {
  url: string;
  variantId: string;
  unitPriceMinor: number;
  /** One order each, all of them at once. */
  wishes: Array<{ personId: string; key: string }>;
}

let input = '';
for await (const chunk of process.stdin) input += String(chunk);
const { url, variantId, unitPriceMinor, wishes } = JSON.parse(input) as PlacingTask;
const market = await createMarket({ url, deliver: false });
const lines = [{ variantId, quantity: 1, unitPriceMinor }];
await Promise.all(wishes.map(async ({ personId, key }) => {
  let said: string;
  try {
    const buyer = { personId, name: 'Buyer' };
    const request = { idempotencyKey: key, showId: null, address: ADDRESS, lines };
    said = (await market.orders.place(buyer, request)).id;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    said = error.code;
  }
  process.stdout.write(`${key} ${said}\n`);
}));
await market.stop();
