import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { Nullable, PageQuery } from '@nacre/contract/common';
import pino from 'pino';
import { Type } from 'typebox';
import { Refusal } from '../lib/refusal.ts';
import { createApp, WRITES_PER_MINUTE, type App } from './app.ts';
import { createGuests, GUEST_COOKIE } from './guest.ts';
import { refusals } from './openapi.ts';
import { isKeepable } from './validation.ts';

const guests = createGuests({ secret: 'only for tests' });

interface Stage {
  app: App;
  /** Lines of the log. */
  lines: string[];
}

async function stage(options: { trustProxy?: boolean } = {}): Promise<Stage> {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const app = await createApp({
    log: pino({ level: 'info' }, sink),
    guests,
    findPerson: async (request) => {
      const personId = request.headers['x-test-person'];
      if (typeof personId !== 'string') return null;
      return { kind: 'person', personId, name: 'Mei', isOperator: false, isDemo: false, sessionId: 's' };
    },
    trustProxy: options.trustProxy ?? false,
  });
  probeRoutes(app);
  await app.ready();
  return { app, lines };
}

function probeRoutes(app: App): void {
  const body = Type.Object({ count: Type.Integer(), text: Nullable(Type.String()) }, { additionalProperties: false });
  const answer = Type.Object({ count: Type.Integer(), text: Nullable(Type.String()) });
  const schema = { operationId: 'probe', summary: 'p', tags: ['probe'], response: { 200: answer, ...refusals } };
  app.post('/api/probe', { schema: { ...schema, body } }, async (request) => request.body);
  app.get('/api/probe/:name', {
    schema: {
      ...schema, operationId: 'probeGet', params: Type.Object({ name: Type.String() }), querystring: PageQuery,
    },
  }, async (request) => ({ count: request.query.limit ?? 0, text: request.params.name }));
  app.get('/api/actor', { schema: { hide: true } }, async (request) => request.actor);
  app.get('/api/throws/:what', { schema: { hide: true } }, async (request) => {
    const { what } = request.params as { what: string };
    if (what === 'refusal') throw new Refusal('orders.sold_out', { details: { available: 2 } });
    if (what === 'busy') throw new Refusal('server.busy', { retryAfterSeconds: 7 });
    if (what === 'null') return Promise.reject(null);
    if (what === 'full') throw Object.assign(new Error('no space left on device, write'), { code: 'ENOSPC' });
    if (what === 'full-database') throw Object.assign(new Error('could not extend file'), { code: '53100' });
    if (what === 'database') throw Object.assign(new Error('terminating connection'), { code: '57P01' });
    throw new Error('the password is 1234');
  });
}

const JSON_TYPE = { 'content-type': 'application/json' };
const post = async (app: App, payload: unknown, headers: Record<string, string> = {}) => app.inject({
  method: 'POST', url: '/api/probe', headers: { ...JSON_TYPE, ...headers },
  payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
});

test('[H1] every "no" is problem details with code, status and what it is about', async () => {
  const { app } = await stage();
  const get = async (url: string) => app.inject({ method: 'GET', url });
  const asked: [number, string, ReturnType<typeof post>][] = [
    [404, 'request.not_found', get('/api/nothing')],
    [404, 'request.not_found', (async () => app.inject({ method: 'DELETE', url: '/api/probe' }))()],
    [400, 'request.invalid', post(app, '{ broken')],
    [400, 'request.invalid', post(app, '')],
    [400, 'request.invalid', post(app, { count: 1 })],
    [400, 'request.invalid', post(app, { count: 1, text: null, more: 1 })],
    [400, 'request.invalid', get('/api/probe/a?limit=101')],
    [400, 'request.invalid', get('/api/probe/%E0%A4%A')],
    [415, 'request.media_type', post(app, 'a=1', { 'content-type': 'application/x-www-form-urlencoded' })],
    [409, 'orders.sold_out', get('/api/throws/refusal')],
  ];
  for (const [status, code, asking] of asked) {
    const answer = await asking;
    assert.equal(answer.statusCode, status, code);
    assert.match(String(answer.headers['content-type']), /^application\/problem\+json/);
    const problem = answer.json();
    assert.deepEqual([problem.status, problem.code, problem.type], [status, code, `urn:nacre:refusal:${code}`]);
    assert.ok(problem.title.length > 0);
  }
  assert.deepEqual((await app.inject('/api/throws/refusal')).json().details, { available: 2 });
  assert.equal((await post(app, { count: 1 })).json().details.field, 'text');
  assert.equal((await app.inject('/api/throws/busy')).headers['retry-after'], '7');
  await app.close();
});

