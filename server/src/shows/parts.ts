/** What the verbs of shows share: deps and the two ways to come by a show. */
import type { RoomCoupon } from '@nacre/contract/coupons';
import type { LivePrice } from '@nacre/contract/offers';
import type { ShopRight } from '@nacre/contract/team';
import type { Actor } from '../http/actor.ts';
import { Refusal } from '../lib/refusal.ts';
import type { Tx } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import type { Channel } from '../realtime/channel.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Images } from '../images/images.ts';
import type { Shops } from '../shops/shops.ts';
import type { Counts } from './counts.ts';
import type { ShowFact, ShowTopic } from './events.ts';
import type { GoodsFeed } from './goods-feed.ts';
import type { StudioFeed } from './studio-feed.ts';
import * as store from './store.ts';
import type { ShowRow } from './store.ts';
import type { ViewDeps } from './view.ts';

export interface ShowsDeps {
  platform: Platform;
  channel: Channel;
  shops: Pick<Shops, 'assertMay' | 'isMember' | 'may' | 'refs' | 'byId'>;
  catalog: Pick<Catalog, 'productsByIds'>;
  images: Pick<Images, 'describe' | 'assertExist'>;
  video: {
    /** The show is over: cuts its publisher and closes its viewers. A repeat does nothing. */
    endShow(showId: string): Promise<void>;
    /** Cuts whoever publishes now; viewers stay. */
    dropPublisher(showId: string): Promise<void>;
    /** Who may watch has changed: viewers ask anew. */
    dismissViewers(showId: string): void;
    /** These viewers, by name, are closed; nobody else notices. */
    putOut(showId: string, names: readonly string[]): void;
  };
  /** Who is kept out, and who may not go live. Answered from memory. */
  guard: {
    /** @throws Refusal `moderation.banned` */
    assertNotBanned(shopId: string, actor: Actor): Promise<void>;
    isBanned(shopId: string, actor: Actor): Promise<boolean>;
    hasBans(shopId: string): Promise<boolean>;
    isSuspended(shopId: string): Promise<boolean>;
    /** An operator ended it, and that stands. */
    isStopped(showId: string): Promise<boolean>;
  };
  newFollowersOf(showId: string): Promise<number>;
  /** Those in force. */
  livePricesOf(showId: string): Promise<LivePrice[]>;
  /** Those that can be claimed in it now. */
  couponsOf(showId: string): Promise<RoomCoupon[]>;
  /** How long the replays of these shows are, in ms; one without is missing. */
  replayLengthsOf(showIds: readonly string[]): Promise<Map<string, number>>;
}

export interface Parts extends ShowsDeps {
  counts: Counts;
  studio: StudioFeed;
  goods: GoodsFeed;
  view: ViewDeps;
}

export async function isMemberOf(parts: Pick<Parts, 'shops'>, show: ShowRow, actor: Actor): Promise<boolean> {
  return actor.kind === 'person' && parts.shops.isMember(actor.personId, show.shop_id);
}

/**
 * The show, if this person or guest may know of it: a private one is there for members of its shop only.
 * @throws Refusal `shows.not_found`
 */
export async function visibleShow(parts: Parts, showId: string, actor: Actor): Promise<ShowRow> {
  const show = await store.findShow(parts.platform.database.db, showId);
  if (show === null) throw new Refusal('shows.not_found');
  if (show.visibility === 'private' && !(await isMemberOf(parts, show, actor))) throw new Refusal('shows.not_found');
  return show;
}

/**
 * The show, for a member of its shop who may do this.
 * @throws Refusal `shows.not_found` also for a private show of another shop; `shops.not_a_member`; `shops.not_allowed`
 */
export async function ownShow(parts: Parts, showId: string, personId: string, right: ShopRight): Promise<ShowRow> {
  const show = await store.findShow(parts.platform.database.db, showId);
  if (show === null) throw new Refusal('shows.not_found');
  const stranger = show.visibility === 'private' ? 'shows.not_found' : 'shops.not_a_member';
  await parts.shops.assertMay(personId, show.shop_id, right, stranger);
  return show;
}

/** The same show, held until the transaction ends; its state may have changed since it was read. */
export async function locked(tx: Tx, showId: string): Promise<ShowRow> {
  const show = await store.lockShow(tx, showId);
  if (show === null) throw new Refusal('shows.not_found');
  return show;
}

/** Tells the others, in the transaction that made it true; of a private show nothing. */
export async function publishFact(
  parts: Parts, tx: Tx, topic: ShowTopic, show: Pick<ShowRow, 'id' | 'shop_id' | 'visibility' | 'starts_at'>,
): Promise<void> {
  if (show.visibility !== 'public') return;
  const { clock, outbox } = parts.platform;
  const fact: ShowFact = {
    showId: show.id, shopId: show.shop_id, startsAt: show.starts_at.toISOString(), at: clock.now().toISOString(),
  };
  await outbox.publish(tx, { topic, payload: { ...fact } });
}
