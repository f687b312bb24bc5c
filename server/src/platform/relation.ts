/** Many rows in one statement. */
import { sql, type RawBuilder } from 'kysely';
import type { Tx } from './database.ts';
import type { DB } from './tables.ts';

/**
 * Rows as a relation named `relation`, for `insert … select` and joins: one array per column, where a list of values
 * would grow by a parameter for each row. What is the same in all rows, as the shop of a batch's orders often is, goes
 * once: writing and reading it over and over would cost more than all else of a batch's way to the database. `types`
 * gives the columns, by their PostgreSQL type. An array in a column goes as JSON: PostgreSQL knows no arrays of unequal
 * arrays.
 */
export function relationOf<Row extends object>(
  rows: readonly Row[],
  types: { [Column in keyof Row]-?: string },
): RawBuilder<unknown> {
  const columns = Object.keys(types) as Array<keyof Row & string>;
  const typeOf = (column: keyof Row & string) => sql.raw(types[column]);
  // The first is an array in any case: it says how many rows there are.
  const own = columns.filter((column, at) => (
    at === 0 || rows.length === 0 || rows.some((row) => row[column] !== rows[0]![column])
  ));
  const arrays = own.map((column) => sql`${rows.map((row) => row[column])}::${typeOf(column)}[]`);
  const values = columns.map((column) => (
    own.includes(column) ? sql.ref(`each.${column}`)
      : sql`${rows[0]![column]}::${typeOf(column)} as ${sql.ref(column)}`
  ));
  const each = sql`unnest(${sql.join(arrays)}) as each (${sql.join(own.map((column) => sql.ref(column)))})`;
  return sql`(select ${sql.join(values)} from ${each}) as relation`;
}

/**
 * Any of these ids, for `where('id', '=', anyOf(ids))`: one parameter however many they are, where `in` makes one of
 * each and costs more to put together than the answer.
 */
export const anyOf = (ids: readonly string[]) => sql<string>`any(${ids}::uuid[])`;

/** Column names for the list of an `insert`. */
export const columnsOf = (types: object) => sql.join(Object.keys(types).map((column) => sql.ref(column)));

/** The statement that writes the rows. Columns are named in `types`, as for `relationOf`; none of them an array. */
export function insertionOf<Row extends object>(
  table: keyof DB, rows: readonly Row[], types: { [Column in keyof Row]-?: string },
): RawBuilder<unknown> {
  return sql`insert into ${sql.table(table)} (${columnsOf(types)}) select * from ${relationOf(rows, types)}`;
}

/** Writes the rows, by one statement. */
export async function insertRows<Row extends object>(
  tx: Tx, table: keyof DB, rows: readonly Row[], types: { [Column in keyof Row]-?: string },
): Promise<void> {
  await insertionOf(table, rows, types).execute(tx);
}
