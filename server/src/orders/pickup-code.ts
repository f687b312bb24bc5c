/** The codes by which buyers get what they pick up: made, and read as people type them. Pure. */
import { createHash } from 'node:crypto';
import { PICKUP_CODE_LENGTH, PICKUP_CODE_SIGNS } from '@nacre/contract/orders';

const SIGNS = PICKUP_CODE_SIGNS;
/** Bytes from here on would make some signs likelier than others. */
const FAIR_BELOW = 256 - (256 % SIGNS.length);

/** A code out of the chance that is in an id: each of the 30⁶ is as likely as the others. */
export function codeFrom(id: string): string {
  const bytes = createHash('sha512').update(id).digest();
  const fair = [...bytes].filter((byte) => byte < FAIR_BELOW).slice(0, PICKUP_CODE_LENGTH);
  return fair.map((byte) => SIGNS[byte % SIGNS.length]).join('');
}

/** As we keep it; null when this cannot be a code. Case, spaces and hyphens make no difference. */
export function readCode(typed: string): string | null {
  const code = typed.toUpperCase().replaceAll(/[\s-]/g, '');
  const isOne = code.length === PICKUP_CODE_LENGTH && [...code].every((sign) => SIGNS.includes(sign));
  return isOne ? code : null;
}
