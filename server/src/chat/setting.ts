/** How the talk of each show is held, in memory: asked at every message, changed now and then. */
import type { TalkSetting } from '@nacre/contract/moderation';
import { createLoadOnce } from '../lib/load-once.ts';
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
  const settings = createLoadOnce(SHOWS, deps.load);
  deps.bus.subscribe(CHANGED_TOPIC, (told) => settings.forget((told as { showId: string }).showId));
  return {
    of: settings.of,
    changed: (showId) => deps.bus.publish(CHANGED_TOPIC, { showId }),
  };
}
