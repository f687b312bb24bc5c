/** What lies beside the API on the same port: pages, health, WebSockets. */
import assert from 'node:assert/strict';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import { createDatabase } from '../platform/database.ts';
import { createLog } from '../platform/log.ts';
import { createMetrics } from '../platform/metrics.ts';
import { createApp, type App } from './app.ts';
import { createGuests } from './guest.ts';
import { healthRoutes } from './health.ts';
import { pageRoutes } from './pages.ts';
import { createUpgrades, refuseUpgrade, type Upgrades } from './upgrade.ts';

const log = createLog('silent', false);

async function stage(): Promise<App> {
  const app = await createApp({
    log, guests: createGuests({ secret: 'only for tests' }), findPerson: async () => null, trustProxy: false,
  });
  app.get('/api/actor', { schema: { hide: true } }, async (request) => request.actor);
  return app;
}

const portOf = (app: App) => (app.server.address() as AddressInfo).port;

interface Handshake {
  statusCode: number | undefined;
  headers: IncomingHttpHeaders;
  /** Empty when the socket is open. */
  body: string;
}

/** A handshake as a browser sends it. */
function shake(port: number, path: string, headers: Record<string, string> = {}): Promise<Handshake> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest({
      port, host: '127.0.0.1', path, agent: false,
      headers: {
        Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==', ...headers,
      },
    });
    asked.on('response', (response) => {
      void text(response).then((body) => resolve({ statusCode: response.statusCode, headers: response.headers, body }));
    });
    asked.on('upgrade', (response, socket) => {
      sockets.push(() => socket.destroy());
      resolve({ statusCode: response.statusCode, headers: response.headers, body: '' });
    });
    asked.on('error', reject);
    asked.end();
  });
}
const sockets: (() => void)[] = [];

async function withUpgrades(use: (port: number, upgrades: Upgrades) => Promise<void>): Promise<void> {
  const app = await stage();
  const upgrades = createUpgrades({ log, socketsPerAddress: 2 });
  upgrades.route('/room/:name', (_request, socket) => {
    // Whoever takes a socket reads from it, and so learns of its end.
    socket.resume().on('end', () => socket.end());
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  });
  upgrades.route('/broken', () => {
    throw new Error('a bug');
  });
  upgrades.route('/refused', (_request, socket) => refuseUpgrade(socket, 'accounts.sign_in_first'));
  await app.listen({ port: 0, host: '127.0.0.1' });
  upgrades.listenOn(app.server);
  try {
    await use(portOf(app), upgrades);
  } finally {
    for (const end of sockets.splice(0)) end();
    upgrades.stop();
    app.server.closeAllConnections();
    await app.close();
  }
}

test('[H12] a socket opens at a known path from our own pages or no page; else the answer says why', () =>
  withUpgrades(async (port) => {
    const own = `http://127.0.0.1:${port}`;
    assert.equal((await shake(port, '/room/a', { Origin: own })).statusCode, 101);
    assert.equal((await shake(port, '/nowhere')).statusCode, 404);
    assert.equal((await shake(port, '/room/a%2Fb')).statusCode, 404);
    assert.equal((await shake(port, '/room/a', { Origin: 'https://evil.example' })).statusCode, 403);
    assert.equal((await shake(port, '/room/a', { Origin: 'null' })).statusCode, 403);
    assert.equal((await shake(port, '/broken')).statusCode, 500);
    const refused = await shake(port, '/refused');
    assert.equal(refused.headers['content-type'], 'application/problem+json; charset=utf-8');
    const problem = { status: 401, code: 'accounts.sign_in_first', title: 'Sign in first' };
    assert.deepEqual(JSON.parse(refused.body), { type: 'urn:nacre:refusal:accounts.sign_in_first', ...problem });
  }));

test('[H12] one address opens so many sockets and no more, until one is closed', () =>
  withUpgrades(async (port, upgrades) => {
    for (let i = 0; i < 2; i += 1) assert.equal((await shake(port, '/room/a')).statusCode, 101);
    assert.equal((await shake(port, '/room/a')).statusCode, 429);
    assert.equal(upgrades.open(), 2);
    sockets.shift()?.();
    for (let i = 0; i < 100 && upgrades.open() > 1; i += 1) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal((await shake(port, '/room/a')).statusCode, 101);
  }));

