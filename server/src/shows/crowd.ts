/**
 * Who may be counted: a viewer, and not many invented ones.
 *
 * A guest is a cookie, and cookies are given to whoever asks. So a guest that is made by the counting request itself is
 * nobody yet, and of one address only so many guests count in a minute.
 */
import { LRUCache } from 'lru-cache';
import { viewerOf, type Actor } from '../http/actor.ts';
import { networkOf } from '../http/client-network.ts';
import { Refusal } from '../lib/refusal.ts';

/**
 * Guests of one address that count in a minute. Fewer leaves out an office or a carrier's gateway that watches
 * together, more lets one machine pose as a crowd. Who is signed in counts anyway.
 */
export const GUESTS_PER_ADDRESS_MINUTE = 60;
const MINUTE_MS = 60_000;
/** Addresses looked at, up to 5 KB each. Fewer lets a flood from many addresses begin its minute anew. */
const ADDRESSES_REMEMBERED = 5_000;

export interface Crowd {
  /**
   * The actor, when it may be counted.
   * @throws Refusal `shows.not_counted` for a guest without our cookie, `request.too_many` for one of too many
   */
  counted(actor: Actor, address: string): Actor;
}

export function createCrowd(deps: { nowMs(): number }): Crowd {
  const networks = new LRUCache<string, { sinceMs: number; guests: Set<string> }>({ max: ADDRESSES_REMEMBERED });

  return {
    counted(actor, address) {
      if (actor.kind === 'person') return actor;
      if (actor.isNew === true) throw new Refusal('shows.not_counted');
      const nowMs = deps.nowMs();
      const network = networkOf(address);
      const known = networks.get(network);
      const isOver = known === undefined || nowMs - known.sinceMs >= MINUTE_MS;
      const minute = isOver ? { sinceMs: nowMs, guests: new Set<string>() } : known;
      const viewer = viewerOf(actor);
      if (!minute.guests.has(viewer) && minute.guests.size >= GUESTS_PER_ADDRESS_MINUTE) {
        throw new Refusal('request.too_many', {
          retryAfterSeconds: Math.ceil((minute.sinceMs + MINUTE_MS - nowMs) / 1000),
        });
      }
      minute.guests.add(viewer);
      networks.set(network, minute);
      return actor;
    },
  };
}
