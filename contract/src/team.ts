/** Who works in a shop, what each may do, and inviting somebody. */
import { Type, type Static } from 'typebox';
import { Id, Image, Instant, Locale, Nullable } from './common.ts';

/** From the one who may most to the one who may least. */
export const SHOP_ROLES = ['owner', 'manager', 'host', 'moderator', 'packer'] as const;
export const ShopRole = Type.Enum(SHOP_ROLES);
export type ShopRole = (typeof SHOP_ROLES)[number];

/** Which role has which: `server/src/shops/rights.ts`. */
export const SHOP_RIGHTS = [
  'shop.see', 'shop.change', 'goods.see', 'goods.edit', 'stock.change', 'show.see', 'show.plan', 'show.run',
  'talk.moderate', 'figures.see', 'orders.see', 'orders.ship', 'orders.cancel',
  'counter.sell', 'team.change', 'team.owners',
] as const;
export const ShopRight = Type.Enum(SHOP_RIGHTS);
export type ShopRight = (typeof SHOP_RIGHTS)[number];

/** A shop in which the one who asks works, and what they may do there. */
export const Membership = Type.Object({
  id: Id,
  slug: Type.String(),
  name: Type.String(),
  image: Nullable(Image),
  role: ShopRole,
  rights: Type.Array(ShopRight),
});
export type Membership = Static<typeof Membership>;

export const TeamMember = Type.Object({ personId: Id, name: Type.String(), role: ShopRole, joinedAt: Instant });
export type TeamMember = Static<typeof TeamMember>;

/** Members in the order in which they joined; `roles` is the table of what each role may do. */
export const Team = Type.Object({
  members: Type.Array(TeamMember),
  roles: Type.Array(Type.Object({ role: ShopRole, rights: Type.Array(ShopRight) })),
});
export type Team = Static<typeof Team>;

export const TeamPatch = Type.Object({ role: ShopRole }, { additionalProperties: false });

export const InvitationCreate = Type.Object(
  {
    role: ShopRole,
    /** Whom it is for: a link is mailed there. It lets in whoever opens it first. */
    email: Type.Optional(Type.String({ minLength: 3, maxLength: 254, pattern: '^\\S+@\\S+$' })),
    /** Of the mail; the inviter's own without it. */
    locale: Type.Optional(Locale),
  },
  { additionalProperties: false },
);
export type InvitationCreate = Static<typeof InvitationCreate>;

/** One that can still be accepted. */
export const Invitation = Type.Object({
  id: Id,
  role: ShopRole,
  email: Nullable(Type.String()),
  invitedBy: Type.String({ description: 'Name of the member who made it' }),
  createdAt: Instant,
  expiresAt: Instant,
});
export type Invitation = Static<typeof Invitation>;

/** `url` is told this once: the server keeps only a hash of the token in it. */
export const NewInvitation = Type.Object({
  ...Invitation.properties,
  token: Type.String(),
  url: Type.String(),
  /** False without an e-mail, and when as many were mailed today as may be: then the inviter passes the link on. */
  isMailed: Type.Boolean(),
});
export type NewInvitation = Static<typeof NewInvitation>;

/** What whoever has the link may know before accepting. */
export const InvitationView = Type.Object({
  shop: Type.Object({ slug: Type.String(), name: Type.String(), image: Nullable(Image) }),
  role: ShopRole,
  rights: Type.Array(ShopRight),
  invitedBy: Type.String(),
  expiresAt: Instant,
});
export type InvitationView = Static<typeof InvitationView>;
