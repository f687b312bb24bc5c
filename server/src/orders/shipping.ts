/**
 * What sending costs, and with which earlier order a new one goes. Pure.
 *
 * Invariant: of the parcels of one buyer, show, shop and address that are not on their way yet, only the first pays; it
 * may be of the same batch.
 */
import type { OpenParcel } from '@nacre/contract/orders';
import { parcelTo, shippingFee } from '@nacre/contract/shipping';
import type { ShippingTerms } from '@nacre/contract/shops';
import { Refusal } from '../lib/refusal.ts';
import type { Placing } from './place.ts';
import type { PricedOrder } from './placing.ts';

/** Who buys from which shop in which show. */
export interface ParcelPlace {
  buyerId: string;
  shopId: string;
  showId: string;
}

/** An order that exists, or the one that becomes of the placing at a place of the batch. */
export type Parcel = Pick<OpenParcel, 'address'> & ({ orderId: string } | { at: number });

export const placeNameOf = ({ buyerId, shopId, showId }: ParcelPlace): string => `${buyerId} ${shopId} ${showId}`;

export interface Shipping {
  feeMinor: bigint;
  /** With which it is sent; null: alone. */
  shipsWith: Parcel | null;
}

export interface ShippingGround {
  /** By shop; one that sends for free is missing. */
  terms: ReadonlyMap<string, ShippingTerms>;
  /** By `placeNameOf`: parcels that are not on their way, the oldest first. */
  parcels: ReadonlyMap<string, readonly Parcel[]>;
}

/** Decides one after the other; what was told to `note` is there for those after it. */
export function createShipper(ground: ShippingGround) {
  const added = new Map<string, Parcel[]>();

  const placeOf = ({ buyer, request }: Placing, shopId: string): string | null => (
    request.showId === null ? null : placeNameOf({ buyerId: buyer.personId, shopId, showId: request.showId })
  );

  return {
    /** @throws Refusal `orders.shipping_changed` with what it costs now, when the buyer saw another fee */
    decide(placing: Placing, { shopId, currency, totalMinor }: PricedOrder): Shipping {
      const { address, shippingMinor = 0 } = placing.request;
      const terms = ground.terms.get(shopId);
      const place = placeOf(placing, shopId);
      const isCharged = address !== undefined && terms !== undefined;
      const parcels = place === null ? [] : [...(ground.parcels.get(place) ?? []), ...(added.get(place) ?? [])];
      const shipsWith = isCharged ? parcelTo(parcels, address) ?? null : null;
      const fee = isCharged ? shippingFee(terms, Number(totalMinor), shipsWith !== null) : 0;
      if (fee !== shippingMinor) {
        throw new Refusal('orders.shipping_changed', { details: { shopId, shippingMinor: fee, currency } });
      }
      if (totalMinor + BigInt(fee) > BigInt(Number.MAX_SAFE_INTEGER)) throw new Refusal('orders.too_many_pieces');
      return { feeMinor: BigInt(fee), shipsWith };
    },
    /** The placing at `at` has become an order of the shop. */
    note(placing: Placing, shopId: string, at: number): void {
      const { address } = placing.request;
      const place = placeOf(placing, shopId);
      if (address === undefined || place === null) return;
      added.set(place, [...(added.get(place) ?? []), { at, address }]);
    },
  };
}
