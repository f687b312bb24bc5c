// The same rules as the server's (contract/src/accounts.ts, shops.ts).

/** A telephone number as people write it. */
export const phoneForm = /^[+()0-9٠-٩ .-]{4,30}$/;
/** That, or none. */
export const optionalPhoneForm = /^[+()0-9٠-٩ .-]{0,30}$/;

/** What somebody types to say who they are; null while it is neither yet. Whether it is right, the server says. */
export function kindOf(typed: string): 'email' | 'phone' | null {
  if (typed.includes('@')) return 'email';
  return phoneForm.test(typed.trim()) && /^\D*(\d\D*){4}/.test(toLatin(typed)) ? 'phone' : null;
}

/** Whether a number begins with its country, as `+86…` or `0086…`. */
export function hasCountry(typed: string): boolean {
  return /^\s*(\+|00)/.test(toLatin(typed));
}

function toLatin(text: string): string {
  return text.replace(/[٠-٩]/g, (digit) => String(digit.charCodeAt(0) - 0x660));
}
