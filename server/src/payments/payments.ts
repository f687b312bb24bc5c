/**
 * The face of payments: collects money for a subject that it does not know, and gives back what came too late.
 *
 * Invariants: a payment is captured once at most, however often and in whatever order the provider tells us; money that
 * comes for a payment which is over is given back without anybody asking; no provider is called inside a transaction.
 */
import type { CounterMethod, Payment } from '@nacre/contract/orders';
import { Refusal } from '../lib/refusal.ts';
import type { Tx } from '../platform/database.ts';
import type { Jobs } from '../platform/jobs.ts';
import type { Platform } from '../platform/platform.ts';
import type { PaymentFacts } from './events.ts';
import type { Notice, PaymentProvider, SandboxOutcome } from './provider.ts';
import { effectOf, isOpen } from './states.ts';
import {
  idsBySubject, insertNotice, insertPayments, lockPayment, readPayment, setState, type PaymentRow,
} from './store.ts';

export interface PaymentsDeps {
  platform: Platform;
  jobs: Jobs;
  provider: PaymentProvider;
}

export interface PaymentCreate {
  /** What is paid for, e.g. `order/<uuid>`; one payment each. */
  subject: string;
  payerId: string;
  amountMinor: bigint;
  /** ISO 4217 */
  currency: string;
  /** After this the payer cannot begin to pay. What has begun may still arrive. */
  expiresAt: Date;
  /** A line for the payer, 1–200 characters, in no language: `N-1042 · Shop`. */
  description: string;
}

/**
 * What `cancel` found: `cancelled` now or before; `captured`: too late, the money is there; `over`: declined or given
 * back; `none`: no payment for this subject.
 */
export type CancelResult = 'cancelled' | 'captured' | 'over' | 'none';

/** Money that the shop itself has taken. */
export interface CounterPayment extends Omit<PaymentCreate, 'payerId' | 'expiresAt'> {
  method: CounterMethod;
}

/** Stands as provider beside what a shop collected itself: no provider of ours moved it, none can give it back. */
export const COUNTER = 'counter';

export interface Payments {
  /** Opens payments in the caller's transaction; where each is paid, in its place. */
  create(tx: Tx, payments: readonly PaymentCreate[]): Promise<Array<{ paymentId: string; pageUrl: string }>>;
  /**
   * Writes down, in the caller's transaction, what the shop has taken at its counter: captured at once, without a payer
   * whom we know. `refund` of it is the shop giving it back, at once.
   */
  takeAtCounter(tx: Tx, payment: CounterPayment): Promise<{ paymentId: string }>;
  /** Closes an open payment in the caller's transaction; money that still comes is given back. Repeatable. */
  cancel(tx: Tx, subject: string): Promise<CancelResult>;
  /** Gives a captured payment back, by a job. False when there is nothing captured. A repeat changes nothing. */
  refund(tx: Tx, subject: string): Promise<boolean>;
  /** Where to pay, by subject. */
  pagesOf(subjects: string[]): Promise<Map<string, string>>;
  /** @throws Refusal `payments.not_found`, also to everyone but the payer. */
  get(payerId: string, paymentId: string): Promise<Payment>;
  /**
   * The payer's choice on the sandbox's page.
   * @throws Refusal `payments.not_found`; `payments.not_pending` when it is decided; `payments.expired`.
   */
  decide(payerId: string, paymentId: string, outcome: SandboxOutcome): Promise<Payment>;
  /**
   * Takes a provider's notice; doubled ones count once.
   * @throws Refusal `payments.not_found` when the payment is not ours.
   */
  receive(notice: Notice): Promise<void>;
  /** The job behind `refund`; safe to run twice. */
  giveBack(paymentId: string): Promise<void>;
}

export const JOB_NOTICE = 'payments.sandbox-notice';
export const JOB_GIVE_BACK = 'payments.give-back';

