/** SQL on `cart`, `cart_line`, `cart_put` and `cart_key`. */
import type { CartPutAnswer } from '@nacre/contract/carts';
import { sql, type Selectable } from 'kysely';
import type { Db, Tx } from '../platform/database.ts';
import { relationOf } from '../platform/relation.ts';
import type { CartKey, CartLine } from '../platform/tables.ts';

export type LineRow = Selectable<CartLine>;
export type KeyRow = Selectable<CartKey>;
export type NoRoom = CartPutAnswer['left'];

/** Puttings that are remembered. Pages send one again within a minute, and nobody puts this much in within one. */
const PUTS_KEPT = 50;

/** The person's cart, made if there is none, held until the transaction ends, as one more version. */
export async function lockCart(tx: Tx, personId: string): Promise<number> {
  const { version } = await tx
    .insertInto('cart')
    .values({ person_id: personId, version: 1n })
    .onConflict((on) => on.column('person_id').doUpdateSet({ version: sql`cart.version + 1` }))
    .returning('version')
    .executeTakeFirstOrThrow();
  return Number(version);
}

/**
 * The same of several people, those without a cart left out; in one order, so that two batches never wait for each
 * other in a circle.
 */
export async function lockCarts(tx: Tx, personIds: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await sql<{ person_id: string; version: bigint }>`
    update cart set version = cart.version + 1
      from (
             select person_id from cart where person_id = any (${personIds}::uuid[]) order by person_id for update
           ) as held
     where cart.person_id = held.person_id
    returning cart.person_id, cart.version`.execute(tx);
  return new Map(rows.map((row) => [row.person_id, Number(row.version)]));
}

export async function versionOf(db: Db, personId: string): Promise<number> {
  const row = await db.selectFrom('cart').select('version').where('person_id', '=', personId).executeTakeFirst();
  return Number(row?.version ?? 0n);
}

/** The last put in first. */
export async function linesOf(db: Db | Tx, personIds: readonly string[]): Promise<LineRow[]> {
  return db
    .selectFrom('cart_line')
    .selectAll()
    .where('person_id', 'in', personIds)
    .orderBy('put_at', 'desc')
    .orderBy('variant_id')
    .execute();
}

export async function keysOf(db: Db, personId: string): Promise<KeyRow[]> {
  return db.selectFrom('cart_key').selectAll().where('person_id', '=', personId).execute();
}

const LINE_TYPES = {
  person_id: 'uuid', variant_id: 'uuid', shop_id: 'uuid', show_id: 'uuid', quantity: 'int', seen_price_minor: 'bigint',
  put_at: 'timestamptz',
} as const;

/** Lines as they are from now on. */
export async function writeLines(tx: Tx, lines: readonly LineRow[]): Promise<void> {
  await sql`
    insert into cart_line (person_id, variant_id, shop_id, show_id, quantity, seen_price_minor, put_at)
    select * from ${relationOf(lines, LINE_TYPES)}
    on conflict (person_id, variant_id) do update
       set show_id = excluded.show_id, quantity = excluded.quantity, seen_price_minor = excluded.seen_price_minor,
           put_at = excluded.put_at`.execute(tx);
}

/** Keys for shops that have none yet. */
export async function addKeys(tx: Tx, keys: readonly KeyRow[]): Promise<void> {
  await tx.insertInto('cart_key').values([...keys]).onConflict((on) => on.doNothing()).execute();
}

export async function deleteLine(tx: Tx, personId: string, variantId: string): Promise<void> {
  await tx.deleteFrom('cart_line').where('person_id', '=', personId).where('variant_id', '=', variantId).execute();
}

export interface BoughtPieces {
  personId: string;
  variantId: string;
  quantity: number;
}

/** Takes as many pieces out as were bought, or as many as there are. */
export async function takePieces(tx: Tx, pieces: readonly BoughtPieces[]): Promise<void> {
  const bought = sql`(
    select "personId" as person_id, "variantId" as variant_id, sum(quantity)::int as quantity
      from ${relationOf(pieces, { personId: 'uuid', variantId: 'uuid', quantity: 'int' })}
     group by "personId", "variantId"
  ) as bought`;
  await sql`
    delete from cart_line using ${bought}
     where cart_line.person_id = bought.person_id and cart_line.variant_id = bought.variant_id
       and cart_line.quantity <= bought.quantity`.execute(tx);
  // Whatever was fewer is gone by now.
  await sql`
    update cart_line set quantity = cart_line.quantity - bought.quantity from ${bought}
     where cart_line.person_id = bought.person_id and cart_line.variant_id = bought.variant_id`.execute(tx);
}

/** The key of a purchase that has become an order gives way to another. */
export async function renewKeys(
  tx: Tx, keys: ReadonlyArray<{ personId: string; shopId: string; oldKey: string; newKey: string }>,
): Promise<void> {
  await sql`
    update cart_key set idempotency_key = "newKey"
      from ${relationOf(keys, { personId: 'uuid', shopId: 'uuid', oldKey: 'text', newKey: 'text' })}
     where person_id = "personId" and shop_id = "shopId" and idempotency_key = "oldKey"`.execute(tx);
}

/** Keys of shops of which nothing is left. */
export async function dropIdleKeys(tx: Tx, personIds: readonly string[]): Promise<void> {
  await sql`
    delete from cart_key
     where person_id = any (${personIds}::uuid[])
       and not exists (
             select from cart_line
              where cart_line.person_id = cart_key.person_id and cart_line.shop_id = cart_key.shop_id
           )`.execute(tx);
}

/** What had no room when this was put in before; null: it was not. */
export async function findPut(tx: Tx, personId: string, putId: string): Promise<NoRoom | null> {
  const row = await tx
    .selectFrom('cart_put')
    .select('no_room')
    .where('person_id', '=', personId)
    .where('put_id', '=', putId)
    .executeTakeFirst();
  return row === undefined ? null : row.no_room as unknown as NoRoom;
}

export async function notePut(tx: Tx, personId: string, putId: string, noRoom: NoRoom, at: Date): Promise<void> {
  await tx
    .insertInto('cart_put')
    .values({ person_id: personId, put_id: putId, no_room: JSON.stringify(noRoom), put_at: at })
    .execute();
  await sql`
    delete from cart_put
     where person_id = ${personId}
       and put_id in (
             select put_id from cart_put where person_id = ${personId} order by put_at desc, put_id offset ${PUTS_KEPT}
           )`.execute(tx);
}
