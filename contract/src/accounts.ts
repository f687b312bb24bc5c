/** People: who is asking, profile, address book. Sign-in itself is better-auth's, under `/api/auth`. */
import { Type, type Static } from 'typebox';
import { Id, Image, Instant, Locale, Nullable } from './common.ts';
import { Membership } from './team.ts';

export const PersonName = Type.String({ minLength: 1, maxLength: 80, pattern: '\\S' });
/** IANA time zone, e.g. `Asia/Shanghai`. */
export const TimeZone = Type.String({ minLength: 1, maxLength: 60 });

export const ShopRef = Type.Object({
  id: Id,
  slug: Type.String(),
  name: Type.String(),
  image: Nullable(Image),
});
export type ShopRef = Static<typeof ShopRef>;

export const Person = Type.Object({
  id: Id,
  name: Type.String(),
  /** Null for whoever signs in by telephone only. */
  email: Nullable(Type.String()),
  /** E.164; null when no number is kept. Whoever has no e-mail has a number. */
  phone: Nullable(Type.String()),
  locale: Locale,
  timeZone: Type.String(),
  isOperator: Type.Boolean(),
  isDemo: Type.Boolean(),
});
export type Person = Static<typeof Person>;

/** `person` is null for a guest. `shops` are those in which the person works, with what they may do there. */
export const Me = Type.Object({
  person: Nullable(Person),
  shops: Type.Array(Membership),
  /** Whether a code gets to a telephone: an SMS gateway is set, or nobody else than this machine's own is meant. */
  offersPhone: Type.Boolean(),
});
export type Me = Static<typeof Me>;

export const MePatch = Type.Partial(Type.Object({ name: PersonName, locale: Locale, timeZone: TimeZone }), {
  additionalProperties: false,
  minProperties: 1,
});
export type MePatch = Static<typeof MePatch>;

export const SignUp = Type.Object(
  {
    name: PersonName,
    email: Type.String({ minLength: 3, maxLength: 254 }),
    password: Type.String({ maxLength: 1000 }),
    /** As the page is drawn; without it the first of `Accept-Language` that is ours. */
    locale: Type.Optional(Locale),
    /** The browser's; UTC without it, and where the server does not know it. */
    timeZone: Type.Optional(TimeZone),
  },
  { additionalProperties: false },
);
export type SignUp = Static<typeof SignUp>;
export const SignIn = Type.Object(
  { email: Type.String({ minLength: 3, maxLength: 254 }), password: Type.String({ maxLength: 1000 }) },
  { additionalProperties: false },
);

/** Asking for a new password by mail. The answer is the same whether anybody has this e-mail. */
export const PasswordForgotten = Type.Object(
  { email: Type.String({ minLength: 3, maxLength: 254 }) },
  { additionalProperties: false },
);
/** `token` is what stands in the mail's link. */
export const PasswordReset = Type.Object(
  { token: Type.String({ minLength: 1, maxLength: 100 }), password: Type.String({ maxLength: 1000 }) },
  { additionalProperties: false },
);
/** `password` is the present one. */
export const PasswordChange = Type.Object(
  { password: Type.String({ maxLength: 1000 }), newPassword: Type.String({ maxLength: 1000 }) },
  { additionalProperties: false },
);

/** A browser in which the person is signed in. */
export const Device = Type.Object({
  id: Id,
  /** The one that asks. */
  isThis: Type.Boolean(),
  /** A name of its maker's such as `Firefox`; null when it does not say one that we know. */
  browser: Nullable(Type.String()),
  /** `Android`, `iPhone`, `Windows` …; null likewise. */
  system: Nullable(Type.String()),
  signedInAt: Instant,
  /** To within five minutes. */
  lastSeenAt: Instant,
});
export type Device = Static<typeof Device>;

/** Mails and text messages that the demo did not send but kept for the page that asked for them, newest first. */
export const DemoMails = Type.Object({
  mails: Type.Array(Type.Object({ subject: Type.String(), text: Type.String(), link: Nullable(Type.String()) })),
  texts: Type.Array(Type.Object({ to: Type.String(), text: Type.String() })),
});
export type DemoMails = Static<typeof DemoMails>;

/** What the demo offers to sign in as; empty where there is no demo or the request may not use it. */
export const DemoAccounts = Type.Object({
  accounts: Type.Array(
    Type.Object({
      role: Type.Union([Type.Literal('owner'), Type.Literal('buyer')]),
      name: Type.String(),
      email: Type.String(),
      password: Type.String(),
    }),
  ),
});

/** A place on a label. Free of any country's form: lines as the country writes them. */
export const addressLines = {
  line1: Type.String({ minLength: 1, maxLength: 120, pattern: '\\S' }),
  line2: Type.String({ maxLength: 120 }),
  city: Type.String({ minLength: 1, maxLength: 80, pattern: '\\S' }),
  region: Type.String({ maxLength: 80 }),
  postalCode: Type.String({ maxLength: 20 }),
  /** ISO 3166-1 alpha-2 */
  country: Type.String({ pattern: '^[A-Z]{2}$' }),
};

/** Where a parcel goes. */
export const Address = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 80, pattern: '\\S' }),
    phone: Type.String({ minLength: 4, maxLength: 30, pattern: '^[+()0-9٠-٩ .-]+$' }),
    ...addressLines,
  },
  { additionalProperties: false },
);
export type Address = Static<typeof Address>;

export const SavedAddress = Type.Object({ id: Id, address: Address, createdAt: Instant });
export type SavedAddress = Static<typeof SavedAddress>;