export function createPayments(deps: PaymentsDeps): Payments {
  return {
    create: (tx, payments) => create(deps, tx, payments),
    takeAtCounter: (tx, payment) => takeAtCounter(deps, tx, payment),
    cancel: (tx, subject) => cancel(deps, tx, subject),
    refund: (tx, subject) => refund(deps, tx, subject),
    pagesOf: (subjects) => pagesOf(deps, subjects),
    get: (payerId, paymentId) => get(deps, payerId, paymentId),
    decide: (payerId, paymentId, outcome) => decide(deps, payerId, paymentId, outcome),
    receive: (notice) => deps.platform.database.transaction((tx) => receive(deps, tx, notice)),
    giveBack: (paymentId) => giveBack(deps, paymentId),
  };
}

async function create(
  deps: PaymentsDeps,
  tx: Tx,
  payments: readonly PaymentCreate[],
): Promise<Array<{ paymentId: string; pageUrl: string }>> {
  const now = deps.platform.clock.now();
  const rows = payments.map((payment): PaymentRow => ({
    id: deps.platform.newId(),
    provider: deps.provider.name,
    subject: payment.subject,
    payer_id: payment.payerId,
    amount_minor: payment.amountMinor,
    currency: payment.currency,
    description: payment.description,
    method: null,
    state: 'pending',
    expires_at: payment.expiresAt,
    refund_requested_at: null,
    created_at: now,
    updated_at: now,
  }));
  await insertPayments(tx, rows);
  return rows.map(({ id }) => ({ paymentId: id, pageUrl: deps.provider.pageUrl(id) }));
}

async function takeAtCounter(
  deps: PaymentsDeps, tx: Tx, { subject, amountMinor, currency, description, method }: CounterPayment,
): Promise<{ paymentId: string }> {
  const id = deps.platform.newId();
  const now = deps.platform.clock.now();
  await insertPayments(tx, [{
    id, provider: COUNTER, subject, payer_id: null, amount_minor: amountMinor, currency, description, method,
    state: 'captured', expires_at: now, refund_requested_at: null, created_at: now, updated_at: now,
  }]);
  await publish(deps, tx, 'payments.captured', { paymentId: id, subject });
  return { paymentId: id };
}

async function cancel(deps: PaymentsDeps, tx: Tx, subject: string): Promise<CancelResult> {
  const payment = await lockPayment(tx, { subject });
  if (payment === null) return 'none';
  if (payment.state === 'cancelled') return 'cancelled';
  if (payment.state === 'captured') return payment.refund_requested_at === null ? 'captured' : 'over';
  if (!isOpen(payment.state)) return 'over';
  await setState(tx, payment.id, { state: 'cancelled', at: deps.platform.clock.now() });
  return 'cancelled';
}

async function refund(deps: PaymentsDeps, tx: Tx, subject: string): Promise<boolean> {
  const payment = await lockPayment(tx, { subject });
  if (payment === null) return false;
  if (payment.state === 'refunded') return true;
  if (payment.state !== 'captured') return false;
  if (payment.provider === COUNTER) await givenBackAtCounter(deps, tx, payment);
  else if (payment.refund_requested_at === null) await requestRefund(deps, tx, payment.id);
  return true;
}

/** The shop hands the money back itself: there is nobody to ask. */
async function givenBackAtCounter(deps: PaymentsDeps, tx: Tx, { id, subject }: PaymentRow): Promise<void> {
  const now = deps.platform.clock.now();
  await setState(tx, id, { state: 'refunded', refundRequestedAt: now, at: now });
  await publish(deps, tx, 'payments.refunded', { paymentId: id, subject });
}

/** The intent, in the transaction; a job asks the provider. */
async function requestRefund(deps: PaymentsDeps, tx: Tx, paymentId: string): Promise<void> {
  const now = deps.platform.clock.now();
  await setState(tx, paymentId, { state: 'captured', refundRequestedAt: now, at: now });
  await deps.jobs.add(tx, JOB_GIVE_BACK, { paymentId });
}

async function pagesOf(deps: PaymentsDeps, subjects: string[]): Promise<Map<string, string>> {
  const rows = await idsBySubject(deps.platform.database.db, subjects);
  return new Map(rows.map((row) => [row.subject, deps.provider.pageUrl(row.id)]));
}

