/** The whole server as a process of its own, from this checkout, on its own data folder; and clients of its API. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Me } from '@nacre/contract/accounts';
import type { Product, ProductCreate } from '@nacre/contract/catalog';
import type { Shop } from '@nacre/contract/shops';
import type { Show, ShowCreate } from '@nacre/contract/shows';

const ROOT = resolve(import.meta.dirname, '../..');
/** Two seconds on an idle machine. */
const READY_TIMEOUT_MS = 60_000;
/** A stop closes sockets, the media process and PostgreSQL. */
const STOP_TIMEOUT_MS = 30_000;
/** Generous: a server, a media process and a publisher share two cores. */
const LIVE_WITHIN_MS = 20_000;
export const PASSWORD = 'pearl and shell';

export interface Nacre {
  url: string;
  output(): string;
  /** Makes the account with this e-mail an operator, as `npm run nacre -- operator` does. */
  makeOperator(email: string): Promise<void>;
  /** Ends the server at once, as a power cut would end it; PostgreSQL stays behind. */
  kill(): Promise<void>;
  /** Starts it again on the same data and port. */
  startAgain(): Promise<void>;
  /** Of the server; 0 while it is not running. */
  pid(): number;
  /** Where its database and secrets are. */
  dataFolder: string;
  /** Resolves to the exit code. */
  terminate(): Promise<number | null>;
  /** Stops it and deletes its data. */
  remove(): Promise<void>;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('no free port');
  return address.port;
}

export interface NacreOptions {
  /** With the demo market and its live show. */
  demo?: boolean;
  /** By https, as for phones in the same network. */
  lan?: boolean;
  /** An empty folder for its data. Default: a new one, which goes with it. */
  folder?: string;
  env?: Record<string, string>;
}

