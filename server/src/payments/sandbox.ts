/**
 * A provider without money: the payer chooses on a page of ours what becomes of the payment. Everything after that
 * choice goes the way of a real provider's notices.
 */
import type { NoticeKind, PaymentProvider, PlannedNotice } from './provider.ts';

/** "Takes long": long enough to see the waiting page and to close it, short enough for a demonstration. */
export const SANDBOX_SLOW_MS = 20_000;
/** "Too late": after the time to pay by so much, when holds have ended. */
export const SANDBOX_LATE_MS = 10_000;
/** What is told again comes so much later, when the first has long been written. */
export const SANDBOX_AGAIN_MS = 1_000;

export function createSandbox(): PaymentProvider {
  return {
    name: 'sandbox',
    pageUrl: (paymentId) => `/pay/sandbox/${paymentId}`,
    // There is nothing to give back, so giving back always succeeds.
    refund: async () => {},
    decide({ paymentId, expiresAt, now }, outcome) {
      const tell = (kind: NoticeKind, afterMs: number | null = null, more = ''): PlannedNotice => ({
        notice: { noticeId: `${paymentId}/${kind}${more}`, paymentId, kind },
        at: afterMs === null ? null : new Date(now.getTime() + afterMs),
      });
      switch (outcome) {
        case 'succeed': return [tell('captured')];
        case 'decline': return [tell('declined')];
        case 'slow': return [tell('captured', SANDBOX_SLOW_MS)];
        // The same message at once and later, and the same news under another id.
        case 'doubled': return [tell('captured'), tell('captured'), tell('captured', SANDBOX_AGAIN_MS),
          tell('captured', SANDBOX_AGAIN_MS, '/again')];
        // A first card was declined, the second paid; the news of the first is overtaken.
        case 'reordered': return [tell('captured'), tell('declined'), tell('declined', SANDBOX_AGAIN_MS, '/again')];
        case 'late': return [tell('captured', expiresAt.getTime() - now.getTime() + SANDBOX_LATE_MS)];
      }
    },
  };
}
