/**
 * What each role of a team may do: the one table. Every route of the office asks it through `assertMay`, the office
 * shows it, and `http/authorisation.db.test.ts` holds it against what the routes really do.
 */
import { SHOP_ROLES, type ShopRight, type ShopRole } from '@nacre/contract/team';

const everybody = SHOP_ROLES;
const leaders = ['owner', 'manager'] as const;

const WHO_MAY: Readonly<Record<ShopRight, readonly ShopRole[]>> = {
  /** The shop in the office, and who works in it. */
  'shop.see': everybody,
  'shop.change': leaders,
  /** Goods in every state, with their stock. */
  'goods.see': ['owner', 'manager', 'host', 'packer'],
  /** Texts, pictures, variants, prices, whether they are on sale. */
  'goods.edit': leaders,
  /** An arrival, a loss, a count: whoever packs has the goods in hand. */
  'stock.change': ['owner', 'manager', 'packer'],
  /** Shows in the office, with their bags. */
  'show.see': ['owner', 'manager', 'host'],
  /** Planning, changing, cancelling, and what lies in the bag. */
  'show.plan': leaders,
  /** Studio, stream key, on screen, ending. */
  'show.run': ['owner', 'manager', 'host'],
  /** The talk of the shows: removing, muting, banning, slow mode, what is reported. */
  'talk.moderate': ['owner', 'manager', 'host', 'moderator'],
  'figures.see': ['owner', 'manager', 'host'],
  /** With the buyers' addresses: for those who need them. */
  'orders.see': ['owner', 'manager', 'packer'],
  'orders.ship': ['owner', 'manager', 'packer'],
  /** Gives the money back. */
  'orders.cancel': leaders,
  /** Taking money for goods in the shop, and undoing it; a host is before the camera. */
  'counter.sell': ['owner', 'manager', 'packer'],
  /** Invitations, roles, removing; not of owners. */
  'team.change': leaders,
  /** The same of owners, and making one. */
  'team.owners': ['owner'],
};

const RIGHTS = Object.keys(WHO_MAY) as ShopRight[];

export function roleMay(role: ShopRole, right: ShopRight): boolean {
  return WHO_MAY[right].includes(role);
}

export function rightsOf(role: ShopRole): ShopRight[] {
  return RIGHTS.filter((right) => roleMay(role, right));
}

/** Whether a member of role `mine` may give somebody the role `theirs`, or take it away. */
export function mayDecideOn(mine: ShopRole, theirs: ShopRole): boolean {
  return roleMay(mine, theirs === 'owner' ? 'team.owners' : 'team.change');
}
