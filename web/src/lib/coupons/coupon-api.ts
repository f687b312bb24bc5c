/** Every call about coupons that office, studio and account make. Each throws an ApiError when refused. */
import type { Page } from '@nacre/contract/common';
import type { CouponMake, OfficeCoupon, OwnCoupon, RoomCoupon } from '@nacre/contract/coupons';
import { api, ask } from '#lib/api.ts';
import type { PageAsk } from '#lib/paging.ts';

export const listCoupons = async (shopId: string): Promise<OfficeCoupon[]> =>
  (await ask(api.GET('/api/office/shops/{shopId}/coupons', { params: { path: { shopId } } }))).items as OfficeCoupon[];

export const makeCoupon = async (shopId: string, body: CouponMake): Promise<OfficeCoupon> =>
  (await ask(api.POST('/api/office/shops/{shopId}/coupons', { params: { path: { shopId } }, body }))) as OfficeCoupon;

export const lowerCoupon = async (couponId: string, quota: number): Promise<OfficeCoupon> =>
  (await ask(
    api.PATCH('/api/office/coupons/{couponId}', { params: { path: { couponId } }, body: { quota } }),
  )) as OfficeCoupon;

export const endCoupon = async (couponId: string): Promise<OfficeCoupon> =>
  (await ask(api.POST('/api/office/coupons/{couponId}/end', { params: { path: { couponId } } }))) as OfficeCoupon;

/** Null: none is handed out any more. */
export const handOutCoupon = async (showId: string, couponId: string | null): Promise<RoomCoupon[]> =>
  (await ask(api.PUT('/api/office/shows/{showId}/coupon', { params: { path: { showId } }, body: { couponId } })))
    .items as RoomCoupon[];

export const listMyCoupons = async (query: PageAsk): Promise<Page<OwnCoupon>> =>
  (await ask(api.GET('/api/coupons', { params: { query } }))) as Page<OwnCoupon>;
