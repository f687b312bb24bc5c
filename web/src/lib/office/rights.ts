/**
 * What the reader may do in a shop, so that the office shows only what will work. The server decides anyway: the table
 * is its own, and comes with whoever is signed in.
 */
import type { Membership, ShopRight } from '@nacre/contract/team';

/** Rights in one shop; nobody's are none. */
export function rightsIn(shops: readonly Membership[], shopId: string): (right: ShopRight) => boolean {
  const rights = new Set(shops.find((shop) => shop.id === shopId)?.rights);
  return (right) => rights.has(right);
}

/** Pages of the office, in the order of its navigation, and what each needs. */
export const officePages = [
  { to: 'shows', key: 'office.nav_shows', icon: 'video', needs: 'show.see' },
  { to: 'orders', key: 'office.nav_orders', icon: 'box', needs: 'orders.see' },
  { to: 'counter', key: 'office.nav_counter', icon: 'card', needs: 'counter.sell' },
  { to: 'goods', key: 'office.nav_goods', icon: 'tag', needs: 'goods.see' },
  // On the phone there is no room for it below: the page of shows leads there.
  { to: 'coupons', key: 'office.nav_coupons', icon: 'ticket', needs: 'show.run', atSideOnly: true },
  { to: 'talk', key: 'office.nav_talk', icon: 'shield', needs: 'talk.moderate' },
  { to: 'team', key: 'office.nav_team', icon: 'user', needs: 'shop.see' },
  { to: 'settings', key: 'office.nav_shop', icon: 'store', needs: 'shop.see' },
] as const satisfies readonly { to: string; key: string; icon: string; needs: ShopRight; atSideOnly?: boolean }[];

/** The first page of the shop's office that its member may see. */
export function officeHome(shop: Pick<Membership, 'slug' | 'rights'>): string {
  const first = officePages.find((page) => shop.rights.includes(page.needs));
  return `/office/${shop.slug}/${first?.to ?? 'team'}`;
}
