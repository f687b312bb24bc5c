/** Live sales: plan, bag, what is on screen, what viewers ask for. */
import { Type, type Static } from 'typebox';
import { ShopRef } from './accounts.ts';
import { Product } from './catalog.ts';
import { AmountMinor, Currency, Id, Image, Instant, Nullable, PageQuery } from './common.ts';
import { RoomCoupon } from './coupons.ts';
import { LivePrice } from './offers.ts';
import { SpokenLanguage } from './shops.ts';

/** planned → live ⇄ interrupted → ended; planned → cancelled. */
export const ShowState = Type.Union([
  Type.Literal('planned'), Type.Literal('live'), Type.Literal('interrupted'), Type.Literal('ended'),
  Type.Literal('cancelled'),
]);
export type ShowState = Static<typeof ShowState>;

/** A private show is seen by the shop's members only: a rehearsal, or one that is still being prepared. */
export const ShowVisibility = Type.Union([Type.Literal('public'), Type.Literal('private')]);
export type ShowVisibility = Static<typeof ShowVisibility>;

/** More goods than a host can show in one evening, and than a bag can be leafed through. */
export const BAG_MAX = 200;

const fields = {
  title: Type.String({ minLength: 1, maxLength: 120, pattern: '\\S' }),
  description: Type.String({ maxLength: 2000 }),
  coverImageId: Nullable(Id),
  startsAt: Instant,
  visibility: ShowVisibility,
};
/** `language`: what is spoken; the shop's when it is left out. */
export const ShowCreate = Type.Object(
  { ...fields, language: Type.Optional(SpokenLanguage), productIds: Type.Array(Id, { maxItems: BAG_MAX }) },
  { additionalProperties: false },
);
export type ShowCreate = Static<typeof ShowCreate>;
export const ShowPatch = Type.Partial(
  Type.Object({ ...fields, language: SpokenLanguage }),
  { additionalProperties: false, minProperties: 1 },
);
export type ShowPatch = Static<typeof ShowPatch>;

/** A show as a tile on a list. */
export const ShowTile = Type.Object({
  id: Id,
  title: Type.String(),
  state: ShowState,
  visibility: ShowVisibility,
  /** Spoken in it. */
  language: SpokenLanguage,
  startsAt: Instant,
  wentLiveAt: Nullable(Instant),
  endedAt: Nullable(Instant),
  cover: Nullable(Image),
  shop: ShopRef,
  /** People and guests with an open socket; 0 unless live or interrupted. */
  viewers: Type.Integer(),
  isDemo: Type.Boolean(),
  onScreen: Nullable(Type.Object({ number: Type.Integer(), title: Type.String() })),
  /** How long its replay is, in ms; null while there is none to be seen. */
  replayMs: Nullable(Type.Integer()),
});
export type ShowTile = Static<typeof ShowTile>;

/** One of the goods. `explainRequests` counts viewers who still wait. The number stays with the product. */
export const BagItem = Type.Object({
  number: Type.Integer(),
  product: Product,
  explainRequests: Type.Integer(),
  /** Offset into the show at which it was last put on screen, in seconds; null when not yet. */
  lastShownAtSeconds: Nullable(Type.Integer()),
});
export type BagItem = Static<typeof BagItem>;

/** A show as its page has it: with bag, what is on screen, likes. */
export const Show = Type.Object({
  ...ShowTile.properties,
  description: Type.String(),
  likes: Type.Integer(),
  interruptedAt: Nullable(Instant),
  onScreenProductId: Nullable(Id),
  bag: Type.Array(BagItem),
  /** Those in force. */
  livePrices: Type.Array(LivePrice),
  /** Those that can be claimed here now. */
  coupons: Type.Array(RoomCoupon),
});
export type Show = Static<typeof Show>;

export const ShowQuery = Type.Object({
  ...PageQuery.properties,
  /** `live` includes interrupted ones: their room is open. */
  state: Type.Optional(Type.Union([Type.Literal('live'), Type.Literal('planned'), Type.Literal('ended')])),
  shopId: Type.Optional(Id),
  /** Shows that have this product in their bag. */
  productId: Type.Optional(Id),
});
export type ShowQuery = Static<typeof ShowQuery>;
/** In the office, of one shop: also what is private or cancelled. */
export const OfficeShowQuery = Type.Object({ ...PageQuery.properties, state: ShowQuery.properties.state });

export const BagBody = Type.Object(
  { productIds: Type.Array(Id, { maxItems: BAG_MAX, uniqueItems: true }) },
  { additionalProperties: false },
);
export const OnScreenBody = Type.Object({ productId: Nullable(Id) }, { additionalProperties: false });
export const ExplainBody = Type.Object({ productId: Id }, { additionalProperties: false });
export const ExplainAnswer = Type.Object({ explainRequests: Type.Integer() });
/**
 * `bagged`: put aside. It stays marked for the viewer until it is taken back, and counts once. `sheet_opened`: went on
 * to buy in the sheet, whether or not signed in.
 */
export const InterestBody = Type.Object(
  { productId: Id, kind: Type.Union([
    Type.Literal('card_opened'), Type.Literal('sheet_opened'), Type.Literal('bagged'),
  ]) },
  { additionalProperties: false },
);
/** What the viewer has put aside in a show, the first first. */
export const Aside = Type.Object({ productIds: Type.Array(Id) });
/** Likes that the page gathered since it last sent them. Over 300 per viewer and minute are not counted. */
export const LikesBody = Type.Object(
  { count: Type.Integer({ minimum: 1, maximum: 50 }) },
  { additionalProperties: false },
);
export const LikesAnswer = Type.Object({ likes: Type.Integer() });

export const StreamKeyQuery = Type.Object({
  /**
   * Whoever publishes with the old key stays until the new one is connected: viewers see no gap.
   * Without it the old one is cut at once, as after a key fell into wrong hands.
   */
  takeOver: Type.Optional(Type.Boolean()),
});
/** The key to publish with, given once; asking again makes a new one and ends the old. */
export const StreamKey = Type.Object({
  key: Type.String(),
  /** Where to publish by WHIP, absolute. */
  whipUrl: Type.String(),
  /** The same by RTMP, with the key as the stream's name; null where the server takes none. */
  rtmpUrl: Nullable(Type.String()),
});

/**
 * Interest in one product during the show, people and guests counted once each; `explainRequests` counts all who asked.
 */
export const ProductInterest = Type.Object({
  productId: Id,
  number: Type.Integer(),
  cardOpened: Type.Integer(),
  sheetOpened: Type.Integer(),
  bagged: Type.Integer(),
  bought: Type.Integer(),
  explainRequests: Type.Integer(),
});
export type ProductInterest = Static<typeof ProductInterest>;

/**
 * How a show sells: orders placed, whatever became of them; those paid, what was paid for their goods, and what of that
 * went back.
 */
export const ShowSales = Type.Object({
  placed: Type.Integer(),
  paid: Type.Integer(),
  salesMinor: AmountMinor,
  refundedMinor: AmountMinor,
});
export type ShowSales = Static<typeof ShowSales>;

/** What the host sees beside the picture. */
export const ShowFigures = Type.Object({
  viewers: Type.Integer(),
  peakViewers: Type.Integer(),
  likes: Type.Integer(),
  newFollowers: Type.Integer(),
  /** Orders of this show: placed at all, and paid. */
  placed: Type.Integer(),
  orders: Type.Integer(),
  salesMinor: AmountMinor,
  refundedMinor: AmountMinor,
  currency: Currency,
  interest: Type.Array(ProductInterest),
});
export type ShowFigures = Static<typeof ShowFigures>;
