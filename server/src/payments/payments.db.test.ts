/** Payments on a real database and a real job queue, with the sandbox and with a provider that fails. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTestDatabase } from '../../../tests/support/database.ts';
import { createMarket, type Market } from '../../../tests/support/market.ts';
import { newId } from '../platform/ids.ts';
import type { PaymentsFact } from './events.ts';
import type { NoticeKind } from './provider.ts';
import { WAITING_MAX } from './receiving.ts';
import { createSandbox, SANDBOX_LATE_MS, SANDBOX_SLOW_MS } from './sandbox.ts';

const database = await createTestDatabase(import.meta.url);
const sandbox = createSandbox();
const refunds: string[] = [];
/** How often the provider does not answer before it does. */
let silences = 0;
const market = await createMarket({
  url: database.serverUrl,
  deliver: false,
  provider: {
    ...sandbox,
    // Slow here means a day, so that notices come only when a test sends them.
    decide(ask, outcome) {
      const planned = sandbox.decide?.(ask, outcome) ?? [];
      const at = new Date(ask.now.getTime() + 86_400_000);
      return outcome === 'slow' ? planned.map(({ notice }) => ({ notice, at })) : planned;
    },
    async refund({ paymentId }) {
      if (silences > 0) {
        silences -= 1;
        throw new Error('the provider does not answer');
      }
      refunds.push(paymentId);
    },
  },
});
after(async () => {
  await market.stop();
  await database.drop();
});
const { payments } = market;

interface Opened {
  paymentId: string;
  payerId: string;
  subject: string;
}

async function opened(): Promise<Opened> {
  const { personId: payerId } = await market.newPerson();
  const subject = `order/${newId()}`;
  const [created] = await market.database.transaction((tx) => payments.create(tx, [{
    subject, payerId, amountMinor: 12_900n, currency: 'CNY', description: 'N-1001',
    expiresAt: new Date(market.clock.now().getTime() + 300_000),
  }]));
  return { paymentId: created!.paymentId, payerId, subject };
}

const stateOf = async ({ payerId, paymentId }: Opened) => (await payments.get(payerId, paymentId)).state;
const notice = ({ paymentId }: Opened, kind: NoticeKind, noticeId = `${paymentId}/${kind}`) =>
  payments.receive({ noticeId, paymentId, kind });
const cancel = ({ subject }: Opened) => market.database.transaction((tx) => payments.cancel(tx, subject));

/** Facts about this payment that wait in the outbox, which nobody empties here. */
async function factsOf({ paymentId }: Opened): Promise<string[]> {
  const rows = await market.database.db.selectFrom('outbox').select(['topic', 'payload']).orderBy('id').execute();
  return rows.flatMap(({ topic, payload }) => {
    const fact = payload as unknown as PaymentsFact;
    return ('payments' in fact ? fact.payments : [fact]).flatMap((one) => (one.paymentId === paymentId ? [topic] : []));
  });
}

async function eventually(what: string, check: () => Promise<boolean>): Promise<void> {
  for (let waitedMs = 0; waitedMs < 15_000; waitedMs += 50) {
    if (await check()) return;
    await sleep(50);
  }
  assert.fail(`after 15 s still not: ${what}`);
}

test('[Y1] a payment is its payer’s; to others it does not exist', async () => {
  const it = await opened();
  const stranger = await market.newPerson();
  await assert.rejects(payments.get(stranger.personId, it.paymentId), { code: 'payments.not_found' });
  await assert.rejects(payments.decide(stranger.personId, it.paymentId, 'succeed'), { code: 'payments.not_found' });
  await assert.rejects(payments.get(it.payerId, newId()), { code: 'payments.not_found' });
  const { state, subject } = await payments.get(it.payerId, it.paymentId);
  assert.deepEqual([state, subject], ['pending', it.subject]);
});

