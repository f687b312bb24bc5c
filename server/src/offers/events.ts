/**
 * Outbox topic `offers.set`: a live price was set in the show, and begins if the show is live. Only for this module
 * itself, should its process die in between.
 */
export interface OfferSet {
  showId: string;
}

export const OFFERS_SET_TOPIC = 'offers.set';

/** Bus topic `offers.changed`: live prices of the show began, ran down or ended. After the commit, at most once. */
export interface OffersChanged {
  showId: string;
}

export const OFFERS_TOPIC = 'offers.changed';

/**
 * Bus topic `coupons.changed`: what can be claimed in the show has changed, or in all shows of the shop. After the
 * commit, at most once.
 */
export interface CouponsChanged {
  shopId: string;
  showId: string | null;
}

export const COUPONS_TOPIC = 'coupons.changed';

/** A coupon's time begins; from then on it can be claimed. Its data is `CouponsChanged`. */
export const JOB_COUPON_BEGINS = 'offers.coupon-begins';