test('[H14] a page reads the API as who asked for it; unknown paths of the API are no pages', async () => {
  const app = await stage();
  await pageRoutes(app, {
    publicUrl: null,
    handler: (request, response) => {
      request.nacreFetch?.(new Request('http://inside/api/actor'))
        .then((answer) => answer.text())
        .then((text) => response.end(text), () => response.destroy());
    },
  });
  const first = await app.inject('/anything');
  const cookie = String(first.headers['set-cookie']).split(';')[0] ?? '';
  const seen = first.json();
  assert.equal(seen.kind, 'guest');
  assert.ok(cookie.includes(seen.guestId), 'the guest inside is another one');
  assert.deepEqual((await app.inject({ url: '/other', headers: { cookie } })).json(), seen);
  for (const path of ['/api/nothing', '/api', '/blobs/x', '/whip/x', '/live/x', '/metrics/x']) {
    const answer = await app.inject(path);
    assert.deepEqual([answer.statusCode, answer.json().code], [404, 'request.not_found'], path);
  }
  await app.close();
});

test('[H11] ready says what is missing; figures are for this machine or who has the token', async () => {
  const app = await stage();
  const database = createDatabase({ url: 'postgres://nobody@127.0.0.1:1/nothing', log });
  let trouble: string | null = 'is restarting';
  healthRoutes(app, { database, metrics: createMetrics({ log }), metricsToken: 'secret', mediaTrouble: () => trouble });
  assert.deepEqual((await app.inject('/healthz')).json(), { status: 'ok' });
  const ready = await app.inject('/readyz');
  assert.equal(ready.statusCode, 503);
  assert.deepEqual(ready.json(), { status: 'not ready', database: 'does not answer', media: 'is restarting' });
  trouble = null;
  assert.equal((await app.inject('/readyz')).json().media, 'ok');

  const metrics = async (remoteAddress: string, headers: Record<string, string> = {}) =>
    (await app.inject({ url: '/metrics', remoteAddress, headers })).statusCode;
  assert.equal(await metrics('127.0.0.1'), 200);
  assert.equal(await metrics('192.0.2.1'), 404);
  assert.equal(await metrics('127.0.0.1', { 'x-forwarded-for': '192.0.2.1' }), 404);
  assert.equal(await metrics('192.0.2.1', { authorization: 'Bearer wrong!' }), 404);
  assert.equal(await metrics('192.0.2.1', { authorization: 'Bearer secret' }), 200);
  await database.stop();
  await app.close();
});

test('[H11] however often it is asked, ready asks the database once a second', async () => {
  const app = await stage();
  const database = createDatabase({ url: 'postgres://nobody@127.0.0.1:1/nothing', log });
  let asked = 0;
  const connect = database.pool.connect.bind(database.pool) as () => Promise<PoolClient>;
  Object.assign(database.pool, {
    connect() {
      asked += 1;
      return connect();
    },
  });
  healthRoutes(app, { database, metrics: createMetrics({ log }), metricsToken: null, mediaTrouble: () => null });
  const ready = async () => (await app.inject('/readyz')).statusCode;
  const answers = await Promise.all(Array.from({ length: 50 }, ready));
  for (let i = 0; i < 50; i += 1) {
    answers.push(await ready());
    await sleep(1);
  }
  assert.deepEqual([asked, new Set(answers)], [1, new Set([503])]);
  await sleep(1_050);
  await ready();
  assert.equal(asked, 2);
  await database.stop();
  await app.close();
});

test('[H14] what shows a proxy is passed on to the API', async () => {
  const app = await stage();
  app.get('/api/proxied', async (request) => Object.keys(request.headers));
  await pageRoutes(app, {
    publicUrl: null,
    handler: (request, response) => {
      request.nacreFetch?.(new Request('http://inside/api/proxied'))
        .then((answer) => answer.text())
        .then((text) => response.end(text), () => response.destroy());
    },
  });
  const told = ['cf-connecting-ip', 'forwarded', 'true-client-ip', 'via', 'x-client-ip', 'x-forwarded', 'x-real-ip'];
  const answer = await app.inject({ url: '/', headers: Object.fromEntries(told.map((name) => [name, '192.0.2.1'])) });
  for (const name of told) assert.ok(answer.json().includes(name), name);
  await app.close();
});

test('[H5] who asks for too many pages without a cookie is told to wait; a page’s files are not counted', async () => {
  const app = await stage();
  await pageRoutes(app, { publicUrl: null, handler: (_request, response) => response.end('page') });
  const ask = async (url: string) => (await app.inject(url)).statusCode;
  const codes: number[] = [];
  for (let i = 0; i < 601; i += 1) codes.push(await ask('/'));
  assert.deepEqual([codes[599], codes[600]], [200, 429]);
  assert.equal(await ask('/_app/immutable/entry.js'), 200);
  await app.close();
});
