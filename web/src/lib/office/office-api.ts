/** Every call that the office and the studio make, by its verb. Each throws an ApiError when refused. */
import type { ShowClip } from '@nacre/contract/clips';
import type { OfficeRecording, Replay } from '@nacre/contract/replays';
import type { ShowMinutes } from '@nacre/contract/analytics';
import type {
  CounterGoods,
  Product,
  ProductCreate,
  ProductPatch,
  ProductState,
  StockChange,
  StockLevel,
} from '@nacre/contract/catalog';
import type { Page } from '@nacre/contract/common';
import type { LivePrice, LivePriceLower, LivePriceSet } from '@nacre/contract/offers';
import type {
  BulkResult, BulkShip, CounterSale, OfficeOrderFilter, Order, OrderCancel, OrderShip, SelectedNumbers,
} from '@nacre/contract/orders';
import type { LineLengths } from '@nacre/contract/waiting';
import type { Shop, ShopCreate, ShopPatch } from '@nacre/contract/shops';
import type { Show, ShowCreate, ShowFigures, ShowPatch, ShowTile } from '@nacre/contract/shows';
import type { ChatMessage } from '@nacre/contract/chat';
import { api, ask } from '#lib/api.ts';

// One page of a list; the API gives 100 at most.
const pageLimit = 50;
const wholePageLimit = 100;
// A bag holds 200 goods; a picker that offers more than this needs a search of the server's.
const wholeListMax = 500;

// ---- shops ------------------------------------------------------------------------------------------------------

export const openShop = (body: ShopCreate): Promise<Shop> => ask(api.POST('/api/shops', { body }));

export const changeShop = (shopId: string, body: ShopPatch): Promise<Shop> =>
  ask(api.PATCH('/api/office/shops/{shopId}', { params: { path: { shopId } }, body }));

export const loadShop = (shopId: string): Promise<Shop> =>
  ask(api.GET('/api/office/shops/{shopId}', { params: { path: { shopId } } }));

/** Whether no shop has this address yet. */
export async function isSlugFree(slug: string): Promise<boolean> {
  const found: Page<Shop> = await ask(api.GET('/api/shops', { params: { query: { slug } } }));
  return found.items.length === 0;
}

// ---- goods ------------------------------------------------------------------------------------------------------

export const listProducts = (shopId: string, state?: ProductState, cursor?: string): Promise<Page<Product>> =>
  ask(
    api.GET('/api/office/shops/{shopId}/products', {
      params: { path: { shopId }, query: { state, cursor, limit: pageLimit } },
    }),
  );

/** How many wait in line, for which variant; only where anybody does. */
export const listLines = (shopId: string): Promise<LineLengths> =>
  ask(api.GET('/api/office/shops/{shopId}/waiting', { params: { path: { shopId } } }));

/** All goods on sale, for picking the bag. */
export async function listGoodsOnSale(shopId: string): Promise<Product[]> {
  const all: Product[] = [];
  let cursor: string | undefined;
  do {
    const page: Page<Product> = await ask(
      api.GET('/api/office/shops/{shopId}/products', {
        params: { path: { shopId }, query: { state: 'active', cursor, limit: wholePageLimit } },
      }),
    );
    all.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor && all.length < wholeListMax);
  return all;
}

export const loadProduct = (productId: string): Promise<Product> =>
  ask(api.GET('/api/office/products/{productId}', { params: { path: { productId } } }));

export const createProduct = (shopId: string, body: ProductCreate): Promise<Product> =>
  ask(api.POST('/api/office/shops/{shopId}/products', { params: { path: { shopId } }, body }));

export const changeProduct = (productId: string, body: ProductPatch): Promise<Product> =>
  ask(api.PATCH('/api/office/products/{productId}', { params: { path: { productId } }, body }));

export const changeStock = (variantId: string, body: StockChange): Promise<StockLevel> =>
  ask(api.POST('/api/office/variants/{variantId}/stock', { params: { path: { variantId } }, body }));

// ---- shows ------------------------------------------------------------------------------------------------------

export const listShows = (shopId: string, cursor?: string): Promise<Page<ShowTile>> =>
  ask(
    api.GET('/api/office/shops/{shopId}/shows', {
      params: { path: { shopId }, query: { cursor, limit: pageLimit } },
    }),
  );

