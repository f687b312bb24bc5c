import type { Address } from '@nacre/contract/accounts';

/** One line for lists, in the order in which it was written; empty parts fall out. */
export function addressLine(address: Address): string {
  const parts = [address.line1, address.line2, address.city, address.region, address.postalCode];
  return parts.filter((part) => part.trim() !== '').join(', ');
}
