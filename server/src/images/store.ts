/** SQL on `image`. */
import type { Db, Tx } from '../platform/database.ts';

export interface ImageRow {
  id: string;
  /** Pixels of the largest width. */
  width: number;
  height: number;
  /** Ascending. */
  widths: number[];
}

export async function insertImage(tx: Tx, row: ImageRow, uploaderId: string | null, bytes: number, at: Date) {
  await tx
    .insertInto('image')
    .values({ ...row, uploader_id: uploaderId, bytes: BigInt(bytes), created_at: at })
    .execute();
}

export function imagesByIds(db: Db | Tx, ids: readonly string[]): Promise<ImageRow[]> {
  return db.selectFrom('image').select(['id', 'width', 'height', 'widths']).where('id', 'in', ids).execute();
}

export async function countSince(db: Db | Tx, uploaderId: string, since: Date): Promise<number> {
  const row = await db
    .selectFrom('image')
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .where('uploader_id', '=', uploaderId)
    .where('created_at', '>', since)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}
