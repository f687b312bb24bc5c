/** The realtime side of shows: who may be in a show's rooms, what they start from, who came, how many watch. */
import type { ChatMessage } from '@nacre/contract/chat';
import type { TalkSetting } from '@nacre/contract/moderation';
import type { ServerMessage } from '@nacre/contract/realtime';
import type { Actor } from '../http/actor.ts';
import { Refusal } from '../lib/refusal.ts';
import { readRoom, type Channel } from '../realtime/channel.ts';
import { shortName } from './running.ts';
import type { Shows } from './shows.ts';

type Snapshot = Extract<ServerMessage, { type: 'joined' }>['snapshot'];

export interface ShowRooms {
  /** The show's room: who may see the show and is not banned. The studio: who may run it. Anything else is no room. */
  mayJoin(room: string, actor: Actor): Promise<boolean>;
  snapshot(room: string): Promise<Snapshot>;
  /** Tells the room a person's first name; guests come unannounced. */
  noteCame(room: string, actor: Actor): void;
  noteViewers(room: string, count: number): void;
}

export function createShowRooms(deps: {
  shows: Pick<Shows, 'brief' | 'isBanned' | 'roomState' | 'noteViewers'>;
  channel: Pick<Channel, 'publish' | 'viewers'>;
  recentChat(showId: string): Promise<ChatMessage[]>;
  talkOf(showId: string): Promise<TalkSetting>;
}): ShowRooms {
  const { shows, channel } = deps;
  return {
    async mayJoin(room, actor) {
      const place = readRoom(room);
      if (place === null) return false;
      try {
        const brief = await shows.brief(actor, place.showId);
        if (await shows.isBanned(brief.shopId, actor)) return false;
        return place.kind === 'show' || brief.mayRun;
      } catch (error) {
        if (error instanceof Refusal) return false;
        throw error;
      }
    },
    async snapshot(room) {
      const place = readRoom(room);
      if (place === null || place.kind === 'studio') return null;
      const [state, chat, talk] = await Promise.all([
        shows.roomState(place.showId), deps.recentChat(place.showId), deps.talkOf(place.showId),
      ]);
      if (state === null) return null;
      const levels = state.bag.flatMap(({ product }) => product.variants.map(({ id, available, held }) => (
        { productId: product.id, variantId: id, available, held }
      )));
      return {
        show: { state: state.state, onScreenProductId: state.onScreenProductId, likes: state.likes },
        viewers: channel.viewers(room),
        levels,
        livePrices: state.livePrices,
        coupons: state.coupons,
        bag: state.bag.map(({ product, number }) => ({
          productId: product.id,
          number,
          prices: product.variants.map(({ id, priceMinor }) => ({ variantId: id, priceMinor })),
        })),
        talk,
        chat,
      };
    },
    noteCame(room, actor) {
      if (actor.kind === 'person') channel.publish(room, { type: 'came', name: shortName(actor.name) });
    },
    noteViewers(room, count) {
      const place = readRoom(room);
      if (place?.kind === 'show') shows.noteViewers(place.showId, count);
    },
  };
}
