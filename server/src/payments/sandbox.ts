/**
 * A provider without money: the payer chooses on a page of ours what becomes of the payment. Everything after that
 * choice goes the way of a real provider's notices.
 */
import type { PaymentProvider } from './provider.ts';

/** "Takes long": long enough to see the waiting page and to close it, short enough for a demonstration. */
export const SANDBOX_SLOW_MS = 20_000;

export function createSandbox(): PaymentProvider {
  return {
    name: 'sandbox',
    pageUrl: (paymentId) => `/pay/sandbox/${paymentId}`,
    // There is nothing to give back, so giving back always succeeds.
    refund: async () => {},
    decide(paymentId, outcome) {
      const kind = outcome === 'decline' ? 'declined' : 'captured';
      return {
        notice: { noticeId: `${paymentId}/${kind}`, paymentId, kind },
        afterMs: outcome === 'slow' ? SANDBOX_SLOW_MS : 0,
      };
    },
  };
}
