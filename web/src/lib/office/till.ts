/**
 * The list of a counter sale. Pure: each function gives a new list.
 *
 * Invariants: one line for each variant, never more pieces than there were when it was found, at most 20 lines.
 */
import type { CounterGood } from '@nacre/contract/catalog';
import { QUANTITY_MAX, type CounterMethod, type CounterSale } from '@nacre/contract/orders';

export interface TillLine {
  good: CounterGood;
  quantity: number;
}

/** A sale that was sent and not answered: the same key must go again, and nothing of it may change before. */
export interface Pending {
  key: string;
  method: CounterMethod;
}

export interface Till {
  lines: TillLine[];
  pending: Pending | null;
}

export const emptyTill: Till = { lines: [], pending: null };
// As contract/src/orders.ts has it for one order.
export const tillLinesMax = 20;

export const mostOf = ({ available }: CounterGood): number => Math.min(available, QUANTITY_MAX);

/** `out`: no piece of it is left; `full`: the list is. */
export function add(lines: readonly TillLine[], good: CounterGood): TillLine[] | 'out' | 'full' {
  const known = lines.find((line) => line.good.variantId === good.variantId);
  if ((known?.quantity ?? 0) >= mostOf(good)) return 'out';
  if (known) return lines.map((line) => (line === known ? { good, quantity: line.quantity + 1 } : line));
  return lines.length >= tillLinesMax ? 'full' : [...lines, { good, quantity: 1 }];
}

export function totalMinor(lines: readonly TillLine[]): number {
  return lines.reduce((sum, { good, quantity }) => sum + good.priceMinor * quantity, 0);
}

/** What a refusal says about a variant (see buy/goods-news.ts), written into the list; a line without pieces goes. */
export function learn(
  lines: readonly TillLine[],
  { variantId, ...news }: { variantId: string; priceMinor?: number; available?: number },
): TillLine[] {
  return lines.flatMap((line) => {
    if (line.good.variantId !== variantId) return [line];
    const good = { ...line.good, ...news };
    const quantity = Math.min(line.quantity, mostOf(good));
    return quantity > 0 ? [{ good, quantity }] : [];
  });
}

export function saleOf(lines: readonly TillLine[], { key, method }: Pending): CounterSale {
  return {
    idempotencyKey: key,
    method,
    lines: lines.map(({ good, quantity }) => ({
      variantId: good.variantId,
      quantity,
      unitPriceMinor: good.priceMinor,
    })),
  };
}

/** A list that was kept in the browser, as far as it still is one. */
export function readTill(kept: unknown): Till {
  const { lines, pending } = (kept ?? {}) as Partial<Till>;
  if (!Array.isArray(lines) || lines.length > tillLinesMax) return emptyTill;
  return { lines, pending: pending ?? null };
}