export const loadShow = (showId: string): Promise<Show> =>
  ask(api.GET('/api/office/shows/{showId}', { params: { path: { showId } } }));

export const planShow = (shopId: string, body: ShowCreate): Promise<Show> =>
  ask(api.POST('/api/office/shops/{shopId}/shows', { params: { path: { shopId } }, body }));

export const changeShow = (showId: string, body: ShowPatch): Promise<Show> =>
  ask(api.PATCH('/api/office/shows/{showId}', { params: { path: { showId } }, body }));

export const setBag = (showId: string, productIds: string[]): Promise<Show> =>
  ask(api.PUT('/api/office/shows/{showId}/bag', { params: { path: { showId } }, body: { productIds } }));

export const putOnScreen = (showId: string, productId: string | null): Promise<Show> =>
  ask(api.PUT('/api/office/shows/{showId}/on-screen', { params: { path: { showId } }, body: { productId } }));

/** A new key; the one before stops working. `takeOver`: its picture stays until the new one is there. */
export const issueStreamKey = (
  showId: string, takeOver = false,
): Promise<{ key: string; whipUrl: string; rtmpUrl: string | null }> =>
  ask(api.POST('/api/office/shows/{showId}/stream-key', { params: { path: { showId }, query: { takeOver } } }));

export const endShow = (showId: string): Promise<Show> =>
  ask(api.POST('/api/office/shows/{showId}/end', { params: { path: { showId } } }));

export const cancelShow = (showId: string): Promise<Show> =>
  ask(api.POST('/api/office/shows/{showId}/cancel', { params: { path: { showId } } }));

export const loadFigures = (showId: string): Promise<ShowFigures> =>
  ask(api.GET('/api/office/shows/{showId}/figures', { params: { path: { showId } } }));

/** From this minute on; the totals are of the whole show in any case. */
export const loadMinutes = (showId: string, from: number): Promise<ShowMinutes> =>
  ask(api.GET('/api/office/shows/{showId}/figures/minutes', { params: { path: { showId }, query: { from } } }));

/** Where the same rows are as a file. */
export const minutesFile = (showId: string): string => `/api/office/shows/${showId}/figures/minutes.csv`;

// ---- the talk ---------------------------------------------------------------------------------------------------

export const sendChat = (showId: string, clientId: string, text: string): Promise<ChatMessage> =>
  ask(api.POST('/api/shows/{showId}/chat', { params: { path: { showId } }, body: { clientId, text } }));

// ---- orders -----------------------------------------------------------------------------------------------------

export const listOrders = (
  shopId: string,
  only: OfficeOrderFilter,
  cursor?: string,
): Promise<Page<Order>> =>
  ask(
    api.GET('/api/office/shops/{shopId}/orders', {
      params: { path: { shopId }, query: { ...only, cursor, limit: pageLimit } },
    }),
  );

/** What was ordered in the show last, the newest first. */
export const listShowOrders = (shopId: string, showId: string): Promise<Page<Order>> =>
  ask(
    api.GET('/api/office/shops/{shopId}/orders', { params: { path: { shopId }, query: { showId, limit: pageLimit } } }),
  );

export const countOrders = (shopId: string): Promise<Record<string, number>> =>
  ask(api.GET('/api/office/shops/{shopId}/order-counts', { params: { path: { shopId } } }));

export const loadOrder = (orderId: string): Promise<Order> =>
  ask(api.GET('/api/office/orders/{orderId}', { params: { path: { orderId } } }));

export const shipOrder = (orderId: string, body: OrderShip): Promise<Order> =>
  ask(api.POST('/api/office/orders/{orderId}/ship', { params: { path: { orderId } }, body }));

export const packOrder = (orderId: string): Promise<Order> =>
  ask(api.POST('/api/office/orders/{orderId}/pack', { params: { path: { orderId } } }));

export const cancelOrder = (orderId: string, body: OrderCancel): Promise<Order> =>
  ask(api.POST('/api/office/orders/{orderId}/cancel', { params: { path: { orderId } }, body }));

// ---- many orders at once; a request takes up to BULK_MAX ---------------------------------------------------------

export const selectOrders = (shopId: string, only: OfficeOrderFilter): Promise<SelectedNumbers> =>
  ask(api.GET('/api/office/shops/{shopId}/order-numbers', { params: { path: { shopId }, query: only } }));

