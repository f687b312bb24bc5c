/** Puts a show's figures together from what is kept here and what the show itself knows. */
import {
  FIGURE_MINUTES_MAX, SMALLEST_GROUP, type FigureCounts, type FigureMinute, type ShowMinutes, type VisitSource,
} from '@nacre/contract/analytics';
import type { Product } from '@nacre/contract/catalog';
import type { Db } from '../platform/database.ts';
import { addCounts, AFTER, BEFORE, noCounts, rowsOf, type Span } from './minutes.ts';
import * as store from './store.ts';

/** What the show knows of itself. */
export interface ShowKnown {
  showId: string;
  title: string;
  state: ShowMinutes['state'];
  wentLiveAt: Date | null;
  endedAt: Date | null;
  currency: string;
  viewers: number;
  peakViewers: number;
  items: ReadonlyArray<{ productId: string; number: number; cardsOpened: number; sheetsOpened: number }>;
  screens: ReadonlyArray<{ productId: string; startedAt: Date; endedAt: Date | null }>;
}

export interface ReadingDeps {
  db: Db;
  now(): Date;
  productsByIds(ids: readonly string[]): Promise<Map<string, Product>>;
}

/** Other websites that are told apart; more is a list that nobody reads. */
const HOSTS_SHOWN = 10;

/** @param from first minute that is wanted */
export async function readMinutes(deps: ReadingDeps, show: ShowKnown, from: number): Promise<ShowMinutes> {
  const { db } = deps;
  const { showId } = show;
  const now = deps.now();
  const span: Span = { startMs: show.wentLiveAt?.getTime() ?? null, endMs: show.endedAt?.getTime() ?? null };
  const [counted, placed, paid, takenBack, came, followed, watched, sources, countries, products] = await Promise.all([
    store.minutesOf(db, showId),
    store.ordersBy(db, showId, 'placed_at', span),
    store.ordersBy(db, showId, 'paid_at', span),
    store.ordersBy(db, showId, 'taken_back_at', span),
    store.visitsBy(db, showId, 'first_at', span),
    store.visitsBy(db, showId, 'followed_at', span),
    store.watchedBy(db, showId, now),
    store.sourcesOf(db, showId),
    store.countriesOf(db, showId),
    productsOf(deps, show),
  ]);
  const stretches = createStretches(rowsOf(span, now.getTime()));
  for (const row of counted) {
    const { heights, counts } = stretches.at(row.minute);
    counts.watchedSeconds += Math.round(Number(row.watched_ms) / 1000);
    counts.chats += row.chats;
    counts.explains += row.explains;
    counts.likes += Number(row.likes);
    counts.cardsOpened += row.cards_opened;
    counts.sheetsOpened += row.sheets_opened;
    if (heights === null) continue;
    heights.viewers = row.viewers;
    heights.peakViewers = row.peak_viewers;
    heights.differentViewers = row.different_viewers;
  }
  for (const row of placed) stretches.at(row.minute).counts.placed += Number(row.count);
  for (const row of paid) {
    const { counts } = stretches.at(row.minute);
    counts.paid += Number(row.count);
    counts.salesMinor += Number(row.total);
  }
  for (const row of takenBack) stretches.at(row.minute).counts.refundedMinor += Number(row.total);
  for (const row of followed) stretches.at(row.minute).counts.followers += Number(row.count);
  for (const row of came) {
    const { heights } = stretches.at(row.minute);
    if (heights !== null) heights.newViewers += Number(row.count);
  }
  return {
    showId, title: show.title, state: show.state, currency: show.currency,
    wentLiveAt: show.wentLiveAt?.toISOString() ?? null,
    endedAt: show.endedAt?.toISOString() ?? null,
    from,
    ...stretches.read(from),
    totals: {
      ...stretches.total(),
      viewers: show.viewers,
      peakViewers: show.peakViewers,
      differentViewers: watched.viewers,
      medianWatchedSeconds: watched.medianMs === null ? null : Math.round(watched.medianMs / 1000),
      meanWatchedSeconds: watched.meanMs === null ? null : Math.round(watched.meanMs / 1000),
    },
    screens: screensOf(show, span),
    products,
    sources: sourcesOf(sources.map(({ viewers, ...row }) => ({ ...row, viewers: Number(viewers) }))),
    countries: countriesOf(countries.map(({ country, viewers }) => ({ country, viewers: Number(viewers) }))),
  };
}

