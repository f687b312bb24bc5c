/**
 * Orders a second of one variant, through the real route: session, validation, limits, answer, durably written.
 *
 * A server of its own on a PostgreSQL that syncs (shown); buyers with sessions of their own; a client in a process of
 * its own, bounded in time. What counts is orders per second of processor time of server and PostgreSQL together;
 * by the clock they share the machine with the client. The same once more with each order paid at once: what counts
 * there is orders that are paid, until the last one is. Beside it in the same run, on the same database: the batches
 * without HTTP, driven in process (the limit), and one order after the other, a transaction each (the usual way).
 *
 * Usage: node bench/checkout.ts [--json] [--rounds N]
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { newId } from '../server/src/platform/ids.ts';
import { insertPeople, newBuyers } from '../tests/support/buyers.ts';
import { ADDRESS, createMarket } from '../tests/support/market.ts';
import { openMarket, startNacre } from '../tests/support/nacre.ts';
import { databaseOf } from '../tests/support/server-database.ts';
import type { Result, Task } from './checkout-client.ts';
import { median, processorSeconds, round, say, statOf, ticksPerSecond } from './figures.ts';

const json = process.argv.includes('--json');
const rounds = Number(process.argv[process.argv.indexOf('--rounds') + 1]) || 3;
const stock = 1_000_000;
const ordersEach = 5;
const buyersEach = 6_000;
const forMs = 4_000;
const connections = [64, 512, 4_000];
/** In process as many wait at a time. */
const atOnce = 512;

if (process.platform !== 'linux') throw new Error('the processor time of a process is read from /proc: Linux only');

/** Of the run in which orders are paid. */
const payingConnections = 512;
/** The news of the last payments is through by then, or something is wrong. */
const paidWithinMs = 30_000;

interface Measured {
  perSecond: number;
  perCpuSecond: number;
  p50Ms: number;
  p99Ms: number;
}

