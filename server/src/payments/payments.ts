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
import type { Notice, PaymentProvider, SandboxOutcome } from './provider.ts';
import { createReceiver } from './receiving.ts';
import { isOpen } from './states.ts';
import {
  idsBySubject, insertPayments, lockPayments, readPayment, setStates, type PaymentRow,
} from './store.ts';
import { JOB_GIVE_BACK, publish } from './telling.ts';

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
  /**
   * Closes open payments whose time is over, in the caller's transaction; what still comes is captured and told, and
   * the caller decides then. Repeatable. @returns the subjects whose money is there: of these nothing changed
   */
  expire(tx: Tx, subjects: readonly string[]): Promise<Set<string>>;
  /**
   * Gives captured payments back, by jobs. A repeat changes nothing.
   * @returns the subjects that go back, or went; the others have nothing captured
   */
  refund(tx: Tx, subjects: readonly string[]): Promise<Set<string>>;
  /** Where to pay, by subject. */
  pagesOf(subjects: string[]): Promise<Map<string, string>>;
  /** @throws Refusal `payments.not_found`, also to everyone but the payer. */
  get(payerId: string, paymentId: string): Promise<Payment>;
  /**
   * The payer's choice on the sandbox's page.
   * @throws Refusal `payments.not_found`; `payments.not_pending` when it is decided; `payments.expired`;
   * `payments.rush` when too many wait.
   */
  decide(payerId: string, paymentId: string, outcome: SandboxOutcome): Promise<Payment>;
  /**
   * Takes a provider's notice; doubled ones count once. Resolves when it is written.
   * @throws Refusal `payments.not_found` when the payment is not ours; `payments.rush` when too many wait: the same
   * notice is good for the next try.
   */
  receive(notice: Notice): Promise<void>;
  /** The job behind `refund`; safe to run twice. */
  giveBack(paymentId: string): Promise<void>;
}

export function createPayments(deps: PaymentsDeps): Payments {
  const receiver = createReceiver(deps);
  return {
    create: (tx, payments) => create(deps, tx, payments),
    takeAtCounter: (tx, payment) => takeAtCounter(deps, tx, payment),
    cancel: (tx, subject) => cancel(deps, tx, subject),
    expire: (tx, subjects) => expire(deps, tx, subjects),
    refund: (tx, subjects) => refund(deps, tx, subjects),
    pagesOf: (subjects) => pagesOf(deps, subjects),
    get: (payerId, paymentId) => get(deps, payerId, paymentId),
    decide: async (payerId, paymentId, outcome) => (
      viewOf(await receiver.add({ choice: { payerId, paymentId, outcome } }))
    ),
    receive: async (notice) => void (await receiver.add({ notice })),
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
  await publish(deps, tx, 'payments.captured', { payments: [{ paymentId: id, subject }] });
  return { paymentId: id };
}

async function cancel(deps: PaymentsDeps, tx: Tx, subject: string): Promise<CancelResult> {
  const [payment] = await lockPayments(tx, { subjects: [subject] });
  if (payment === undefined) return 'none';
  if (payment.state === 'cancelled') return 'cancelled';
  if (payment.state === 'captured') return payment.refund_requested_at === null ? 'captured' : 'over';
  if (!isOpen(payment.state)) return 'over';
  await setStates(tx, [{ ...payment, state: 'cancelled', updated_at: deps.platform.clock.now() }]);
  return 'cancelled';
}

async function expire(deps: PaymentsDeps, tx: Tx, subjects: readonly string[]): Promise<Set<string>> {
  const now = deps.platform.clock.now();
  const payments = await lockPayments(tx, { subjects });
  const open = payments.filter(({ state }) => isOpen(state));
  await setStates(tx, open.map((payment) => ({ ...payment, state: 'expired', updated_at: now })));
  const isPaid = ({ state, refund_requested_at: back }: PaymentRow) => state === 'captured' && back === null;
  return new Set(payments.filter(isPaid).map(({ subject }) => subject));
}

async function refund(deps: PaymentsDeps, tx: Tx, subjects: readonly string[]): Promise<Set<string>> {
  if (subjects.length === 0) return new Set();
  const now = deps.platform.clock.now();
  const payments = await lockPayments(tx, { subjects });
  const asked = payments.filter(({ state, refund_requested_at: back }) => state === 'captured' && back === null);
  // What the counter took the shop hands back itself: there is nobody to ask.
  const atCounter = asked.filter(({ provider }) => provider === COUNTER);
  const ofProvider = asked.filter(({ provider }) => provider !== COUNTER);
  await setStates(tx, asked.map((payment) => ({
    ...payment, state: payment.provider === COUNTER ? 'refunded' : 'captured', refund_requested_at: now,
    updated_at: now,
  })));
  for (const { id, subject } of atCounter) await publish(deps, tx, 'payments.refunded', { paymentId: id, subject });
  await deps.jobs.addAll(tx, JOB_GIVE_BACK, ofProvider.map(({ id }) => ({ data: { paymentId: id } })));
  return new Set(payments.filter(({ state }) => state === 'captured' || state === 'refunded')
    .map(({ subject }) => subject));
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

async function giveBack(deps: PaymentsDeps, paymentId: string): Promise<void> {
  const { database, clock } = deps.platform;
  const before = await readPayment(database.db, paymentId);
  if (before === null || before.state !== 'captured' || before.refund_requested_at === null) return;
  await deps.provider.refund({ paymentId, amountMinor: before.amount_minor, currency: before.currency });
  await database.transaction(async (tx) => {
    const [payment] = await lockPayments(tx, { ids: [paymentId] });
    // Another run of this job was quicker.
    if (payment?.state !== 'captured') return;
    await setStates(tx, [{ ...payment, state: 'refunded', updated_at: clock.now() }]);
    await publish(deps, tx, 'payments.refunded', { paymentId, subject: payment.subject });
  });
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
