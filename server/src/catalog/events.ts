/** What the catalogue says over the bus after a commit, at most once, to those who are watching now; and as a fact. */
import type { StockLevel } from '@nacre/contract/catalog';

/** Bus topic `catalog.stock`: pieces were held, came back, were sold or counted. Levels are as of the commit. */
export interface StockChanged {
  levels: StockLevel[];
}

/** Bus topic `catalog.price`: variants of one product cost something else now. */
export interface PriceChanged {
  productId: string;
  prices: Array<{ variantId: string; priceMinor: number }>;
}

/** Bus topic `catalog.product`: texts, pictures, options, variants or the state of a product changed. */
export interface ProductChanged {
  productId: string;
  shopId: string;
}

/** Outbox topic `catalog.changed`: a product was made or changed; prices and stock do not count. */
export interface CatalogChanged {
  productId: string;
}

/** Pieces that came back are kept for whoever was next in line. */
export interface KeptFact {
  waitId: string;
  personId: string;
  variantId: string;
  productId: string;
  shopId: string;
  title: string;
  /** Pieces. */
  kept: number;
  /** RFC 3339 */
  until: string;
}

/** Outbox topic `catalog.kept`: one fact for all who were served together. */
export interface KeptForNext {
  kept: KeptFact[];
}

export const KEPT_TOPIC = 'catalog.kept';
export const CATALOG_CHANGED_TOPIC = 'catalog.changed';
export const STOCK_TOPIC = 'catalog.stock';
export const PRICE_TOPIC = 'catalog.price';
export const PRODUCT_TOPIC = 'catalog.product';
