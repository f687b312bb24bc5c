/** Orders and payments on the application of `show-api.ts`; the sandbox decides at once, without a queue of jobs. */
import { createCarts } from '../../server/src/carts/carts.ts';
import { cartsRoutes } from '../../server/src/carts/routes.ts';
import { couponRoutes } from '../../server/src/offers/coupon-routes.ts';
import { createOffers, type Offers } from '../../server/src/offers/offers.ts';
import { offersRoutes } from '../../server/src/offers/routes.ts';
import { createOrders, type Orders } from '../../server/src/orders/orders.ts';
import { ordersReactions } from '../../server/src/orders/reactions.ts';
import { ordersRoutes } from '../../server/src/orders/routes.ts';
import { createPayments, type Payments } from '../../server/src/payments/payments.ts';
import { paymentsRoutes } from '../../server/src/payments/routes.ts';
import { createSandbox } from '../../server/src/payments/sandbox.ts';
import { NO_JOBS } from './api.ts';
import type { createShowApi } from './show-api.ts';

export function mountOrders(
  parts: Parameters<NonNullable<Parameters<typeof createShowApi>[1]>>[0],
): { offers: Offers; orders: Orders; payments: Payments } {
  const { app, platform, catalog, shops, images, accounts, shows, realtime } = parts;
  const payments = createPayments({
    platform, provider: createSandbox(), jobs: NO_JOBS,
  });
  const offers = createOffers({ platform, jobs: NO_JOBS, shops, shows, catalog });
  const orders: Orders = createOrders({
    platform, catalog, offers, payments, shops, images,
    bagOf: shows.bagNumbers, screensNow: shows.screensNow, tell: realtime.tell,
    people: { keepAddress: accounts.addAddress, namesOf: accounts.namesOf },
    takeFromCarts: (tx, bought) => carts.takeOut(tx, bought),
  });
  const carts = createCarts({
    platform, catalog, images, shops, offers, orders, shopOfShow: shows.shopOf, tell: realtime.tell,
  });
  ordersReactions(platform.outbox, { orders });
  paymentsRoutes(app, { payments });
  offersRoutes(app, { offers });
  couponRoutes(app, { coupons: offers.coupons, shopBySlug: shops.bySlug });
  ordersRoutes(app, { orders });
  cartsRoutes(app, { carts });
  return { offers, orders, payments };
}
