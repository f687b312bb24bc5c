/** How the talk of each show is held, in memory: asked at every message, changed now and then. */
import type { TalkSetting } from '@nacre/contract/moderation';
import { LRUCache } from 'lru-cache';
import type { Bus } from '../platform/bus.ts';

const CHANGED_TOPIC = 'chat.setting';
/** Shows remembered. Fewer asks the database again for shows that run. */
const SHOWS = 5_000;

export const FREE_TALK: TalkSetting = { slowSeconds: 0, isQuiet: false };

export interface Settings {
  of(showId: string): Promise<TalkSetting>;
  /** Call it after the commit. */
  changed(showId: string): void;
}

export function createSettings(deps: { bus: Bus; load(showId: string): Promise<TalkSetting> }): Settings {
  const known = new LRUCache<string, Promise<TalkSetting>>({ max: SHOWS });
  deps.bus.subscribe(CHANGED_TOPIC, (told) => void known.delete((told as { showId: string }).showId));
  return {
    of(showId) {
      const found = known.get(showId);
      if (found !== undefined) return found;
      const loading = deps.load(showId);
      known.set(showId, loading);
      loading.catch(() => {
        if (known.get(showId) === loading) known.delete(showId);
      });
      return loading;
    },
    changed: (showId) => deps.bus.publish(CHANGED_TOPIC, { showId }),
  };
}