export const findOrders = (shopId: string, numbers: string[]): Promise<{ orders: Order[] }> =>
  ask(api.POST('/api/office/shops/{shopId}/orders/find', { params: { path: { shopId } }, body: { numbers } }));

export const packOrders = (shopId: string, numbers: string[]): Promise<BulkResult> =>
  ask(api.POST('/api/office/shops/{shopId}/orders/pack', { params: { path: { shopId } }, body: { numbers } }));

export const shipOrders = (shopId: string, parcels: BulkShip['parcels']): Promise<BulkResult> =>
  ask(api.POST('/api/office/shops/{shopId}/orders/ship', { params: { path: { shopId } }, body: { parcels } }));

/** Where the orders of a filter are as a file. */
export const ordersFile = (shopId: string, only: OfficeOrderFilter): string =>
  `/api/office/shops/${shopId}/orders.csv?${new URLSearchParams(only as Record<string, string>)}`;

// ---- in the shop ------------------------------------------------------------------------------------------------

export const readyOrder = (orderId: string): Promise<Order> =>
  ask(api.POST('/api/office/orders/{orderId}/ready', { params: { path: { orderId } } }));

/** The order that waits under the code. */
export const findPickup = (shopId: string, code: string): Promise<Order> =>
  ask(api.POST('/api/office/shops/{shopId}/pickups/find', { params: { path: { shopId } }, body: { code } }));

export const handOver = (orderId: string, code: string): Promise<Order> =>
  ask(api.POST('/api/office/orders/{orderId}/hand-over', { params: { path: { orderId } }, body: { code } }));

export const findCounterGoods = (shopId: string, text: string): Promise<CounterGoods> =>
  ask(api.GET('/api/office/shops/{shopId}/counter/goods', { params: { path: { shopId }, query: { text } } }));

export const sellAtCounter = (shopId: string, body: CounterSale): Promise<Order> =>
  ask(api.POST('/api/office/shops/{shopId}/counter/sales', { params: { path: { shopId } }, body }));

export const voidSale = (orderId: string): Promise<Order> =>
  ask(api.POST('/api/office/orders/{orderId}/void', { params: { path: { orderId } } }));

// ---- live prices ------------------------------------------------------------------------------------------------

export const listLivePrices = async (showId: string): Promise<LivePrice[]> =>
  (await ask(api.GET('/api/office/shows/{showId}/live-prices', { params: { path: { showId } } }))).items;

export const setLivePrice = (showId: string, body: LivePriceSet): Promise<LivePrice> =>
  ask(api.POST('/api/office/shows/{showId}/live-prices', { params: { path: { showId } }, body }));

export const lowerLivePrice = (livePriceId: string, body: LivePriceLower): Promise<LivePrice> =>
  ask(api.PATCH('/api/office/live-prices/{livePriceId}', { params: { path: { livePriceId } }, body }));

export const endLivePrice = (livePriceId: string): Promise<LivePrice> =>
  ask(api.POST('/api/office/live-prices/{livePriceId}/end', { params: { path: { livePriceId } } }));

export async function loadRecording(showId: string): Promise<OfficeRecording> {
  return (await ask(
    api.GET('/api/office/shows/{showId}/recording', { params: { path: { showId } } }),
  )) as OfficeRecording;
}

export async function loadReplay(showId: string): Promise<Replay> {
  return (await ask(api.GET('/api/shows/{showId}/replay', { params: { path: { showId } } }))) as Replay;
}

/** Oldest first. */
export async function loadTalk(
  showId: string, query: { from: string; questions: boolean; limit: number },
): Promise<ChatMessage[]> {
  const answer = await ask(api.GET('/api/shows/{showId}/talk', { params: { path: { showId }, query } }));
  return (answer as { items: ChatMessage[] }).items;
}

export async function loadClips(showId: string): Promise<ShowClip[]> {
  return (await ask(api.GET('/api/shows/{showId}/clips', { params: { path: { showId } } }))) as ShowClip[];
}

/** Of a show that has none. */
export async function makeClips(showId: string): Promise<void> {
  await ask(api.POST('/api/office/shows/{showId}/clips', { params: { path: { showId } } }));
}

/** For good. */
export async function removeRecording(showId: string): Promise<void> {
  await ask(api.DELETE('/api/office/shows/{showId}/recording', { params: { path: { showId } } }));
}