type Heights = Pick<FigureMinute, 'viewers' | 'peakViewers' | 'differentViewers' | 'newViewers'>;

/** Rows of the show, with what came before and after them. */
function createStretches(rows: number) {
  const minutes = Array.from({ length: rows }, () => ({
    heights: { viewers: 0, peakViewers: 0, differentViewers: 0, newViewers: 0 } as Heights, counts: noCounts(),
  }));
  const before = noCounts();
  const after = noCounts();
  return {
    /** What falls into no row is after: written at the very end, or past the last row. */
    at(minute: number): { heights: Heights | null; counts: FigureCounts } {
      if (minute === BEFORE) return { heights: null, counts: before };
      return minutes[minute] ?? { heights: null, counts: minute >= AFTER || rows > 0 ? after : before };
    },
    read(from: number): Pick<ShowMinutes, 'minutes' | 'before' | 'after'> {
      return {
        minutes: minutes.slice(from).map(({ heights, counts }, index) => (
          { minute: from + index, ...heights, ...counts }
        )),
        before, after,
      };
    },
    total(): FigureCounts {
      const sum = noCounts();
      for (const counts of [before, ...minutes.map((row) => row.counts), after]) addCounts(sum, counts);
      return sum;
    },
  };
}

function screensOf(show: ShowKnown, { startMs }: Span): ShowMinutes['screens'] {
  if (startMs === null) return [];
  const secondsOf = (at: Date) => Math.max(0, Math.round((at.getTime() - startMs) / 1000));
  const end = FIGURE_MINUTES_MAX * 60;
  return show.screens
    .map(({ productId, startedAt, endedAt }) => ({
      productId,
      fromSeconds: secondsOf(startedAt),
      toSeconds: endedAt === null ? null : Math.min(end, secondsOf(endedAt)),
    }))
    .filter(({ fromSeconds, toSeconds }) => fromSeconds < end && fromSeconds !== toSeconds);
}

async function productsOf(deps: ReadingDeps, show: ShowKnown): Promise<ShowMinutes['products']> {
  const [orders, known] = await Promise.all([
    store.productsOf(deps.db, show.showId),
    show.items.length === 0 ? new Map<string, Product>() : deps.productsByIds(show.items.map((item) => item.productId)),
  ]);
  const byProduct = new Map(orders.map((row) => [row.productId, row]));
  return show.items.map(({ productId, number, cardsOpened, sheetsOpened }) => {
    const order = byProduct.get(productId);
    const product = known.get(productId);
    return {
      productId, number, cardsOpened, sheetsOpened,
      title: product?.title ?? null,
      image: product?.images[0] ?? null,
      placed: Number(order?.placed ?? 0),
      paid: Number(order?.paid ?? 0),
      salesMinor: Number(order?.sales ?? 0),
      refundedMinor: Number(order?.refunded ?? 0),
    };
  });
}

/** Ways of our own each by itself; other websites with few viewers, and the many after the first, as one. */
export function sourcesOf(
  rows: ReadonlyArray<{ source: VisitSource | null; host: string | null; viewers: number }>,
): ShowMinutes['sources'] {
  const shown: ShowMinutes['sources'] = [];
  let hosts = 0;
  for (const row of rows) {
    const isHost = row.host !== null && row.viewers >= SMALLEST_GROUP && hosts < HOSTS_SHOWN;
    if (isHost) hosts += 1;
    const host = isHost ? row.host : null;
    const known = shown.find((other) => other.source === row.source && other.host === host);
    if (known === undefined) shown.push({ source: row.source, host, viewers: row.viewers });
    else known.viewers += row.viewers;
  }
  return shown.sort((a, b) => b.viewers - a.viewers);
}

/** Countries with few viewers are told as one, with those of whom no country is known. */
export function countriesOf(
  rows: ReadonlyArray<{ country: string | null; viewers: number }>,
): ShowMinutes['countries'] {
  const shown = rows.filter(({ country, viewers }) => country !== null && viewers >= SMALLEST_GROUP);
  const rest = rows.filter((row) => !shown.includes(row)).reduce((sum, { viewers }) => sum + viewers, 0);
  return [...shown, ...(rest > 0 ? [{ country: null, viewers: rest }] : [])];
}
