/**
 * What holds now, in memory, so that a message and a join cost no query: per shop its bans, mutes, suspension and word
 * list, and for the whole market who may not talk.
 *
 * Invariant: what a reader gets was read after the last change that the bus told of. Time is asked at each question,
 * because what is over is over without anybody telling.
 */
import { createLoadOnce } from '../lib/load-once.ts';
import type { Bus } from '../platform/bus.ts';
import type { MeasureRow } from './store.ts';
import { createMatcher } from './words.ts';

export const CHANGED_TOPIC = 'moderation.changed';
/** For `changed`: who may not talk anywhere. */
export const TALK_KEY = 'talk';
/** Shops remembered. Fewer asks the database again for shops that are live; each costs its measures. */
const SHOPS = 2_000;

export interface ShopForce {
  /** By name of a viewer (`person/<id>`, `guest/<id>`). */
  bans: ReadonlyMap<string, MeasureRow>;
  /** By show and person. */
  mutes: ReadonlyMap<string, MeasureRow>;
  live: MeasureRow | null;
  hasWord(text: string): boolean;
}

/** Whether a measure holds at a moment. Null `until` is for good, or to the end of the show. */
export function isInForce(row: Pick<MeasureRow, 'lifted_at' | 'until'>, at: Date): boolean {
  return row.lifted_at === null && (row.until === null || row.until > at);
}

/** Of two of a kind the one that holds longer counts. */
function isLonger(row: MeasureRow, than: MeasureRow | undefined): boolean {
  if (than === undefined || row.until === null) return true;
  return than.until !== null && row.until > than.until;
}

export function muteKey(showId: string, personId: string): string {
  return `${showId} ${personId}`;
}

export function forceOf(rows: readonly MeasureRow[], words: readonly string[]): ShopForce {
  const bans = new Map<string, MeasureRow>();
  const mutes = new Map<string, MeasureRow>();
  let live: MeasureRow | null = null;
  const put = (map: Map<string, MeasureRow>, key: string, row: MeasureRow) => {
    if (isLonger(row, map.get(key))) map.set(key, row);
  };
  for (const row of rows) {
    if (row.kind === 'ban') {
      put(bans, `person/${row.person_id}`, row);
      for (const guestId of row.guest_ids) put(bans, `guest/${guestId}`, row);
    } else if (row.kind === 'mute' && row.show_id !== null && row.person_id !== null) {
      put(mutes, muteKey(row.show_id, row.person_id), row);
    } else if (row.kind === 'live' && isLonger(row, live ?? undefined)) live = row;
  }
  return { bans, mutes, live, hasWord: createMatcher(words) };
}

export interface InForce {
  ofShop(shopId: string): Promise<ShopForce>;
  /** Who may not talk anywhere, by person. */
  ofTalk(): Promise<ReadonlyMap<string, MeasureRow>>;
  /** Call it after the commit. */
  changed(key: string): void;
  stop(): void;
}

export function createInForce(deps: {
  bus: Bus;
  loadShop(shopId: string): Promise<ShopForce>;
  loadTalk(): Promise<ReadonlyMap<string, MeasureRow>>;
}): InForce {
  const shops = createLoadOnce(SHOPS, deps.loadShop);
  const talk = createLoadOnce(1, deps.loadTalk);

  const stop = deps.bus.subscribe(CHANGED_TOPIC, (told) => {
    const { key } = told as { key: string };
    (key === TALK_KEY ? talk : shops).forget(key);
  });

  return {
    ofShop: shops.of,
    ofTalk: () => talk.of(TALK_KEY),
    changed: (key) => deps.bus.publish(CHANGED_TOPIC, { key }),
    stop,
  };
}
