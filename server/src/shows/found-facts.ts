/** What discovery needs to know of shows: of public ones that were not called off, and nothing of the others. */
import type { SpokenLanguage } from '@nacre/contract/languages';
import type { ShowState } from '@nacre/contract/shows';
import type { Db } from '../platform/database.ts';
import * as found from './found-store.ts';
import { isRunning } from './states.ts';
import * as store from './store.ts';

export interface ShowFacts {
  id: string;
  shopId: string;
  title: string;
  description: string;
  language: SpokenLanguage;
  state: ShowState;
  /** When it begins, began or ended, by its state. */
  at: Date;
  /** What it sells now; empty unless it runs. */
  goods: Array<{ productId: string; number: number }>;
  onScreenProductId: string | null;
}

export async function factsOf(db: Db, ids: readonly string[]): Promise<ShowFacts[]> {
  const rows = (await store.publicShows(db, ids)).filter(({ state }) => state !== 'cancelled');
  const running = rows.filter((row) => isRunning(row.state)).map((row) => row.id);
  const [items, screens] = await Promise.all([found.bagsOf(db, running), store.screensOf(db, running)]);
  const goods = Map.groupBy(items, (item) => item.showId);
  const screenOf = new Map(screens.map((screen) => [screen.showId, screen.productId]));
  return rows.map((row) => ({
    id: row.id,
    shopId: row.shop_id,
    title: row.title,
    description: row.description,
    language: row.language as SpokenLanguage,
    state: row.state,
    at: (row.state === 'ended' ? row.ended_at : isRunning(row.state) ? row.went_live_at : null) ?? row.starts_at,
    goods: (goods.get(row.id) ?? []).map(({ productId, number }) => ({ productId, number })),
    onScreenProductId: screenOf.get(row.id) ?? null,
  }));
}
