/** The stage of `checkout.ts`: a server and its goods, what processes use, and what a load costs them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { newId } from '../server/src/platform/ids.ts';
import { insertPeople, newBuyers } from '../tests/support/buyers.ts';
import { ADDRESS, createMarket, createTestClock, type Market } from '../tests/support/market.ts';
import { freePort, startNacre, type Nacre } from '../tests/support/nacre.ts';
import { databaseOf } from '../tests/support/server-database.ts';
import type { Result, Task } from './checkout-client.ts';
import { processorSeconds, statOf, ticksPerSecond } from './figures.ts';

export interface Measured {
  perSecond: number;
  perCpuSecond: number;
  p50Ms: number;
  p99Ms: number;
}

export type Goods = Array<Task['goods'][number] & { productId: string }>;

export interface Stage {
  nacre: Nacre;
  pool: pg.Pool;
  /** The same modules in this process, on the server's database. */
  direct: Market;
  /** New goods of one variant each. */
  newGoods(count: number, stock: number): Promise<Goods>;
  /** A live show with these in its bag. */
  newShow(goods: Goods): Promise<string>;
  /** Processor time of server and PostgreSQL so far, in seconds. */
  serverCpu(): number;
  load(task: Partial<Task> & Pick<Task, 'connections' | 'goods'>): Promise<Result>;
  /** Without HTTP and sessions, as many on the way at a time; this process counts as the server's. */
  inProcess(parallel: number, goods: Goods, forMs: number): Promise<Measured>;
  stop(): Promise<void>;
}

const BUYERS = 6_000;
const ORDERS_EACH = 5;
export const FOR_MS = 4_000;
/** More at once would only wait for a connection. */
const GOODS_AT_ONCE = 8;

export async function openStage(): Promise<Stage> {
  const nacre = await startNacre();
  const { url, sessionSecret, postmaster } = databaseOf(nacre);
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  // By the time of day: holds of an hour ago would be over, and the server would end them while it is measured.
  const direct = await createMarket({ url, deliver: false, clock: createTestClock(Date.now()) });
  const owner = await direct.newPerson('Owner');
  const shopId = await direct.newShop(owner.personId);
  const postgresCpu = () => cpuOfPostgres(postmaster());

  async function newGoods(count: number, stock: number): Promise<Goods> {
    const goods: Goods = [];
    await Promise.all(Array.from({ length: GOODS_AT_ONCE }, async (_, worker) => {
      for (let made = worker; made < count; made += GOODS_AT_ONCE) {
        const { id: productId, variants: [variant] } = await direct.newProduct(owner.personId, shopId, { stock });
        goods.push({ productId, variantId: variant!.id, quantity: 1, unitPriceMinor: variant!.priceMinor });
      }
    }));
    return goods;
  }

  async function inProcess(parallel: number, goods: Goods, forMs: number): Promise<Measured> {
    const buyers = Array.from({ length: BUYERS }, () => ({ personId: newId(), name: 'Buyer' }));
    await insertPeople(pool, buyers.map(({ personId }) => personId));
    const before = process.cpuUsage();
    const postgresBefore = postgresCpu();
    const startMs = performance.now();
    let placed = 0;
    await Promise.all(Array.from({ length: parallel }, async () => {
      while (performance.now() - startMs < forMs && placed < BUYERS * ORDERS_EACH) {
        const buyer = buyers[placed % BUYERS]!;
        const lines = [goods[placed % goods.length]!];
        const address = { ...ADDRESS, line1: `${ADDRESS.line1} ${placed}` };
        placed += 1;
        await direct.orders.place(buyer, { idempotencyKey: newId(), showId: null, lines, address });
      }
    }));
    const seconds = (performance.now() - startMs) / 1000;
    const used = process.cpuUsage(before);
    const cpu = (used.user + used.system) / 1e6 + postgresCpu() - postgresBefore;
    return { perSecond: placed / seconds, perCpuSecond: placed / cpu, p50Ms: 0, p99Ms: 0 };
  }

  return {
    nacre, pool, direct, newGoods, inProcess,
    newShow: (goods) => direct.newShow(shopId, goods.map(({ productId }) => productId)),
    serverCpu: () => processorSeconds(nacre.pid()) + postgresCpu(),
    load: async (task) => runClient({
      port: Number(new URL(nacre.url).port), forMs: FOR_MS, perSecond: null, ordersEach: ORDERS_EACH, linesEach: 1,
      address: ADDRESS, showId: null, pays: false, cookies: await newBuyers(pool, sessionSecret, BUYERS), ...task,
    }),
    async stop() {
      await direct.stop();
      await pool.end();
      await nacre.remove();
    },
  };
}

async function runClient(task: Task): Promise<Result> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'checkout-client.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify(task));
  let output = '';
  for await (const chunk of child.stdout) output += String(chunk);
  return JSON.parse(output) as Result;
}

/** Reads the body and answers with as many bytes as an order has: what Node.js can do at most. */
const BARE_SERVER = `
  const body = JSON.stringify({ text: 'x'.repeat(Number(process.argv[2])) });
  const headers = { 'content-type': 'application/json', 'content-length': body.length };
  require('node:http').createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => { text += chunk; });
    request.on('end', () => { JSON.parse(text); response.writeHead(201, headers).end(body); });
  }).listen(Number(process.argv[1]), '127.0.0.1', () => console.log('ready'));
`;
/** Of an order of one line. */
const ANSWER_BYTES = 1_300;

/** The ceiling: the same requests to Node.js's own HTTP server, which does nothing else. */
export async function bareHttp(connections: number, goods: Goods): Promise<Measured> {
  const port = await freePort();
  const server = spawn(process.execPath, ['-e', BARE_SERVER, String(port), String(ANSWER_BYTES)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(server.stdout, 'data');
    const cpuBefore = processorSeconds(server.pid!);
    const result = await runClient({
      port, connections, forMs: FOR_MS / 2, perSecond: null, ordersEach: 1_000_000, linesEach: 1, goods,
      address: ADDRESS, showId: null, pays: false, cookies: [`nacre.session_token=${'x'.repeat(80)}`],
    });
    return measuredOf(result, processorSeconds(server.pid!) - cpuBefore);
  } finally {
    server.kill();
  }
}

export function measuredOf(result: Result, cpuSeconds: number, count = result.placed): Measured {
  return {
    perSecond: count / result.seconds, perCpuSecond: count / cpuSeconds, p50Ms: result.p50Ms, p99Ms: result.p99Ms,
  };
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
