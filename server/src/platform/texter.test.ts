import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { createLog } from './log.ts';
import { createGatewayTexter, createLogTexter, PLAIN_BODY, type GatewayDeps, type Texter } from './texter.ts';

const log = createLog('silent', false);
const MESSAGE = { to: '+8613800138000', text: '"123456" 是验证码 & رمز\n{to}', askedBy: 'guest/a' };

interface Got {
  headers: IncomingHttpHeaders;
  body: string;
}

describe('text messages', () => {
  const got: Got[] = [];
  let answers: number[] = [];
  let holdsBack = false;
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    got.push({ headers: request.headers, body });
    const status = answers.shift() ?? 200;
    if (!holdsBack) response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end('{"id":1}');
  });
  let url = '';
  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/send`;
  });
  after(() => server.closeAllConnections());
  after(() => server.close());
  const gateway = (changes: Partial<GatewayDeps> = {}): Texter =>
    createGatewayTexter({ url, authorization: null, body: PLAIN_BODY, perDay: 9, log, ...changes });

  it('[P100] a message arrives as it was written, once, in any script, as JSON or as a form', async () => {
    await gateway({ authorization: 'Bearer secret' }).send(MESSAGE);
    const first = got.pop();
    assert.deepEqual(JSON.parse(first?.body ?? ''), { to: MESSAGE.to, text: MESSAGE.text });
    assert.deepEqual([first?.headers['content-type'], first?.headers.authorization],
      ['application/json', 'Bearer secret']);
    const form = gateway({ url: url.replace('//', '//us%40er:pass@'), body: 'From=Nacre&To={to}&Body={text}' });
    assert.equal(await form.send(MESSAGE), 'sent');
    const second = got.pop();
    assert.deepEqual(Object.fromEntries(new URLSearchParams(second?.body)), {
      From: 'Nacre', To: MESSAGE.to, Body: MESSAGE.text,
    });
    assert.equal(second?.headers.authorization, `Basic ${Buffer.from('us@er:pass').toString('base64')}`);
    assert.equal(got.length, 0);
  });

  it('[P101] what the gateway refuses for good is not tried again; what may come right is', async () => {
    for (const [status, outcome] of [[400, 'refused'], [401, 'refused'], [422, 'refused'], [202, 'sent']] as const) {
      answers = [status];
      assert.equal(await gateway().send(MESSAGE), outcome, String(status));
    }
    for (const status of [408, 429, 500, 503]) {
      answers = [status];
      await assert.rejects(gateway().send(MESSAGE), new RegExp(String(status)));
    }
  });

  it('[P102] a redirect is not followed, and a stop ends what waits', async () => {
    got.length = 0;
    answers = [302];
    await assert.rejects(gateway().send(MESSAGE));
    assert.equal(got.length, 1);
    holdsBack = true;
    const waiting = gateway();
    const ended = assert.rejects(waiting.send(MESSAGE));
    setTimeout(waiting.stop, 50);
    await ended;
  });

  it('[P103] without a gateway messages stand in the log; the demo keeps ten, each for whoever asked', async () => {
    const kept = createLogTexter({ log, keeps: true, perDay: 9 });
    for (let n = 0; n < 11; n += 1) await kept.send({ ...MESSAGE, text: String(n) });
    assert.deepEqual(kept.keptFor('guest/a').map(({ text }) => Number(text)), [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    assert.deepEqual(kept.keptFor('guest/b'), []);
    const other = createLogTexter({ log, keeps: false, perDay: 9 });
    await other.send(MESSAGE);
    assert.deepEqual([other.keptFor('guest/a'), other.reaches], [[], false]);
    assert.deepEqual([gateway().keptFor('guest/a'), gateway().reaches], [[], true]);
  });
});
