/**
 * "Sold out" from memory: what a batch has found gone is not asked of the next ones, so that those who come too late
 * cost nobody who does not.
 *
 * Invariants: nothing is answered from what was found longer than `KEPT_MS` ago, since other processes bring pieces
 * back too; what comes back in this process ends it at once. Who has an order under the key, or pieces kept, goes into
 * a batch like everybody, and so does who is in a show in which the variant has a live price.
 */
import { LRUCache } from 'lru-cache';
import { STOCK_TOPIC, type StockChanged } from '../catalog/events.ts';
import type { LiveTerms } from '../offers/offers.ts';
import { Refusal } from '../lib/refusal.ts';
import { createBatcher } from '../platform/batcher.ts';
import { BATCH_LIMITS } from './batch-limits.ts';
import { nameOf, type Decision } from './deciding.ts';
import type { OrdersDeps } from './orders.ts';
import type { Placing } from './place.ts';
import { findByKeys } from './store.ts';

/** How long somebody may read "sold out" after another process has brought pieces back. Shorter asks more often. */
const KEPT_MS = 1_000;
/** Variants of which something is known, 0.3 KB each. What falls out is asked of a batch again. */
const VARIANTS_MAX = 10_000;

/** Where something is not to be had. In each show for itself: another may have it at a live price. */
export interface Gone {
  showId: string | null;
  variantId: string;
}

interface Known {
  /** When pieces last came back here, as a number of `createSoldOut`'s own. */
  backAt: number;
  /** By show, null outside: until when it counts as gone. */
  untilMs: Map<string | null, number>;
}

/** A batch that begins to read. */
interface Reading {
  at: number;
  atMs: number;
}

export interface SoldOut {
  /** Does `join`, unless the answer is known. @throws Refusal `orders.sold_out` with `{ variantId, available: 0 }` */
  ask<Result>(placing: Placing, join: () => Promise<Result>): Promise<Result>;
  /** Before a batch reads. */
  reading(): Reading;
  /** What a batch has found, in the step of its commit. */
  learn(reading: Reading, gone: readonly Gone[]): void;
}

export function createSoldOut(deps: Pick<OrdersDeps, 'platform' | 'catalog'>): SoldOut {
  const { platform: { bus, clock, database: { db } }, catalog } = deps;
  const known = new LRUCache<string, Known>({ max: VARIANTS_MAX });
  /** How many of these placings wait or are being written, by `nameOf`. */
  const underWay = new Map<string, number>();
  let backs = 0;
  const nowMs = (): number => clock.now().getTime();

  bus.subscribe(STOCK_TOPIC, (told) => {
    for (const { variantId, available } of (told as StockChanged).levels) {
      if (available > 0) known.set(variantId, { backAt: (backs += 1), untilMs: new Map() });
    }
  });

  /** Whether a batch has to be asked for all that, because there is more to know of this buyer. */
  const questions = createBatcher<Placing & { goneId: string }, boolean>({
    async run(asked) {
      const keys = asked.map(({ buyer: { personId: buyerId }, request: { idempotencyKey } }) => (
        { buyerId, idempotencyKey }
      ));
      const asks = asked.map(({ buyer: { personId }, goneId: variantId }) => ({ personId, variantId }));
      const [orders, kept] = await Promise.all([findByKeys(db, keys), catalog.keptFor(db, asks)]);
      const names = new Set(orders.map((row) => (
        nameOf({ buyerId: row.buyer_id!, idempotencyKey: row.idempotency_key })
      )));
      const waited = new Set(kept.map(({ personId }) => personId));
      return keys.map((key) => names.has(nameOf(key)) || waited.has(key.buyerId));
    },
    ...BATCH_LIMITS,
  });

  function goneOf({ request: { showId }, bag, asked }: Placing): string | null {
    if (showId !== null && bag === null) return null;
    const now = nowMs();
    return asked.find(({ variantId }) => now < (known.get(variantId)?.untilMs.get(showId) ?? 0))?.variantId ?? null;
  }

  return {
    async ask(placing, join) {
      const name = nameOf({ buyerId: placing.buyer.personId, idempotencyKey: placing.request.idempotencyKey });
      // Asked before the orders are looked up: one that is committed in between is found there.
      const goneId = underWay.has(name) ? null : goneOf(placing);
      if (goneId !== null && !(await questions.add({ ...placing, goneId }))) {
        const stillGoneId = goneOf(placing);
        if (stillGoneId !== null) {
          throw new Refusal('orders.sold_out', { details: { variantId: stillGoneId, available: 0 } });
        }
      }
      underWay.set(name, (underWay.get(name) ?? 0) + 1);
      try {
        return await join();
      } finally {
        const left = underWay.get(name)! - 1;
        if (left === 0) underWay.delete(name);
        else underWay.set(name, left);
      }
    },
    reading: () => ({ at: backs, atMs: nowMs() }),
    learn({ at, atMs }, gone) {
      for (const { showId, variantId } of gone) {
        const one = known.get(variantId) ?? { backAt: 0, untilMs: new Map<string | null, number>() };
        if (one.backAt > at) continue;
        one.untilMs.set(showId, atMs + KEPT_MS);
        known.set(variantId, one);
      }
    },
  };
}

/** What a batch has found to be gone, for everybody who has nothing kept. */
export function goneIn(
  placings: readonly Placing[], decisions: readonly Decision[], live: readonly LiveTerms[],
): Gone[] {
  const gone = decisions.flatMap((decision, at): Gone[] => {
    if (decision.is !== 'refused' || decision.refusal.code !== 'orders.sold_out') return [];
    const { variantId, available } = decision.refusal.details as { variantId: string; available: number };
    return available > 0 ? [] : [{ showId: placings[at]!.request.showId, variantId }];
  });
  if (live.length === 0) return gone;
  const atLivePrice = new Set(live.map(({ showId, variantId }) => `${showId} ${variantId}`));
  return gone.filter(({ showId, variantId }) => !atLivePrice.has(`${showId} ${variantId}`));
}
