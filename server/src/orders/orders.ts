/**
 * The face of orders: placing, paying for, shipping and handing over goods of one shop, and selling at its counter.
 *
 * Invariants: an order and its held pieces come into being together or not at all; the pieces of an order are held
 * while it is held, sold once it is paid, and back on the shelf otherwise; every change of state is in
 * `order_transition`.
 */
import type { Address } from '@nacre/contract/accounts';
import type { Page, PageQuery } from '@nacre/contract/common';
import type {
  BulkResult, BulkShip, CounterSale, FoundOrders, OfficeOrderFilter, OfficeOrderQuery, OpenParcel, Order, OrderCancel,
  OrderCounts, OrderPlace, OrderShip, Receipt, SelectedNumbers,
} from '@nacre/contract/orders';
import type { PersonalEvent } from '@nacre/contract/realtime';
import type { Catalog } from '../catalog/catalog.ts';
import type { Images } from '../images/images.ts';
import type { Offers } from '../offers/offers.ts';
import type { Payments } from '../payments/payments.ts';
import type { Tx } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import type { Shops } from '../shops/shops.ts';
import { arrived, sweepWaiting, type Waits } from './arriving.ts';
import { findByNumbers, packMany, select, shipMany } from './bulk.ts';
import { cancel, cancelByShop, paymentRefunded } from './cancelling.ts';
import { createCodeTries } from './code-tries.ts';
import { receiptOf, sell, voidSale } from './counter.ts';
import { csvOf } from './csv.ts';
import { pack, ship } from './packing.ts';
import { paymentsCaptured, paymentsDeclined, sweepExpired } from './paying.ts';
import { findPickup, handOver, ready } from './pickup.ts';
import { createPlacer, place } from './place.ts';
import type { Screen } from './promise.ts';
import {
  counts, get, getOfShop, listMine, listOfShop, openParcels, promiseOf, promiseOfShop, type KeptPromise,
} from './reading.ts';

export interface OrdersDeps {
  platform: Platform;
  catalog: Pick<
    Catalog,
    | 'lockForOrder' | 'cardsOf' | 'keptFor' | 'hold' | 'holdAll' | 'releaseAll' | 'sell' | 'sellAll' | 'takeBack'
  >;
  offers: Pick<Offers, 'lockLive' | 'take' | 'giveBack' | 'coupons'>;
  payments: Pick<Payments, 'create' | 'takeAtCounter' | 'cancel' | 'expire' | 'refund' | 'pagesOf'>;
  shops: Pick<Shops, 'assertMay' | 'refs' | 'placeOf' | 'sellersOf'>;
  images: Pick<Images, 'describe'>;
  /** The shop of a show and the numbers of its goods, by product; null for a show that this person may not know of. */
  bagOf(showId: string, personId: string): Promise<Bag | null>;
  /** What is on screen in each of the shows, read in the batch's transaction. */
  screensNow(tx: Tx, showIds: readonly string[]): Promise<Map<string, Screen>>;
  /** Takes what was bought from carts out of them; a part of the placing's transaction. */
  takeFromCarts(tx: Tx, bought: readonly BoughtFromCart[]): Promise<void>;
  people: {
    /** Puts an address into the person's address book. May refuse: then the order stands all the same. */
    keepAddress(personId: string, address: Address): Promise<unknown>;
    /** Ids of nobody are missing from the answer. */
    namesOf(personIds: readonly string[]): Promise<Map<string, string>>;
  };
  /** Tells one person on all sockets. Called after the commit; must not throw. */
  tell(personId: string, event: PersonalEvent): void;
}

export interface Bag {
  shopId: string;
  numbers: ReadonlyMap<string, number>;
}

/** An order that came from its buyer's cart. */
export interface BoughtFromCart {
  personId: string;
  shopId: string;
  idempotencyKey: string;
  lines: ReadonlyArray<{ variantId: string; quantity: number }>;
}

/** Who buys, and under which name the shop sees it. */
export interface Buyer {
  personId: string;
  name: string;
}

