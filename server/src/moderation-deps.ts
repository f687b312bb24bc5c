/**
 * What moderation asks of those above it in the map, handed over as functions that are called only later, when
 * everything is there.
 */
import type { ReportKind } from '@nacre/contract/moderation';
import type { Accounts } from './accounts/accounts.ts';
import type { Catalog } from './catalog/catalog.ts';
import type { Chat } from './chat/chat.ts';
import type { Actor } from './http/actor.ts';
import { Refusal } from './lib/refusal.ts';
import type { ModerationDeps, Thing } from './moderation/moderation.ts';
import type { Platform } from './platform/platform.ts';
import type { Realtime } from './realtime/realtime.ts';
import type { Shops } from './shops/shops.ts';
import type { Shows } from './shows/shows.ts';

export interface Above {
  platform: Platform;
  accounts: Pick<Accounts, 'namesOf'>;
  shops: Pick<Shops, 'assertMay' | 'isMember' | 'membersAmong' | 'refs' | 'membershipsOf' | 'byId'>;
  catalog: Pick<Catalog, 'productsByIds'>;
  realtime(): Pick<Realtime, 'guestsOf' | 'tell'>;
  shows(): Pick<Shows, 'brief' | 'get' | 'titles' | 'openOf' | 'stopShow' | 'stopRunning' | 'putOut'>;
  chat(): Pick<Chat, 'forModeration'>;
}

export function moderationDeps(above: Above): ModerationDeps {
  const { accounts, shops } = above;
  const messages = () => above.chat().forModeration;
  return {
    platform: above.platform,
    namesOf: accounts.namesOf,
    shops: {
      assertMay: shops.assertMay,
      isMember: shops.isMember,
      membersAmong: shops.membersAmong,
      refs: shops.refs,
      answersFor: async (personId) => (await shops.membershipsOf(personId))
        .filter(({ rights }) => rights.includes('shop.change')).map(({ id }) => id),
    },
    shows: {
      brief: (actor, showId) => above.shows().brief(actor, showId),
      titles: (ids) => above.shows().titles(ids),
      openOf: (shopId) => above.shows().openOf(shopId),
      stop: (showId) => above.shows().stopShow(showId),
      stopAllOf: (shopId) => above.shows().stopRunning(shopId),
      putOut: (shopId, names) => above.shows().putOut(shopId, names),
    },
    talk: {
      async find(showId, messageId) {
        const row = await messages().find(messageId);
        return row === null || row.show_id !== showId ? null : { personId: row.person_id, text: row.text };
      },
      remove: (tx, messageId, personId) => messages().remove(tx, messageId, personId),
      restore: (tx, messageId) => messages().restore(tx, messageId),
      saidAt: (messageIds) => messages().saidAt(messageIds),
    },
    async thing(actor, kind, id) {
      try {
        return await thingOf(above, actor, kind, id);
      } catch (error) {
        if (error instanceof Refusal) return null;
        throw error;
      }
    },
    people: {
      guestsOf: (personId) => above.realtime().guestsOf(personId),
      tell: (personId, event) => above.realtime().tell(personId, event),
    },
  };
}

/** @throws Refusal for what is not there, or not for this actor */
async function thingOf(above: Above, actor: Actor, kind: ReportKind, id: string): Promise<Thing | null> {
  if (kind === 'shop') {
    const { slug, name } = await above.shops.byId(id);
    return { title: name, author: null, lines: [], shop: { id, slug, name }, show: null };
  }
  if (kind === 'product') {
    const product = (await above.catalog.productsByIds([id])).get(id);
    if (product === undefined || product.state !== 'active') return null;
    const shop = (await above.shops.refs([product.shopId])).get(product.shopId);
    return shop === undefined ? null : { title: product.title, author: null, lines: [], shop, show: null };
  }
  const { forModeration } = above.chat();
  const message = kind === 'message' ? await forModeration.find(id) : null;
  if (kind === 'message' && message === null) return null;
  const { shop, title, id: showId } = await above.shows().get(actor, message?.show_id ?? id);
  const show = { id: showId, title };
  if (message === null) return { title, author: null, lines: [], shop, show };
  const lines = (await forModeration.around(message)).map((line) => ({
    name: line.name, text: line.text, sentAt: line.sent_at.toISOString(), isReported: line.id === id,
  }));
  return { title: message.text, author: { personId: message.person_id, name: message.name }, lines, shop, show };
}