test('[Y2] a payment is decided once, also by twenty taps at the same time', async () => {
  const it = await opened();
  const taps = await Promise.allSettled(Array.from({ length: 20 }, (_, i) =>
    payments.decide(it.payerId, it.paymentId, i % 2 === 0 ? 'succeed' : 'decline')));
  assert.equal(taps.filter((tap) => tap.status === 'fulfilled').length, 1);
  for (const tap of taps) {
    if (tap.status === 'rejected') assert.equal((tap.reason as { code: string }).code, 'payments.not_pending');
  }
  assert.equal((await factsOf(it)).length, 1);
});

test('[Y3] a notice that comes twenty times at once counts once', async () => {
  const it = await opened();
  await Promise.all(Array.from({ length: 20 }, () => notice(it, 'captured')));
  assert.equal(await stateOf(it), 'captured');
  assert.deepEqual(await factsOf(it), ['payments.captured']);
  const kept = await market.database.db.selectFrom('payment_notice').selectAll()
    .where('payment_id', '=', it.paymentId).execute();
  assert.equal(kept.length, 1);
});

test('[Y3] what a provider told us can neither be changed nor removed', async () => {
  const { db } = market.database;
  await assert.rejects(db.deleteFrom('payment_notice').execute(), /permission denied/);
  await assert.rejects(db.updateTable('payment_notice').set({ kind: 'declined' }).execute(), /permission denied/);
});

test('[Y4] other notices of a decided payment change nothing, in whatever sequence', async () => {
  const paid = await opened();
  await notice(paid, 'captured', `${paid.paymentId}/a`);
  await notice(paid, 'captured', `${paid.paymentId}/b`);
  await notice(paid, 'declined');
  assert.equal(await stateOf(paid), 'captured');
  assert.deepEqual(await factsOf(paid), ['payments.captured']);
  assert.deepEqual(refunds.filter((id) => id === paid.paymentId), []);
});

test('[Y4] a notice of a payment that is not ours is refused', async () => {
  await assert.rejects(payments.receive({ noticeId: 'x', paymentId: newId(), kind: 'captured' }), {
    code: 'payments.not_found',
  });
});

test('[Y5] a slow payment is processing until its notice comes; the sandbox takes 20 seconds', async () => {
  const now = market.clock.now();
  const [slow, ...more] = sandbox.decide?.({ paymentId: 'p', expiresAt: now, now }, 'slow') ?? [];
  assert.deepEqual([slow?.at?.getTime(), more], [now.getTime() + SANDBOX_SLOW_MS, []]);
  assert.equal(SANDBOX_SLOW_MS, 20_000);
  const it = await opened();
  assert.equal((await payments.decide(it.payerId, it.paymentId, 'slow')).state, 'processing');
  assert.deepEqual(await factsOf(it), []);
  await assert.rejects(payments.decide(it.payerId, it.paymentId, 'decline'), { code: 'payments.not_pending' });
  await notice(it, 'captured');
  assert.equal(await stateOf(it), 'captured');
});

test('[Y6] after its time a payment cannot be begun', async () => {
  const it = await opened();
  market.clock.advance(300_000);
  await assert.rejects(payments.decide(it.payerId, it.paymentId, 'succeed'), { code: 'payments.expired' });
  assert.equal(await stateOf(it), 'pending');
});

test('[Y7] money for a cancelled or declined payment goes back once, also when told of it twice', async () => {
  const cancelled = await opened();
  assert.equal(await cancel(cancelled), 'cancelled');
  assert.equal(await cancel(cancelled), 'cancelled');
  const declined = await opened();
  await notice(declined, 'declined');
  for (const it of [cancelled, declined]) {
    await notice(it, 'captured', `${it.paymentId}/late`);
    await notice(it, 'captured', `${it.paymentId}/later`);
    await eventually('refunded', async () => (await stateOf(it)) === 'refunded');
    await payments.giveBack(it.paymentId);
    assert.deepEqual(refunds.filter((id) => id === it.paymentId), [it.paymentId]);
    assert.equal((await factsOf(it)).at(-1), 'payments.refunded');
    assert.equal((await factsOf(it)).includes('payments.captured'), false);
    assert.equal(await cancel(it), 'over');
  }
});

