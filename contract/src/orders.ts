/** Placing, paying, packing, shipping, cancelling. */
import { Type, type Static } from 'typebox';
import { Address } from './accounts.ts';
import { AmountMinor, Currency, Id, Image, Instant, Nullable, PageQuery, Problem } from './common.ts';
import { CouponAsk, OrderCoupon } from './coupons.ts';
import { ShippingTerms, ShopAddress, ShopPlace } from './shops.ts';

/**
 * By parcel: held → paid → packed → shipped → delivered → completed, or at once from paid to shipped. To pick up:
 * held → paid → ready → handed_over, or at once from paid. Both: held → declined | expired | cancelled; expired → paid
 * when the money came late and the pieces were there; what is paid but not on its way → cancelled → refunded. At the
 * counter: handed_over → voided.
 */
export const ORDER_STATES = [
  'held', 'paid', 'packed', 'ready', 'handed_over', 'shipped', 'delivered', 'completed', 'expired', 'declined',
  'cancelled', 'refunded', 'voided',
] as const;
export const OrderState = Type.Enum(ORDER_STATES);
export type OrderState = (typeof ORDER_STATES)[number];

/** How the goods reach the buyer. `counter`: they have them already. */
export const DELIVERIES = ['parcel', 'pickup', 'counter'] as const;
export const Delivery = Type.Enum(DELIVERIES);
export type Delivery = (typeof DELIVERIES)[number];

/** Where it was sold: on the shop's pages, in a show, over the counter. */
export const CHANNELS = ['online', 'show', 'counter'] as const;
export const Channel = Type.Enum(CHANNELS);
export type Channel = (typeof CHANNELS)[number];

/** How a counter sale was paid; the shop itself has the money. */
export const COUNTER_METHODS = ['cash', 'card'] as const;
export const CounterMethod = Type.Enum(COUNTER_METHODS);
export type CounterMethod = (typeof COUNTER_METHODS)[number];

/** Pieces of one variant in one order. */
export const QUANTITY_MAX = 99;

/** What is asked for: all of one shop. */
const AskedLines = Type.Array(
  Type.Object(
    {
      variantId: Id,
      quantity: Type.Integer({ minimum: 1, maximum: QUANTITY_MAX }),
      /** The price that the buyer saw; if it changed, the order is refused and the new price told. */
      unitPriceMinor: AmountMinor,
    },
    { additionalProperties: false },
  ),
  { minItems: 1, maxItems: 20 },
);

/** Made by the page for one purchase; sending it again gives the same order. */
export const IdempotencyKey = Type.String({ minLength: 8, maxLength: 64, pattern: '^[A-Za-z0-9_-]+$' });

/** Who comes for it; the telephone may be empty. */
export const PickupAsk = Type.Object(
  { name: Address.properties.name, phone: ShopAddress.properties.phone },
  { additionalProperties: false },
);
export type PickupAsk = Static<typeof PickupAsk>;

