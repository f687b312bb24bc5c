/** Clips: what a show showed of one product, cut out of its replay by itself. */
import { Type, type Static } from 'typebox';
import { ShopRef } from './accounts.ts';
import { Product } from './catalog.ts';
import { Id, Image, Instant, Nullable } from './common.ts';
import { ShowVisibility } from './shows.ts';

/** Longer ones are cut: a clip is seen in one go, and its file is made in memory. */
export const CLIP_LONGEST_MS = 180_000;

/** As a product's page lists it. */
export const ClipTile = Type.Object({
  id: Id,
  durationMs: Type.Integer(),
  showTitle: Type.String(),
  /** When the show was live. */
  shownAt: Instant,
  /** As the product was shown; null when no picture was taken. */
  poster: Nullable(Image),
});
export type ClipTile = Static<typeof ClipTile>;

/** As the replay and the office list those of one show. */
export const ShowClip = Type.Object({
  id: Id,
  productId: Id,
  title: Type.String(),
  durationMs: Type.Integer(),
  /** As the product was shown, else the product's picture. */
  poster: Nullable(Image),
});
export type ShowClip = Static<typeof ShowClip>;

/** Taken by the host's browser from its camera, some moments after the product came on screen. */
/** Clips that were not there before. */
export const ClipsMade = Type.Object({ made: Type.Integer() });

export const PosterBody = Type.Object({ imageId: Id }, { additionalProperties: false });
export type PosterBody = Static<typeof PosterBody>;

/** To be played from `/replay/<showId>/<fromMs>-<toMs>.m3u8` (HLS, VOD), which begins at a key picture. */
export const Clip = Type.Object({
  id: Id,
  showId: Id,
  showTitle: Type.String(),
  visibility: ShowVisibility,
  shownAt: Instant,
  shop: ShopRef,
  /** At today's price. */
  product: Product,
  /** As the product was shown, where the host's browser took a picture; else the product's picture, else the show's. */
  poster: Nullable(Image),
  /** Places in the replay, in ms. */
  fromMs: Type.Integer(),
  toMs: Type.Integer(),
  /** The one who asks may take it as a file: `/api/office/clips/<id>/file`. */
  mayDownload: Type.Boolean(),
});
export type Clip = Static<typeof Clip>;
