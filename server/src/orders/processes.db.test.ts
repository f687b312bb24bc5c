/** Three server processes at once on one SKU, and one of them killed (-9) in the middle of it. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createTestDatabase } from '../../../tests/support/database.ts';
import { createMarket } from '../../../tests/support/market.ts';
import type { PlacingTask } from '../../../tests/support/placing-process.ts';

const SCRIPT = join(import.meta.dirname, '../../../tests/support/placing-process.ts');
const PROCESSES = 3;
const WISHES_EACH = 60;

const database = await createTestDatabase(import.meta.url);
const market = await createMarket({ url: database.serverUrl });
after(async () => {
  await market.stop();
  await database.drop();
});

function start(task: PlacingTask): { process: ChildProcess; said: Map<string, string>; ended: Promise<unknown> } {
  const child = spawn(process.execPath, [SCRIPT], { stdio: ['pipe', 'pipe', 'inherit'] });
  const said = new Map<string, string>();
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) said.set(...(line.split(' ') as [string, string]));
  });
  child.stdin.end(JSON.stringify(task));
  return { process: child, said, ended: once(child, 'close') };
}

async function rush(stock: number, killed: boolean) {
  const owner = await market.newPerson('Owner');
  const product = await market.newProduct(owner.personId, await market.newShop(owner.personId), { stock });
  const { id: variantId, priceMinor: unitPriceMinor } = product.variants[0]!;
  const tasks = await Promise.all(Array.from({ length: PROCESSES }, async (): Promise<PlacingTask> => ({
    url: database.serverUrl, variantId, unitPriceMinor,
    wishes: await Promise.all(Array.from({ length: WISHES_EACH }, async () => (
      { personId: (await market.newPerson()).personId, key: randomUUID() }
    ))),
  })));
  const children = tasks.map(start);
  if (killed) {
    const [first] = children;
    first!.process.stdout!.once('data', () => first!.process.kill('SIGKILL'));
  }
  await Promise.all(children.map(({ ended }) => ended));
  // Who has no answer asks again, elsewhere.
  const unanswered = tasks.flatMap(({ wishes }, at) => wishes.filter(({ key }) => !children[at]!.said.has(key)));
  const again = start({ ...tasks[0]!, wishes: unanswered });
  await again.ended;
  const said = new Map([...children, again].flatMap((child) => [...child.said]));
  const rows = await market.database.db.selectFrom('order').innerJoin('order_line', 'order_id', 'order.id')
    .select(['order.id', 'idempotency_key']).where('variant_id', '=', variantId).execute();
  const acknowledged = [...said].filter(([, what]) => what !== 'orders.sold_out');
  assert.equal(said.size, PROCESSES * WISHES_EACH);
  assert.deepEqual(
    new Map(rows.map((row) => [row.idempotency_key, row.id])), new Map(acknowledged),
    'what was acknowledged and what is there',
  );
  assert.equal(rows.length, acknowledged.length);
  return { orders: rows.length, levels: await market.levelsOf(variantId) };
}

test('[O2] [O43] three processes at once sell what there is and not one more', async () => {
  assert.deepEqual(await rush(100, false), { orders: 100, levels: { available: 0, held: 100, sold: 0 } });
});

test('[O3] [O21] [O43] one of three is killed: its buyers ask again, and nothing is lost or there twice', async () => {
  const { orders, levels } = await rush(500, true);
  assert.deepEqual({ orders, levels }, { orders: 180, levels: { available: 320, held: 180, sold: 0 } });
});
