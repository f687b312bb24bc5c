/** Claiming by a tap: a guest signs in on the way, and what comes of it is said. */
import type { I18n } from '#lib/i18n/i18n.svelte.ts';
import { loadMessages } from '#lib/i18n/load.ts';
import { sayError } from '#lib/problem.ts';
import type { Session } from '#lib/session.svelte.ts';
import { say } from '#lib/toast.svelte.ts';
import type { OwnCoupons } from './own.svelte.ts';

export async function claimCoupon(own: OwnCoupons, couponId: string, session: Session, i18n: I18n): Promise<void> {
  if (!session.person) {
    if (!(await session.askSignIn())) return;
    await own.renew();
  }
  try {
    await own.claim(couponId);
    await loadMessages(i18n.locale, 'coupon');
    say(i18n.t('coupon.claimed_toast'));
  } catch (error) {
    say(await sayError(error, i18n));
  }
}
