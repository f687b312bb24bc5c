/** What a show knows that its figures stand on: when it ran, what was on screen, interest in its goods. */
import type { ShowState } from '@nacre/contract/shows';
import { showRoom } from '../realtime/channel.ts';
import { ownShow, type Parts } from './parts.ts';
import { isRunning } from './states.ts';
import * as store from './store.ts';

export interface FiguresOfShow {
  showId: string;
  title: string;
  state: ShowState;
  wentLiveAt: Date | null;
  endedAt: Date | null;
  /** ISO 4217 */
  currency: string;
  /** Now; 0 unless it runs. */
  viewers: number;
  peakViewers: number;
  /** Everything that ever was in the bag, by number. */
  items: Array<{ productId: string; number: number; cardsOpened: number; sheetsOpened: number }>;
  /** In order of time, the latest `SCREENS_MOST`; `endedAt` null: still on screen. */
  screens: Array<{ productId: string; startedAt: Date; endedAt: Date | null }>;
}

/** A change a minute for a day. Fewer leaves the beginning of a long show without its goods. */
const SCREENS_MOST = 1_440;

/** A time that a product was on screen; `number` in the bag, null when it never was in one. */
export interface ScreenTime {
  productId: string;
  number: number | null;
  startedAt: Date;
  endedAt: Date | null;
}

export async function screensOf(parts: Parts, showId: string): Promise<ScreenTime[]> {
  const { db } = parts.platform.database;
  const [items, screens] = await Promise.all([store.itemsOf(db, showId), store.intervals(db, showId, SCREENS_MOST)]);
  const numbers = new Map(items.map((item) => [item.product_id, item.number]));
  return screens.map((screen) => ({ ...screen, number: numbers.get(screen.productId) ?? null }));
}

export async function figuresOf(parts: Parts, personId: string, showId: string): Promise<FiguresOfShow> {
  const show = await ownShow(parts, showId, personId, 'figures.see');
  const { db } = parts.platform.database;
  const [items, screens] = await Promise.all([store.itemsOf(db, showId), store.intervals(db, showId, SCREENS_MOST)]);
  return {
    showId,
    title: show.title,
    state: show.state,
    wentLiveAt: show.went_live_at,
    endedAt: show.ended_at,
    currency: show.currency,
    viewers: isRunning(show.state) ? parts.channel.viewers(showRoom(showId)) : 0,
    peakViewers: Math.max(show.peak_viewers, parts.counts.pending(showId).peakViewers),
    items: items
      .map((item) => ({
        productId: item.product_id, number: item.number, cardsOpened: item.card_opened, sheetsOpened: item.sheet_opened,
      }))
      .sort((a, b) => a.number - b.number),
    screens,
  };
}
