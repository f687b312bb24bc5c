import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { publishPingEveryBytes, publishPingEveryMs, publishSubprotocol } from '@nacre/contract/publish';
import { WebSocketServer } from 'ws';
import { openLine, type PublishLine } from './publish-line.ts';

/** A server that answers pings while it is let. */
async function lineTo(t: TestContext): Promise<{ line: PublishLine; pings: () => number; answer(is: boolean): void }> {
  const server = new WebSocketServer({ port: 0, handleProtocols: () => publishSubprotocol });
  await once(server, 'listening');
  let answers = true;
  let pings = 0;
  let receivedBytes = 0;
  server.on('connection', (socket) => {
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) return void (receivedBytes += data.length);
      const { type, sentMs } = JSON.parse(data.toString()) as { type: string; sentMs: number };
      if (type === 'hello') return socket.send(JSON.stringify({ type: 'welcome', version: 1, sessionId: 'one' }));
      pings += 1;
      if (answers) socket.send(JSON.stringify({ type: 'pong', sentMs, receivedBytes }));
    });
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  Object.assign(globalThis, { location: { href: url } });
  const { signal } = new AbortController();
  const ignore = (): void => undefined;
  const line = await openLine({ url, streamKey: 'k', hasSound: false, signal, onKeyNeeded: ignore, onLost: ignore });
  t.after(() => {
    line.close(true);
    server.close();
  });
  return { line, pings: () => pings, answer: (is) => void (answers = is) };
}

const wait = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

test('[W394] a line is asked after so many bytes, not only after so long', async (t) => {
  const { line, pings } = await lineTo(t);
  await wait(20);
  const before = pings();
  const bytes = new Uint8Array(publishPingEveryBytes / 4);
  for (let sent = 0; sent < 12; sent += 1) line.send({ kind: 'picture', bytes, capturedMs: sent });
  await wait(publishPingEveryMs / 2);
  assert.ok(pings() - before >= 3, `${pings() - before} pings`);
});

test('[W394] what is overdue is known before anything is answered, and forgotten when it is', async (t) => {
  const { line, answer } = await lineTo(t);
  await wait(publishPingEveryMs * 2.5);
  assert.ok(line.backlogMs() < publishPingEveryMs, `${line.backlogMs()} ms`);
  answer(false);
  await wait(publishPingEveryMs * 3);
  assert.ok(line.backlogMs() > publishPingEveryMs, `${line.backlogMs()} ms`);
  answer(true);
  await wait(publishPingEveryMs * 2);
  assert.ok(line.backlogMs() < publishPingEveryMs, `${line.backlogMs()} ms`);
});
