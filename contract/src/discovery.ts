/** Home and search: what is found by those who care. The order of live shows: docs/ranking.md. */
import { Type, type Static } from 'typebox';
import { ShopRef } from './accounts.ts';
import { Product } from './catalog.ts';
import { Id, Nullable, Page, PageQuery } from './common.ts';
import { Shop, ShopCategory, SpokenLanguage } from './shops.ts';
import { ShowTile } from './shows.ts';

/** What the home page may be narrowed to. A region is compared without regard to case and accents. */
const filters = {
  category: Type.Optional(ShopCategory),
  region: Type.Optional(Type.String({ minLength: 1, maxLength: 60 })),
  language: Type.Optional(SpokenLanguage),
};

export const HomeQuery = Type.Object({
  ...filters,
  /** What the answer before said: keeps the newcomers' places as they were for this visit. */
  turn: Type.Optional(Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 })),
});
export type HomeQuery = Static<typeof HomeQuery>;
/** `cursor` is what the list before gave as `next`, asked with the same filters. */
export const HomeLiveQuery = Type.Object({ ...PageQuery.properties, ...filters });
export type HomeLiveQuery = Static<typeof HomeLiveQuery>;

export const HomeTile = Type.Object({
  ...ShowTile.properties,
  /** Whoever asks follows the show's shop. */
  isFollowed: Type.Boolean(),
});
export type HomeTile = Static<typeof HomeTile>;

/** What there is to narrow to: of shows that run, are to come, or were over not long ago. */
export const HomeFacets = Type.Object({
  categories: Type.Array(ShopCategory),
  /** As most shops write them; the most frequent first, 40 at most. */
  regions: Type.Array(Type.String()),
  languages: Type.Array(SpokenLanguage),
});
export type HomeFacets = Static<typeof HomeFacets>;

export const Home = Type.Object({
  live: Page(HomeTile),
  planned: Type.Array(HomeTile),
  past: Type.Array(HomeTile),
  facets: HomeFacets,
  /** Whose turn it is among newcomers; to be sent along when the page renews itself. */
  turn: Type.Integer(),
});
export type Home = Static<typeof Home>;

export const SEARCH_TEXT_MAX = 100;
const q = Type.String({ minLength: 1, maxLength: SEARCH_TEXT_MAX });
export const SearchQuery = Type.Object({ q });
export const SearchPageQuery = Type.Object({ q, ...PageQuery.properties });
export type SearchPageQuery = Static<typeof SearchPageQuery>;

export const FoundProduct = Type.Object({
  product: Product,
  shop: ShopRef,
  /** The running show that sells it now; `onScreen`: it is being shown this moment. */
  live: Nullable(Type.Object({ showId: Id, number: Type.Integer(), onScreen: Type.Boolean() })),
});
export type FoundProduct = Static<typeof FoundProduct>;

export const SearchAnswer = Type.Object({
  /** Words that nobody uses, with those that were looked for instead. */
  corrections: Type.Array(Type.Object({ written: Type.String(), meant: Type.Array(Type.String()) })),
  products: Page(FoundProduct),
  /** Running ones first, then those to come, then those that are over. */
  shows: Page(ShowTile),
  shops: Page(Shop),
});
export type SearchAnswer = Static<typeof SearchAnswer>;
