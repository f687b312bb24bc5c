/**
 * Orders a second through the real route: session, validation, limits, answer, durably written.
 *
 * A server of its own on a PostgreSQL that syncs (shown); buyers with sessions and addresses of their own; a client in
 * a process of its own, bounded in time. What counts is orders per second of processor time of server and PostgreSQL
 * together; by the clock they share the machine with the client. A round takes about a minute and a half. Its parts:
 *
 * - `hot`: one variant, at 64, 512 and 4,000 connections
 * - `half`: the same paced at half of what 512 connections got: how long people wait when it is not full
 * - `show`: the same variant in a live show
 * - `skus`, `carts`: a thousand variants, one or three in an order
 * - `paid`: each order paid at once; what counts there is orders that are paid, until the last one is
 * - `gone`: told that it is sold out
 * - `limit`, `usual`: batches without HTTP, driven in process; one order after the other, a transaction each
 * - `ceiling`: Node.js's bare HTTP
 * - `holds`: ten thousand holds that end in one second
 *
 * Usage: node bench/checkout.ts [--json] [--rounds N] [--only PART,PART]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { bareHttp, FOR_MS, measuredOf, openStage, type Measured } from './checkout-stage.ts';
import { median, round, say } from './figures.ts';

const PARTS = ['hot', 'half', 'show', 'skus', 'carts', 'paid', 'gone', 'limit', 'usual', 'ceiling', 'holds'] as const;
type Part = (typeof PARTS)[number];
const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false }, rounds: { type: 'string', default: '3' }, only: { type: 'string' },
  },
});
const rounds = Number(options.rounds);
const parts = new Set((options.only?.split(',') ?? PARTS) as Part[]);
for (const part of parts) if (!PARTS.includes(part)) throw new Error(`no part ${part}; there are ${PARTS.join(', ')}`);
if (process.platform !== 'linux') throw new Error('the processor time of a process is read from /proc: Linux only');

const connections = [64, 512, 4_000];
/** Of all other parts; in process as many wait at a time. */
const usually = 512;
/** The news of the last payments is through by then, or something is wrong; and so is the last hold. */
const settledWithinMs = 30_000;
const holdsCount = 10_000;

const stage = await openStage();
const { pool } = stage;
const found = new Map<string, Measured[]>();

try {
  const { rows: [settings] } = await pool.query<{ fsync: string; commit: string }>(
    `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit`,
  );
  say(`fsync ${settings?.fsync}, synchronous_commit ${settings?.commit}`);
  const hot = await stage.newGoods(1, 1_000_000);
  const showId = await stage.newShow(hot);
  const many = parts.has('skus') || parts.has('carts') ? await stage.newGoods(1_000, 10_000) : [];
  for (let index = 0; index < rounds; index += 1) {
    if (parts.has('hot')) {
      for (const count of connections) await through(String(count), { connections: count, goods: hot });
    }
    if (parts.has('half')) await half(hot);
    if (parts.has('show')) await through('show', { connections: usually, goods: hot, showId });
    if (parts.has('skus')) await through('skus', { connections: usually, goods: many });
    if (parts.has('carts')) await through('carts', { connections: usually, goods: many, linesEach: 3 });
    if (parts.has('paid')) await placeAndPay(hot);
    if (parts.has('gone')) await tellGone();
    if (parts.has('limit')) {
      // As warm as the server is by now.
      await stage.inProcess(usually, hot, FOR_MS / 2);
      note('limit', await stage.inProcess(usually, hot, FOR_MS / 2));
    }
    if (parts.has('usual')) note('usual', await stage.inProcess(1, hot, FOR_MS / 2));
    if (parts.has('ceiling')) note('ceiling', await bareHttp(usually, hot));
    if (parts.has('holds')) await endHolds(hot);
  }
  conclude();
} finally {
  await stage.stop();
}

function note(name: string, measured: Measured, more = ''): void {
  found.set(name, [...(found.get(name) ?? []), measured]);
  const { perSecond, perCpuSecond, p50Ms, p99Ms } = measured;
  const waits = p99Ms === 0 ? '' : `, p50 ${round(p50Ms, 1)} ms, p99 ${round(p99Ms, 1)} ms`;
  say(`${name.padEnd(8)} ${Math.round(perSecond)}/s, ${Math.round(perCpuSecond)} per CPU second${waits}${more}`);
}

async function through(name: string, task: Parameters<typeof stage.load>[0]): Promise<void> {
  const cpuBefore = stage.serverCpu();
  const result = await stage.load(task);
  const others = Object.keys(result.others).length === 0 ? '' : `, others ${JSON.stringify(result.others)}`;
  note(name, measuredOf(result, stage.serverCpu() - cpuBefore), others);
}

