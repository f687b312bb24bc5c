import type { Address } from '@nacre/contract/accounts';

const arabic = /\p{Script=Arabic}/u;
const chinese = /\p{Script=Han}/u;

/** One line for lists, in the order in which it was written; empty parts fall out. Its comma is that of its script. */
export function addressLine(address: Address): string {
  const parts = [address.line1, address.line2, address.city, address.region, address.postalCode];
  return joined(parts);
}

/** Whose it is, and the line. */
export function addressWithName(address: Address): string {
  return joined([address.name, addressLine(address)]);
}

function joined(parts: readonly string[]): string {
  const text = parts.join('');
  const comma = arabic.test(text) ? '، ' : chinese.test(text) ? '，' : ', ';
  return parts.filter((part) => part.trim() !== '').join(comma);
}
