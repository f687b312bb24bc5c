import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createMemoryBus } from '../platform/bus.ts';
import { createLog } from '../platform/log.ts';
import { SESSION_COOKIE, type Auth } from './auth.ts';
import { SIGNED_OUT_TOPIC } from './events.ts';
import { createSessions } from './sessions.ts';

type Found = { user: object; session: { id: string; expiresAt: Date; updatedAt: Date } } | null;

/** Sessions on a better-auth that answers when the test says so. */
function stage() {
  let nowMs = 1_000_000;
  const bus = createMemoryBus({ log: createLog('silent', false) });
  const answers: Array<(found: Found) => void> = [];
  const getSession = () => new Promise<Found>((resolve) => answers.push(resolve));
  const sessions = createSessions({
    auth: { api: { getSession } } as unknown as Auth, bus, clock: { now: () => new Date(nowMs) },
    noteSeen: async () => {},
  });
  return {
    bus, answers, sessions,
    find: () => sessions.find(`${SESSION_COOKIE}=token.signature`),
    found: (livesMs: number): Found => ({
      user: { id: 'mei', name: 'Mei', isOperator: false, isDemo: false },
      session: { id: 's', expiresAt: new Date(nowMs + livesMs), updatedAt: new Date(nowMs) },
    }),
    advance: (ms: number) => void (nowMs += ms),
  };
}

it('[A7] an answer that was on its way during a sign-out is not kept', async () => {
  const { answers, find, found, bus } = stage();
  const underway = find();
  bus.publish(SIGNED_OUT_TOPIC, { personId: 'mei', sessionId: null });
  const afterwards = find();
  assert.equal(answers.length, 2, 'who asks after the sign-out does not get the answer of before');
  answers[1]?.(null);
  answers[0]?.(found(1e9));
  assert.equal((await underway)?.personId, 'mei');
  assert.equal(await afterwards, null);
  assert.equal(await find(), null);
  assert.equal(answers.length, 2);
});

it('[A14] an answer is kept for a minute, and not longer than the session lasts', async () => {
  const { answers, find, found, advance } = stage();
  const both = [find(), find()];
  assert.equal(answers.length, 1, 'many at once ask once');
  answers[0]?.(found(90_000));
  await Promise.all(both);
  advance(59_999);
  assert.equal((await find())?.personId, 'mei');
  assert.equal(answers.length, 1);
  advance(1);
  const again = find();
  answers[1]?.(found(30_000));
  assert.equal((await again)?.personId, 'mei');
  advance(30_000);
  const over = find();
  answers[2]?.(null);
  assert.equal(await over, null);
});

it('[A14] a failed question is asked again', async () => {
  const { sessions, find, answers, found } = stage();
  const first = find();
  answers[0]?.({} as Found);
  await assert.rejects(first);
  const second = find();
  answers[1]?.(found(1e9));
  assert.equal((await second)?.personId, 'mei');
  sessions.stop();
});
