/** What sending an order costs: the same sum on the page and when the order is placed. */
import type { Address } from './accounts.ts';
import type { ShippingTerms } from './shops.ts';

/** The lines of an address, for which two parcels are one when all are the same. */
export function addressParts({ name, phone, line1, line2, city, region, postalCode, country }: Address): string[] {
  return [name, phone, line1, line2, city, region, postalCode, country];
}

/**
 * Of a parcel, in minor units. What goes with an earlier parcel costs nothing, nor do goods of the sum from which the
 * shop sends for free.
 */
export function shippingFee(
  { feeMinor, freeFromMinor }: ShippingTerms, goodsMinor: number, goesAlong: boolean,
): number {
  if (goesAlong) return 0;
  return freeFromMinor !== null && goodsMinor >= freeFromMinor ? 0 : feeMinor;
}

/** The first of these parcels that goes to the address. */
export function parcelTo<P extends { address: Address }>(parcels: readonly P[], address: Address): P | undefined {
  const parts = JSON.stringify(addressParts(address));
  return parcels.find((parcel) => JSON.stringify(addressParts(parcel.address)) === parts);
}
