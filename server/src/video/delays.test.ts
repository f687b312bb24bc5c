import assert from 'node:assert/strict';
import { test } from 'node:test';
import fastify from 'fastify';
import { delayRoutes } from './delay-routes.ts';
import { createDelays, medianOf, type MeasuredDelay } from './delays.ts';

test('[V54] the median is that of half the viewers, and of none there is none', () => {
  assert.equal(medianOf([]), null);
  assert.equal(medianOf([300]), 300);
  assert.equal(medianOf([9_000, 300, 200]), 300);
  assert.equal(medianOf([400, 200, 300, 100]), 200);
});

test('[V54] each viewer counts once, with what it said last, and not for long', async (t) => {
  let nowMs = 0;
  const told: Array<MeasuredDelay & { showId: string }> = [];
  const delays = createDelays({
    now: () => nowMs, tellEveryMs: 5, tell: (showId, delay) => void told.push({ showId, ...delay }),
  });
  t.after(() => delays.stop());
  const next = async () => {
    const seen = told.length;
    while (told.length === seen) await new Promise((done) => setTimeout(done, 5));
    return told.at(-1);
  };
  const one = {};
  delays.note('show', one, 900);
  delays.note('show', one, 300);
  delays.note('show', 'guest/b', 500);
  delays.note('show', 'guest/c', 400);
  assert.deepEqual(await next(), { showId: 'show', medianMs: 400, measured: 3 });
  delays.forget('show', 'guest/c');
  assert.deepEqual(await next(), { showId: 'show', medianMs: 300, measured: 2 });
  nowMs += 60_000;
  assert.deepEqual(await next(), { showId: 'show', medianMs: null, measured: 0 });
  const seen = told.length;
  await new Promise((done) => setTimeout(done, 30));
  assert.equal(told.length, seen, 'of a show that nobody measures nothing is told');
});

test('[V54] without a socket it is posted, by who may watch', async (t) => {
  const noted: unknown[] = [];
  const app = fastify();
  t.after(() => app.close());
  await app.register(delayRoutes({
    delays: { note: (...what) => void noted.push(what) },
    mayWatch: async (showId) => (showId === 'open' ? ['guest/a'] : null),
  }));
  const post = async (showId: string, payload: object) => (
    (await app.inject({ method: 'POST', url: `/live/${showId}/delay`, payload })).statusCode
  );
  assert.equal(await post('open', { delayMs: 700 }), 204);
  assert.equal(await post('closed', { delayMs: 700 }), 404);
  for (const delayMs of [-1, 600_001, 'soon', 1.5]) assert.equal(await post('open', { delayMs }), 400, String(delayMs));
  assert.deepEqual(noted, [['open', 'guest/a', 700]]);
});
