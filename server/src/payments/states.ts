/**
 * What a notice does to a payment. Pure.
 *
 *     pending → processing → captured → refunded
 *     pending | processing → captured | declined | cancelled | expired
 *     expired → captured: the money came late, and who asked for it decides
 *     declined | cancelled → captured, to be refunded: nobody waits for it any more
 */
import type { Payment } from '@nacre/contract/orders';
import type { NoticeKind } from './provider.ts';

export type PaymentState = Payment['state'];

/** `give-back`: the money has come and nobody waits for it any more. */
export type NoticeEffect = 'capture' | 'decline' | 'give-back' | 'nothing';

const EFFECTS: Record<PaymentState, Record<NoticeKind, NoticeEffect>> = {
  pending: { captured: 'capture', declined: 'decline' },
  processing: { captured: 'capture', declined: 'decline' },
  captured: { captured: 'nothing', declined: 'nothing' },
  refunded: { captured: 'nothing', declined: 'nothing' },
  declined: { captured: 'give-back', declined: 'nothing' },
  cancelled: { captured: 'give-back', declined: 'nothing' },
  expired: { captured: 'capture', declined: 'nothing' },
};

export function effectOf(state: PaymentState, kind: NoticeKind): NoticeEffect {
  return EFFECTS[state][kind];
}

/** Whether the payer has not been charged yet, and need not be. */
export function isOpen(state: PaymentState): boolean {
  return state === 'pending' || state === 'processing';
}
