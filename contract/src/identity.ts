/** Ways to sign in besides e-mail and password: telephone and code, passkeys; and another e-mail. */
import { Type, type Static } from 'typebox';
import { PersonName, TimeZone } from './accounts.ts';
import { Id, Instant, Locale, Nullable } from './common.ts';

const email = Type.String({ minLength: 3, maxLength: 254 });
/** What stands in a mailed link. */
const token = Type.String({ minLength: 1, maxLength: 100 });
/** A telephone number as it was typed, or E.164. */
const phone = Type.String({ minLength: 1, maxLength: 40 });
/** As it was typed: digits of any script, spaces and hyphens between them. */
const code = Type.String({ minLength: 1, maxLength: 20 });

/** Asking for a code. The answer is the same whether anybody has this number. */
export const CodeAsked = Type.Object(
  {
    phone,
    /** Where the number is from when it has no country of its own. */
    country: Type.Optional(Type.String({ pattern: '^[A-Z]{2}$', description: 'ISO 3166-1 alpha-2' })),
    /** Of the message; that of the profile, or the first of `Accept-Language`, without it. */
    locale: Type.Optional(Locale),
  },
  { additionalProperties: false },
);
export type CodeAsked = Static<typeof CodeAsked>;

export const CodeSent = Type.Object({
  phone: Type.String({ description: 'E.164; what the code is to be sent back with' }),
  /** When another one may be asked for. */
  againAfterSeconds: Type.Integer(),
  expiresAfterSeconds: Type.Integer(),
});
export type CodeSent = Static<typeof CodeSent>;

/** A name is asked for (`accounts.name_needed`) when nobody has this number yet; the code stays good meanwhile. */
export const PhoneSignIn = Type.Object(
  {
    phone, code,
    name: Type.Optional(PersonName), locale: Type.Optional(Locale), timeZone: Type.Optional(TimeZone),
  },
  { additionalProperties: false },
);
export type PhoneSignIn = Static<typeof PhoneSignIn>;

/** A number for the account of whoever is signed in, in place of the one before. */
export const PhonePut = Type.Object({ phone, code }, { additionalProperties: false });
export type PhonePut = Static<typeof PhonePut>;

/** Showing once more who one is: by the password, or by a code that was sent to one's own number. */
export const Confirmation = Type.Object(
  { password: Type.Optional(Type.String({ maxLength: 1000 })), code: Type.Optional(code) },
  { additionalProperties: false, minProperties: 1 },
);
export type Confirmation = Static<typeof Confirmation>;

export const PasskeyName = Type.String({ minLength: 1, maxLength: 80, pattern: '\\S' });
export const Passkey = Type.Object({
  id: Id,
  name: Type.String(),
  createdAt: Instant,
  lastUsedAt: Nullable(Instant),
});
export type Passkey = Static<typeof Passkey>;
export const PasskeyPatch = Type.Object({ name: PasskeyName }, { additionalProperties: false });

/** Options for `navigator.credentials`, as WebAuthn writes them in JSON (Level 3, section 5.1.8 and 5.1.10). */
export const PasskeyOptions = Type.Object({ options: Type.Unknown() });

const base64url = (maxLength: number) => Type.String({ minLength: 1, maxLength, pattern: '^[A-Za-z0-9_-]+$' });
/** A credential's id has 1023 bytes at most. */
const CREDENTIAL_ID_MAX = 1400;
const credential = { id: base64url(CREDENTIAL_ID_MAX), rawId: base64url(CREDENTIAL_ID_MAX) };

/** `RegistrationResponseJSON` of WebAuthn Level 3, as far as it is looked at. */
export const PasskeyMade = Type.Object({
  ...credential,
  type: Type.Literal('public-key'),
  response: Type.Object({
    clientDataJSON: base64url(4_000),
    attestationObject: base64url(20_000),
    transports: Type.Optional(Type.Array(Type.String({ maxLength: 30 }), { maxItems: 10 })),
  }),
});
export type PasskeyMade = Static<typeof PasskeyMade>;

/** `AuthenticationResponseJSON`, likewise. */
export const PasskeyShown = Type.Object({
  ...credential,
  type: Type.Literal('public-key'),
  response: Type.Object({
    clientDataJSON: base64url(4_000),
    authenticatorData: base64url(4_000),
    signature: base64url(4_000),
    userHandle: Type.Optional(base64url(100)),
  }),
});
export type PasskeyShown = Static<typeof PasskeyShown>;

/** How a person may sign in. Nobody is ever left without an e-mail or a number. */
export const Ways = Type.Object({
  email: Nullable(Type.String()),
  /** Whether a link that we mailed to it was opened: only then can it take the account back when it is changed. */
  isEmailConfirmed: Type.Boolean(),
  /** An e-mail that waits for the link in its mail to be opened. */
  newEmail: Nullable(Type.String()),
  hasPassword: Type.Boolean(),
  phone: Nullable(Type.String()),
  passkeys: Type.Array(Passkey),
});
export type Ways = Static<typeof Ways>;

export const EmailChange = Type.Object({ email }, { additionalProperties: false });
export const EmailLink = Type.Object({ token }, { additionalProperties: false });
/** The e-mail that holds now. */
export const EmailSet = Type.Object({ email: Type.String() });
export type EmailSet = Static<typeof EmailSet>;
