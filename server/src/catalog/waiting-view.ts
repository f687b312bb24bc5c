/** Waits as people see them. */
import { WAITS_MAX, type Wait } from '@nacre/contract/waiting';
import type { CatalogDeps } from './catalog.ts';
import * as store from './waiting-store.ts';

export async function waitsOf(deps: CatalogDeps, personId: string): Promise<Wait[]> {
  return viewsOf(deps, await store.listOpen(deps.platform.database.db, { personId }, WAITS_MAX));
}

/** Tells each person on all pages that pieces are kept. Lost news is no harm: the page reads the waits again. */
export function tellWaits(deps: CatalogDeps, ids: readonly string[]): void {
  const { database, log } = deps.platform;
  store.listOpen(database.db, { ids }, ids.length).then(
    async (rows) => {
      for (const [at, wait] of (await viewsOf(deps, rows)).entries()) {
        deps.tell(rows[at]!.personId, { type: 'own-wait', waitId: wait.id, wait });
      }
    },
  ).catch((error: unknown) => log.warn({ err: error, waits: ids.length }, 'people in line were not told'));
}

export async function viewsOf(deps: CatalogDeps, rows: readonly store.SeenRow[]): Promise<Wait[]> {
  const [images, shops] = await Promise.all([
    deps.images.describe(rows.flatMap(({ imageId }) => imageId ?? [])),
    deps.shops.refs(rows.map(({ shopId }) => shopId)),
  ]);
  return rows.map((row): Wait => {
    const shop = shops.get(row.shopId);
    if (shop === undefined) throw new Error(`wait ${row.id} has no shop`);
    const isKept = row.state === 'kept';
    return {
      id: row.id, state: isKept ? 'kept' : 'waiting', variantId: row.variantId, productId: row.productId,
      title: row.title, optionValues: row.optionValues,
      image: row.imageId === null ? null : images.get(row.imageId) ?? null,
      shop, unitPriceMinor: Number(row.priceMinor), currency: row.currency,
      quantity: row.quantity, kept: row.kept, keptUntil: row.keptUntil?.toISOString() ?? null,
      before: isKept ? null : row.before, since: row.since.toISOString(),
    };
  });
}
