/**
 * Port to whoever moves the money. The sandbox is the embedded default; providers of real money come beside it and tell
 * us by notices (webhooks) what became of a payment.
 */
import type { SandboxOutcome } from '@nacre/contract/orders';

export type { SandboxOutcome };

/** What became of a payment, in a provider's words. */
export type NoticeKind = 'captured' | 'declined';

/** A message of the provider. May come doubled, late and out of order. */
export interface Notice {
  /** The provider's own id of this message: the same message again has the same id. 1–200 characters. */
  noticeId: string;
  /** Our id of the payment, which the provider carries along. */
  paymentId: string;
  kind: NoticeKind;
}

/** A notice that a sandbox will send. */
export interface PlannedNotice {
  notice: Notice;
  /** When; null: at once. */
  at: Date | null;
}

/** What a sandbox knows of the payment that its payer decides. */
export interface SandboxAsk {
  paymentId: string;
  /** When the payer's time is over. */
  expiresAt: Date;
  now: Date;
}

export interface PaymentProvider {
  /** Stands beside each payment and notice; never changes once used. */
  readonly name: string;
  /** Where the payer pays: a path of ours, or an absolute URL. May stand in a frame. */
  pageUrl(paymentId: string): string;
  /**
   * Gives back all of a captured payment. Resolves when the provider has taken it on, and may be called again for the
   * same payment without giving back twice. Rejects when the provider does not answer; a job tries again.
   */
  refund(payment: { paymentId: string; amountMinor: bigint; currency: string }): Promise<void>;
  /** The notices that follow from the payer's choice on a sandbox's page, one at least; null where real money moves. */
  readonly decide: ((ask: SandboxAsk, outcome: SandboxOutcome) => PlannedNotice[]) | null;
}
