/** Many rows in one statement. */
import { sql, type RawBuilder } from 'kysely';

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
