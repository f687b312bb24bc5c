/** Whether what was just over can be seen again: asked for a while after the end. Called while a component is made. */
import type { Replay } from '@nacre/contract/replays';
import { api, ask } from '#lib/api.ts';

/** A replay is there within seconds; what is not there by then was not recorded. */
const askEveryMs = 1_500;
const asks = 8;

/** @param isOver the show has ended while this page was open */
export function watchForReplay(showIdOf: () => string, isOver: () => boolean): { readonly isReady: boolean } {
  let isReady = $state(false);
  $effect(() => {
    if (!isOver() || isReady) return;
    let left = asks;
    const timer = setInterval(async () => {
      left -= 1;
      if (left <= 0) clearInterval(timer);
      const answer = ask(api.GET('/api/shows/{showId}/replay', { params: { path: { showId: showIdOf() } } }));
      const found = (await answer.catch(() => null)) as Replay | null;
      if (found?.state !== 'ready') return;
      isReady = true;
      clearInterval(timer);
    }, askEveryMs);
    return () => clearInterval(timer);
  });
  return {
    get isReady() {
      return isReady;
    },
  };
}
