/** What people are told: the list, what they want to hear of and when, and where a browser takes pushes. */
import { Type, type Static } from 'typebox';
import { ShopRef } from './accounts.ts';
import { Id, Image, Instant, Nullable } from './common.ts';
import { ShowState } from './shows.ts';

/**
 * The first three are of shows of shops that the person follows, those with `order` of own orders (money came late and
 * was honoured, or goes back), `kept` of pieces that are kept for somebody who waited in line.
 */
export const NotificationKind = Type.Union([
  Type.Literal('live'), Type.Literal('moved'), Type.Literal('cancelled'), Type.Literal('order_shipped'),
  Type.Literal('order_cancelled'),
  Type.Literal('order_paid_late'), Type.Literal('order_too_late'), Type.Literal('kept'),
]);
export type NotificationKind = Static<typeof NotificationKind>;

export const Notification = Type.Object({
  id: Id,
  kind: NotificationKind,
  at: Instant,
  /** Not seen before. */
  isNew: Type.Boolean(),
  shop: ShopRef,
  /** As it is now; null when this is about something else. */
  show: Nullable(Type.Object({
    id: Id, title: Type.String(), state: ShowState, startsAt: Instant, cover: Nullable(Image),
  })),
  order: Nullable(Type.Object({ id: Id, number: Type.String() })),
  /** What is kept; null when this is about something else. */
  goods: Nullable(Type.Object({ productId: Id, title: Type.String() })),
});
export type Notification = Static<typeof Notification>;

/** More than so many are not counted: "9+". */
export const UNREAD_MAX = 10;
export const Unread = Type.Object({ unread: Type.Integer({ minimum: 0, maximum: UNREAD_MAX }) });
export type Unread = Static<typeof Unread>;

/** `until` is `at` of the newest that was shown. */
export const NotificationsSeen = Type.Object({ until: Instant }, { additionalProperties: false });
export type NotificationsSeen = Static<typeof NotificationsSeen>;

const TimeOfDay = Type.String({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$', description: 'HH:MM' });
/** In the person's time zone; may go over midnight. */
export const QuietHours = Type.Object({ from: TimeOfDay, to: TimeOfDay }, { additionalProperties: false });
export type QuietHours = Static<typeof QuietHours>;

const choices = {
  /** A show of a shop that one follows has begun. */
  live: Type.Boolean(),
  /** A planned one has another time or was called off. */
  plans: Type.Boolean(),
  orders: Type.Boolean(),
  quiet: Nullable(QuietHours),
};
export const NotificationSettings = Type.Object({
  ...choices,
  /** This session has given a push subscription that stands. */
  pushHere: Type.Boolean(),
  /** What the browser subscribes with (RFC 8292, applicationServerKey), base64url. */
  pushKey: Type.String(),
});
export type NotificationSettings = Static<typeof NotificationSettings>;
export const NotificationSettingsPatch = Type.Partial(Type.Object(choices), {
  additionalProperties: false, minProperties: 1,
});
export type NotificationSettingsPatch = Static<typeof NotificationSettingsPatch>;

/** As the browser's Push API gives it; keys in base64url. */
export const PushSubscriptionBody = Type.Object(
  {
    endpoint: Type.String({ minLength: 1, maxLength: 1000 }),
    keys: Type.Object(
      {
        /** Uncompressed point of P-256: 65 bytes. */
        p256dh: Type.String({ pattern: '^[A-Za-z0-9_-]{87}=?$' }),
        /** 16 bytes. */
        auth: Type.String({ pattern: '^[A-Za-z0-9_-]{22}(==)?$' }),
      },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);
export type PushSubscriptionBody = Static<typeof PushSubscriptionBody>;

/**
 * What a push says to the service worker, encrypted on its way (RFC 8291), in the person's language.
 */
export interface PushMessage {
  title: string;
  body: string;
  /** Path to open. */
  url: string;
  /** A later one of the same tag takes the place of this one. */
  tag: string;
  lang: string;
  dir: 'ltr' | 'rtl';
  /** Instant */
  at: string;
}
