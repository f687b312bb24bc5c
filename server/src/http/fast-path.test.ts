/** The fast path: what is answered on it, and that everything else reaches the server whole. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer, request as secureRequest } from 'node:https';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { selfMadeCertificate } from '../platform/certificate.ts';
import { createFastPath, type FastAnswer, type FastPath, type FastPathHandler } from './fast-path.ts';

const log = { error: () => undefined };
const fast = (body: string | Buffer): FastAnswer => (
  { status: 200, headers: { 'content-type': 'text/plain' }, body: Buffer.from(body) }
);
const handler: FastPathHandler = (path, query) => (path === '/fast' ? Promise.resolve(fast(`fast${query}`)) : null);

interface Stage {
  port: number;
  server: Server;
  fastPath: FastPath;
  /** Method, path and body of what reached the server behind. */
  reached: string[];
}

async function stage(t: TestContext, options: { handler?: FastPathHandler; idleMs?: number } = {}): Promise<Stage> {
  const reached: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      reached.push(`${request.method} ${request.url} ${Buffer.concat(chunks)}`);
      response.end('slow');
    });
  });
  const fastPath = createFastPath({
    handler: options.handler ?? handler, now: Date.now, log, idleMs: options.idleMs ?? 5_000,
  });
  fastPath.listenOn(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    fastPath.stop();
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, server, fastPath, reached };
}

/** A connection, and all that came over it. */
function open(t: TestContext, port: number): { socket: Socket; text(): string; until(what: RegExp): Promise<void> } {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString('latin1'))).on('error', () => undefined);
  t.after(() => socket.destroy());
  return {
    socket,
    text: () => text,
    async until(what) {
      for (let tries = 0; !what.test(text); tries += 1) {
        if (tries > 300) throw new Error(`in vain: ${what} in ${text}`);
        await sleep(10);
      }
    },
  };
}

