/**
 * Beside the pages: says so when there is no network, shows pushes, opens what they are about.
 *
 * Invariants: nothing of the server is ever kept here, no page, answer or picture; only the loading of pages passes
 * through, and goes to the network first. So a new version can take over at any moment.
 */
import { self } from '$app/service-worker';
import type { PushMessage } from '@nacre/contract/notifications';
import { offlineResponse, type Reader } from './offline.ts';

const CACHE = 'nacre-reader';
const READER = '/reader';

interface Routes extends ExtendableEvent {
  /** Service Worker static routing; not everywhere yet. */
  addRoutes?: (rules: object) => Promise<void>;
}

self.addEventListener('install', (event: Routes) => {
  void self.skipWaiting();
  // All but pages goes past this worker without waking it.
  const past = { condition: { not: { requestMode: 'navigate' } }, source: 'network' };
  event.waitUntil(Promise.resolve(event.addRoutes?.(past)).catch(() => undefined));
});

self.addEventListener('activate', (event) => {
  // The page is asked for while this worker wakes up, not after.
  const preload = self.registration.navigationPreload?.enable();
  event.waitUntil(Promise.all([self.clients.claim(), preload]));
});

self.addEventListener('fetch', (event) => {
  if (event.request.mode !== 'navigate' || event.request.method !== 'GET') return;
  event.respondWith(page(event));
});

async function page(event: FetchEvent): Promise<Response> {
  try {
    const preloaded = (await event.preloadResponse) as Response | undefined;
    return preloaded ?? (await fetch(event.request));
  } catch {
    return offlineResponse(await reader());
  }
}

/** What the last page said of itself. */
async function reader(): Promise<Reader> {
  const kept = await (await caches.open(CACHE)).match(READER);
  return kept ? ((await kept.json()) as Reader) : { lang: self.navigator.language, theme: 'system' };
}

self.addEventListener('message', (event) => {
  const { lang, theme } = (event.data ?? {}) as Partial<Reader>;
  if (typeof lang !== 'string' || typeof theme !== 'string') return;
  const kept = new Response(JSON.stringify({ lang, theme }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.put(READER, kept)));
});

self.addEventListener('push', (event) => {
  event.waitUntil(show(event.data));
});

async function show(data: PushMessageData | null): Promise<void> {
  let message: Partial<PushMessage> = {};
  try {
    message = (data?.json() ?? {}) as Partial<PushMessage>;
  } catch {
    // Not ours. A browser ends a subscription whose pushes show nothing.
  }
  const { title = 'Nacre', body = '', url = '/', tag = '', lang = '', dir = 'auto' } = message;
  await self.registration.showNotification(title, {
    body, tag, lang, dir, icon: '/icons/192.png', badge: '/icons/badge-96.png', data: { url },
  });
}

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const { url } = (event.notification.data ?? {}) as { url?: string };
  event.waitUntil(open(new URL(url ?? '/', self.location.origin)));
});

/** The page that shows it already, else one of its own: a show that is open must not be taken away. */
async function open(url: URL): Promise<void> {
  if (url.origin !== self.location.origin) return;
  const windows = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const there = windows.find((window) => new URL(window.url).pathname === url.pathname);
  await (there ? there.focus() : self.clients.openWindow(url.href));
}
