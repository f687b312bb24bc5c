/** What happens behind the bell while a page of the market is open. Loaded when the page has come to rest. */
import type { Notification } from '@nacre/contract/notifications';
import type { PersonalEvent } from '@nacre/contract/realtime';
import { invalidate } from '$app/navigation';
import { api, ask } from '#lib/api.ts';
import { createRealtime } from '#lib/realtime.svelte.ts';

export interface Watching {
  onCount: (count: (now: number) => number) => void;
  onNews: (news: Notification) => void;
  /** Everything else that concerns the person. */
  onOther: (event: PersonalEvent) => void;
}

/** @returns what ends it */
export function watchNews({ onCount, onNews, onOther }: Watching): () => void {
  const count = async () => {
    const { unread } = await ask(api.GET('/api/me/notifications/unread'));
    onCount(() => unread);
  };
  const realtime = createRealtime();
  const leave = realtime.onOwn((event) => {
    if (event.type !== 'own-news') return onOther(event);
    onCount((now) => now + 1);
    onNews(event.news);
    void invalidate('nacre:news');
  });
  // Without a network the bell stays as it is.
  count().catch(() => undefined);
  return () => {
    leave();
    realtime.stop();
  };
}
