/** What discovery does when others report a change: it reads what is true now. Runs in the outbox's transaction. */
import { CATALOG_CHANGED_TOPIC, type CatalogChanged } from '../catalog/events.ts';
import type { Outbox } from '../platform/outbox.ts';
import { SHOPS_CHANGED_TOPIC, type ShopsChanged } from '../shops/events.ts';
import { SHOWS_CHANGED_TOPIC, type ShowsChanged } from '../shows/events.ts';
import type { Discovery } from './discovery.ts';

/** Registers them; before `outbox.start()`. */
export function discoveryReactions(outbox: Outbox, { discovery }: { discovery: Pick<Discovery, 'refresh'> }): void {
  outbox.on(SHOPS_CHANGED_TOPIC, (tx, { shopId }: ShopsChanged) => discovery.refresh(tx, 'shop', [shopId]));
  outbox.on(SHOWS_CHANGED_TOPIC, (tx, { showId }: ShowsChanged) => discovery.refresh(tx, 'show', [showId]));
  outbox.on(CATALOG_CHANGED_TOPIC, (tx, { productId }: CatalogChanged) => (
    discovery.refresh(tx, 'product', [productId])
  ));
}
