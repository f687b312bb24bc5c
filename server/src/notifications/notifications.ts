/** News for people: in a list, at once on open pages, and as pushes. Rules: README.md. */
import type { ShopRef } from '@nacre/contract/accounts';
import type { Page, PageQuery } from '@nacre/contract/common';
import type {
  Notification, NotificationSettings, NotificationSettingsPatch, PushSubscriptionBody,
} from '@nacre/contract/notifications';
import type { ShowTile } from '@nacre/contract/shows';
import type { Accounts } from '../accounts/accounts.ts';
import type { Follows } from '../follows/follows.ts';
import type { PersonActor } from '../http/actor.ts';
import { Refusal } from '../lib/refusal.ts';
import { violates, type Tx } from '../platform/database.ts';
import type { Jobs } from '../platform/jobs.ts';
import type { Platform } from '../platform/platform.ts';
import type { Channel } from '../realtime/channel.ts';
import type { ShowFact } from '../shows/events.ts';
import type { ShowNewsKind } from './freshness.ts';
import { list, unread } from './listing.ts';
import type { Pusher } from './pusher.ts';
import { changeOf, choicesOf } from './settings.ts';
import * as store from './store.ts';
import { noteOwn, noteShow, push, tellFollowers, type FollowersJob, type OwnNews, type PushJob } from './telling.ts';

export interface NotificationsDeps {
  platform: Platform;
  jobs: Pick<Jobs, 'add'>;
  channel: Pick<Channel, 'tell' | 'tellAll'>;
  follows: Pick<Follows, 'followersAfter' | 'followsOf'>;
  readersOf: Accounts['readersOf'];
  /** Shows that everybody may know of, in any state; others are missing. */
  publicShows(showIds: readonly string[]): Promise<Map<string, ShowTile>>;
  shopRefs(shopIds: readonly string[]): Promise<Map<string, ShopRef>>;
  pusher: Pusher;
}

export interface Notifications {
  /** The newest first. */
  list(personId: string, query: PageQuery): Promise<Page<Notification>>;
  /** How many the person has not seen; 10 means ten or more. */
  unread(personId: string): Promise<number>;
  /** Everything up to then is seen, now at the latest. A repeat, or an earlier one, changes nothing. */
  noteSeen(personId: string, until: Date): Promise<void>;
  settings(actor: PersonActor): Promise<NotificationSettings>;
  /** Changes what is given. @throws Refusal `request.invalid` */
  patchSettings(actor: PersonActor, patch: NotificationSettingsPatch): Promise<NotificationSettings>;
  /**
   * Pushes come to this browser as long as its session lives. Another subscription takes the place of the one
   * before; of a person's the newest ten stay.
   * @throws Refusal `notifications.endpoint`
   */
  subscribe(actor: PersonActor, subscription: PushSubscriptionBody): Promise<void>;
  /** No more to this browser. A repeat changes nothing. */
  unsubscribe(actor: PersonActor): Promise<void>;

  // ---- reactions and jobs; each may run twice

  noteShow(tx: Tx, kind: ShowNewsKind, fact: ShowFact): Promise<void>;
  noteOwn(tx: Tx, news: OwnNews): Promise<void>;
  tellFollowers(job: FollowersJob): Promise<void>;
  push(job: PushJob): Promise<void>;
}

/** Browsers of one person. More than anybody carries; each costs a request per push. */
export const SUBSCRIPTIONS_MAX = 10;

export function createNotifications(deps: NotificationsDeps): Notifications {
  const { database, clock } = deps.platform;
  const { db } = database;
  return {
    list: (personId, query) => list(deps, personId, query),
    unread: (personId) => unread(deps, personId),
    noteSeen: (personId, until) => {
      const now = clock.now();
      return store.noteSeen(db, personId, until < now ? until : now);
    },
    settings: (actor) => settings(deps, actor),
    patchSettings: async (actor, patch) => {
      await store.writeSettings(db, actor.personId, changeOf(patch));
      return settings(deps, actor);
    },
    subscribe: (actor, subscription) => subscribe(deps, actor, subscription),
    unsubscribe: (actor) => store.dropSubscription(db, actor.sessionId),
    noteShow: (tx, kind, fact) => noteShow(deps, tx, kind, fact),
    noteOwn: (tx, news) => noteOwn(deps, tx, news),
    tellFollowers: (job) => tellFollowers(deps, job),
    push: (job) => push(deps, job),
  };
}

async function settings(deps: NotificationsDeps, actor: PersonActor): Promise<NotificationSettings> {
  const { db } = deps.platform.database;
  const [rows, pushHere] = await Promise.all([
    store.settingsOf(db, [actor.personId]), store.hasSubscription(db, actor.sessionId),
  ]);
  return { ...choicesOf(rows.get(actor.personId)), pushHere, pushKey: deps.pusher.publicKey };
}

async function subscribe(
  deps: NotificationsDeps, actor: PersonActor, { endpoint, keys }: PushSubscriptionBody,
): Promise<void> {
  const { database, clock, newId } = deps.platform;
  if (!deps.pusher.accepts(endpoint)) throw new Refusal('notifications.endpoint');
  try {
    await database.transaction(async (tx) => {
      await store.putSubscription(tx, {
        id: newId(), person_id: actor.personId, session_id: actor.sessionId, endpoint, p256dh: keys.p256dh,
        auth: keys.auth, created_at: clock.now(),
      });
      await store.dropOldSubscriptions(tx, actor.personId, SUBSCRIPTIONS_MAX);
    });
  } catch (error) {
    // Signed out elsewhere in this moment.
    if (violates(error, 'push_subscription_session_id_fkey')) throw new Refusal('accounts.sign_in_first');
    // The same browser asked twice at once: the other request has written it.
    const isTwice = ['push_subscription_endpoint_key', 'push_subscription_session_id_key']
      .some((constraint) => violates(error, constraint));
    if (!isTwice) throw error;
  }
}
