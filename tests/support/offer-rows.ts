/** Who gets in: live prices and coupons. */
import type { CouponMake } from '@nacre/contract/coupons';
import type { Product } from '@nacre/contract/catalog';
import { actorOf, row, type Row, type Stage } from './account-rows.ts';
import { everybody, hiddenLeaders, hiddenRunners, leaders, people, runners } from './who-gets-in.ts';

const ofShow = ({ show }: Stage) => `/api/office/shows/${show.id}/live-prices`;

/** Not of the variant that others order at the price of the day. */
const newTerms = ({ variants }: Product) => ({
  variantId: variants.at(-1)!.id, priceMinor: 1, quota: 1, perPerson: 2,
});

async function newLivePrice({ offers, persons, show, product }: Stage): Promise<string> {
  return (await offers.set(actorOf(persons.owner), show.id, newTerms(product))).id;
}

const couponTerms = (): CouponMake => ({
  name: 'Ten off', showId: null, amountMinor: 1_000, percent: null, mostMinor: null, minimumMinor: 0, productIds: null,
  quota: 20, validFrom: new Date(0).toISOString(), validUntil: new Date(Date.now() + 86_400_000).toISOString(),
});
const couponsOf = ({ shop }: Stage) => `/api/office/shops/${shop.id}/coupons`;

/** One at a time: there is room for fifty. */
let lastCoupon: string | null = null;
async function newCoupon({ offers, persons, shop }: Stage): Promise<string> {
  const owner = actorOf(persons.owner);
  if (lastCoupon !== null) await offers.coupons.end(owner, lastCoupon);
  return (lastCoupon = (await offers.coupons.make(owner, shop.id, couponTerms())).id);
}

export const OFFER_ROWS: Record<string, Row> = {
  listLivePrices: row(runners, (stage) => ({ path: ofShow(stage) }), { hidden: hiddenRunners }),
  setLivePrice: row(leaders, (stage) => ({ path: ofShow(stage), body: newTerms(stage.product) }), {
    hidden: hiddenLeaders,
  }),
  lowerLivePrice: row(runners, async (stage) => ({
    path: `/api/office/live-prices/${await newLivePrice(stage)}`, method: 'PATCH', body: { perPerson: 1 },
  })),
  endLivePrice: row(runners, async (stage) => ({
    path: `/api/office/live-prices/${await newLivePrice(stage)}/end`, method: 'POST',
  })),
  listOfficeCoupons: row(runners, (stage) => ({ path: couponsOf(stage) })),
  makeCoupon: row(leaders, (stage) => ({ path: couponsOf(stage), body: couponTerms() })),
  lowerCoupon: row(leaders, async (stage) => ({
    path: `/api/office/coupons/${await newCoupon(stage)}`, method: 'PATCH', body: { quota: 10 },
  })),
  endCoupon: row(leaders, async (stage) => ({
    path: `/api/office/coupons/${await newCoupon(stage)}/end`, method: 'POST',
  })),
  handOutCoupon: row(runners, ({ show }) => ({
    path: `/api/office/shows/${show.id}/coupon`, method: 'PUT', body: { couponId: null },
  }), { hidden: hiddenRunners }),
  claimCoupon: row(people, async (stage) => ({ path: `/api/coupons/${await newCoupon(stage)}/claim`, method: 'POST' })),
  listMyCoupons: row(people, () => ({ path: '/api/coupons' })),
  listShopCoupons: row(everybody, ({ shop }) => ({ path: `/api/shops/${shop.slug}/coupons` })),
};
