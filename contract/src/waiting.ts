/** Waiting in line for what is sold out, and pieces that are kept for whoever is next. */
import { Type, type Static } from 'typebox';
import { ShopRef } from './accounts.ts';
import { AmountMinor, Currency, Id, Image, Instant, Nullable } from './common.ts';

/** Lines that one person stands in at a time. Fewer hinders somebody who likes much, more is a bot. */
export const WAITS_MAX = 20;
/** People in line for one variant. Longer lines never come to their end. */
export const LINE_MAX = 10_000;
/** How long pieces are kept. Shorter is missed by whoever is not looking, longer keeps the next one waiting. */
export const KEPT_MS = 10 * 60_000;

export const WaitState = Type.Enum(['waiting', 'kept']);

export const Wait = Type.Object({
  id: Id,
  state: WaitState,
  variantId: Id,
  productId: Id,
  title: Type.String(),
  optionValues: Type.Array(Type.String()),
  image: Nullable(Image),
  shop: ShopRef,
  unitPriceMinor: AmountMinor,
  currency: Currency,
  /** Pieces asked for. */
  quantity: Type.Integer(),
  /** Pieces that are kept, fewer than asked for if fewer came back; null while waiting. */
  kept: Nullable(Type.Integer()),
  /** Until then they are kept; null while waiting. */
  keptUntil: Nullable(Instant),
  /** How many people stand before this one; null when pieces are kept. */
  before: Nullable(Type.Integer()),
  since: Instant,
});
export type Wait = Static<typeof Wait>;

export const WaitJoin = Type.Object(
  { variantId: Id, quantity: Type.Integer({ minimum: 1, maximum: 99 }) },
  { additionalProperties: false },
);
export type WaitJoin = Static<typeof WaitJoin>;

/** Open ones, those with kept pieces first; `WAITS_MAX` at most. `now` is the server's, to count down by. */
export const Waits = Type.Object({ items: Type.Array(Wait), now: Instant });
export type Waits = Static<typeof Waits>;

/** How many wait for one variant; not who. */
export const LineLength = Type.Object({
  variantId: Id,
  productId: Id,
  people: Type.Integer(),
  /** Pieces they ask for. */
  pieces: Type.Integer(),
  /** Pieces that are kept for someone now. */
  kept: Type.Integer(),
});
export type LineLength = Static<typeof LineLength>;

/** The longest lines first. */
export const LINES_SHOWN_MAX = 500;
export const LineLengths = Type.Object({ items: Type.Array(LineLength) });
export type LineLengths = Static<typeof LineLengths>;
