/** A coupon in words: what it takes off, and when. */
import type { Coupon } from '@nacre/contract/coupons';
import type { I18n } from '#lib/i18n/i18n.svelte.ts';

type Value = Pick<Coupon, 'amountMinor' | 'percent' | 'mostMinor' | 'currency'>;

/** What comes off, in the fewest signs: on the ticket. */
export function shortValue({ amountMinor, percent, currency }: Value, { format }: I18n): string {
  return amountMinor === null ? format.percent((percent ?? 0) / 100) : format.price({ amountMinor, currency });
}

export function valueWords({ amountMinor, percent, mostMinor, currency }: Value, { t, format }: I18n): string {
  if (amountMinor !== null) return t('coupon.off', { amount: format.price({ amountMinor, currency }) });
  const share = format.percent((percent ?? 0) / 100);
  if (mostMinor === null) return t('coupon.percent_off', { percent: share });
  const most = format.price({ amountMinor: mostMinor, currency });
  return t('coupon.percent_off_most', { percent: share, most });
}

/** From which sum on, for which goods, until when. */
export function conditionWords(coupon: Coupon, i18n: I18n): string {
  const { t, format } = i18n;
  const { minimumMinor, productIds, currency, validUntil } = coupon;
  return [
    minimumMinor === 0
      ? t('coupon.any')
      : t('coupon.from', { amount: format.price({ amountMinor: minimumMinor, currency }) }),
    ...(productIds === null ? [] : [t('coupon.some_goods', { count: productIds.length })]),
    t('coupon.until', { when: isSoon(validUntil) ? format.dateTime(validUntil) : format.date(validUntil) }),
  ].join(' · ');
}

/** The hour matters when it is near. */
const isSoon = (instant: string) => Date.parse(instant) - Date.now() < 2 * 24 * 3_600_000;
