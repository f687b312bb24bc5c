/**
 * The room's wire protocol, version 1: one WebSocket per page at `/realtime?v=1`, JSON text frames.
 *
 * The page listens here and acts by HTTP. It joins rooms; the server sends what happens in them. Events of one room
 * have consecutive offsets; several of one tick (50 ms) come in one frame, the important first. `epoch` names the
 * life of the room's history in the server: after a reconnect the page joins with the last position that it has, and
 * gets what it missed, or `reload` when the history does not reach back that far or the epoch is another.
 *
 * Where no WebSocket gets through the same messages come as an event stream (HTML, server-sent events): `GET
 * /realtime/events?v=1`, each message one `data` line; the page's own go as `POST /realtime/messages/<line>`, with the
 * `line` of `welcome`. There the server sends `pong` by itself, and `event: close` with the close code as its last.
 *
 * Rooms: `show/<showId>` for everybody who may see the show, `studio/<showId>` for members of its shop. What concerns
 * one person (own orders) comes on every socket of that person without joining.
 */
import { Type, type Static } from 'typebox';
import { CartCount } from './carts.ts';
import { StockLevel } from './catalog.ts';
import { ChatMessage } from './chat.ts';
import { AmountMinor, Currency, Id, Instant, Nullable } from './common.ts';
import { RoomCoupon } from './coupons.ts';
import { EncoderProblem } from './encoder.ts';
import { Measure, TalkSetting } from './moderation.ts';
import { Notification } from './notifications.ts';
import { LivePrice } from './offers.ts';
import { Order } from './orders.ts';
import { BagItem, ProductInterest, ShowSales, ShowState } from './shows.ts';
import { Wait } from './waiting.ts';

export const REALTIME_VERSION = 1;

/** WebSocket close codes of our own (4000–4999, RFC 6455 section 7.4.2). */
export const CLOSE = {
  /** The page speaks another version: reload it. */
  version: 4000,
  /** Too many messages, or one over 1 KB. (A frame over 16 KB is closed with 1009, RFC 6455, before it is read.) */
  flood: 4001,
  /** The connection did not read what it was sent. */
  tooSlow: 4002,
  /** Signed out, here or elsewhere: connect again as a guest. */
  signedOut: 4003,
} as const;

export const Position = Type.Object({ epoch: Type.String(), offset: Type.Integer({ minimum: 0 }) });
export type Position = Static<typeof Position>;

// ---- from the page ----------------------------------------------------------------------------------------------

export const ClientMessage = Type.Union([
  Type.Object(
    {
      type: Type.Literal('join'),
      room: Type.String({ maxLength: 60 }),
      /** The last position the page has; absent on the first join. */
      position: Type.Optional(Position),
    },
    { additionalProperties: false },
  ),
  Type.Object({ type: Type.Literal('leave'), room: Type.String({ maxLength: 60 }) }, { additionalProperties: false }),
  /** Answered by `pong`; a page that hears nothing for 25 s connects anew. */
  Type.Object({ type: Type.Literal('ping') }, { additionalProperties: false }),
]);
export type ClientMessage = Static<typeof ClientMessage>;

// ---- events of a room -------------------------------------------------------------------------------------------

/**
 * Everything that can happen in a room. In one frame the first ten kinds stand before the rest. Of state only the
 * latest value of a tick is told. When talk comes faster than it can be read, lines are left out for everybody alike.
 */