export async function startNacre(options: NacreOptions = {}): Promise<Nacre> {
  const built = existsSync(join(ROOT, 'web/build/handler.js'));
  if (!built) throw new Error('The pages are not built: run this by `npm test`.');
  const base = options.folder ?? mkdtempSync(join(tmpdir(), 'nacre-e2e-'));
  // Run by root, PostgreSQL is another user's; one that cannot pass here would put its data where nobody tidies up.
  chmodSync(base, 0o755);
  const port = await freePort();
  const more = [...(options.demo ? [] : ['--empty']), ...(options.lan ? ['--lan'] : [])];
  const args = ['--port', String(port), '--udp-port', '0', '--rtmp-port', '0', '--data', join(base, 'data'), ...more];
  let text = '';
  let child: ChildProcess | null = null;

  async function start(): Promise<void> {
    const before = text.length;
    const started = spawn(process.execPath, [join(ROOT, 'server/src/main.ts'), ...args], {
      cwd: ROOT,
      env: {
        PATH: process.env['PATH'], HOME: process.env['HOME'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
        ...options.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child = started;
    started.stdout.on('data', (chunk: Buffer) => { text += chunk; });
    started.stderr.on('data', (chunk: Buffer) => { text += chunk; });
    for (let waitedMs = 0; waitedMs < READY_TIMEOUT_MS; waitedMs += 50) {
      if (text.slice(before).includes('Nacre is ready:')) return;
      if (started.exitCode !== null || started.signalCode !== null) break;
      await sleep(50);
    }
    throw new Error(`Nacre did not start:\n${text}`);
  }

  async function end(signal: NodeJS.Signals): Promise<number | null> {
    const running = child;
    child = null;
    if (running === null || running.exitCode !== null || running.signalCode !== null) return null;
    const ended = once(running, 'exit') as Promise<[number | null]>;
    running.kill(signal);
    const giveUp = setTimeout(() => running.kill('SIGKILL'), STOP_TIMEOUT_MS);
    const [code] = await ended;
    clearTimeout(giveUp);
    return code;
  }

  await start();
  return {
    url: options.lan ? `https://127.0.0.1:${port}` : `http://localhost:${port}`,
    output: () => text,
    kill: async () => void (await end('SIGKILL')),
    startAgain: start,
    pid: () => child?.pid ?? 0,
    dataFolder: join(base, 'data'),
    terminate: () => end('SIGTERM'),
    async makeOperator(email) {
      await promisify(execFile)(process.execPath, [
        join(ROOT, 'server/src/cli/main.ts'), 'operator', email, '--data', join(base, 'data'),
      ], { cwd: ROOT });
    },
    async remove() {
      // PostgreSQL that a kill left behind is adopted and stopped by one more orderly run.
      if (child === null && existsSync(join(base, 'data'))) await start().catch(() => {});
      await end('SIGTERM');
      if (options.folder === undefined) rmSync(base, { recursive: true, force: true });
    },
  };
}

export interface Answer<T> {
  status: number;
  body: T;
  headers: Headers;
}

/** One person or guest, as a browser with cookies. */
export interface Client {
  cookie(): string;
  ask<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<Answer<T>>;
  /** Like `ask`; throws unless the status is as expected. */
  must<T>(status: number, method: string, path: string, body?: unknown): Promise<T>;
  personId(): string;
}

export function createClient(url: string): Client & { signUp(name: string): Promise<void> } {
  const jar = new Map<string, string>();
  let personId = '';
  const cookie = (): string => [...jar].map(([name, value]) => `${name}=${value}`).join('; ');

  async function ask<T>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { cookie: cookie(), ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [name, value] = (line.split(';')[0] ?? '').split('=', 2);
      if (name !== undefined && value !== undefined) jar.set(name, value);
    }
    const text = await response.text();
    return { status: response.status, body: (text === '' ? null : JSON.parse(text)) as T, headers: response.headers };
  }

  async function must<T>(status: number, method: string, path: string, body?: unknown): Promise<T> {
    const answer = await ask<T>(method, path, body);
    if (answer.status !== status) {
      throw new Error(`${method} ${path}: ${answer.status} instead of ${status}: ${JSON.stringify(answer.body)}`);
    }
    return answer.body;
  }

  return {
    cookie, ask, must,
    personId: () => personId,
    async signUp(name) {
      const email = `${name.toLowerCase().replaceAll(/\W/g, '')}-${process.pid}-${performance.now()}@example.test`;
      const me = await must<Me>(200, 'POST', '/api/auth/sign-up/email', { name, email, password: PASSWORD });
      personId = me.person?.id ?? '';
    },
  };
}

export interface Market {
  owner: Client;
  shop: Shop;
  product: Product;
  show: Show;
}

/** A shop with a dress in three sizes and two colours, and a planned show with it in the bag. */
export async function openMarket(
  url: string, changes: { stock?: number; show?: Partial<ShowCreate> } = {},
): Promise<Market> {
  const owner = createClient(url);
  await owner.signUp('Liu');
  const shop = await owner.must<Shop>(201, 'POST', '/api/shops', {
    name: 'Liu’s Wardrobe', slug: `liu-${Math.round(performance.now())}`, story: 'From Lanzhou.', imageId: null,
    region: 'Gansu', category: 'clothes', currency: 'USD',
  });
  const goods = `/api/office/shops/${shop.id}/products`;
  const product = await owner.must<Product>(201, 'POST', goods, dress(changes.stock ?? 5));
  const show = await owner.must<Show>(201, 'POST', `/api/office/shops/${shop.id}/shows`, {
    title: 'Spring dresses', description: '', coverImageId: null, startsAt: new Date().toISOString(),
    visibility: 'public', productIds: [product.id], ...changes.show,
  });
  return { owner, shop, product, show };
}

function dress(stock: number): ProductCreate {
  const colours = [{ value: 'Coral', swatch: '#df6c54' }, { value: 'Sage', swatch: '#9db391' }];
  const sizes = ['S', 'M', 'L'];
  return {
    title: 'Coral wrap dress', description: 'Lined to the knee.', imageIds: [], state: 'active',
    options: [{ name: 'Size', values: sizes.map((value) => ({ value })) }, { name: 'Colour', values: colours }],
    variants: sizes.flatMap((size) => colours.map(({ value }) => (
      { optionValues: [size, value], sku: `D-${size}-${value}`, priceMinor: 4_900, stock }
    ))),
  };
}

export async function streamKey(market: Market): Promise<string> {
  return (await market.owner.must<{ key: string }>(200, 'POST', `/api/office/shows/${market.show.id}/stream-key`)).key;
}

/** Publishes the demo clip by the publisher without a browser; resolves when it runs. */
export function publishClip(url: string, key: string): { stop(): Promise<void> } {
  const child = spawn(process.execPath, [
    join(ROOT, 'media/src/publisher/main.ts'), '--url', `${url}/whip`, '--clip', join(ROOT, 'server/demo/show.mp4'),
  ], { stdio: ['pipe', 'ignore', 'inherit'] });
  child.stdin.write(`${key}\n`);
  return {
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Publishes the market's show with that clip; resolves when it is live. */
export async function goLive(url: string, market: Market): Promise<{ stop(): Promise<void> }> {
  const publisher = publishClip(url, await streamKey(market));
  await until('the show is live', LIVE_WITHIN_MS, async () => (
    (await market.owner.must<Show>(200, 'GET', `/api/shows/${market.show.id}`)).state === 'live'
  ));
  return publisher;
}

/** @returns after how many ms it held */
export async function until(
  what: string, withinMs: number, holds: () => boolean | Promise<boolean>,
): Promise<number> {
  const startMs = performance.now();
  while (!(await holds())) {
    if (performance.now() - startMs > withinMs) throw new Error(`waited ${withinMs} ms in vain: ${what}`);
    await sleep(50);
  }
  return Math.round(performance.now() - startMs);
}