async function half(goods: Parameters<typeof stage.load>[0]['goods']): Promise<void> {
  if (!found.has(String(usually))) await through(String(usually), { connections: usually, goods });
  const full = found.get(String(usually))!.at(-1)!.perSecond;
  await through('half', { connections: usually, goods, perSecond: full / 2 });
}

/** Through the real routes of both; the processor time is taken when the last order is paid. */
async function placeAndPay(goods: Parameters<typeof stage.load>[0]['goods']): Promise<void> {
  const paidBefore = await count('paid');
  const cpuBefore = stage.serverCpu();
  const result = await stage.load({ connections: usually, goods, pays: true });
  const behindMs = await waitUntil('orders stay unpaid', async () => (await count('paid')) - paidBefore >= result.paid);
  const measured = measuredOf(result, stage.serverCpu() - cpuBefore, result.paid);
  const perSecond = result.paid / (result.seconds + behindMs / 1000);
  note('paid', { ...measured, perSecond }, `; placed ${Math.round(result.placed / result.seconds)}/s, `
    + `the last one paid after ${round(behindMs, 0)} ms`);
}

/** What is counted are answers; the first finds out, the others are told from memory. */
async function tellGone(): Promise<void> {
  const cpuBefore = stage.serverCpu();
  const result = await stage.load({ connections: usually, goods: await stage.newGoods(1, 0), forMs: FOR_MS / 2 });
  note('gone', measuredOf(result, stage.serverCpu() - cpuBefore, result.others['409'] ?? 0));
}

/** What is counted are holds; the server's own sweep ends them, from the moment at which they are over. */
async function endHolds(goods: Parameters<typeof stage.load>[0]['goods']): Promise<void> {
  await pool.query(`update "order" set hold_expires_at = now() + interval '1 hour' where state = 'held'`);
  while ((await count('held')) < holdsCount) await stage.load({ connections: usually, goods });
  const { rowCount } = await pool.query(`
    with due as (update "order" set hold_expires_at = now() + interval '1 second'
                  where id in (select id from "order" where state = 'held' limit ${holdsCount}) returning id)
    update payment set expires_at = now() + interval '1 second' from due where subject = 'order/' || due.id`);
  const heldAfter = (await count('held')) - rowCount!;
  await sleep(1_000);
  const cpuBefore = stage.serverCpu();
  const tookMs = await waitUntil('holds do not end', async () => (await count('held')) <= heldAfter);
  const perCpuSecond = rowCount! / (stage.serverCpu() - cpuBefore);
  note('holds', { perSecond: rowCount! / (tookMs / 1000), perCpuSecond, p50Ms: 0, p99Ms: 0 },
    `; ${rowCount} holds that were over at once ended within ${round(tookMs / 1000, 1)} s`);
}

async function count(state: 'held' | 'paid'): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    'select count(*)::int as count from "order" where state = $1', [state]);
  return rows[0]!.count;
}

/** @returns how long it took, in milliseconds */
async function waitUntil(otherwise: string, isSo: () => Promise<boolean>): Promise<number> {
  const startMs = performance.now();
  while (!(await isSo())) {
    if (performance.now() - startMs > settledWithinMs) throw new Error(otherwise);
    await sleep(50);
  }
  return performance.now() - startMs;
}

function conclude(): void {
  const middle = (name: string, key: keyof Measured = 'perCpuSecond'): number => (
    median((found.get(name) ?? []).map((one) => one[key]))
  );
  const ours = middle(String(usually));
  const limit = middle('limit');
  const ratio = limit === 0 ? 0 : round(ours / limit, 3);
  const usual = middle('usual', 'perSecond');
  const times = usual === 0 ? 0 : round(middle(String(usually), 'perSecond') / usual, 1);
  say(`512 connections: ${Math.round(ours)} orders per CPU second; limit ${Math.round(limit)}; ratio ${ratio}; `
    + `${times} times the usual way by the clock`);
  if (!options.json) return;
  const details = Object.fromEntries([...found.keys()].map((name) => [name, {
    perSecond: Math.round(middle(name, 'perSecond')), perCpuSecond: Math.round(middle(name)),
    p50Ms: round(middle(name, 'p50Ms'), 1), p99Ms: round(middle(name, 'p99Ms'), 1),
  }]));
  console.log(JSON.stringify({
    goal: 'checkout', ours: Math.round(ours), limit: Math.round(limit), ratio, unit: 'orders/CPU s',
    details: { ...details, timesUsual: times, rounds },
  }));
}