const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: shop\r\n${more}\r\n`;

test('[H50] plain GETs are answered on one connection, with all that an answer of ours has', async (t) => {
  const { port, fastPath, reached } = await stage(t);
  const line = open(t, port);
  line.socket.write(get('/fast?1'));
  await line.until(/fast\?1$/);
  line.socket.write(get('/fast?2', 'Connection: keep-alive\r\nCookie: a=b\r\n'));
  await line.until(/fast\?2$/);
  const [head = ''] = line.text().split('\r\n\r\n');
  assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
  for (const name of ['content-type', 'content-length', 'date', 'connection', 'x-content-type-options']) {
    assert.match(head.toLowerCase(), new RegExp(`\\r\\n${name}: `), name);
  }
  assert.match(head, /content-security-policy/i);
  assert.deepEqual([reached, fastPath.open()], [[], 1]);
});

test('[H50] what is anything else reaches the server whole, and so does all that follows it', async (t) => {
  const { port, fastPath, reached } = await stage(t);
  const others = [
    get('/page'),
    'POST /fast HTTP/1.1\r\nHost: shop\r\nContent-Length: 4\r\n\r\nbody',
    get('/fast', 'Content-Length: 0\r\n'),
    get('/fast', 'Transfer-Encoding: chunked\r\n').concat('0\r\n\r\n'),
    get('/fast', 'Connection: close\r\n'),
    get('/fast', 'Expect: 100-continue\r\n'),
    'GET /fast HTTP/1.0\r\nHost: shop\r\n\r\n',
    'HEAD /fast HTTP/1.1\r\nHost: shop\r\n\r\n',
    `${get('/fast')}${get('/fast')}`,
  ];
  for (const bytes of others) {
    const before = reached.length;
    const line = open(t, port);
    line.socket.write(bytes);
    await line.until(/slow$|^HTTP\/1\.1 200 OK[^]*\r\n\r\n$/);
    assert.equal(reached.length > before, true, bytes.slice(0, 80));
    assert.doesNotMatch(line.text(), /\r\n\r\nfast/);
  }
  assert.ok(reached.includes('POST /fast body'));
  assert.equal(fastPath.open(), 0);
  const line = open(t, port);
  line.socket.write(get('/page'));
  await line.until(/slow/);
  line.socket.write(get('/fast'));
  await line.until(/slow[^]*slow/);
});

test('[H50] a request that comes in pieces, and one that comes before the answer, are the server’s', async (t) => {
  const { promise, resolve } = Promise.withResolvers<FastAnswer>();
  const { port, reached } = await stage(t, { handler: (path) => (path === '/fast' ? promise : null) });
  const pieces = open(t, port);
  pieces.socket.write('GET /fast HT');
  await sleep(30);
  pieces.socket.write('TP/1.1\r\nHost: shop\r\n\r\n');
  await pieces.until(/slow$/);
  const early = open(t, port);
  early.socket.write(get('/fast'));
  await sleep(30);
  early.socket.write(get('/next'));
  await sleep(30);
  resolve(fast('fast'));
  await early.until(/fast[^]*slow$/);
  assert.deepEqual(reached, ['GET /fast ', 'GET /next ']);
});

test('[H50] no request that is malformed is answered here', async (t) => {
  const asked: string[] = [];
  const { port } = await stage(t, {
    handler(path) {
      asked.push(path);
      return Promise.resolve(fast('fast'));
    },
  });
  for (const bytes of [
    'GET /fast HTTP/1.1\r\n\r\n',
    'GET /fast HTTP/1.1\nHost: shop\n\n',
    'GET /fast HTTP/1.1\r\nHost: shop\r\n Transfer-Encoding: chunked\r\n\r\n',
    'GET /fast HTTP/1.1\r\nHost: shop\r\nA: b\nTransfer-Encoding: chunked\r\n\r\n',
    'GET /fast HTTP/1.1\r\nHost: shop\r\nBad Name: x\r\n\r\n',
    'GET /fast HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding : chunked\r\n\r\n',
    'GET  /fast HTTP/1.1\r\nHost: shop\r\n\r\n',
    '\u0016\u0003\u0001', '\0'.repeat(64),
  ]) {
    const line = open(t, port);
    line.socket.write(bytes, 'latin1');
    await sleep(20);
    line.socket.destroy();
  }
  assert.deepEqual(asked, []);
});

test('[H51] who asks and does not read holds one answer, and is cut', async (t) => {
  const { port, fastPath } = await stage(t, {
    handler: () => Promise.resolve(fast(Buffer.alloc(64_000_000))), idleMs: 300,
  });
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  t.after(() => socket.destroy());
  socket.pause();
  for (let count = 0; count < 5; count += 1) {
    socket.write(get('/fast'));
    await sleep(30);
  }
  for (let tries = 0; fastPath.open() > 0 && tries < 300; tries += 1) await sleep(10);
  assert.equal(fastPath.open(), 0);
});

test('[H51] who says nothing is cut', async (t) => {
  const { port, fastPath } = await stage(t, { idleMs: 100 });
  const line = open(t, port);
  await once(line.socket, 'close');
  for (let tries = 0; fastPath.open() > 0 && tries < 300; tries += 1) await sleep(10);
  assert.equal(fastPath.open(), 0);
});

test('[H51] what fails, and what is not for everybody after all, is the server’s', async (t) => {
  const { port, reached } = await stage(t, {
    handler: (path) => (path === '/fails' ? Promise.reject(new Error('no')) : Promise.resolve(null)),
  });
  for (const path of ['/fails', '/private']) {
    const line = open(t, port);
    line.socket.write(get(path));
    await line.until(/slow$/);
  }
  assert.deepEqual(reached, ['GET /fails ', 'GET /private ']);
});

test('[H51] a stop ends idle connections, and the others with their answer', async (t) => {
  const { promise, resolve } = Promise.withResolvers<FastAnswer>();
  const { port, server, fastPath } = await stage(t, {
    handler: (path) => (path === '/waits' ? promise : Promise.resolve(fast('fast'))),
  });
  const [idle, waiting] = [open(t, port), open(t, port)];
  idle.socket.write(get('/fast'));
  waiting.socket.write(get('/waits'));
  await idle.until(/fast$/);
  const closed = once(server.close(), 'close');
  fastPath.stop();
  await once(idle.socket, 'close');
  assert.equal(waiting.socket.closed, false);
  resolve(fast('fast'));
  await waiting.until(/connection: close[^]*fast$/i);
  await closed;
});

test('[H50] with a certificate it is the same', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nacre-fast-path-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const names = { needed: ['127.0.0.1'], welcome: [] };
  const { certificate, key } = await selfMadeCertificate(folder, names, new Date());
  const server = createSecureServer({ cert: certificate, key }, (request, response) => {
    response.end(`slow ${request.url}`);
  });
  const fastPath = createFastPath({ handler, now: Date.now, log });
  fastPath.listenOn(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    fastPath.stop();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const read = async (path: string): Promise<string> => {
    const asked = secureRequest({ port, host: '127.0.0.1', path, rejectUnauthorized: false });
    asked.setHeader('connection', 'keep-alive');
    asked.end();
    const [response] = (await once(asked, 'response')) as unknown as [AsyncIterable<Buffer>];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    asked.destroy();
    return Buffer.concat(chunks).toString();
  };
  assert.equal(await read('/fast'), 'fast');
  assert.equal(await read('/page'), 'slow /page');
});
