/**
 * The cart of somebody who is not signed in, kept by the browser. What stands there may be of an older version of the
 * page, or written by anybody: only lines that are right in every part are read.
 *
 * `going` is on its way into a person's cart, under the name with which it is sent again after a lost answer; what is
 * put in meanwhile stands apart.
 */
import { CART_LINES_MAX, type CartAsk, type CartPut } from '@nacre/contract/carts';
import { QUANTITY_MAX } from '@nacre/contract/orders';

export interface Kept {
  /** The last put in last. */
  lines: CartAsk[];
  going: CartPut | null;
}

export const keptKey = 'nacre-cart';
const idForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const nothing = (): Kept => ({ lines: [], going: null });

const isId = (value: unknown): value is string => typeof value === 'string' && idForm.test(value);
const isCount = (value: unknown, from: number, to: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= from && (value as number) <= to;

function readLines(value: unknown): CartAsk[] {
  if (!Array.isArray(value)) return [];
  const lines = new Map<string, CartAsk>();
  for (const entry of value.slice(0, CART_LINES_MAX)) {
    const { variantId, quantity, seenPriceMinor, showId } = Object(entry) as Record<string, unknown>;
    if (!isId(variantId) || !isCount(quantity, 1, QUANTITY_MAX)) continue;
    if (!isCount(seenPriceMinor, 0, Number.MAX_SAFE_INTEGER)) continue;
    lines.set(variantId, { variantId, quantity, seenPriceMinor, showId: isId(showId) ? showId : null });
  }
  return [...lines.values()];
}

/** Nothing for a text that is none of ours. */
export function readKept(text: string | null): Kept {
  try {
    const { lines, going } = Object(JSON.parse(text ?? 'null')) as Record<string, unknown>;
    const { putId, lines: sent } = Object(going) as Record<string, unknown>;
    const sentLines = readLines(sent);
    const isGoing = isId(putId) && sentLines.length > 0;
    return { lines: readLines(lines), going: isGoing ? { putId, lines: sentLines } : null };
  } catch {
    return nothing();
  }
}

/** With so many pieces more, as far as there is room; `left`: those that had none. */
export function keepMore(lines: readonly CartAsk[], ask: CartAsk): { lines: CartAsk[]; left: number } {
  const before = lines.find(({ variantId }) => variantId === ask.variantId)?.quantity ?? 0;
  if (before === 0 && lines.length >= CART_LINES_MAX) return { lines: [...lines], left: ask.quantity };
  const quantity = Math.min(QUANTITY_MAX, before + ask.quantity);
  return { lines: keepLine(lines, { ...ask, quantity }), left: before + ask.quantity - quantity };
}

/** With this line as it is from now on, put in last. */
export function keepLine(lines: readonly CartAsk[], line: CartAsk): CartAsk[] {
  return [...lines.filter(({ variantId }) => variantId !== line.variantId), line];
}