test('[H2] the text of an unexpected error goes to the log and not out', async () => {
  const { app, lines } = await stage();
  for (const what of ['error', 'null']) {
    const answer = await app.inject(`/api/throws/${what}`);
    assert.equal(answer.statusCode, 500);
    assert.deepEqual([answer.json().code, answer.body.includes('1234')], ['server.failed', false]);
  }
  assert.ok(lines.some((line) => line.includes('the password is 1234')));
  await app.close();
});

test('[H3] what changes something is refused from a page of another site, and from no one else', async () => {
  const { app } = await stage();
  const sent = { count: 1, text: null };
  const host = 'shop.example';
  const foreign: Record<string, string>[] = [
    { origin: 'https://evil.example' }, { origin: 'null' }, { origin: 'https://shop.example.evil' },
    { origin: 'http://shop.example:81' }, { 'sec-fetch-site': 'cross-site' },
  ];
  for (const headers of foreign) {
    const answer = await post(app, sent, { host, ...headers });
    assert.deepEqual([answer.statusCode, answer.json().code], [403, 'request.origin'], JSON.stringify(headers));
  }
  const own: Record<string, string>[] = [{}, { origin: 'https://shop.example' }, { 'sec-fetch-site': 'same-origin' }];
  for (const headers of own) {
    assert.equal((await post(app, sent, { host, ...headers })).statusCode, 200);
  }
  const reading = await app.inject({ url: '/api/probe/a', headers: { origin: 'https://evil.example' } });
  assert.equal(reading.statusCode, 200);
  await app.close();
});

test('[H4] a guest keeps a signed cookie; a forged one is none', async () => {
  const { app } = await stage();
  const first = await app.inject('/api/actor');
  const setCookie = String(first.headers['set-cookie']);
  assert.match(setCookie, /HttpOnly; SameSite=Lax/);
  const cookie = setCookie.split(';')[0] ?? '';
  const again = await app.inject({ url: '/api/actor', headers: { cookie } });
  assert.deepEqual(first.json(), { ...again.json(), isNew: true });
  assert.equal(again.json().isNew, undefined);
  assert.equal(again.headers['set-cookie'], undefined);
  const [id, signature = ''] = cookie.slice(GUEST_COOKIE.length + 1).split('.');
  const other = Buffer.alloc(16, 1).toString('base64url');
  for (const forged of [`${other}.${signature}`, `${id}.`, `${id}`, `${id}.${signature.slice(1)}x`, '']) {
    assert.equal(guests.read(`${GUEST_COOKIE}=${forged}`), null, forged);
  }
  assert.match(createGuests({ secret: 'x' }).create(true).setCookie, /; Secure$/);
  assert.equal(createGuests({ secret: 'another' }).read(cookie), null);
  await app.close();
});

test('[H4] a person is no guest and gets no cookie of one', async () => {
  const { app } = await stage();
  const answer = await app.inject({ url: '/api/actor', headers: { 'x-test-person': 'p1' } });
  assert.equal(answer.json().personId, 'p1');
  assert.equal(answer.headers['set-cookie'], undefined);
  await app.close();
});

test('[H4] a person is known as the guest they were, and as no other', async () => {
  const { app } = await stage();
  const { guestId, setCookie } = guests.create(false);
  const cookie = setCookie.split(';')[0] ?? '';
  const ask = async (headers: Record<string, string>) => (
    await app.inject({ url: '/api/actor', headers: { 'x-test-person': 'p1', ...headers } })
  ).json() as { personId: string; guestId?: string };
  const before = await ask({ cookie });
  assert.deepEqual([before.personId, before.guestId], ['p1', guestId]);
  assert.equal((await ask({ cookie: `${cookie}x` })).guestId, undefined);
  await app.close();
});

test('[H5] who sends too much is told to wait; others are not, and without cookies the address counts', async () => {
  const { app } = await stage();
  const sent = { count: 1, text: null };
  const flood = async (headers: Record<string, string>) => {
    const codes: number[] = [];
    for (let i = 0; i <= WRITES_PER_MINUTE; i += 1) codes.push((await post(app, sent, headers)).statusCode);
    return codes;
  };
  for (const headers of [{ 'x-test-person': 'p1' }, {}] as Record<string, string>[]) {
    const codes = await flood(headers);
    assert.deepEqual([codes.at(-2), codes.at(-1)], [200, 429]);
    const refused = await post(app, sent, headers);
    assert.equal(refused.json().code, 'request.too_many');
    assert.ok(Number(refused.headers['retry-after']) > 0);
  }
  assert.equal((await post(app, sent, { 'x-test-person': 'p2' })).statusCode, 200);
  assert.equal((await app.inject({ url: '/api/probe/a', headers: { 'x-test-person': 'p1' } })).statusCode, 200);
  await app.close();
});

