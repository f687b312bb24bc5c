/** Telephone numbers as people type them, and as they are kept. Pure. */
import { parsePhoneNumber } from 'awesome-phonenumber';

/** Longer is no number, whatever stands between its digits. */
const TYPED_MAX = 40;
/** Kinds that a code is sent to. Others cost whoever sends (premium rate) or belong to no one person. */
const PERSONAL = new Set(['mobile', 'fixed-line-or-mobile', 'voip', 'personal-number']);

/**
 * E.164 (ITU-T), as `+8613800138000`; null when a code cannot be sent there.
 * @param country ISO 3166-1 alpha-2, for a number that was typed without its own
 */
export function e164Of(typed: string, country: string | null): string | null {
  if (typed.length > TYPED_MAX) return null;
  // `00` is how many people write the plus.
  const text = toLatinDigits(typed).trim().replace(/^00/, '+');
  const parsed = parsePhoneNumber(text, country === null ? {} : { regionCode: country });
  return parsed.valid && PERSONAL.has(parsed.type) ? parsed.number.e164 : null;
}

/** A code as it was typed: six Latin digits, or null. */
export function codeOf(typed: string): string | null {
  const digits = toLatinDigits(typed).replaceAll(/[\s-]/g, '');
  return /^\d{6}$/.test(digits) ? digits : null;
}

/** Arabic-Indic, Persian and full-width digits are digits too. */
function toLatinDigits(text: string): string {
  return text.replaceAll(/[\u0660-\u0669\u06f0-\u06f9\uff10-\uff19]/g, (sign) => {
    const point = sign.charCodeAt(0);
    return String(point >= 0xff10 ? point - 0xff10 : point >= 0x06f0 ? point - 0x06f0 : point - 0x0660);
  });
}
