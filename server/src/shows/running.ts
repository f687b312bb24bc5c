/** What happens while a show runs: goods on screen, wishes, interest, likes, figures. */
import type { ShowFigures } from '@nacre/contract/shows';
import { namesOf, viewerOf, type Actor } from '../http/actor.ts';
import { Refusal } from '../lib/refusal.ts';
import { afterCommit, type Tx } from '../platform/database.ts';
import { showRoom, studioRoom } from '../realtime/channel.ts';
import type { OrderFact } from '../orders/events.ts';
import * as asking from './asking-store.ts';
import { likesNow } from './counts.ts';
import { COUNTED_TOPIC, publishChange, type ShowCounted } from './events.ts';
import { locked, ownShow, visibleShow, type Parts } from './parts.ts';
import { isRunning } from './states.ts';
import * as store from './store.ts';
import type { ShowRow } from './store.ts';
import { interestOf } from './view.ts';

/** @throws Refusal `shows.not_found`, `shows.not_live`, `moderation.banned` */
async function runningShow(parts: Parts, showId: string, actor: Actor): Promise<ShowRow> {
  const show = await visibleShow(parts, showId, actor);
  if (!isRunning(show.state)) throw new Refusal('shows.not_live');
  await parts.guard.assertNotBanned(show.shop_id, actor);
  return show;
}

/** Null takes what is on screen away. The open interval ends and the next begins in one transaction. */
export async function putOnScreen(
  parts: Parts, personId: string, showId: string, productId: string | null,
): Promise<void> {
  await ownShow(parts, showId, personId, 'show.run');
  const { database, clock, newId } = parts.platform;
  await database.transaction(async (tx) => {
    const show = await locked(tx, showId);
    if (!isRunning(show.state)) throw new Refusal('shows.not_live');
    const items = await store.itemsOf(tx, showId);
    const item = items.find((known) => known.product_id === productId && !known.removed);
    if (productId !== null && item === undefined) throw new Refusal('shows.not_in_bag');
    if ((await store.onScreenNow(tx, showId)) === productId) return;
    const now = clock.now();
    await store.closeInterval(tx, showId, now);
    await publishChange(parts.platform.outbox, tx, showId);
    if (productId !== null) {
      await store.openInterval(tx, { id: newId(), show_id: showId, product_id: productId, started_at: now });
      await asking.answerExplains(tx, showId, productId, now);
    }
    afterCommit(tx, () => {
      const room = showRoom(showId);
      parts.channel.publish(room, { type: 'on-screen', productId, number: item?.number ?? null });
      if (item === undefined || item.explain_open === 0) return;
      parts.channel.publish(room, { type: 'explain', productId: item.product_id, count: 0 });
    });
  });
}

/** @returns how many wait for it now */
export async function explain(parts: Parts, actor: Actor, showId: string, productId: string): Promise<number> {
  await runningShow(parts, showId, actor);
  const { database, clock } = parts.platform;
  const ask = { showId, productId, viewer: viewerOf(actor), at: clock.now() };
  return database.transaction(async (tx) => {
    const answer = await asking.askToExplain(tx, ask);
    if (answer === null) throw new Refusal('shows.not_in_bag');
    if (answer.changed) {
      afterCommit(tx, () => {
        parts.channel.publish(showRoom(showId), { type: 'explain', productId, count: answer.open });
        parts.studio.mark(showId, productId);
        tellCounted(parts, { showId, what: 'explained', count: 1 });
      });
    }
    return answer.open;
  });
}

/** What a page may tell of its viewer. */
export type NotedKind = Exclude<asking.InterestKind, 'bought'>;

export async function noteInterest(
  parts: Parts, actor: Actor, showId: string, productId: string, kind: NotedKind,
): Promise<void> {
  await runningShow(parts, showId, actor);
  const { database, clock } = parts.platform;
  const note = { showId, productId, viewer: viewerOf(actor), kind, at: clock.now() };
  const isNew = await asking.noteInterest(database.db, note);
  if (isNew === null) throw new Refusal('shows.not_in_bag');
  if (kind === 'bagged') await asking.putAside(database.db, note);
  if (!isNew) return;
  parts.studio.mark(showId, productId);
  tellCounted(parts, { showId, what: kind, count: 1 });
}

export function tellCounted(parts: Pick<Parts, 'platform'>, counted: ShowCounted): void {
  parts.platform.bus.publish(COUNTED_TOPIC, counted);
}

/** What was counted stays counted: somebody wanted it once. */
export async function takeBack(parts: Parts, actor: Actor, showId: string, productId: string): Promise<void> {
  await visibleShow(parts, showId, actor);
  await asking.takeBack(parts.platform.database.db, { showId, productId, viewers: namesOf(actor) });
}

