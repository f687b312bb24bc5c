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
  CounterSale, OfficeOrderQuery, Order, OrderCounts, OrderPlace, OrderShip, Receipt,
} from '@nacre/contract/orders';
import type { PersonalEvent } from '@nacre/contract/realtime';
import type { Catalog } from '../catalog/catalog.ts';
import type { Images } from '../images/images.ts';
import type { Payments } from '../payments/payments.ts';
import type { Tx } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import type { Shops } from '../shops/shops.ts';
import { createCodeTries } from './code-tries.ts';
import { receiptOf, sell, voidSale } from './counter.ts';
import { cancel, ship } from './moving.ts';
import { paymentsCaptured, paymentsDeclined, sweepExpired } from './paying.ts';
import { findPickup, handOver, ready } from './pickup.ts';
import { createPlacer, place } from './place.ts';
import { counts, get, getOfShop, listMine, listOfShop } from './reading.ts';

export interface OrdersDeps {
  platform: Platform;
  catalog: Pick<
    Catalog, 'lockForOrder' | 'keptFor' | 'hold' | 'holdAll' | 'releaseAll' | 'sell' | 'sellAll' | 'takeBack'
  >;
  payments: Pick<Payments, 'create' | 'takeAtCounter' | 'cancel' | 'expire' | 'refund' | 'pagesOf'>;
  shops: Pick<Shops, 'assertMay' | 'refs' | 'pickupPlace' | 'placeOf'>;
  images: Pick<Images, 'describe'>;
  /** The shop of a show and the numbers of its goods, by product; null for a show that this person may not know of. */
  bagOf(showId: string, personId: string): Promise<Bag | null>;
  /** Puts an address into the person's address book. May refuse: then the order stands all the same. */
  keepAddress(personId: string, address: Address): Promise<unknown>;
  /** Tells one person on all sockets. Called after the commit; must not throw. */
  tell(personId: string, event: PersonalEvent): void;
}

export interface Bag {
  shopId: string;
  numbers: ReadonlyMap<string, number>;
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
   * `orders.not_for_sale`; `orders.too_many_pieces`; `orders.too_many_open`; `orders.no_pickup`; `shows.not_found`;
   * `orders.rush` when too many wait: nothing was tried, and the same key is good for the next try;
   * `request.invalid`, also for an address and a pick-up, or neither
   */
  place(buyer: Buyer, request: OrderPlace): Promise<Order>;
  /** An order of one's own. @throws Refusal `orders.not_found`, also for another's */
  get(personId: string, orderId: string): Promise<Order>;
  /** One's own orders, the newest first. */
  listMine(personId: string, query: PageQuery): Promise<Page<Order>>;
  /**
   * Gives up an order that is not paid; its pieces come back at once. A repeat changes nothing.
   * @throws Refusal `orders.not_found`; `orders.wrong_state` when it is paid or over
   */
  cancel(personId: string, orderId: string): Promise<Order>;
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
   * A member of the shop sends a paid order. The same parcel again changes nothing.
   * @throws Refusal `orders.not_found`, `orders.wrong_state`, `shops.not_allowed`
   */
  ship(personId: string, orderId: string, parcel: OrderShip): Promise<Order>;
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
  /** Ends holds whose time is over. Any number of sweeps may run at a time. @returns how many this one ended */
  sweepExpired(): Promise<number>;
}

export function createOrders(deps: OrdersDeps): Orders {
  const placer = createPlacer(deps);
  const tries = createCodeTries({ nowMs: () => deps.platform.clock.now().getTime() });
  return {
    place: (buyer, request) => place(deps, placer, buyer, request),
    get: (personId, orderId) => get(deps, personId, orderId),
    listMine: (personId, query) => listMine(deps, personId, query),
    cancel: (personId, orderId) => cancel(deps, personId, orderId),
    getOfShop: (personId, orderId) => getOfShop(deps, personId, orderId),
    listOfShop: (personId, shopId, query) => listOfShop(deps, personId, shopId, query),
    counts: (personId, shopId) => counts(deps, personId, shopId),
    ship: (personId, orderId, parcel) => ship(deps, personId, orderId, parcel),
    ready: (personId, orderId) => ready(deps, personId, orderId),
    findPickup: (personId, shopId, code) => findPickup(deps, tries, personId, shopId, code),
    handOver: (personId, orderId, code) => handOver(deps, tries, personId, orderId, code),
    sellAtCounter: (personId, shopId, sale) => sell(deps, personId, shopId, sale),
    voidSale: (personId, orderId) => voidSale(deps, personId, orderId),
    receiptOf: (orderId) => receiptOf(deps, orderId),
    paymentsCaptured: (tx, subjects) => paymentsCaptured(deps, tx, subjects),
    paymentsDeclined: (tx, subjects) => paymentsDeclined(deps, tx, subjects),
    sweepExpired: () => sweepExpired(deps),
  };
}
