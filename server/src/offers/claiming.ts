/**
 * Claiming coupons: in batches, each one transaction, decided one after the other in the sequence in which they came.
 * The coupons are locked by id, so that several processes stay exact.
 */
import type { PersonActor } from '../http/actor.ts';
import { Refusal } from '../lib/refusal.ts';
import type { Tx } from '../platform/database.ts';
import { closedOf } from './coupon-state.ts';
import * as store from './coupon-store.ts';
import type { ClaimKey, ClaimRow, CouponRow, OwnRow } from './coupon-store.ts';
import type { OffersDeps } from './offers.ts';

export interface Claiming extends ClaimKey {
  actor: PersonActor;
}

/** What a batcher runs. `tell`: fewer of the coupon are left. */
export function createClaiming(
  deps: Pick<OffersDeps, 'platform' | 'shows'>, tell: (tx: Tx, coupon: CouponRow) => void,
): (claimings: readonly Claiming[]) => Promise<Array<OwnRow | Refusal>> {
  const { database, clock, newId } = deps.platform;
  return (claimings) => database.transaction(async (tx) => {
    const coupons = await store.lock(tx, [...new Set(claimings.map(({ couponId }) => couponId))]);
    const known = await store.claimsOf(tx, claimings.map(({ couponId, personId }) => ({ couponId, personId })));
    const open = await placesOf(deps, claimings, coupons);
    const { answers, fresh } = decideClaims(claimings, { coupons, known, open, now: clock.now(), newId });
    if (fresh.length === 0) return answers;
    await store.insertClaims(tx, fresh);
    const more = Map.groupBy(fresh, (claim) => claim.coupon_id);
    await store.addClaimed(tx, [...more].map(([id, { length }]) => ({ id, claims: length })));
    for (const coupon of coupons) if (more.has(coupon.id)) tell(tx, coupon);
    return answers;
  });
}

const nameOf = ({ couponId, personId }: ClaimKey) => `${couponId} ${personId}`;

/** By `nameOf`: which may be claimed where the person is. Each show is asked for once; bans are known from memory. */
async function placesOf(
  { shows }: Pick<OffersDeps, 'shows'>, claimings: readonly Claiming[], coupons: readonly CouponRow[],
): Promise<Set<string>> {
  const couponOf = new Map(coupons.map((coupon) => [coupon.id, coupon]));
  const running = new Map<string, boolean>();
  for (const { show_id: showId } of coupons) {
    if (showId === null || running.has(showId)) continue;
    running.set(showId, (await shows.standing(showId))?.isRunning ?? false);
  }
  const open = new Set<string>();
  for (const claiming of claimings) {
    const coupon = couponOf.get(claiming.couponId);
    const showId = coupon?.show_id ?? null;
    const isOpen = showId === null
      || (running.get(showId) === true && !(await shows.isBanned(coupon!.shop_id, claiming.actor)));
    if (isOpen) open.add(nameOf(claiming));
  }
  return open;
}

interface ClaimGround {
  coupons: readonly CouponRow[];
  /** Claims that exist. */
  known: readonly ClaimRow[];
  /** By `nameOf`. */
  open: ReadonlySet<string>;
  now: Date;
  newId(): string;
}

/** Pure. Each in its place, and the claims that are new. */
function decideClaims(
  claimings: readonly ClaimKey[], { coupons, known, open, now, newId }: ClaimGround,
): { answers: Array<OwnRow | Refusal>; fresh: ClaimRow[] } {
  const couponOf = new Map(coupons.map((coupon) => [coupon.id, coupon]));
  const left = new Map(coupons.map(({ id, quota, claimed }) => [id, quota - claimed]));
  const claims = new Map(known.map((claim) => (
    [nameOf({ couponId: claim.coupon_id, personId: claim.person_id }), claim]
  )));
  const fresh: ClaimRow[] = [];
  const answers = claimings.map(({ couponId, personId }) => {
    const coupon = couponOf.get(couponId);
    if (coupon === undefined) return new Refusal('coupons.not_found');
    const name = nameOf({ couponId, personId });
    const before = claims.get(name);
    const refusal = before === undefined ? refusalOf(coupon, left.get(couponId) ?? 0, open.has(name), now) : null;
    if (refusal !== null) return refusal;
    const claim = before ?? { id: newId(), coupon_id: couponId, person_id: personId, claimed_at: now, order_id: null };
    if (before === undefined) {
      claims.set(name, claim);
      fresh.push(claim);
      left.set(couponId, (left.get(couponId) ?? 0) - 1);
    }
    const { id: claim_id, person_id, claimed_at, order_id } = claim;
    return { ...coupon, claim_id, person_id, claimed_at, order_id };
  });
  return { answers, fresh };
}

function refusalOf(coupon: CouponRow, left: number, isHere: boolean, now: Date): Refusal | null {
  const closed = closedOf(coupon, now);
  if (closed !== null) return closed;
  if (!isHere) return new Refusal('coupons.only_in_show');
  return left > 0 ? null : new Refusal('coupons.all_claimed');
}
