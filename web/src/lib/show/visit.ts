/** Tells the server once how the viewer came. Loaded after the page answers; a telling that fails is not missed. */
import { replaceState } from '$app/navigation';
import { page } from '$app/state';
import { api, ask } from '#lib/api.ts';
import { sourceOf } from './source.ts';

/** The picture and the room come first; whoever is gone before has seen nothing. */
const laterMs = 2_000;

/** @param before path of the page of ours before this one; null for the first page */
export function tellVisit(showId: string, before: string | null): void {
  const url = new URL(location.href);
  const body = sourceOf({ before, url, referrer: document.referrer });
  // The address goes on to others: they come by themselves, not by the poster.
  if (url.searchParams.has('from')) {
    url.searchParams.delete('from');
    replaceState(url, page.state);
  }
  setTimeout(() => {
    const path = { params: { path: { showId } } };
    void ask(api.POST('/api/shows/{showId}/visit', { ...path, body })).catch(() => undefined);
  }, laterMs);
}
