/**
 * Cursors of lists: the sort key of the last item given, opaque to the caller. A list is ordered by an instant and an
 * id, so that items with the same instant are neither lost nor given twice.
 */
import type { Page } from '@nacre/contract/common';
import { Refusal } from './refusal.ts';

/** Items of a page when the caller does not say. */
export const PAGE_LIMIT_DEFAULT = 20;

export interface Cursor {
  at: Date;
  id: string;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** @throws Refusal `request.invalid` for text that no list has given. */
export function readCursor(text: string | undefined): Cursor | null {
  if (text === undefined) return null;
  const [millis, id] = Buffer.from(text, 'base64url').toString('utf8').split(' ');
  const at = new Date(Number(millis));
  if (id === undefined || !UUID.test(id) || Number.isNaN(at.getTime())) {
    throw new Refusal('request.invalid', { details: { field: 'cursor' } });
  }
  return { at, id };
}

export function writeCursor(cursor: Cursor): string {
  return Buffer.from(`${cursor.at.getTime()} ${cursor.id}`, 'utf8').toString('base64url');
}

/**
 * A page from rows that were read one more than `limit`, so that the last page is known without counting.
 * `key` gives a row's place in the order of the list.
 */
export function pageOf<Row, Item>(
  rows: Row[],
  limit: number,
  key: (row: Row) => Cursor,
  view: (row: Row) => Item,
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next = rows.length > limit && last !== undefined ? writeCursor(key(last)) : null;
  return { items: shown.map(view), next };
}