export async function aside(parts: Parts, actor: Actor, showId: string): Promise<string[]> {
  await visibleShow(parts, showId, actor);
  return asking.asideOf(parts.platform.database.db, showId, namesOf(actor));
}

/** @returns the total */
export async function like(parts: Parts, actor: Actor, showId: string, count: number): Promise<number> {
  if (!Number.isSafeInteger(count) || count < 1) throw new Refusal('request.invalid', { details: { field: 'count' } });
  const show = await runningShow(parts, showId, actor);
  return parts.counts.like(showId, viewerOf(actor), count, Number(show.likes));
}

export async function figures(parts: Parts, personId: string, showId: string): Promise<ShowFigures> {
  const show = await ownShow(parts, showId, personId, 'figures.see');
  const [items, newFollowers] = await Promise.all([
    store.itemsOf(parts.platform.database.db, showId),
    parts.newFollowersOf(showId),
  ]);
  const pending = parts.counts.pending(showId);
  return {
    viewers: isRunning(show.state) ? parts.channel.viewers(showRoom(showId)) : 0,
    peakViewers: Math.max(show.peak_viewers, pending.peakViewers),
    likes: likesNow(show.likes, pending),
    newFollowers,
    placed: show.placed_orders,
    orders: show.paid_orders,
    salesMinor: Number(show.sales_minor),
    refundedMinor: Number(show.refunded_minor),
    currency: show.currency,
    interest: items.map(interestOf).sort((a, b) => a.number - b.number),
  };
}

/**
 * Orders of shows were paid: their goods count as bought, once per buyer and product, and the rooms hear of it. Runs in
 * the outbox's transaction, so it happens exactly once.
 */
export async function noteBought(parts: Parts, tx: Tx, paid: readonly OrderFact[]): Promise<void> {
  const ofShow = Map.groupBy(paid.filter(({ showId }) => showId !== null), ({ showId }) => showId!);
  if (ofShow.size === 0) return;
  // The shows before their goods, as all others lock them.
  const known = await store.addSales(tx, [...ofShow].map(([showId, orders]) => ({
    showId, orders: orders.length, goodsMinor: orders.reduce((sum, order) => sum + goodsOf(order), 0n),
  })));
  const bought = [...ofShow].flatMap(([showId, orders]) => (known.has(showId) ? orders.flatMap((order) => (
    order.lines.map(({ productId }) => ({ showId, productId, viewer: `person/${order.buyerId}` }))
  )) : []));
  await asking.noteAllBought(tx, bought, parts.platform.clock.now());
  afterCommit(tx, () => {
    for (const [showId, orders] of ofShow) if (known.has(showId)) tellBought(parts, showId, orders);
    for (const { showId, productId } of bought) parts.studio.mark(showId, productId);
    for (const showId of known) parts.studio.markSales(showId);
  });
}

/** Without sending, which is not the shop's. */
const goodsOf = ({ goodsMinor, totalMinor }: OrderFact): bigint => BigInt(goodsMinor ?? totalMinor);

/** A paid order of a show was cancelled: its goods' money goes back. Exactly once, as `noteBought`. */
export async function noteTakenBack(parts: Parts, tx: Tx, order: OrderFact): Promise<void> {
  const { showId } = order;
  if (showId === null) return;
  await store.addRefunded(tx, showId, goodsOf(order));
  afterCommit(tx, () => parts.studio.markSales(showId));
}

function tellBought({ channel }: Parts, showId: string, orders: readonly OrderFact[]): void {
  for (const { orderId, orderNumber, buyerName, totalMinor, currency, lines: ordered } of orders) {
    for (const number of new Set(ordered.map((line) => line.number))) {
      channel.publish(showRoom(showId), { type: 'bought', name: shortName(buyerName), number });
    }
    const lines = ordered.map(({ number, title, optionValues, quantity }) => (
      { number, title, optionValues, quantity }
    ));
    channel.publish(studioRoom(showId), {
      type: 'order', orderId, orderNumber, buyerName, lines, totalMinor, currency,
    });
  }
}

/** Orders were placed. Runs in the outbox's transaction, so each is counted exactly once. */
export async function notePlaced(parts: Parts, tx: Tx, orders: readonly OrderFact[]): Promise<void> {
  const placed = new Map<string, number>();
  for (const { showId } of orders) if (showId !== null) placed.set(showId, (placed.get(showId) ?? 0) + 1);
  await store.addPlaced(tx, placed);
  afterCommit(tx, () => placed.forEach((_, showId) => parts.studio.markSales(showId)));
}

/** What everybody may read of who came or bought: the first word of the name. */
export function shortName(name: string): string {
  return name.trim().split(/\s+/u)[0] ?? '';
}
