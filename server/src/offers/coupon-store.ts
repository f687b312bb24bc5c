/** SQL on `coupon`, `coupon_claim` and `coupon_handing`. */
import type { Insertable, Selectable, Updateable } from 'kysely';
import { sql } from 'kysely';
import type { Cursor } from '../lib/cursor.ts';
import type { Db, Tx } from '../platform/database.ts';
import { insertRows, relationOf } from '../platform/relation.ts';
import type { Coupon as CouponTable, CouponClaim } from '../platform/tables.ts';

export type CouponRow = Selectable<CouponTable>;
export type ClaimRow = Selectable<CouponClaim>;
/** A claim with what was claimed. */
export type OwnRow = CouponRow & { claim_id: string; person_id: string; claimed_at: Date; order_id: string | null };

/** Makes the coupons of one shop come into being one after the other. */
export async function lockMaking(tx: Tx, shopId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`coupons of ${shopId}`}, 0))`.execute(tx);
}

export async function countNotOver(tx: Tx, shopId: string, now: Date): Promise<number> {
  const { count } = await tx.selectFrom('coupon').select(({ fn }) => fn.countAll<bigint>().as('count'))
    .where('shop_id', '=', shopId).where('ended_at', 'is', null).where('valid_until', '>', now)
    .executeTakeFirstOrThrow();
  return Number(count);
}

export async function insert(tx: Tx, row: Insertable<CouponTable>): Promise<CouponRow> {
  return tx.insertInto('coupon').values(row).returningAll().executeTakeFirstOrThrow();
}

export async function update(tx: Tx, id: string, change: Updateable<CouponTable>): Promise<CouponRow> {
  return tx.updateTable('coupon').set(change).where('id', '=', id).returningAll().executeTakeFirstOrThrow();
}

export async function find(db: Db | Tx, id: string): Promise<CouponRow | undefined> {
  return db.selectFrom('coupon').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Held until the transaction ends. */
export async function lock(tx: Tx, ids: readonly string[]): Promise<CouponRow[]> {
  const { rows } = await sql<CouponRow>`
    select * from coupon where id = any (${ids}::uuid[]) order by id for no key update`.execute(tx);
  return rows;
}

/** The newest first. */
export async function ofShop(db: Db, shopId: string, limit: number): Promise<CouponRow[]> {
  return db.selectFrom('coupon').selectAll().where('shop_id', '=', shopId)
    .orderBy('made_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
}

/** How many of each an order has. */
export async function usedOf(db: Db | Tx, ids: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await sql<{ id: string; used: number }>`
    select coupon_id as id, count(*)::int as used from coupon_claim
     where coupon_id = any (${ids}::uuid[]) and order_id is not null
     group by coupon_id`.execute(db);
  return new Map(rows.map(({ id, used }) => [id, used]));
}

/** Those to be claimed now outside shows, of one shop, and in the show, if one is given; the newest first. */
export async function open(db: Db, shopId: string, showId: string | null, now: Date): Promise<CouponRow[]> {
  const { rows } = await sql<CouponRow>`
    select * from coupon
     where shop_id = ${shopId} and (show_id is null or show_id = ${showId}::uuid)
       and ended_at is null and valid_from <= ${now} and valid_until > ${now}
     order by made_at desc, id desc`.execute(db);
  return rows;
}

// ---- handing out -------------------------------------------------------------------------------------------------

export async function handedOutIn(db: Db, showId: string): Promise<{ coupon_id: string; handed_at: Date } | undefined> {
  return db.selectFrom('coupon_handing').select(['coupon_id', 'handed_at']).where('show_id', '=', showId)
    .executeTakeFirst();
}

export async function handOut(tx: Tx, showId: string, couponId: string, at: Date): Promise<void> {
  await tx.insertInto('coupon_handing').values({ show_id: showId, coupon_id: couponId, handed_at: at })
    .onConflict((conflict) => conflict.column('show_id').doUpdateSet({ coupon_id: couponId, handed_at: at })).execute();
}

export async function takeBackHanding(tx: Tx, showId: string): Promise<void> {
  await tx.deleteFrom('coupon_handing').where('show_id', '=', showId).execute();
}

// ---- claims ------------------------------------------------------------------------------------------------------

/** Who claims which. */
export interface ClaimKey {
  couponId: string;
  personId: string;
}

export async function claimsOf(tx: Tx, keys: readonly ClaimKey[]): Promise<ClaimRow[]> {
  const { rows } = await sql<ClaimRow>`
    select coupon_claim.* from ${relationOf(keys, { couponId: 'uuid', personId: 'uuid' })}
      join coupon_claim on coupon_id = "couponId" and person_id = "personId"`.execute(tx);
  return rows;
}

const CLAIM_TYPES = {
  id: 'uuid', coupon_id: 'uuid', person_id: 'uuid', claimed_at: 'timestamptz', order_id: 'uuid',
} as const;

export async function insertClaims(tx: Tx, claims: readonly ClaimRow[]): Promise<void> {
  await insertRows(tx, 'coupon_claim', claims, CLAIM_TYPES);
}

/** So many more of each are claimed. */
export async function addClaimed(tx: Tx, more: ReadonlyArray<{ id: string; claims: number }>): Promise<void> {
  await sql`
    update coupon set claimed = claimed + relation.claims
      from ${relationOf(more, { id: 'uuid', claims: 'int' })}
     where coupon.id = relation.id`.execute(tx);
}

const OWN = sql`coupon.*, coupon_claim.id as claim_id, person_id, claimed_at, order_id
  from coupon_claim join coupon on coupon.id = coupon_id`;

/** With what was claimed; the claims are held until the transaction ends. */
export async function lockClaims(tx: Tx, claimIds: readonly string[]): Promise<OwnRow[]> {
  const { rows } = await sql<OwnRow>`
    select ${OWN} where coupon_claim.id = any (${claimIds}::uuid[])
     order by coupon_claim.id for no key update of coupon_claim`.execute(tx);
  return rows;
}

/** The newest first, one more than `limit`. */
export async function listOwn(db: Db, personId: string, cursor: Cursor | null, limit: number): Promise<OwnRow[]> {
  const { rows } = await sql<OwnRow>`
    select ${OWN} where person_id = ${personId}
       and (${cursor === null} or (claimed_at, coupon_claim.id) < (${cursor?.at ?? null}, ${cursor?.id ?? null}::uuid))
     order by claimed_at desc, coupon_claim.id desc limit ${limit + 1}`.execute(db);
  return rows;
}

/** Of these shops, not over; with or without those that orders have. What ends first comes first. */
export async function ownIn(
  db: Db, personId: string, shopIds: readonly string[], withUsed: boolean, now: Date, limit: number,
): Promise<OwnRow[]> {
  const { rows } = await sql<OwnRow>`
    select ${OWN}
     where person_id = ${personId} and shop_id = any (${shopIds}::uuid[]) and valid_until > ${now}
       and (order_id is null or ${withUsed})
     order by valid_until, coupon_claim.id limit ${limit}`.execute(db);
  return rows;
}

/** A claim and the order that has it. */
export interface ClaimUse {
  claimId: string;
  orderId: string;
}
const USE_TYPES = { claimId: 'uuid', orderId: 'uuid' } as const;

/** The claims are held. */
export async function use(tx: Tx, uses: readonly ClaimUse[]): Promise<void> {
  await sql`
    update coupon_claim set order_id = relation."orderId"
      from ${relationOf(uses, USE_TYPES)} where coupon_claim.id = relation."claimId"`.execute(tx);
}

/** Those that these orders still have. The claims are held. */
export async function giveBack(tx: Tx, uses: readonly ClaimUse[]): Promise<void> {
  await sql`
    update coupon_claim set order_id = null
      from ${relationOf(uses, USE_TYPES)}
     where coupon_claim.id = relation."claimId" and order_id = relation."orderId"`.execute(tx);
}