export interface Orders {
  /**
   * Holds the pieces and opens the payment. The same key with the same contents gives the same order again, whatever
   * has become of it, and changes nothing; a placing that was refused leaves nothing behind, and its key can be used
   * again.
   * @throws Refusal `orders.key_reused` for the same key with other contents; `orders.sold_out` with
   * `{ variantId, available }`; `orders.price_changed` with `{ variantId, priceMinor, currency }`;
   * `orders.shipping_changed` with `{ shopId, shippingMinor, currency }`;
   * `coupons.not_found`, `coupons.used`, `coupons.early`, `coupons.over`, `coupons.not_fitting`, and
   * `coupons.discount_changed` with `{ discountMinor, currency }`;
   * `offers.limit` and `offers.few_left` for too many at a live price; `orders.not_for_sale`;
   * `orders.too_many_pieces`; `orders.too_many_open`; `orders.no_pickup`; `shows.not_found`;
   * `orders.rush` when too many wait: nothing was tried, and the same key is good for the next try;
   * `request.invalid`, also for an address and a pick-up, or neither
   */
  place(buyer: Buyer, request: OrderPlace): Promise<Order>;
  /** An order of one's own. @throws Refusal `orders.not_found`, also for another's */
  get(personId: string, orderId: string): Promise<Order>;
  /**
   * What an order of one's own was promised, byte for byte as it was hashed.
   * @throws Refusal `orders.not_found`, also for another's; `orders.no_promise` for one of before promises were kept
   */
  promiseOf(personId: string, orderId: string): Promise<KeptPromise>;
  /** The same for a member of the shop. @throws Refusal as `getOfShop`; `orders.no_promise`, also at the counter */
  promiseOfShop(personId: string, orderId: string): Promise<KeptPromise>;
  /** Parcels of one's own that what is bought there now may go with: of each shop and show, the oldest first. */
  openParcels(personId: string, places: ReadonlyArray<{ shopId: string; showId: string }>): Promise<OpenParcel[][]>;
  /** One's own orders, the newest first. */
  listMine(personId: string, query: PageQuery): Promise<Page<Order>>;
  /**
   * Gives up an order that is not packed; its pieces come back at once, and what was paid by payments' job. A repeat
   * changes nothing.
   * @throws Refusal `orders.not_found`; `orders.wrong_state` when it is packed, sent or over
   */
  cancel(personId: string, orderId: string): Promise<Order>;
  /**
   * The buyer has all of it. A repeat changes nothing.
   * @throws Refusal `orders.not_found`; `orders.wrong_state` when it was not shipped
   */
  arrived(personId: string, orderId: string): Promise<Order>;
  /**
   * The shop takes back an order that is paid and not on its way; the buyer reads why. A repeat changes nothing.
   * @throws Refusal `orders.not_found`, `shops.not_allowed`, `orders.wrong_state`; `orders.on_its_way` when a part of
   * it was sent
   */
  cancelByShop(personId: string, orderId: string, why: OrderCancel): Promise<Order>;
  /** A paid order lies packed. A repeat changes nothing. @throws Refusal as `ready` */
  pack(personId: string, orderId: string): Promise<Order>;
  /** For a member of the shop. @throws Refusal `orders.not_found`, also to everybody else; `shops.not_allowed` */
  getOfShop(personId: string, orderId: string): Promise<Order>;
  /**
   * The newest first; if asked, of one state or show only.
   * @throws Refusal `shops.not_found`, `shops.not_a_member`, `shops.not_allowed`
   */
  listOfShop(personId: string, shopId: string, query: OfficeOrderQuery): Promise<Page<Order>>;
  /** How many orders are in each state and each group, zeros included. @throws Refusal as `listOfShop` */
  counts(personId: string, shopId: string): Promise<OrderCounts>;
  /**
   * A member of the shop sends a parcel of a paid order, with these pieces or with all that are left. The last pieces
   * make it shipped. The same parcel again changes nothing.
   * @throws Refusal `orders.not_found`, `orders.wrong_state`, `shops.not_allowed`; `orders.nothing_left` with
   * `{ variantId, left }`; `orders.parcel_known` when it was sent with other pieces; `orders.too_many_parcels`
   */
  ship(personId: string, orderId: string, parcel: OrderShip): Promise<Order>;
  /** The same verbs for many orders by number, each on its own. @throws Refusal as `listOfShop` */
  packMany(personId: string, shopId: string, numbers: readonly string[]): Promise<BulkResult>;
  shipMany(personId: string, shopId: string, bulk: BulkShip): Promise<BulkResult>;
  /** The newest of the filter, by number. @throws Refusal as `listOfShop` */
  select(personId: string, shopId: string, filter: OfficeOrderFilter): Promise<SelectedNumbers>;
  /** In the sequence asked, each once; numbers of no order of the shop are missing. @throws Refusal as `listOfShop` */
  findByNumbers(personId: string, shopId: string, numbers: readonly string[]): Promise<FoundOrders>;
  /** The orders of the filter as a file, in parts. @throws Refusal as `listOfShop`, before the first part */
  csv(personId: string, shopId: string, filter: OfficeOrderFilter): Promise<AsyncGenerator<string, void>>;
  /**
   * A member of the shop says that a paid order lies there for its buyer, who is told. A repeat changes nothing.
   * @throws Refusal `orders.not_found`, `orders.wrong_state`, `shops.not_allowed`
   */
  ready(personId: string, orderId: string): Promise<Order>;
  /**
   * The order that waits in this shop under the code, as typed or scanned.
   * @throws Refusal `orders.code_unknown`, `request.too_many` after ten wrong ones in a minute; as `listOfShop`
   */
  findPickup(personId: string, shopId: string, code: string): Promise<Order>;
  /**
   * Who brings the code gets the goods, once; the same again changes nothing.
   * @throws Refusal `orders.code_unknown`, `request.too_many`, `orders.wrong_state`, `orders.not_found`,
   * `shops.not_allowed`
   */
  handOver(personId: string, orderId: string, code: string): Promise<Order>;
  /**
   * Sells over the counter: all lines or none, from the shelf from which everybody buys. The same key with the same
   * contents is the same sale.
   * @throws Refusal `orders.key_reused`; `orders.sold_out`, `orders.price_changed`, `orders.not_for_sale` with the
   * variant; `orders.too_many_pieces`; `request.invalid`; `shops.*` as `assertMay`
   */
  sellAtCounter(personId: string, shopId: string, sale: CounterSale): Promise<Order>;
  /**
   * Undoes a counter sale: the pieces are back, the money is noted as given back. A repeat changes nothing.
   * @throws Refusal `orders.void_too_late` after 15 minutes; `orders.wrong_state`, `orders.not_found`,
   * `shops.not_allowed`
   */
  voidSale(personId: string, orderId: string): Promise<Order>;
  /** For whoever has the receipt's address. @throws Refusal `orders.not_found`, also for other orders */
  receiptOf(orderId: string): Promise<Receipt>;
  /**
   * The money has come: sells the pieces. When a hold was over, the order lives again if its pieces are all there; else
   * the money goes back, as it does when the buyer had given it up. Repeatable.
   */
  paymentsCaptured(tx: Tx, subjects: readonly string[]): Promise<void>;
  /** No money will come: the pieces come back. Repeatable. */
  paymentsDeclined(tx: Tx, subjects: readonly string[]): Promise<void>;
  /** The money of a cancelled order is back. Repeatable. */
  paymentRefunded(tx: Tx, subject: string): Promise<void>;
  /** What nobody says comes by time: delivered, then completed. Any number of sweeps may run. @returns steps gone */
  sweepWaiting(waits: Waits): Promise<number>;
  /** Ends holds whose time is over. Any number of sweeps may run at a time. @returns how many this one ended */
  sweepExpired(): Promise<number>;
}

