/** SQL on show and show_item for what everybody may find. */
import type { Db } from '../platform/database.ts';

/** Of everything that is not called off, private ones too. */
export async function showIdsAfter(db: Db, last: string | null, limit: number): Promise<string[]> {
  let query = db.selectFrom('show').select('id').where('state', '<>', 'cancelled').orderBy('id').limit(limit);
  if (last !== null) query = query.where('id', '>', last);
  return (await query.execute()).map(({ id }) => id);
}

export async function bagsOf(
  db: Db, showIds: readonly string[],
): Promise<Array<{ showId: string; productId: string; number: number }>> {
  if (showIds.length === 0) return [];
  return db
    .selectFrom('show_item')
    .select(['show_id as showId', 'product_id as productId', 'number'])
    .where('show_id', 'in', [...showIds])
    .where('removed', '=', false)
    .execute();
}

/** The highest counts of viewers of all shows of each shop, added up; private shows are nobody's business. */
export async function viewersOfShops(db: Db, shopIds: readonly string[]): Promise<Map<string, number>> {
  if (shopIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('show')
    .select(['shop_id', (eb) => eb.fn.sum<string>('peak_viewers').as('viewers')])
    .where('shop_id', 'in', [...shopIds])
    .where('visibility', '=', 'public')
    .groupBy('shop_id')
    .execute();
  return new Map(rows.map((row) => [row.shop_id, Number(row.viewers)]));
}