test('[H6] a body of more than 256 KB is refused', async () => {
  const { app } = await stage();
  const answer = await post(app, { count: 1, text: 'x'.repeat(256 * 1024) });
  assert.deepEqual([answer.statusCode, answer.json().code], [413, 'request.too_large']);
  await app.close();
});

test('[H7] a body is taken as it was sent: no null becomes a text, no text a number', async () => {
  const { app } = await stage();
  assert.deepEqual((await post(app, { count: 1, text: null })).json(), { count: 1, text: null });
  assert.deepEqual((await post(app, { count: 1, text: '' })).json(), { count: 1, text: '' });
  for (const sent of [{ count: '1', text: null }, { count: null, text: null }, { count: true, text: null },
    { count: 1, text: 5 }, { count: [1], text: null }]) {
    assert.equal((await post(app, sent)).statusCode, 400, JSON.stringify(sent));
  }
  assert.deepEqual((await app.inject('/api/probe/a?limit=7')).json(), { count: 7, text: 'a' });
  assert.deepEqual((await app.inject('/api/probe/a')).json(), { count: 20, text: 'a' });
  await app.close();
});

test('[H8] text that no database can keep is refused in body, query and path', async () => {
  const { app } = await stage();
  const answers = [
    await post(app, '{"count":1,"text":"a\\u0000b"}'), await post(app, '{"count":1,"text":"\\ud800"}'),
    await app.inject('/api/probe/a%00b'), await app.inject('/api/probe/a?cursor=%00'),
  ];
  for (const answer of answers) assert.deepEqual([answer.statusCode, answer.json().code], [400, 'request.invalid']);
  assert.equal((await post(app, { count: 1, text: '林🦪 مرحبا' })).statusCode, 200);
  assert.equal(isKeepable({ a: [{ b: 'fine' }] }), true);
  assert.equal(isKeepable({ 'a\0': 1 }), false);
  assert.equal(isKeepable(JSON.parse('['.repeat(1_000) + ']'.repeat(1_000))), false);
  await app.close();
});

test('[H9] every answer forbids sniffing, foreign frames and scripts', async () => {
  const { app } = await stage();
  for (const url of ['/api/actor', '/api/nothing', '/api/throws/error']) {
    const { headers } = await app.inject(url);
    assert.equal(headers['x-content-type-options'], 'nosniff', url);
    assert.equal(headers['x-frame-options'], 'SAMEORIGIN', url);
    assert.match(String(headers['content-security-policy']), /default-src 'none'.*frame-ancestors 'self'/, url);
  }
  await app.close();
});

test('[H10] the document has every route that is not hidden, and its references lead somewhere', async () => {
  const { app } = await stage();
  const document = (await app.inject('/api/openapi.json')).json();
  assert.equal(document.openapi, '3.1.0');
  assert.deepEqual(Object.keys(document.paths).toSorted(), ['/api/probe', '/api/probe/{name}']);
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path ?? '');
  assert.ok(references.length > 0);
  for (const path of references) {
    const found = path.split('/').reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], document);
    assert.ok(found, path);
  }
  await app.close();
});

test('[H13] when the database does not answer, the answer is "busy", with a time', async () => {
  const { app } = await stage();
  const answer = await app.inject('/api/throws/database');
  assert.deepEqual([answer.statusCode, answer.json().code], [503, 'server.busy']);
  assert.ok(Number(answer.headers['retry-after']) > 0);
  await app.close();
});

test('[H17] that a disk is full is told to who asked and to the log', async () => {
  const { app, lines } = await stage();
  for (const what of ['full', 'full-database']) {
    const answer = await app.inject(`/api/throws/${what}`);
    assert.deepEqual([answer.statusCode, answer.json().code], [503, 'server.full'], what);
  }
  assert.equal(lines.filter((line) => line.includes('"level":50') && line.includes('the disk is full')).length, 2);
  assert.ok(lines.some((line) => line.includes('no space left on device')));
  await app.close();
});