const nacre = await startNacre();
try {
  const { url, sessionSecret, postmaster: postmasterNow } = databaseOf(nacre);
  const postmaster = postmasterNow();
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  const shown = await pool.query<{ fsync: string; commit: string }>(
    `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit`,
  );
  say(`fsync ${shown.rows[0]?.fsync}, synchronous_commit ${shown.rows[0]?.commit}`);
  const market = await openMarket(nacre.url, { stock });
  const [variant] = market.product.variants;
  if (!variant) throw new Error('nothing to sell');
  const wish = { variantId: variant.id, quantity: 1, unitPriceMinor: variant.priceMinor };
  const ours = new Map<number, Measured[]>(connections.map((count) => [count, []]));
  const limit: Measured[] = [];
  const usual: Measured[] = [];
  const paying: Paying[] = [];
  const direct = await createMarket({ url, deliver: false });
  for (let index = 0; index < rounds; index += 1) {
    for (const count of connections) {
      const cookies = await newBuyers(pool, sessionSecret, buyersEach);
      const cpuBefore = processorSeconds(nacre.pid()) + cpuOfPostgres(postmaster);
      const result = await load({
        port: Number(new URL(nacre.url).port), connections: count, forMs, cookies, ordersEach,
        body: { showId: null, lines: [wish], address: ADDRESS }, pays: false,
      });
      const cpu = processorSeconds(nacre.pid()) + cpuOfPostgres(postmaster) - cpuBefore;
      const measured = {
        perSecond: result.placed / result.seconds, perCpuSecond: result.placed / cpu,
        p50Ms: result.p50Ms, p99Ms: result.p99Ms,
      };
      ours.get(count)?.push(measured);
      say(`${count} connections: ${rates(measured)}, p50 ${result.p50Ms} ms, p99 ${result.p99Ms} ms, `
        + `others ${JSON.stringify(result.others)}`);
    }
    const both = await placeAndPay();
    paying.push(both);
    say(`${payingConnections} connections, placed and paid: ${rates(both)}, p50 ${both.p50Ms} ms, `
      + `p99 ${both.p99Ms} ms; placed ${Math.round(both.placedPerSecond)}/s, `
      + `the last one paid after ${round(both.behindMs, 0)} ms`);
    limit.push(await inProcess(atOnce));
    usual.push(await inProcess(1));
    say(`batches without HTTP ${rates(limit.at(-1)!)}; one by one ${rates(usual.at(-1)!)}`);
  }
  const best = median(ours.get(512)!.map(({ perCpuSecond }) => perCpuSecond));
  const most = median(limit.map(({ perCpuSecond }) => perCpuSecond));
  const ratio = round(best / most, 3);
  say(`512 connections: ${Math.round(best)} orders per CPU second; limit ${Math.round(most)}; ratio ${ratio}`);
  if (json) {
    const details = {
      ...Object.fromEntries([...ours].map(([count, all]) => [count, summary(all)])),
      paid: summary(paying), limit: summary(limit), usual: summary(usual), rounds,
    };
    const figures = { ours: Math.round(best), limit: Math.round(most), ratio, unit: 'orders/CPU s', details };
    console.log(JSON.stringify({ goal: 'checkout', ...figures }));
  }
  await direct.stop();
  await pool.end();

  /** Through the real routes of both; the processor time is taken when the last order is paid. */
  async function placeAndPay(): Promise<Paying> {
    const cookies = await newBuyers(pool, sessionSecret, buyersEach);
    const paidBefore = await countPaid();
    const cpuBefore = processorSeconds(nacre.pid()) + cpuOfPostgres(postmaster);
    const startMs = performance.now();
    const result = await load({
      port: Number(new URL(nacre.url).port), connections: payingConnections, forMs, cookies, ordersEach,
      body: { showId: null, lines: [wish], address: ADDRESS }, pays: true,
    });
    const loadedMs = performance.now();
    while ((await countPaid()) - paidBefore < result.paid) {
      if (performance.now() - loadedMs > paidWithinMs) throw new Error('orders stay unpaid');
      await sleep(50);
    }
    const behindMs = performance.now() - loadedMs;
    const cpu = processorSeconds(nacre.pid()) + cpuOfPostgres(postmaster) - cpuBefore;
    return {
      perSecond: result.paid / ((performance.now() - startMs) / 1000), perCpuSecond: result.paid / cpu,
      placedPerSecond: result.placed / result.seconds, behindMs, p50Ms: result.p50Ms, p99Ms: result.p99Ms,
    };
  }

  async function countPaid(): Promise<number> {
    const { rows } = await pool.query<{ paid: number }>(
      `select count(*)::int as paid from "order" where state = 'paid'`);
    return rows[0]!.paid;
  }

  /** Without HTTP and sessions, as many on the way at a time; this process counts as the server's. */
  async function inProcess(parallel: number): Promise<Measured> {
    const buyers = Array.from({ length: buyersEach }, () => ({ personId: newId(), name: 'Buyer' }));
    await insertPeople(pool, buyers.map(({ personId }) => personId));
    const before = process.cpuUsage();
    const postgresBefore = cpuOfPostgres(postmaster);
    const startMs = performance.now();
    let placed = 0;
    await Promise.all(Array.from({ length: parallel }, async () => {
      while (performance.now() - startMs < forMs / 2 && placed < buyersEach * ordersEach) {
        const buyer = buyers[placed % buyersEach]!;
        placed += 1;
        await direct.orders.place(buyer, { idempotencyKey: newId(), showId: null, lines: [wish], address: ADDRESS });
      }
    }));
    const seconds = (performance.now() - startMs) / 1000;
    const used = process.cpuUsage(before);
    const cpu = (used.user + used.system) / 1e6 + cpuOfPostgres(postmaster) - postgresBefore;
    return { perSecond: placed / seconds, perCpuSecond: placed / cpu, p50Ms: 0, p99Ms: 0 };
  }
} finally {
  await nacre.remove();
}

interface Paying extends Measured {
  placedPerSecond: number;
  /** From the last answer to the last paid order. */
  behindMs: number;
}

function rates({ perSecond, perCpuSecond }: Measured): string {
  return `${Math.round(perSecond)}/s, ${Math.round(perCpuSecond)} per CPU second`;
}

function summary(all: Measured[]) {
  const of = (key: keyof Measured, digits = 0): number => round(median(all.map((one) => one[key])), digits);
  return { perSecond: of('perSecond'), perCpuSecond: of('perCpuSecond'), p50Ms: of('p50Ms', 1), p99Ms: of('p99Ms', 1) };
}

async function load(task: Task): Promise<Result> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'checkout-client.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify(task));
  let output = '';
  for await (const chunk of child.stdout) output += String(chunk);
  return JSON.parse(output) as Result;
}

/** Of the postmaster and all its processes, those that have ended too (fields 16 and 17). */
function cpuOfPostgres(postmaster: number): number {
  let sum = 0;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const fields = statOf(name);
      const isPostmaster = Number(name) === postmaster;
      if (!isPostmaster && Number(fields[1]) !== postmaster) continue;
      sum += Number(fields[11]) + Number(fields[12]);
      if (isPostmaster) sum += Number(fields[13]) + Number(fields[14]);
    } catch {
      // It has ended meanwhile.
    }
  }
  return sum / ticksPerSecond;
}
