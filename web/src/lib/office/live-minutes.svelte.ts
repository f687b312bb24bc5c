/** A show's minutes, renewed while it runs and somebody looks. */
import type { ShowMinutes } from '@nacre/contract/analytics';
import { loadMinutes } from './office-api.ts';
import { nextFrom, renewed } from './minutes-model.ts';
import { createResource, type Resource } from './resource.svelte.ts';

/** The server writes every two seconds. More often asks for what is not there, less often feels dead. */
const renewEveryMs = 4_000;

export interface LiveMinutes extends Resource<ShowMinutes> {
  /** In the browser only; returns the way out. */
  start: () => () => void;
}

export function createLiveMinutes(showId: string): LiveMinutes {
  let known: ShowMinutes | null = null;
  const resource = createResource<ShowMinutes>(async () => {
    known = renewed(known, await loadMinutes(showId, nextFrom(known)));
    return known;
  });
  const isOver = () => known?.state === 'ended' || known?.state === 'cancelled';

  return Object.assign(Object.create(resource) as Resource<ShowMinutes>, {
    start() {
      void resource.load();
      const timer = setInterval(() => {
        if (!document.hidden && !resource.loading && !isOver()) void resource.load();
      }, renewEveryMs);
      return () => clearInterval(timer);
    },
  });
}
