import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { it } from 'node:test';
import { createMemoryBus } from '../platform/bus.ts';
import { createLog } from '../platform/log.ts';
import { SESSION_COOKIE } from './auth.ts';
import { SIGNED_OUT_TOPIC } from './events.ts';
import { createSessions, type LiveSession } from './sessions.ts';

type Found = LiveSession | null;

const SECRET = 'a secret for tests alone, of length';
const signed = (token: string, secret = SECRET): string => (
  `${SESSION_COOKIE}=${encodeURIComponent(`${token}.${createHmac('sha256', secret).update(token).digest('base64')}`)}`
);

/** Sessions in a database that answers when the test says so; undefined is a failure. */
function stage() {
  let nowMs = 1_000_000;
  const bus = createMemoryBus({ log: createLog('silent', false) });
  const answers: Array<(found: Found | undefined) => void> = [];
  const asked: string[][] = [];
  const sessions = createSessions({
    secret: SECRET, bus, clock: { now: () => new Date(nowMs) }, noteSeen: async () => {},
    async read(tokens) {
      asked.push([...tokens]);
      const found = await new Promise<Found | undefined>((resolve) => answers.push(resolve));
      if (found === undefined) throw new Error('no answer');
      return new Map(found === null ? [] : [[found.token, found]]);
    },
  });
  return {
    bus, answers, asked, sessions,
    find: (cookie = signed('token')) => sessions.find(cookie),
    found: (livesMs: number): LiveSession => ({
      id: 's', token: 'token', expiresAt: new Date(nowMs + livesMs), seenAt: new Date(nowMs),
      personId: 'mei', name: 'Mei', isOperator: false, isDemo: false,
    }),
    advance: (ms: number) => void (nowMs += ms),
  };
}

/** Until what was asked has got to the database, and what it answered to who asked. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('[A7] an answer that was on its way during a sign-out is not kept', async () => {
  const { answers, find, found, bus } = stage();
  const underway = find();
  await settle();
  bus.publish(SIGNED_OUT_TOPIC, { personId: 'mei', sessionId: null });
  const afterwards = find();
  answers[0]?.(found(1e9));
  assert.equal((await underway)?.personId, 'mei');
  await settle();
  assert.equal(answers.length, 2, 'who asks after the sign-out does not get the answer of before');
  answers[1]?.(null);
  assert.equal(await afterwards, null);
  assert.equal(await find(), null);
  assert.equal(answers.length, 2);
});

it('[A14] an answer is kept for a minute, and not longer than the session lasts', async () => {
  const { answers, find, found, advance } = stage();
  const both = [find(), find()];
  await settle();
  assert.equal(answers.length, 1, 'many at once ask once');
  answers[0]?.(found(90_000));
  await Promise.all(both);
  advance(59_999);
  assert.equal((await find())?.personId, 'mei');
  assert.equal(answers.length, 1);
  advance(1);
  const again = find();
  await settle();
  answers[1]?.(found(30_000));
  assert.equal((await again)?.personId, 'mei');
  advance(30_000);
  const over = find();
  await settle();
  answers[2]?.(null);
  assert.equal(await over, null);
});

it('[A14] a failed question is asked again', async () => {
  const { sessions, find, answers, found } = stage();
  const first = find();
  await settle();
  answers[0]?.(undefined);
  await assert.rejects(first);
  const second = find();
  await settle();
  answers[1]?.(found(1e9));
  assert.equal((await second)?.personId, 'mei');
  sessions.stop();
});

it('[A81] who comes at the same time is looked up together; what is not signed by us is not looked up', async () => {
  const { asked, answers, find } = stage();
  const first = find(signed('first'));
  await settle();
  const rest = [find(signed('second')), find(signed('third'))];
  const forged = [signed('fourth', 'another secret'), `${SESSION_COOKIE}=fourth`, `${SESSION_COOKIE}=.`];
  for (const cookie of forged) assert.equal(await find(cookie), null);
  answers[0]?.(null);
  await settle();
  answers[1]?.(null);
  assert.deepEqual(await Promise.all([first, ...rest]), [null, null, null]);
  assert.deepEqual(asked, [['first'], ['second', 'third']]);
});
