// The same rules as the server's (contract/src/accounts.ts, shops.ts).

/** A telephone number as people write it. */
export const phoneForm = /^[+()0-9٠-٩ .-]{4,30}$/;
/** That, or none. */
export const optionalPhoneForm = /^[+()0-9٠-٩ .-]{0,30}$/;
