/**
 * Shapes that every part of the contract uses: ids, money, pages, pictures, problems.
 */
import { Type, type Static, type TSchema } from 'typebox';

/** A UUID (RFC 9562), version 7 where we make it, in lower case. */
export const Id = Type.String({
  format: 'uuid',
  // Narrower than the format, which lets `urn:uuid:` and capitals pass.
  pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$',
  description: 'UUID (RFC 9562)',
});

/** A moment, RFC 3339 in UTC with milliseconds. */
export const Instant = Type.String({ format: 'date-time', description: 'RFC 3339, UTC' });

/** ISO 4217 code. */
export const Currency = Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217' });

/** An amount in minor units (cents, fen, halalas): a safe integer, never a fraction. */
export const AmountMinor = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Minor units of the currency',
});

export const Money = Type.Object({ amountMinor: AmountMinor, currency: Currency });
export type Money = Static<typeof Money>;

/** Locales in which every text of Nacre exists. */
export const LOCALES = ['en', 'zh', 'ar'] as const;
export const Locale = Type.Union([Type.Literal('en'), Type.Literal('zh'), Type.Literal('ar')]);
export type Locale = Static<typeof Locale>;

/** One picture in several widths, all WebP; `sources` ascends by width. */
export const Image = Type.Object({
  id: Id,
  width: Type.Integer({ description: 'Pixels of the largest source' }),
  height: Type.Integer({ description: 'Pixels of the largest source' }),
  sources: Type.Array(Type.Object({ url: Type.String(), width: Type.Integer() })),
});
export type Image = Static<typeof Image>;

/** Most items that one page of a list may have. A larger page makes one request slow for everybody. */
export const PAGE_LIMIT_MAX = 100;

/** Query of every list: `cursor` is what the page before gave as `next`. */
export const PageQuery = Type.Object({
  cursor: Type.Optional(Type.String({ maxLength: 200 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: PAGE_LIMIT_MAX, default: 20 })),
});
export type PageQuery = Static<typeof PageQuery>;

/** A page of a list; `next` is null on the last one. */
export function Page<T extends TSchema>(item: T) {
  return Type.Object({
    items: Type.Array(item),
    next: Type.Union([Type.String(), Type.Null()]),
  });
}
export interface Page<T> {
  items: T[];
  next: string | null;
}

export function Nullable<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()]);
}

/** RFC 9457 problem details. `code` is stable; `title` is for developers, people read a translation of the code. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: 'urn:nacre:refusal:<code>' }),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String(),
    detail: Type.Optional(Type.String()),
    /** Facts that go with the code: how many are left, which field is wrong. */
    details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  },
  { $id: 'Problem' },
);
export type Problem = Static<typeof Problem>;
