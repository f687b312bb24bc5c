/**
 * Notices and payers' choices: in batches, each one transaction that writes what became of the payments and tells the
 * others. They gather while the batch before them is under way; each is answered on its own after the commit.
 *
 * Locks: the payments by id, in one statement. An order is locked before its payment by those who hold both; here no
 * order is touched.
 */
import { Refusal } from '../lib/refusal.ts';
import { createBatcher, type Batcher } from '../platform/batcher.ts';
import type { Tx } from '../platform/database.ts';
import { decideAll, type Ask, type Decided } from './deciding.ts';
import type { PaymentsDeps } from './payments.ts';
import * as store from './store.ts';
import type { PaymentRow } from './store.ts';
import { JOB_GIVE_BACK, JOB_NOTICE, publish } from './telling.ts';

/** Of one transaction. Fewer wait more often for the disk; more keep the first one's answer back. */
const BATCH_MAX = 500;
/** That wait: about a second's work. Longer than that nobody should be left without an answer. */
export const WAITING_MAX = 8_000;
/** When to try again. A queue of `WAITING_MAX` is worked off by then. */
const RETRY_AFTER_SECONDS = 2;

export type Receiver = Batcher<Ask, PaymentRow>;

export function createReceiver(deps: PaymentsDeps): Receiver {
  return createBatcher<Ask, PaymentRow>({
    run: (asks) => deps.platform.database.transaction((tx) => receiveBatch(deps, tx, asks)),
    batchMax: BATCH_MAX,
    waitingMax: WAITING_MAX,
    full: () => new Refusal('payments.rush', { retryAfterSeconds: RETRY_AFTER_SECONDS }),
  });
}

async function receiveBatch(deps: PaymentsDeps, tx: Tx, asks: readonly Ask[]): Promise<Decided['answers']> {
  const { platform, provider } = deps;
  const ids = asks.map((ask) => ('notice' in ask ? ask.notice : ask.choice).paymentId);
  // The locks first, as a statement of its own: what is read after it sees the notices of earlier batches.
  const payments = await store.lockPayments(tx, { ids });
  const noticeIds = asks.flatMap((ask) => ('notice' in ask ? [ask.notice.noticeId] : []));
  const now = platform.clock.now();
  const decided = decideAll(asks, {
    provider, now,
    payments: new Map(payments.map((payment) => [payment.id, payment])),
    seen: await store.seenNotices(tx, provider.name, noticeIds),
  });
  await write(deps, tx, decided, now);
  return decided.answers;
}

async function write(deps: PaymentsDeps, tx: Tx, { taken, changed, later }: Decided, now: Date): Promise<void> {
  const { platform, provider, jobs } = deps;
  await store.insertNotices(tx, taken.map(({ notice }) => ({
    provider: provider.name, notice_id: notice.noticeId, payment_id: notice.paymentId, kind: notice.kind,
    received_at: now,
  })));
  await store.setStates(tx, changed);
  const withEffect = (effect: Decided['taken'][number]['effect']) => taken.flatMap((one) => (
    one.effect === effect ? [{ paymentId: one.notice.paymentId, subject: one.subject }] : []
  ));
  const captured = withEffect('capture');
  if (captured.length > 0) await publish(deps, tx, 'payments.captured', { payments: captured });
  const declined = withEffect('decline');
  if (declined.length > 0) await publish(deps, tx, 'payments.declined', { payments: declined });
  const back = withEffect('give-back');
  await jobs.addAll(tx, JOB_GIVE_BACK, back.map(({ paymentId }) => ({ data: { paymentId } })));
  await jobs.addAll(tx, JOB_NOTICE, later.map(({ notice, at }) => ({ data: { ...notice }, startAfter: at })));
  for (const { paymentId } of back) platform.log.info({ paymentId }, 'money came too late; it goes back');
  for (const { paymentId } of withEffect('nothing')) platform.log.info({ paymentId }, 'notice without effect');
}
