/** A show's figures minute by minute. How each is counted: docs/figures.md. */
import { Type, type Static } from 'typebox';
import { AmountMinor, Currency, Id, Image, Instant, Nullable } from './common.ts';
import { ShowState } from './shows.ts';

/** Minutes that a show's figures have a row for (24 hours); what comes later counts as after the show. */
export const FIGURE_MINUTES_MAX = 1_440;
/** Countries and other websites with fewer viewers are told as one: a single viewer is nobody's figure. */
export const SMALLEST_GROUP = 3;

/** How a viewer came to the show. `other-site` comes with the website's host; `here` is another page of this market. */
export const VisitSource = Type.Union([
  Type.Literal('home'), Type.Literal('search'), Type.Literal('shop'), Type.Literal('product'), Type.Literal('here'),
  Type.Literal('push'), Type.Literal('share'), Type.Literal('poster'), Type.Literal('calendar'), Type.Literal('feed'),
  Type.Literal('other-site'), Type.Literal('direct'),
]);
export type VisitSource = Static<typeof VisitSource>;

/** Told by the page once it is in the room; the first telling of a viewer counts. */
export const VisitBody = Type.Object(
  {
    source: VisitSource,
    /** Of the other website, in lower case; nothing else of its address. */
    host: Type.Optional(Type.String({ maxLength: 100, pattern: '^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$' })),
  },
  { additionalProperties: false },
);
export type VisitBody = Static<typeof VisitBody>;

/** What is counted as it happens; sums of any stretch of the show. */
const counted = {
  watchedSeconds: Type.Integer(),
  chats: Type.Integer(),
  explains: Type.Integer(),
  likes: Type.Integer(),
  followers: Type.Integer(),
  /** Viewers and products: a viewer who opens the cards of two products counts twice. */
  cardsOpened: Type.Integer(),
  sheetsOpened: Type.Integer(),
  /** Orders, in the minute in which they were placed. */
  placed: Type.Integer(),
  /** Orders, in the minute in which they were paid. */
  paid: Type.Integer(),
  /** What was paid for goods, without sending, in the minute in which it was paid. */
  salesMinor: AmountMinor,
  /** Of that, what goes back because the order was cancelled, in the minute in which it was. */
  refundedMinor: AmountMinor,
};
export const FigureCounts = Type.Object(counted);
export type FigureCounts = Static<typeof FigureCounts>;

export const FigureMinute = Type.Object({
  /** From when the show went live: minute 0 is its first 60 seconds. */
  minute: Type.Integer(),
  /** Viewers when the minute ended; in the minute that runs, now. */
  viewers: Type.Integer(),
  peakViewers: Type.Integer(),
  /** Different viewers in the minute, however short. */
  differentViewers: Type.Integer(),
  /** Of these, such as had not been in the show before. */
  newViewers: Type.Integer(),
  ...counted,
});
export type FigureMinute = Static<typeof FigureMinute>;

/** One stretch of a product on screen, in seconds from when the show went live; `toSeconds` null: still. */
export const FigureScreen = Type.Object({
  productId: Id,
  fromSeconds: Type.Integer(),
  toSeconds: Nullable(Type.Integer()),
});
export type FigureScreen = Static<typeof FigureScreen>;

/** One product of the bag: card opened → buy sheet opened → order placed → paid. */
export const FigureProduct = Type.Object({
  productId: Id,
  number: Type.Integer(),
  /** Null when it is gone from the catalogue. */
  title: Nullable(Type.String()),
  image: Nullable(Image),
  cardsOpened: Type.Integer(),
  sheetsOpened: Type.Integer(),
  /** Orders with this product. */
  placed: Type.Integer(),
  paid: Type.Integer(),
  /** Of paid orders, this product's lines; `refundedMinor` of those that were cancelled afterwards. */
  salesMinor: AmountMinor,
  refundedMinor: AmountMinor,
});
export type FigureProduct = Static<typeof FigureProduct>;

export const ShowMinutes = Type.Object({
  showId: Id,
  title: Type.String(),
  state: ShowState,
  wentLiveAt: Nullable(Instant),
  endedAt: Nullable(Instant),
  currency: Currency,
  /** First minute in `minutes`: all of the show, or what was asked for. */
  from: Type.Integer(),
  minutes: Type.Array(FigureMinute),
  /** What was counted before the show went live and after it ended, such as an order paid later. */
  before: FigureCounts,
  after: FigureCounts,
  /** Of the whole show, before and after included. */
  totals: Type.Object({
    ...counted,
    viewers: Type.Integer(),
    peakViewers: Type.Integer(),
    differentViewers: Type.Integer(),
    /** Per viewer; null without any. */
    medianWatchedSeconds: Nullable(Type.Integer()),
    meanWatchedSeconds: Nullable(Type.Integer()),
  }),
  screens: Type.Array(FigureScreen),
  products: Type.Array(FigureProduct),
  /** The most first. `host` null: all that are not told apart. */
  sources: Type.Array(Type.Object({
    source: Nullable(VisitSource), host: Nullable(Type.String()), viewers: Type.Integer(),
  })),
  /** ISO 3166-1 alpha-2, the most first; null: unknown, or too few to be told apart. */
  countries: Type.Array(Type.Object({ country: Nullable(Type.String()), viewers: Type.Integer() })),
});
export type ShowMinutes = Static<typeof ShowMinutes>;

export const MinutesQuery = Type.Object({
  /** Only minutes from this one on; totals are of the whole show in any case. */
  from: Type.Optional(Type.Integer({ minimum: 0, maximum: FIGURE_MINUTES_MAX })),
});
export type MinutesQuery = Static<typeof MinutesQuery>;