export function createOrders(deps: OrdersDeps): Orders {
  const placer = createPlacer(deps);
  const tries = createCodeTries({ nowMs: () => deps.platform.clock.now().getTime() });
  return {
    place: (buyer, request) => place(deps, placer, buyer, request),
    get: (personId, orderId) => get(deps, personId, orderId),
    promiseOf: (personId, orderId) => promiseOf(deps, personId, orderId),
    promiseOfShop: (personId, orderId) => promiseOfShop(deps, personId, orderId),
    openParcels: (personId, places) => openParcels(deps, personId, places),
    listMine: (personId, query) => listMine(deps, personId, query),
    cancel: (personId, orderId) => cancel(deps, personId, orderId),
    arrived: (personId, orderId) => arrived(deps, personId, orderId),
    cancelByShop: (personId, orderId, why) => cancelByShop(deps, personId, orderId, why),
    pack: (personId, orderId) => pack(deps, personId, orderId),
    getOfShop: (personId, orderId) => getOfShop(deps, personId, orderId),
    listOfShop: (personId, shopId, query) => listOfShop(deps, personId, shopId, query),
    counts: (personId, shopId) => counts(deps, personId, shopId),
    ship: (personId, orderId, parcel) => ship(deps, personId, orderId, parcel),
    packMany: (personId, shopId, numbers) => packMany(deps, personId, shopId, numbers),
    shipMany: (personId, shopId, bulk) => shipMany(deps, personId, shopId, bulk),
    select: (personId, shopId, filter) => select(deps, personId, shopId, filter),
    findByNumbers: (personId, shopId, numbers) => findByNumbers(deps, personId, shopId, numbers),
    csv: async (personId, shopId, filter) => {
      await deps.shops.assertMay(personId, shopId, 'orders.see');
      return csvOf(deps, shopId, filter);
    },
    ready: (personId, orderId) => ready(deps, personId, orderId),
    findPickup: (personId, shopId, code) => findPickup(deps, tries, personId, shopId, code),
    handOver: (personId, orderId, code) => handOver(deps, tries, personId, orderId, code),
    sellAtCounter: (personId, shopId, sale) => sell(deps, personId, shopId, sale),
    voidSale: (personId, orderId) => voidSale(deps, personId, orderId),
    receiptOf: (orderId) => receiptOf(deps, orderId),
    paymentsCaptured: (tx, subjects) => paymentsCaptured(deps, tx, subjects),
    paymentsDeclined: (tx, subjects) => paymentsDeclined(deps, tx, subjects),
    paymentRefunded: (tx, subject) => paymentRefunded(deps, tx, subject),
    sweepWaiting: (waits) => sweepWaiting(deps, waits),
    sweepExpired: () => sweepExpired(deps),
  };
}
