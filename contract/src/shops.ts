/** Shops, and following them. */
import { Type, type Static } from 'typebox';
import { addressLines } from './accounts.ts';
import { Currency, Id, Image, Instant, Nullable } from './common.ts';
import { SPOKEN_LANGUAGES } from './languages.ts';

export const SHOP_CATEGORIES = [
  'clothes', 'jewellery', 'kitchen', 'beauty', 'food', 'crafts', 'home', 'books', 'plants', 'toys', 'other',
] as const;
export const ShopCategory = Type.Enum(SHOP_CATEGORIES);
export type ShopCategory = (typeof SHOP_CATEGORIES)[number];

/** BCP 47. */
export const SpokenLanguage = Type.Enum(SPOKEN_LANGUAGES);

/** The shop's address in the URL: lower-case letters, digits, single hyphens. */
export const ShopSlug = Type.String({ minLength: 3, maxLength: 40, pattern: '^[a-z0-9]+(-[a-z0-9]+)*$' });

/** A shop that people can walk into: an address as the buyers' are, without a name; the telephone may be empty. */
export const ShopAddress = Type.Object(
  {
    phone: Type.String({ maxLength: 30, pattern: '^[+()0-9٠-٩ .-]*$' }),
    ...addressLines,
  },
  { additionalProperties: false },
);
export type ShopAddress = Static<typeof ShopAddress>;

const TimeOfDay = Type.String({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$' });

/**
 * Seven days from Monday on, in the shop's own time; null: closed. A day that closes before it opens ends after
 * midnight.
 */
export const ShopHours = Type.Array(
  Nullable(Type.Object({ opens: TimeOfDay, closes: TimeOfDay }, { additionalProperties: false })),
  { minItems: 7, maxItems: 7 },
);
export type ShopHours = Static<typeof ShopHours>;

/** Where the shop is, and when somebody is there. Empty hours: not told. */
export const ShopPlace = Type.Object(
  { address: ShopAddress, hours: Nullable(ShopHours) },
  { additionalProperties: false },
);
export type ShopPlace = Static<typeof ShopPlace>;

/** What the shop says of giving goods back, and of the time until it ships; each may be empty. */
const ShopTerm = Type.String({ maxLength: 1000 });
export const ShopTerms = Type.Object({ returns: ShopTerm, shipping: ShopTerm }, { additionalProperties: false });
export type ShopTerms = Static<typeof ShopTerms>;

const fields = {
  name: Type.String({ minLength: 1, maxLength: 60, pattern: '\\S' }),
  slug: ShopSlug,
  story: Type.String({ maxLength: 2000 }),
  imageId: Nullable(Id),
  region: Type.String({ minLength: 1, maxLength: 60, pattern: '\\S' }),
  category: ShopCategory,
};

/** `language`: what is mostly spoken in its shows; the owner's own when it is left out. */
export const ShopCreate = Type.Object(
  { ...fields, language: Type.Optional(SpokenLanguage), currency: Currency },
  { additionalProperties: false },
);
export type ShopCreate = Static<typeof ShopCreate>;

/** A fee for sending above this is a slip of the finger. */
export const SHIPPING_FEE_MAX_MINOR = 100_000_000_000;

/** What a shop takes for sending a parcel, in minor units of its currency. Picking up costs nothing. */
export const ShippingTerms = Type.Object(
  {
    /** Of an order; 0: sending is free. */
    feeMinor: Type.Integer({ minimum: 0, maximum: SHIPPING_FEE_MAX_MINOR }),
    /** Goods of an order from which sending is free; null: never. */
    freeFromMinor: Nullable(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
  },
  { additionalProperties: false },
);
export type ShippingTerms = Static<typeof ShippingTerms>;

/**
 * The currency cannot change: prices and orders are in it. A shop without a place (null) offers no pick-up: taking the
 * place away ends it, and switching it on without one is refused.
 */
export const ShopPatch = Type.Partial(
  Type.Object({
    ...fields, language: SpokenLanguage, place: Nullable(ShopPlace), offersPickup: Type.Boolean(), terms: ShopTerms,
    shipping: ShippingTerms,
  }),
  { additionalProperties: false, minProperties: 1 },
);
export type ShopPatch = Static<typeof ShopPatch>;

export const Shop = Type.Object({
  id: Id,
  slug: Type.String(),
  name: Type.String(),
  story: Type.String(),
  image: Nullable(Image),
  region: Type.String(),
  category: ShopCategory,
  /** What is mostly spoken in its shows. */
  language: SpokenLanguage,
  currency: Currency,
  /** Null: the shop is online only. */
  place: Nullable(ShopPlace),
  /** Buyers may pick up there what they bought. */
  offersPickup: Type.Boolean(),
  terms: ShopTerms,
  shipping: ShippingTerms,
  isDemo: Type.Boolean(),
  createdAt: Instant,
});
export type Shop = Static<typeof Shop>;

/** The shop as a visitor sees it. */
export const ShopPage = Type.Object({
  ...Shop.properties,
  followers: Type.Integer(),
  /** Whether the one who asks follows it. */
  following: Type.Boolean(),
});
export type ShopPage = Static<typeof ShopPage>;

/** Sent with Follow from within a show, so that the host sees what the show brought. */
export const FollowBody = Type.Object({ showId: Type.Optional(Id) }, { additionalProperties: false });
export const Following = Type.Object({ following: Type.Boolean(), followers: Type.Integer() });
export type Following = Static<typeof Following>;
