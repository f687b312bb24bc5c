/** What a screen reader is told at once of what happens in a show. */
import { priceWords } from '#lib/catalog.ts';
import type { I18n } from '#lib/i18n/i18n.svelte.ts';
import type { ShowState } from '@nacre/contract/shows';
import type { Notice } from '#lib/room.svelte.ts';
import type { Talk } from './talk.svelte.ts';

/** Null for what needs no words. */
export function noticeWords(notice: Notice, i18n: I18n): string | null {
  const { t, format } = i18n;
  switch (notice.kind) {
    case 'on-screen': {
      const { product, number } = notice.item;
      const price = priceWords(product, i18n);
      return t('viewer.live_on_screen', { number: format.number(number), title: product.title, price });
    }
    case 'price': {
      const { product } = notice.item;
      const price = format.price({ amountMinor: notice.priceMinor, currency: product.currency });
      return t('viewer.live_price', { title: product.title, price });
    }
    case 'talk':
      if (notice.to.isQuiet) return t('viewer.chat_paused');
      return notice.to.slowSeconds > 0
        ? t('viewer.chat_slow', { count: notice.to.slowSeconds })
        : t('viewer.chat_free');
    case 'state':
      if (notice.to === 'interrupted') return t('viewer.live_interrupted');
      if (notice.to === 'ended') return t('viewer.live_ended');
      if (notice.to === 'live') return t(notice.from === 'interrupted' ? 'viewer.live_back' : 'viewer.live_started');
      return null;
  }
}

/** Why this viewer cannot write now; null when they can. */
export function whyClosed(
  state: ShowState, talk: Pick<Talk, 'measure' | 'isPaused'>, { t }: I18n,
): string | null {
  if (state === 'planned') return t('viewer.chat_not_yet');
  if (state !== 'live' && state !== 'interrupted') return t('viewer.chat_closed');
  if (talk.measure) return t('viewer.chat_not_you');
  return talk.isPaused ? t('viewer.chat_paused') : null;
}
