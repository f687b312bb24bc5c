/** Placing, paying, shipping. */
import { Type, type Static } from 'typebox';
import { Address } from './accounts.ts';
import { AmountMinor, Currency, Id, Image, Instant, Nullable, PageQuery } from './common.ts';

/** held → paid → shipped; held → declined | expired | cancelled. */
export const OrderState = Type.Union([
  Type.Literal('held'), Type.Literal('paid'), Type.Literal('shipped'), Type.Literal('expired'),
  Type.Literal('declined'), Type.Literal('cancelled'),
]);
export type OrderState = Static<typeof OrderState>;

/** Pieces of one variant in one order. */
export const QUANTITY_MAX = 99;

export const OrderPlace = Type.Object(
  {
    /** Made by the page for this purchase; sending it again gives the same order. */
    idempotencyKey: Type.String({ minLength: 8, maxLength: 64, pattern: '^[A-Za-z0-9_-]+$' }),
    showId: Nullable(Id),
    /** All of one shop. */
    lines: Type.Array(
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
    ),
    address: Address,
    /** Keep the address in the address book. */
    saveAddress: Type.Optional(Type.Boolean()),
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

export const Order = Type.Object({
  id: Id,
  /** What people say on the phone, e.g. `N-1042`. */
  number: Type.String(),
  state: OrderState,
  shop: Type.Object({ id: Id, slug: Type.String(), name: Type.String() }),
  showId: Nullable(Id),
  buyerName: Type.String(),
  lines: Type.Array(OrderLine),
  totalMinor: AmountMinor,
  currency: Currency,
  address: Address,
  placedAt: Instant,
  /** When an unpaid order gives its pieces back. */
  holdExpiresAt: Instant,
  paidAt: Nullable(Instant),
  shippedAt: Nullable(Instant),
  carrier: Nullable(Type.String()),
  trackingNumber: Nullable(Type.String()),
  /** Where to pay while held: a page of ours (sandbox) that may stand in a frame; null otherwise. */
  paymentUrl: Nullable(Type.String()),
});
export type Order = Static<typeof Order>;

export const OrderShip = Type.Object(
  {
    carrier: Type.String({ minLength: 1, maxLength: 60, pattern: '\\S' }),
    trackingNumber: Type.String({ minLength: 1, maxLength: 80, pattern: '\\S' }),
  },
  { additionalProperties: false },
);
export type OrderShip = Static<typeof OrderShip>;

export const OfficeOrderQuery = Type.Object({
  ...PageQuery.properties,
  state: Type.Optional(OrderState),
  /** Only what was ordered in this show. */
  showId: Type.Optional(Id),
});
export type OfficeOrderQuery = Static<typeof OfficeOrderQuery>;

/** How many orders of a shop are in each state, zeros included. */
export const OrderCounts = Type.Object({
  held: Type.Integer(),
  paid: Type.Integer(),
  shipped: Type.Integer(),
  expired: Type.Integer(),
  declined: Type.Integer(),
  cancelled: Type.Integer(),
});
export type OrderCounts = Static<typeof OrderCounts>;

/** Payment as the sandbox's page shows it. */
export const Payment = Type.Object({
  id: Id,
  amountMinor: AmountMinor,
  currency: Currency,
  state: Type.Union([
    Type.Literal('pending'), Type.Literal('processing'), Type.Literal('captured'), Type.Literal('declined'),
    Type.Literal('cancelled'), Type.Literal('refunded'),
  ]),
  expiresAt: Instant,
  /** What is paid for: `order/<uuid>`. */
  subject: Type.String(),
  description: Type.String(),
});
export type Payment = Static<typeof Payment>;

/** `slow` succeeds after about 20 seconds. */
export const SandboxDecision = Type.Object(
  { outcome: Type.Union([Type.Literal('succeed'), Type.Literal('decline'), Type.Literal('slow')]) },
  { additionalProperties: false },
);
export type SandboxDecision = Static<typeof SandboxDecision>;