test('[Y8] cancelling what was captured changes nothing and says so', async () => {
  const it = await opened();
  await notice(it, 'captured');
  assert.equal(await cancel(it), 'captured');
  assert.equal(await stateOf(it), 'captured');
  assert.equal(await market.database.transaction((tx) => payments.cancel(tx, 'order/none')), 'none');
});

test('[Y7] a refund that is asked for twice happens once; what is not captured is not refunded', async () => {
  const it = await opened();
  const refund = () => market.database.transaction((tx) => payments.refund(tx, [it.subject]));
  assert.equal((await refund()).size, 0);
  await notice(it, 'captured');
  for (const back of await Promise.all([refund(), refund(), refund()])) assert.deepEqual([...back], [it.subject]);
  await eventually('refunded', async () => (await stateOf(it)) === 'refunded');
  assert.deepEqual([...await refund()], [it.subject]);
  assert.deepEqual(refunds.filter((id) => id === it.paymentId), [it.paymentId]);
});

test('[Y9] what is rolled back was never told', async () => {
  const it = await opened();
  await assert.rejects(market.database.transaction(async (tx) => {
    await payments.cancel(tx, it.subject);
    throw new Error('no');
  }), /no/);
  assert.equal(await stateOf(it), 'pending');
  assert.deepEqual(await factsOf(it), []);
});

test('[Y10] a provider that does not answer is asked again until it does', async () => {
  const it = await opened();
  await cancel(it);
  silences = 1;
  await notice(it, 'captured');
  await eventually('refunded', async () => (await stateOf(it)) === 'refunded');
  assert.equal(silences, 0);
  assert.deepEqual(refunds.filter((id) => id === it.paymentId), [it.paymentId]);
});

test('[Y10] the provider is asked outside of every transaction', async () => {
  const other: { market: Market | null; open: number[] } = { market: null, open: [] };
  other.market = await createMarket({
    url: database.serverUrl,
    deliver: false,
    clock: market.clock,
    provider: {
      ...sandbox,
      async refund() {
        const { rows } = await market.database.pool.query<{ open: number }>(
          `select count(*)::int as open from pg_stat_activity
            where datname = current_database() and state like 'idle in transaction%'`);
        other.open.push(rows[0]?.open ?? -1);
      },
    },
  });
  try {
    const it = await opened();
    await notice(it, 'captured');
    await market.database.db.updateTable('payment').set({ refund_requested_at: market.clock.now() })
      .where('id', '=', it.paymentId).execute();
    await other.market.payments.giveBack(it.paymentId);
    assert.deepEqual(other.open, [0]);
    assert.equal(await stateOf(it), 'refunded');
  } finally {
    await other.market.stop();
  }
});

async function takenAtCounter(): Promise<Opened> {
  const subject = `order/${newId()}`;
  const { paymentId } = await market.database.transaction((tx) => payments.takeAtCounter(tx, {
    subject, amountMinor: 12_900n, currency: 'CNY', description: 'N-1001', method: 'cash',
  }));
  return { paymentId, payerId: newId(), subject };
}

test('[P54] money of the counter is captured at once and told; nobody is its payer, no notice is taken', async () => {
  const taken = await takenAtCounter();
  assert.deepEqual(await factsOf(taken), ['payments.captured']);
  for (const work of [
    () => payments.get(taken.payerId, taken.paymentId), () => notice(taken, 'declined'),
    () => payments.decide(taken.payerId, taken.paymentId, 'decline'),
  ]) await assert.rejects(work, { code: 'payments.not_found' });
  assert.deepEqual(await factsOf(taken), ['payments.captured']);
});

test('[P55] giving back what the counter took is done at once, once, and no provider is asked', async () => {
  const taken = await takenAtCounter();
  const asked = refunds.length;
  for (const _ of [1, 2]) {
    const back = await market.database.transaction((tx) => payments.refund(tx, [taken.subject]));
    assert.deepEqual([...back], [taken.subject]);
  }
  assert.deepEqual(await factsOf(taken), ['payments.captured', 'payments.refunded']);
  assert.equal(refunds.length, asked);
});

