import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { createServer, request as httpsRequest } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import pino from 'pino';
import { selfMadeCertificate, type Tls } from '../platform/certificate.ts';
import { createApp, type App } from './app.ts';
import { createGuests } from './guest.ts';
import { answerPlainHttp } from './one-port.ts';
import { createUpgrades } from './upgrade.ts';

const folder = mkdtempSync(join(tmpdir(), 'nacre-one-port-'));
let tls: Tls;
before(async () => {
  tls = await selfMadeCertificate(folder, { needed: ['localhost', '127.0.0.1'], welcome: [] }, new Date());
});
after(() => rmSync(folder, { recursive: true, force: true }));

async function stage(): Promise<{ app: App; port: number }> {
  const app = await createApp({
    log: pino({ level: 'silent' }), guests: createGuests({ secret: 'only for tests' }),
    findPerson: async () => null, trustProxy: false, tls,
  });
  app.get('/api/how', { schema: { hide: true } }, async (request) => ({ protocol: request.protocol }));
  await app.listen({ port: 0, host: '127.0.0.1' });
  return { app, port: (app.server.address() as AddressInfo).port };
}

interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  text: string;
}

async function ask(secure: boolean, options: RequestOptions): Promise<Answer> {
  const how = secure ? httpsRequest({ ...options, ca: tls.certificate }) : httpRequest(options);
  how.end();
  const [response] = (await once(how, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode ?? 0, headers: response.headers, text };
}

test('[H40] with a certificate the port speaks https, and cookies come back by https only', async (t) => {
  const { app, port } = await stage();
  t.after(() => app.close());
  const answer = await ask(true, { host: '127.0.0.1', port, path: '/api/how' });
  assert.deepEqual([answer.status, answer.text], [200, '{"protocol":"https"}']);
  assert.match(String(answer.headers['set-cookie']), /nacre_guest=.*; Secure/);
});

test('[H40] http on the same port leads to https, with path and method, and nowhere else', async (t) => {
  const { app, port } = await stage();
  t.after(() => app.close());
  const plain = (options: RequestOptions) => ask(false, { host: '127.0.0.1', port, ...options });
  const answer = await plain({ path: '/studio?a=1', headers: { host: `pearl.local:${port}` } });
  assert.equal(answer.status, 308);
  assert.equal(answer.headers.location, `https://pearl.local:${port}/studio?a=1`);
  assert.match(answer.text, /speaks https/);
  assert.equal(answer.headers['set-cookie'], undefined);
  assert.equal((await plain({ method: 'POST', path: '/whip' })).headers.location, `https://127.0.0.1:${port}/whip`);
  for (const host of ['a@b', 'a/b', 'a?b']) {
    const refused = await plain({ path: '/', headers: { host } });
    assert.equal(refused.status, 400, host);
    assert.match(refused.text, /begin the address with https:/);
  }
});

test('[H40] upgrades reach the server by https, and not by http', async (t) => {
  const { app, port } = await stage();
  const upgrades = createUpgrades({ log: { error: () => undefined } });
  upgrades.route('/live', (request, socket) => {
    const key = createHash('sha1').update(String(request.headers['sec-websocket-key'])).digest('base64');
    const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: websocket', `X-Key: ${key}`];
    socket.end(`${lines.join('\r\n')}\r\n\r\n`);
  });
  upgrades.listenOn(app.server);
  t.after(() => app.close());
  const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-key': 'a' };
  const asked = httpsRequest({ host: '127.0.0.1', port, path: '/live', headers, ca: tls.certificate });
  asked.end();
  const [response] = (await once(asked, 'upgrade')) as [IncomingMessage];
  assert.equal(response.statusCode, 101);
  assert.equal((await ask(false, { host: '127.0.0.1', port, path: '/live', headers })).status, 308);
});

test('[H41] a connection that says nothing, or not the whole of it, holds up no stop', async () => {
  const { app, port } = await stage();
  const silent = connect(port, '127.0.0.1');
  const half = connect(port, '127.0.0.1');
  await Promise.all([once(silent, 'connect'), once(half, 'connect')]);
  half.write('GET / HTTP/1.1\r\nHost: a\r\n');
  assert.equal((await ask(true, { host: '127.0.0.1', port, path: '/api/how' })).status, 200);
  const ends = Promise.all([once(silent, 'close'), once(half, 'close')]);
  const startMs = performance.now();
  await app.close();
  await ends;
  assert.ok(performance.now() - startMs < 2_000);
});

test('[H41] such a connection lives for seconds only', async (t) => {
  const server = createServer({ cert: tls.certificate, key: tls.key });
  answerPlainHttp(server, { plainLifeMs: 100 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const silent = connect((server.address() as AddressInfo).port, '127.0.0.1');
  silent.on('error', () => undefined);
  await once(silent, 'close', { signal: AbortSignal.timeout(5_000) });
});
