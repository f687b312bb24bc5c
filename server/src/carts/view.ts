/** Carts as people see them: each line with what is true of it now, grouped by shop. */
import type { Cart, CartGroup, CartLine } from '@nacre/contract/carts';
import type { Image } from '@nacre/contract/common';
import type { ShippingOffer } from '@nacre/contract/orders';
import type { Shop } from '@nacre/contract/shops';
import type { OrderableVariant } from '../catalog/catalog.ts';
import type { StillLive } from '../offers/offers.ts';
import type { CartsDeps } from './carts.ts';
import type { LineRow } from './store.ts';

type Line = Pick<LineRow, 'variant_id' | 'show_id' | 'quantity' | 'seen_price_minor'>;

interface Parts {
  goods: Map<string, OrderableVariant>;
  images: Map<string, Image>;
  /** By variant. */
  live: ReadonlyMap<string, StillLive>;
}

/** `lines` the last put in first; `keys` by shop. `personId` null: a guest. */
export async function viewOf(
  deps: CartsDeps, personId: string | null, lines: readonly Line[], keys: ReadonlyMap<string, string>,
): Promise<Omit<Cart, 'version'>> {
  const found = await deps.catalog.readForOrder(lines.map(({ variant_id: id }) => id));
  const goods = new Map(found.map((one) => [one.variantId, one]));
  const byShop = Map.groupBy(lines.filter(({ variant_id: id }) => goods.has(id)), ({ variant_id: id }) => (
    goods.get(id)!.shopId
  ));
  const [images, shops, shows] = await Promise.all([
    deps.images.describe(found.flatMap(({ imageId }) => imageId ?? [])),
    deps.shops.byIds([...byShop.keys()]),
    showsOf(deps, personId, byShop),
  ]);
  const offers = await offersOf(deps, personId, shops, shows);
  const live = await livePricesOf(deps, personId, shows);
  const coupons = personId === null ? [] : await deps.offers.coupons.mineIn(personId, [...shops.keys()]);
  const groups = [...byShop].flatMap(([shopId, own]): CartGroup[] => {
    const shop = shops.get(shopId);
    if (shop === undefined) return [];
    const { id, slug, name, image, currency } = shop;
    return [{
      shop: { id, slug, name, image },
      currency,
      idempotencyKey: keys.get(shopId) ?? deps.platform.newId(),
      showId: shows.get(shopId) ?? null,
      shipping: offers.get(shopId)!,
      coupons: coupons.filter((one) => one.shop.id === shopId),
      lines: own.map((line) => lineOf(line, { goods, images, live: live.get(shopId) ?? new Map() })),
    }];
  });
  const pieces = groups.flatMap((group) => group.lines).reduce((sum, { quantity }) => sum + quantity, 0);
  return { pieces, groups };
}

export async function shippingOffer(
  deps: CartsDeps, personId: string | null, slug: string, showId: string | null,
): Promise<ShippingOffer> {
  const shop = await deps.shops.bySlug(slug);
  const offers = await offersOf(deps, personId, new Map([[shop.id, shop]]), new Map([[shop.id, showId]]));
  return offers.get(shop.id)!;
}

/** What sending costs from each shop, bought in the show given for it. */
async function offersOf(
  deps: CartsDeps, personId: string | null, shops: ReadonlyMap<string, Shop>,
  shows: ReadonlyMap<string, string | null>,
): Promise<Map<string, ShippingOffer>> {
  const places = [...shops.values()].flatMap((shop) => {
    const showId = shows.get(shop.id) ?? null;
    return showId === null || shop.shipping.feeMinor === 0 ? [] : [{ shopId: shop.id, showId }];
  });
  const open = personId === null ? [] : await deps.orders.openParcels(personId, places);
  const openOf = new Map(places.map(({ shopId }, at) => [shopId, open[at] ?? []]));
  return new Map([...shops].map(([shopId, shop]) => (
    [shopId, { terms: shop.shipping, open: openOf.get(shopId) ?? [] }]
  )));
}

/** To which show what is bought from each shop counts: that of the line put in last from one, if it is open to them. */
async function showsOf(
  deps: CartsDeps, personId: string | null, byShop: ReadonlyMap<string, readonly Line[]>,
): Promise<Map<string, string | null>> {
  const shows = new Map<string, string | null>();
  if (personId === null) return shows;
  for (const [shopId, lines] of byShop) {
    const showId = lines.find((line) => line.show_id !== null)?.show_id ?? null;
    const isOpen = showId !== null && (await deps.shopOfShow(showId, personId)) === shopId;
    shows.set(shopId, isOpen ? showId : null);
  }
  return shows;
}

/** The live prices in the show that what is bought from each shop counts to, by shop. */
async function livePricesOf(
  deps: CartsDeps, personId: string | null, shows: ReadonlyMap<string, string | null>,
): Promise<Map<string, ReadonlyMap<string, StillLive>>> {
  const live = new Map<string, ReadonlyMap<string, StillLive>>();
  if (personId === null) return live;
  for (const [shopId, showId] of shows) {
    if (showId !== null) live.set(shopId, await deps.offers.stillFor(personId, showId));
  }
  return live;
}

/** A live price counts for as many pieces as are still to be had at it; for more, the price of the day does. */
function lineOf(line: Line, { goods, images, live }: Parts): CartLine {
  const { variantId, productId, title, optionValues, imageId, priceMinor, isForSale, available } = (
    goods.get(line.variant_id)!
  );
  const own = live.get(variantId);
  const isLive = own !== undefined && line.quantity <= own.pieces;
  return {
    variantId,
    productId,
    title,
    optionValues,
    image: imageId === null ? null : images.get(imageId) ?? null,
    showId: line.show_id,
    quantity: line.quantity,
    seenPriceMinor: Number(line.seen_price_minor),
    priceMinor: Number(isLive ? own.priceMinor : priceMinor),
    available: isForSale ? Math.max(available, own?.pieces ?? 0) : 0,
    isForSale,
  };
}
