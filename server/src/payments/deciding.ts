/**
 * What becomes of each notice and each choice of a batch, one after the other in the sequence in which they came. Pure:
 * the payments are read and locked before; what one does to a payment is so for the next.
 */
import { Refusal } from '../lib/refusal.ts';
import type { Notice, PaymentProvider, SandboxOutcome } from './provider.ts';
import { effectOf, type NoticeEffect } from './states.ts';
import type { PaymentRow } from './store.ts';

/** What the payer chose on the sandbox's page. */
export interface Choice {
  payerId: string;
  paymentId: string;
  outcome: SandboxOutcome;
}

export type Ask = { notice: Notice } | { choice: Choice };

/** What there is before the first of a batch. */
export interface Ground {
  provider: Pick<PaymentProvider, 'name' | 'decide'>;
  payments: ReadonlyMap<string, PaymentRow>;
  /** Ids of notices that were taken before. */
  seen: ReadonlySet<string>;
  now: Date;
}

export interface Decided {
  /** For each ask in its place: the payment after it, or why not. */
  answers: Array<PaymentRow | Refusal>;
  /** Notices that are new, with what each did. */
  taken: Array<{ notice: Notice; subject: string; effect: NoticeEffect }>;
  /** Payments that are not as they were. */
  changed: PaymentRow[];
  /** Notices that the sandbox sends later. */
  later: Array<{ notice: Notice; at: Date }>;
}

export function decideAll(asks: readonly Ask[], ground: Ground): Decided {
  const { provider, now } = ground;
  const payments = new Map(ground.payments);
  const seen = new Set(ground.seen);
  const changed = new Set<string>();
  const taken: Decided['taken'] = [];
  const later: Decided['later'] = [];

  function change(payment: PaymentRow, to: Partial<PaymentRow>): PaymentRow {
    const after = { ...payment, ...to, updated_at: now };
    payments.set(payment.id, after);
    changed.add(payment.id);
    return after;
  }

  function take(notice: Notice): PaymentRow {
    const payment = payments.get(notice.paymentId);
    if (payment === undefined || payment.provider !== provider.name) throw new Refusal('payments.not_found');
    if (seen.has(notice.noticeId)) return payment;
    seen.add(notice.noticeId);
    const effect = effectOf(payment.state, notice.kind);
    taken.push({ notice, subject: payment.subject, effect });
    switch (effect) {
      case 'capture': return change(payment, { state: 'captured' });
      case 'decline': return change(payment, { state: 'declined' });
      case 'give-back': return change(payment, { state: 'captured', refund_requested_at: now });
      case 'nothing': return payment;
    }
  }

  function choose({ payerId, paymentId, outcome }: Choice): PaymentRow {
    const payment = payments.get(paymentId);
    if (payment?.payer_id !== payerId || provider.decide === null || payment.provider !== provider.name) {
      throw new Refusal('payments.not_found');
    }
    if (payment.state !== 'pending') throw new Refusal('payments.not_pending', { details: { state: payment.state } });
    if (payment.expires_at <= now) throw new Refusal('payments.expired');
    let after: PaymentRow | null = null;
    for (const { notice, at } of provider.decide({ paymentId, expiresAt: payment.expires_at, now }, outcome)) {
      if (at === null) after = take(notice);
      else later.push({ notice, at });
    }
    return after ?? change(payment, { state: 'processing' });
  }

  const answers = asks.map((ask) => {
    try {
      return 'notice' in ask ? take(ask.notice) : choose(ask.choice);
    } catch (error) {
      if (error instanceof Refusal) return error;
      throw error;
    }
  });
  return { answers, taken, later, changed: [...changed].map((id) => payments.get(id)!) };
}