export const RoomEvent = Type.Union([
  Type.Object({ type: Type.Literal('show'), state: ShowState, at: Instant }),
  Type.Object({ type: Type.Literal('on-screen'), productId: Nullable(Id), number: Nullable(Type.Integer()) }),
  /** Slow mode, or quiet, has changed. */
  Type.Object({ type: Type.Literal('talk'), talk: TalkSetting }),
  Type.Object({ type: Type.Literal('price'), productId: Id, variantId: Id, priceMinor: AmountMinor }),
  /** All that are in force: one that is missing is over. */
  Type.Object({ type: Type.Literal('live-prices'), items: Type.Array(LivePrice) }),
  /** All that can be claimed here: one that is missing cannot. */
  Type.Object({ type: Type.Literal('coupons'), items: Type.Array(RoomCoupon) }),
  Type.Object({ type: Type.Literal('stock'), levels: Type.Array(StockLevel) }),
  Type.Object({ type: Type.Literal('bag'), items: Type.Array(BagItem) }),
  /** Studio only: an order was paid. */
  Type.Object({
    type: Type.Literal('order'),
    orderId: Id,
    orderNumber: Type.String(),
    buyerName: Type.String(),
    lines: Type.Array(
      Type.Object({
        number: Nullable(Type.Integer()),
        title: Type.String(),
        optionValues: Type.Array(Type.String()),
        quantity: Type.Integer(),
      }),
    ),
    totalMinor: AmountMinor,
    currency: Currency,
  }),
  /** Studio only: counts of products, new followers, orders in total, at most once a second. */
  Type.Object({
    type: Type.Literal('interest'),
    items: Type.Array(ProductInterest),
    newFollowers: Type.Optional(Type.Integer()),
    sales: Type.Optional(ShowSales),
  }),
  /**
   * Studio only: how far behind viewers are, every few seconds. `medianMs`: of those that have measured it; null when
   * none has.
   */
  Type.Object({ type: Type.Literal('delay'), medianMs: Nullable(Type.Integer()), measured: Type.Integer() }),
  /** Studio only: what is wrong with what the show's encoder sends by RTMP; null once one is on the air. */
  Type.Object({ type: Type.Literal('encoder'), problem: Nullable(EncoderProblem) }),
  Type.Object({ type: Type.Literal('chat-removed'), messageId: Id }),
  Type.Object({ type: Type.Literal('chat'), message: ChatMessage }),
  Type.Object({ type: Type.Literal('explain'), productId: Id, count: Type.Integer() }),
  Type.Object({ type: Type.Literal('bought'), name: Type.String(), number: Nullable(Type.Integer()) }),
  Type.Object({ type: Type.Literal('came'), name: Type.String() }),
  Type.Object({ type: Type.Literal('likes'), total: Type.Integer() }),
  Type.Object({ type: Type.Literal('viewers'), count: Type.Integer() }),
]);
export type RoomEvent = Static<typeof RoomEvent>;

/**
 * What one person is told on all sockets: an own order or the cart changed, pieces are kept or a wait is over (null),
 * there is news for the list behind the bell, a measure concerns them or is lifted.
 */
export const PersonalEvent = Type.Union([
  Type.Object({ type: Type.Literal('own-order'), order: Order }),
  Type.Object({ type: Type.Literal('own-cart'), cart: CartCount }),
  Type.Object({ type: Type.Literal('own-wait'), waitId: Id, wait: Nullable(Wait) }),
  Type.Object({ type: Type.Literal('own-news'), news: Notification }),
  Type.Object({ type: Type.Literal('own-measure'), measure: Measure }),
]);
export type PersonalEvent = Static<typeof PersonalEvent>;

// ---- from the server --------------------------------------------------------------------------------------------

export const ServerMessage = Type.Union([
  /** First message on every connection. */
  Type.Object({
    type: Type.Literal('welcome'),
    version: Type.Literal(REALTIME_VERSION),
    personId: Nullable(Id),
    serverTime: Instant,
    /** Of an event stream only: where the page's messages go. */
    line: Type.Optional(Type.String()),
  }),
  /**
   * The room is joined. With `caughtUp` the missed events follow in an `events` message (or none were missed);
   * without, the page's own state is taken from `snapshot`, which is as of `position` or a little newer: events after
   * `position` follow even when the snapshot knows them already. Both are where the next event's offset continues.
   * A room without state (the studio) has no snapshot.
   */
  Type.Object({
    type: Type.Literal('joined'),
    room: Type.String(),
    position: Position,
    caughtUp: Type.Boolean(),
    snapshot: Nullable(
      Type.Object({
        show: Type.Object({ state: ShowState, onScreenProductId: Nullable(Id), likes: Type.Integer() }),
        viewers: Type.Integer(),
        levels: Type.Array(StockLevel),
        livePrices: Type.Array(LivePrice),
        coupons: Type.Array(RoomCoupon),
        /** The bag in its order, for the page to see whether its own is still the same, and what its goods cost now. */
        bag: Type.Array(
          Type.Object({
            productId: Id,
            number: Type.Integer(),
            prices: Type.Array(Type.Object({ variantId: Id, priceMinor: AmountMinor })),
          }),
        ),
        talk: TalkSetting,
        /** The last messages, oldest first. */
        chat: Type.Array(ChatMessage),
      }),
    ),
  }),
  /** What was missed cannot be given: load the room anew (GET /api/shows/…), then join without a position. */
  Type.Object({ type: Type.Literal('reload'), room: Type.String() }),
  /** `offset` is that of the last event in the frame; the first has `offset - events.length + 1`. */
  Type.Object({
    type: Type.Literal('events'),
    room: Type.String(),
    epoch: Type.String(),
    offset: Type.Integer(),
    events: Type.Array(RoomEvent),
  }),
  Type.Object({ type: Type.Literal('own'), event: PersonalEvent }),
  Type.Object({ type: Type.Literal('refused'), room: Nullable(Type.String()), code: Type.String() }),
  Type.Object({ type: Type.Literal('pong'), serverTime: Instant }),
]);
export type ServerMessage = Static<typeof ServerMessage>;
