/** What a viewer does in a show, over the HTTP API. Loaded after the picture, on the first thing done. */
import type { ChatMessage } from '@nacre/contract/chat';
import type { Page } from '@nacre/contract/common';
import type { Order } from '@nacre/contract/orders';
import type { Show } from '@nacre/contract/shows';
import { api, ask } from '#lib/api.ts';

const showPath = (showId: string) => ({ params: { path: { showId } } });

export async function sendChat(showId: string, clientId: string, text: string): Promise<ChatMessage> {
  return (await ask(
    api.POST('/api/shows/{showId}/chat', { ...showPath(showId), body: { clientId, text } }),
  )) as ChatMessage;
}

export async function sendLikes(showId: string, count: number): Promise<void> {
  await ask(api.POST('/api/shows/{showId}/likes', { ...showPath(showId), body: { count } }));
}

export async function loadShow(showId: string): Promise<Show> {
  return (await ask(api.GET('/api/shows/{showId}', showPath(showId)))) as Show;
}

/** Returns how many ask for this product now. */
export async function askToExplain(showId: string, productId: string): Promise<number> {
  const answer = await ask(api.POST('/api/shows/{showId}/explain', { ...showPath(showId), body: { productId } }));
  return (answer as { explainRequests: number }).explainRequests;
}

/** Counted once per viewer by the server. A count that is not taken must not disturb who is buying. */
export function tellOpened(showId: string, productId: string): void {
  void noteInterest(showId, productId, 'card_opened').catch(() => undefined);
}

/** The viewer went on to buy, whether or not they are signed in. Counted as `tellOpened` is. */
export function tellBuying(showId: string, productId: string): void {
  void noteInterest(showId, productId, 'sheet_opened').catch(() => undefined);
}

// More than the unpaid ones that a person may have.
const newestOrders = 10;

export async function loadNewestOrders(): Promise<Order[]> {
  const query = { limit: newestOrders };
  return ((await ask(api.GET('/api/orders', { params: { query } }))) as Page<Order>).items;
}

/** Puts a product aside, or takes it back. */
export async function setAside(showId: string, productId: string, isAside: boolean): Promise<void> {
  if (isAside) return noteInterest(showId, productId, 'bagged');
  const params = { path: { showId, productId } };
  await ask(api.DELETE('/api/shows/{showId}/aside/{productId}', { params }));
}

/** Ids of what this viewer has put aside. */
export async function loadAside(showId: string): Promise<string[]> {
  const answer = await ask(api.GET('/api/shows/{showId}/aside', showPath(showId)));
  return (answer as { productIds: string[] }).productIds;
}

type Kind = 'card_opened' | 'sheet_opened' | 'bagged';

async function noteInterest(showId: string, productId: string, kind: Kind): Promise<void> {
  await ask(api.POST('/api/shows/{showId}/interest', { ...showPath(showId), body: { productId, kind } }));
}

export async function setFollowing(slug: string, following: boolean, showId?: string): Promise<boolean> {
  const params = { params: { path: { slug } } };
  const answer = following
    ? ask(api.PUT('/api/shops/{slug}/follow', { ...params, body: showId ? { showId } : {} }))
    : ask(api.DELETE('/api/shops/{slug}/follow', params));
  return ((await answer) as { following: boolean }).following;
}
