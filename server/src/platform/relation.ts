/** Many rows in one statement. */
import { sql, type RawBuilder } from 'kysely';
import type { Tx } from './database.ts';
import type { DB } from './tables.ts';

/**
 * Rows as a relation named `relation`, for `insert … select` and joins: one array per column, so that the statement
 * and its plan stay the same however many rows there are, where a list of values would grow by a parameter each.
 * `types` gives the columns, by their PostgreSQL type. An array in a column goes as JSON: PostgreSQL knows no arrays of
 * unequal arrays.
 */
export function relationOf<Row extends object>(
  rows: readonly Row[],
  types: { [Column in keyof Row]-?: string },
): RawBuilder<unknown> {
  const columns = Object.keys(types) as Array<keyof Row & string>;
  const arrays = columns.map((column) => (
    sql`${rows.map((row) => row[column])}::${sql.raw(types[column])}[]`
  ));
  return sql`unnest(${sql.join(arrays)}) as relation (${sql.join(columns.map((column) => sql.ref(column)))})`;
}

/** Column names for the list of an `insert`. */
export const columnsOf = (types: object) => sql.join(Object.keys(types).map((column) => sql.ref(column)));

/** Writes the rows, by one statement. Columns are named in `types`, as for `relationOf`; none of them an array. */
export async function insertRows<Row extends object>(
  tx: Tx, table: keyof DB, rows: readonly Row[], types: { [Column in keyof Row]-?: string },
): Promise<void> {
  await sql`insert into ${sql.table(table)} (${columnsOf(types)}) select * from ${relationOf(rows, types)}`.execute(tx);
}