export const OrderPlace = Type.Object(
  {
    idempotencyKey: IdempotencyKey,
    showId: Nullable(Id),
    /** All of one shop. */
    lines: AskedLines,
    /** Where the parcel goes: this, or `pickup`. */
    address: Type.Optional(Address),
    pickup: Type.Optional(PickupAsk),
    /** Keep the address in the address book. */
    saveAddress: Type.Optional(Type.Boolean()),
    /** The fee for sending that the buyer saw; absent: none. If it is another, the order is refused and it is told. */
    shippingMinor: Type.Optional(AmountMinor),
    /** A claimed coupon; if it takes off another amount, the order is refused and that is told. */
    coupon: Type.Optional(CouponAsk),
    /** Bought from the buyer's cart: the pieces leave it with the order. */
    fromCart: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);
export type OrderPlace = Static<typeof OrderPlace>;

export const OrderLine = Type.Object({
  variantId: Id,
  productId: Id,
  title: Type.String(),
  optionValues: Type.Array(Type.String()),
  sku: Type.String(),
  image: Nullable(Image),
  unitPriceMinor: AmountMinor,
  quantity: Type.Integer(),
  /** Number in the show's bag; null outside a show. */
  number: Nullable(Type.Integer()),
});
export type OrderLine = Static<typeof OrderLine>;

/** The shop's place as it was when the order was placed. `code` opens the order there; only the buyer reads it. */
export const OrderPickup = Type.Object({
  name: Type.String(),
  phone: Type.String(),
  place: ShopPlace,
  code: Nullable(Type.String()),
});
export type OrderPickup = Static<typeof OrderPickup>;

/** Pieces of a line, by its variant. */
export const Pieces = Type.Object(
  { variantId: Id, quantity: Type.Integer({ minimum: 1, maximum: QUANTITY_MAX }) },
  { additionalProperties: false },
);
export type Pieces = Static<typeof Pieces>;

/** Parcels of one order. More would be a mistake, and each is a line on the buyer's page. */
export const PARCELS_MAX = 20;

export const Parcel = Type.Object({
  /** From 1, in the sequence in which they were sent. */
  number: Type.Integer(),
  carrier: Type.String(),
  trackingNumber: Type.String(),
  /** The carrier's own page about it; null for a carrier that we do not know. */
  trackingUrl: Nullable(Type.String()),
  sentAt: Instant,
  pieces: Type.Array(Pieces),
});
export type Parcel = Static<typeof Parcel>;

/** A state that the order came into. `by` is the person's name, for the shop; null: the clock or the payment. */
export const OrderStep = Type.Object({ state: OrderState, at: Instant, by: Nullable(Type.String()) });
export type OrderStep = Static<typeof OrderStep>;

/** Why a shop cancels. The buyer reads it. */
export const CANCEL_REASONS = ['out_of_stock', 'damaged', 'address', 'buyer_asked', 'other'] as const;
export const CancelReason = Type.Enum(CANCEL_REASONS);
export type CancelReason = (typeof CANCEL_REASONS)[number];

/** Who cancelled; the reason and the shop's own words (may be empty) are null when it was the buyer. */
export const Cancellation = Type.Object({
  by: Type.Union([Type.Literal('buyer'), Type.Literal('shop')]),
  reason: Nullable(CancelReason),
  note: Nullable(Type.String()),
});
export type Cancellation = Static<typeof Cancellation>;

/**
 * Money that came when the hold was over. `kept`: the pieces were still there, and the order is paid. `returned`: they
 * were not, or the buyer had given it up; the money goes back by itself.
 */
export const LATE_PAYMENTS = ['kept', 'returned'] as const;
export type LatePayment = (typeof LATE_PAYMENTS)[number];

export const Order = Type.Object({
  id: Id,
  /** What people say on the phone, e.g. `N-1042`. */
  number: Type.String(),
  state: OrderState,
  shop: Type.Object({ id: Id, slug: Type.String(), name: Type.String() }),
  showId: Nullable(Id),
  channel: Channel,
  delivery: Delivery,
  /** Empty at the counter. */
  buyerName: Type.String(),
  lines: Type.Array(OrderLine),
  /** Goods, less what a coupon takes off, and sending. */
  totalMinor: AmountMinor,
  /** Null without one. */
  coupon: Nullable(OrderCoupon),
  /** The part of the total that is for sending. */
  shippingMinor: AmountMinor,
  /** Sent with this earlier order, which paid for sending; null otherwise. */
  shipsWith: Nullable(Type.Object({ id: Id, number: Type.String() })),
  currency: Currency,
  /** Of a parcel; null otherwise. */
  address: Nullable(Address),
  /** Who comes for it, and to where; null otherwise. */
  pickup: Nullable(OrderPickup),
  /** How the counter was paid; null elsewhere. */
  counterMethod: Nullable(CounterMethod),
  placedAt: Instant,
  /** When an unpaid order gives its pieces back. */
  holdExpiresAt: Instant,
  paidAt: Nullable(Instant),
  /** Null when the money came in time, or not at all. */
  latePayment: Nullable(Type.Enum(LATE_PAYMENTS)),
  shippedAt: Nullable(Instant),
  /** It lies in the shop for whoever comes. */
  readyAt: Nullable(Instant),
  handedOverAt: Nullable(Instant),
  voidedAt: Nullable(Instant),
  /** What was sent so far. */
  parcels: Type.Array(Parcel),
  /** How it came to be where it is, the first step first. */
  history: Type.Array(OrderStep),
  /** Null when it was not cancelled. */
  cancellation: Nullable(Cancellation),
  /** Where to pay while held: a page of ours (sandbox) that may stand in a frame; null otherwise. */
  paymentUrl: Nullable(Type.String()),
});
export type Order = Static<typeof Order>;

/** An order that is not on its way yet: what is bought in the same show for the same address is sent with it. */
export const OpenParcel = Type.Object({ orderId: Id, number: Type.String(), address: Address });
export type OpenParcel = Static<typeof OpenParcel>;

/** What sending costs one person who buys from a shop now, in a show or in none. */
export const ShippingOffer = Type.Object({
  terms: ShippingTerms,
  /** The person's own orders of that show and shop, the oldest first; none outside a show. */
  open: Type.Array(OpenParcel),
});
export type ShippingOffer = Static<typeof ShippingOffer>;

const parcelWords = {
  carrier: Type.String({ minLength: 1, maxLength: 60, pattern: '\\S' }),
  trackingNumber: Type.String({ minLength: 1, maxLength: 80, pattern: '\\S' }),
};
export const OrderShip = Type.Object(
  {
    ...parcelWords,
    /** What is in it; without this, all that was not sent yet. */
    pieces: Type.Optional(Type.Array(Pieces, { minItems: 1, maxItems: 20 })),
  },
  { additionalProperties: false },
);
export type OrderShip = Static<typeof OrderShip>;

export const OrderCancel = Type.Object(
  { reason: CancelReason, note: Type.String({ maxLength: 500 }) },
  { additionalProperties: false },
);
export type OrderCancel = Static<typeof OrderCancel>;

export const ORDER_GROUPS = ['to_ship', 'to_pick_up', 'counter'] as const;
export const OrderGroup = Type.Enum(ORDER_GROUPS);
export type OrderGroup = (typeof ORDER_GROUPS)[number];

export const OfficeOrderQuery = Type.Object({
  ...PageQuery.properties,
  state: Type.Optional(OrderState),
  /** Only what was ordered in this show. */
  showId: Type.Optional(Id),
  /** Paid and packed parcels; paid and ready pick-ups; counter sales. */
  group: Type.Optional(OrderGroup),
});
export type OfficeOrderQuery = Static<typeof OfficeOrderQuery>;

/** The same without paging: what is selected or exported as a whole. */
export const OfficeOrderFilter = Type.Pick(OfficeOrderQuery, ['state', 'showId', 'group']);
export type OfficeOrderFilter = Static<typeof OfficeOrderFilter>;

/** How many orders of a shop are in each state and in each group, zeros included. */
const counted = [...ORDER_STATES, ...ORDER_GROUPS].map((name) => [name, Type.Integer()]);
export const OrderCounts = Type.Object(
  Object.fromEntries(counted) as Record<OrderState | OrderGroup, ReturnType<typeof Type.Integer>>,
);
export type OrderCounts = Static<typeof OrderCounts>;

// ---- many at once ------------------------------------------------------------------------------------------------

/** Orders of one request. Each is a transaction of its own: more would keep the page waiting without a word. */
export const BULK_MAX = 100;
/** Orders that are selected, or printed, at once: an evening's parcels. */
export const SELECT_MAX = 500;

/** As people say it: `N-1042`; small letters, or the digits alone, will do. */
export const OrderNumber = Type.String({ pattern: '^ *([Nn] *- *)?[0-9]{1,15} *$', maxLength: 40 });

export const OrderNumbers = Type.Object(
  { numbers: Type.Array(OrderNumber, { minItems: 1, maxItems: BULK_MAX }) },
  { additionalProperties: false },
);
export type OrderNumbers = Static<typeof OrderNumbers>;

/** A parcel with all that was not sent yet, for each order. */
export const BulkShip = Type.Object(
  {
    parcels: Type.Array(
      Type.Object({ number: OrderNumber, ...parcelWords }, { additionalProperties: false }),
      { minItems: 1, maxItems: BULK_MAX },
    ),
  },
  { additionalProperties: false },
);
export type BulkShip = Static<typeof BulkShip>;

/** What became of each, in the sequence asked. `problem` is null when it is done, or was done before. */
export const BulkResult = Type.Object({
  results: Type.Array(Type.Object({ number: Type.String(), problem: Nullable(Problem) })),
});
export type BulkResult = Static<typeof BulkResult>;

/** Numbers of the newest orders of a filter; `isAll`: there are no more. */
export const SelectedNumbers = Type.Object({ numbers: Type.Array(Type.String()), isAll: Type.Boolean() });
export type SelectedNumbers = Static<typeof SelectedNumbers>;

export const FoundOrders = Type.Object({ orders: Type.Array(Order) });
export type FoundOrders = Static<typeof FoundOrders>;

// ---- at the counter ---------------------------------------------------------------------------------------------

/** Signs of a pick-up code: none that is taken for another when read aloud or off a dim screen. */
export const PICKUP_CODE_SIGNS = '23456789ABCDEFGHJKMNPQRSTVWXYZ';
export const PICKUP_CODE_LENGTH = 6;

/** As typed or scanned: small letters, spaces and hyphens make no difference. */
export const PickupCode = Type.Object(
  { code: Type.String({ minLength: 1, maxLength: 40 }) },
  { additionalProperties: false },
);

export const CounterSale = Type.Object(
  { idempotencyKey: IdempotencyKey, lines: AskedLines, method: CounterMethod },
  { additionalProperties: false },
);
export type CounterSale = Static<typeof CounterSale>;

/** A counter sale can be undone for so long. Longer lets yesterday's till change, shorter punishes a slip. */
export const VOID_WITHIN_MS = 15 * 60_000;

/** What a customer takes home; there is nothing of a person in it. */
export const Receipt = Type.Object({
  number: Type.String(),
  state: OrderState,
  shop: Type.Object({ slug: Type.String(), name: Type.String(), place: Nullable(ShopPlace) }),
  lines: Type.Array(OrderLine),
  totalMinor: AmountMinor,
  currency: Currency,
  method: CounterMethod,
  soldAt: Instant,
  voidedAt: Nullable(Instant),
});
export type Receipt = Static<typeof Receipt>;

/** Payment as the sandbox's page shows it. */
export const Payment = Type.Object({
  id: Id,
  amountMinor: AmountMinor,
  currency: Currency,
  state: Type.Union([
    Type.Literal('pending'), Type.Literal('processing'), Type.Literal('captured'), Type.Literal('declined'),
    Type.Literal('cancelled'), Type.Literal('expired'), Type.Literal('refunded'),
  ]),
  expiresAt: Instant,
  /** What is paid for: `order/<uuid>`. */
  subject: Type.String(),
  description: Type.String(),
});
export type Payment = Static<typeof Payment>;

/**
 * What a payer may choose on the sandbox's page. `slow` succeeds after about 20 seconds. The last three are to try out
 * what real providers do: the same news several times, news that overtake each other, and money that comes 10 seconds
 * after its time is over.
 */
export const SANDBOX_OUTCOMES = ['succeed', 'decline', 'slow', 'doubled', 'reordered', 'late'] as const;
export type SandboxOutcome = (typeof SANDBOX_OUTCOMES)[number];
export const SandboxDecision = Type.Object(
  { outcome: Type.Enum(SANDBOX_OUTCOMES) },
  { additionalProperties: false },
);
export type SandboxDecision = Static<typeof SandboxDecision>;
