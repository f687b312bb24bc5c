import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import Fastify from 'fastify';
import { WebSocket, WebSocketServer } from 'ws';
import { closeApp } from './closing.ts';

/** An application whose `/slow` answers when told, with WebSockets beside it. */
async function stage(t: TestContext) {
  const app = Fastify({ forceCloseConnections: 'idle' });
  const answer = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  app.get('/slow', async () => {
    asked.resolve();
    await answer.promise;
    return { done: true };
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const sockets = new WebSocketServer({ noServer: true });
  app.server.on('upgrade', (req, socket, head) => sockets.handleUpgrade(req, socket, head, () => {}));
  const { port } = app.server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  const get = () => new Promise<number>((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', path: '/slow', agent }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    sent.on('error', reject).end();
  });
  const closeSockets = async () => {
    for (const client of sockets.clients) client.close(1001);
  };
  return { app, port, answer, asked: asked.promise, get, closeSockets };
}

test('[H15] a request under way gets its answer, a socket is told to go, and the end waits for neither', async (t) => {
  const { app, port, answer, asked, get, closeSockets } = await stage(t);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  await once(socket, 'open');
  const closed = once(socket, 'close');
  const status = get();
  await asked;
  const fromMs = performance.now();
  const closing = closeApp(app, { timeoutMs: 20_000, closeSockets });
  assert.equal((await closed)[0], 1001);
  await assert.rejects(fetch(`http://127.0.0.1:${port}/slow`), 'nothing new is taken');
  answer.resolve();
  assert.equal(await status, 200);
  await closing;
  const tookMs = performance.now() - fromMs;
  assert.ok(tookMs < 5_000, `${tookMs} ms, with a connection that is kept alive`);
});

test('[H15] a request that does not end is cut when its time is over', async (t) => {
  const { app, asked, get, closeSockets } = await stage(t);
  const status = assert.rejects(get());
  await asked;
  await closeApp(app, { timeoutMs: 200, closeSockets });
  await status;
});