async function get(deps: PaymentsDeps, payerId: string, paymentId: string): Promise<Payment> {
  const payment = await readPayment(deps.platform.database.db, paymentId);
  if (payment === null || payment.payer_id !== payerId) throw new Refusal('payments.not_found');
  return viewOf(payment);
}

async function decide(
  deps: PaymentsDeps,
  payerId: string,
  paymentId: string,
  outcome: SandboxOutcome,
): Promise<Payment> {
  const { provider, jobs, platform } = deps;
  const { decide: rule } = provider;
  return platform.database.transaction(async (tx) => {
    const payment = await lockPayment(tx, { id: paymentId });
    if (payment === null || payment.payer_id !== payerId || rule === null || payment.provider !== provider.name) {
      throw new Refusal('payments.not_found');
    }
    if (payment.state !== 'pending') throw new Refusal('payments.not_pending', { details: { state: payment.state } });
    const now = platform.clock.now();
    if (payment.expires_at <= now) throw new Refusal('payments.expired');
    const { notice, afterMs } = rule(paymentId, outcome);
    if (afterMs === 0) {
      await receive(deps, tx, notice);
    } else {
      await setState(tx, paymentId, { state: 'processing', at: now });
      await jobs.add(tx, JOB_NOTICE, { ...notice }, new Date(now.getTime() + afterMs));
    }
    const after = await lockPayment(tx, { id: paymentId });
    if (after === null) throw new Error(`payment ${paymentId} is gone`);
    return viewOf(after);
  });
}

async function receive(deps: PaymentsDeps, tx: Tx, notice: Notice): Promise<void> {
  const { platform, provider } = deps;
  // The lock first: two notices of one payment take effect one after the other.
  const payment = await lockPayment(tx, { id: notice.paymentId });
  if (payment === null || payment.provider !== provider.name) throw new Refusal('payments.not_found');
  const now = platform.clock.now();
  const isNew = await insertNotice(tx, { ...notice, provider: provider.name, at: now });
  if (!isNew) return;
  const fact = { paymentId: payment.id, subject: payment.subject };
  const effect = effectOf(payment.state, notice.kind);
  if (effect === 'capture') {
    await setState(tx, payment.id, { state: 'captured', at: now });
    await publish(deps, tx, 'payments.captured', fact);
  } else if (effect === 'decline') {
    await setState(tx, payment.id, { state: 'declined', at: now });
    await publish(deps, tx, 'payments.declined', fact);
  } else if (effect === 'give-back') {
    platform.log.info({ paymentId: payment.id, state: payment.state }, 'money came too late; it goes back');
    await requestRefund(deps, tx, payment.id);
  } else {
    platform.log.info({ paymentId: payment.id, state: payment.state, kind: notice.kind }, 'notice without effect');
  }
}

async function giveBack(deps: PaymentsDeps, paymentId: string): Promise<void> {
  const { database, clock } = deps.platform;
  const before = await readPayment(database.db, paymentId);
  if (before === null || before.state !== 'captured' || before.refund_requested_at === null) return;
  await deps.provider.refund({ paymentId, amountMinor: before.amount_minor, currency: before.currency });
  await database.transaction(async (tx) => {
    const payment = await lockPayment(tx, { id: paymentId });
    // Another run of this job was quicker.
    if (payment === null || payment.state !== 'captured') return;
    await setState(tx, paymentId, { state: 'refunded', at: clock.now() });
    await publish(deps, tx, 'payments.refunded', { paymentId, subject: payment.subject });
  });
}

async function publish<T extends keyof PaymentFacts>(
  deps: PaymentsDeps,
  tx: Tx,
  topic: T,
  payload: PaymentFacts[T],
): Promise<void> {
  await deps.platform.outbox.publish(tx, { topic, payload: { ...payload } });
}

function viewOf(row: PaymentRow): Payment {
  return {
    id: row.id,
    amountMinor: Number(row.amount_minor),
    currency: row.currency,
    state: row.state,
    expiresAt: row.expires_at.toISOString(),
    subject: row.subject,
    description: row.description,
  };
}