test('[Y11] [Y13] two hundred choices and notices at once: each its own answer, one fact for each batch', async () => {
  const them = await Promise.all(Array.from({ length: 100 }, () => opened()));
  const before = await market.database.db.selectFrom('outbox').select('id').execute();
  const results = await Promise.allSettled(them.flatMap((it, i) => [
    payments.decide(it.payerId, it.paymentId, i % 4 === 0 ? 'decline' : 'succeed'),
    // Too late for the choice, in the same batch: refused, or without effect.
    i % 2 === 0 ? payments.decide(it.payerId, it.paymentId, 'succeed') : notice(it, 'declined', `${it.paymentId}/x`),
    payments.receive({ noticeId: `stray/${it.paymentId}`, paymentId: newId(), kind: 'captured' }),
  ]));
  for (const [i, it] of them.entries()) {
    const [first, second, stray] = results.slice(3 * i, 3 * i + 3);
    const state = i % 4 === 0 ? 'declined' : 'captured';
    assert.equal(first?.status === 'fulfilled' && (first.value as { state: string }).state, state);
    assert.equal(second?.status, i % 2 === 0 ? 'rejected' : 'fulfilled');
    assert.equal(stray?.status, 'rejected');
    assert.equal(await stateOf(it), state);
    assert.deepEqual(await factsOf(it), [`payments.${state}`]);
  }
  const told = await market.database.db.selectFrom('outbox').select('id').execute();
  assert.ok(told.length - before.length <= 6, `${told.length - before.length} facts`);
});

test('[Y12] when too many wait, one more is told when to come again, and its notice is good then', async () => {
  const it = await opened();
  const waits = Array.from({ length: WAITING_MAX + 1 }, () => notice(it, 'captured').catch((error: unknown) => error));
  const refused = (await Promise.all(waits)).filter((error) => error !== undefined);
  assert.deepEqual(refused.map((error) => [
    (error as { code: string }).code, (error as { retryAfterSeconds: number }).retryAfterSeconds,
  ]), [['payments.rush', 2]]);
  await notice(it, 'captured');
  assert.deepEqual(await factsOf(it), ['payments.captured']);
});

test('[Y14] doubled, reordered and late: whatever the sandbox sends, one notice counts', async () => {
  for (const outcome of ['doubled', 'reordered'] as const) {
    const it = await opened();
    assert.equal((await payments.decide(it.payerId, it.paymentId, outcome)).state, 'captured');
    // What comes again comes by the job queue.
    await eventually('told again', async () => (
      await market.database.db.selectFrom('payment_notice').select('notice_id').where('payment_id', '=', it.paymentId)
        .execute()).length === (outcome === 'doubled' ? 2 : 3));
    assert.equal(await stateOf(it), 'captured');
    assert.deepEqual(await factsOf(it), ['payments.captured']);
  }
  const now = market.clock.now();
  const expiresAt = new Date(now.getTime() + 300_000);
  const [late, ...more] = sandbox.decide?.({ paymentId: 'p', expiresAt, now }, 'late') ?? [];
  assert.deepEqual([late?.at?.getTime(), more], [expiresAt.getTime() + SANDBOX_LATE_MS, []]);
});

test('[Y15] what is not paid in time expires; money that still comes is captured and told, once', async () => {
  const [it, paid] = [await opened(), await opened()];
  await notice(paid, 'captured');
  const expire = () => market.database.transaction((tx) => payments.expire(tx, [it.subject, paid.subject, 'order/x']));
  for (const there of [await expire(), await expire()]) assert.deepEqual([...there], [paid.subject]);
  assert.deepEqual([await stateOf(it), await stateOf(paid)], ['expired', 'captured']);
  await assert.rejects(payments.decide(it.payerId, it.paymentId, 'succeed'), { code: 'payments.not_pending' });
  assert.equal(await cancel(it), 'over');
  await notice(it, 'declined');
  await notice(it, 'captured');
  await notice(it, 'captured', `${it.paymentId}/again`);
  assert.deepEqual([await stateOf(it), await factsOf(it)], ['captured', ['payments.captured']]);
});
