/**
 * Which of the sizes that come is the full picture and which the small one. Pure.
 *
 * Names tell nothing (browsers list their sizes up or down), so the pictures themselves do: the largest that comes is
 * `full`, the smallest of two is `small`. Where the largest stays away, as browsers have it on a weak line, the smaller
 * one is `full`: better a small picture than none.
 */

/**
 * A size that has sent nothing for so long, while another has, is not sent any more. Shorter: slow cameras flicker
 * between sizes; longer: viewers look at a picture that stands.
 */
export const layerSilenceMs = 1000;
/** So long the first picture waits to see whether a larger one comes. Shorter: shows begin small; longer: later. */
export const decideWithinMs = 300;
/** A first picture of so many pixels (640 × 480) waits for no larger one. */
const surelyFullPixels = 300_000;

export interface LayerState {
  /** Of its last key picture; 0 before the first. */
  pixels: number;
  /** Of its last picture's packet, steady clock; null before the first, and after a goodbye. */
  lastPacketMs: number | null;
}

/** Indexes of layers. */
export interface LayerRoles {
  full: number | null;
  small: number | null;
}

/** @param firstPictureMs when the first picture of any size was whole; null before */
export function chooseRoles(layers: readonly LayerState[], nowMs: number, firstPictureMs: number | null): LayerRoles {
  const alive = layers.map((_, index) => index).filter((index) => isAlive(layers, index) && layers[index]!.pixels > 0);
  const bySize = alive.sort((a, b) => layers[b]!.pixels - layers[a]!.pixels);
  const [full, small] = [bySize[0], bySize.at(-1)];
  if (full === undefined || small === undefined || firstPictureMs === null) return { full: null, small: null };
  const mayBeSmall = layers[full]!.pixels < surelyFullPixels && layers.some(({ pixels }) => pixels === 0);
  if (mayBeSmall && nowMs - firstPictureMs < decideWithinMs) return { full: null, small: null };
  return { full, small: layers[small]!.pixels < layers[full]!.pixels ? small : null };
}

/** Measured by the others: when nothing comes at all, nothing has changed. */
export function isAlive(layers: readonly LayerState[], index: number): boolean {
  const { lastPacketMs } = layers[index]!;
  if (lastPacketMs === null) return false;
  return layers.every((other) => other.lastPacketMs === null || other.lastPacketMs - lastPacketMs <= layerSilenceMs);
}
