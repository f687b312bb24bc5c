/**
 * The coupons that the person has claimed in one shop, and claiming more. Knows no words.
 *
 * Invariant: what the server answered last is what is shown; a claim that is sent again is the same claim.
 */
import { getContext, setContext } from 'svelte';
import type { Coupon, OwnCoupon, ShopCoupons } from '@nacre/contract/coupons';
import { api, ask } from '#lib/api.ts';
import { sendInLine } from '#lib/in-line.ts';

/** `known`: what the page has come with. */
export function createOwnCoupons(slug: string, known: ShopCoupons = { open: [], own: [] }) {
  let own = $state.raw<OwnCoupon[]>(known.own);
  let open = $state.raw<Coupon[]>(known.open);
  /** Claimed on this page, also when they are used since. */
  let claimedIds = $state.raw<ReadonlySet<string>>(new Set());
  let claiming = $state<string | null>(null);
  let inLine = $state(false);

  async function load(): Promise<void> {
    const params = { path: { slug } };
    const found = (await ask(api.GET('/api/shops/{slug}/coupons', { params })).catch(() => null)) as ShopCoupons | null;
    if (found === null) return;
    own = found.own;
    open = found.open;
  }

  /** In a rush it is sent again by itself. */
  const send = (couponId: string): Promise<OwnCoupon> => sendInLine(
    async () => (await ask(api.POST('/api/coupons/{couponId}/claim', { params: { path: { couponId } } }))) as OwnCoupon,
    { rushCode: 'coupons.rush', onInLine: () => (inLine = true) },
  );

  return {
    get own() {
      return own;
    },
    /** What can be claimed outside shows, as of the last load. */
    get open() {
      return open;
    },
    /** Id of the coupon that is being claimed; null: none. */
    get claiming() {
      return claiming;
    },
    get inLine() {
      return inLine;
    },
    has: (couponId: string): boolean => claimedIds.has(couponId) || own.some(({ coupon }) => coupon.id === couponId),
    load,
    /** @throws ApiError */
    async claim(couponId: string): Promise<void> {
      if (claiming !== null) return;
      claiming = couponId;
      try {
        const claim = await send(couponId);
        claimedIds = new Set([...claimedIds, couponId]);
        if (claim.state === 'good') own = [...own.filter(({ claimId }) => claimId !== claim.claimId), claim];
      } finally {
        claiming = null;
        inLine = false;
      }
    },
    /** Of another person now. */
    async renew(): Promise<void> {
      claimedIds = new Set();
      own = [];
      await load();
    },
  };
}

export type OwnCoupons = ReturnType<typeof createOwnCoupons>;

const contextKey = Symbol('own coupons');

/** For the parts of a show's page. */
export const provideOwnCoupons = (slug: string): OwnCoupons => setContext(contextKey, createOwnCoupons(slug));

export const useOwnCoupons = (): OwnCoupons => getContext<OwnCoupons>(contextKey);
