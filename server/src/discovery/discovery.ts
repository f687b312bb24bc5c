/**
 * Being found: the home page's lists and search. Rules: README.md; the order of live shows: docs/ranking.md.
 *
 * Invariants: what not everybody may see is on no list and in no answer; the order of live shows depends on nothing but
 * what docs/ranking.md says.
 */
import type { Home, HomeLiveQuery, HomeQuery, HomeTile } from '@nacre/contract/discovery';
import type { Page } from '@nacre/contract/common';
import type { Catalog } from '../catalog/catalog.ts';
import { afterCommit, type Tx } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import type { Shops } from '../shops/shops.ts';
import type { Shows } from '../shows/shows.ts';
import { createHome, LIVE_MOST } from './home.ts';
import { isStale, rebuild, refresh, refreshRunning } from './model.ts';
import { createSearch, type Search } from './search.ts';
import type { Kind } from './store.ts';

export interface DiscoveryDeps {
  platform: Platform;
  shops: Pick<Shops, 'byIds' | 'idsAfter' | 'refs'>;
  catalog: Pick<Catalog, 'productsByIds' | 'idsAfter'>;
  shows: Pick<Shows, 'factsOf' | 'idsAfter' | 'publicTiles' | 'viewersOfShops'>;
  /** Shops that the person follows. */
  followedBy(personId: string): Promise<string[]>;
  /** Who watches the show now. */
  viewersOf(showId: string): number;
  /** Any whole number from 0 below 2^31, each as likely. */
  newTurn(): number;
}

export interface Discovery extends Search {
  home(query: HomeQuery, personId: string | null): Promise<Home>;
  /** Live shows after the first page. @throws Refusal `request.invalid` for a cursor that nobody gave */
  live(query: HomeLiveQuery, personId: string | null): Promise<Page<HomeTile>>;
  /** Takes over what is true of these things now; a repeat changes nothing. */
  refresh(tx: Tx, kind: Kind, ids: readonly string[]): Promise<void>;
  /** Makes the read model anew where it is missing or of another version, without holding up the start. */
  start(): Promise<void>;
  /** Resolves when the model is whole; for tests. */
  ready(): Promise<void>;
  stop(): Promise<void>;
}

export function createDiscovery(deps: DiscoveryDeps): Discovery {
  const { log } = deps.platform;
  let stopped = false;
  let making: Promise<void> = Promise.resolve();
  const home = createHome(deps);
  return {
    home: home.home,
    live: home.live,
    ...createSearch(deps),
    async refresh(tx, kind, ids) {
      await refresh(deps, tx, kind, ids);
      afterCommit(tx, home.noteChange);
    },
    async start() {
      making = (async () => {
        if (await isStale(deps)) await rebuild(deps, () => !stopped);
        else await refreshRunning(deps, LIVE_MOST);
      })().catch((error: unknown) => log.error({ err: error }, 'what people search in could not be made anew'));
    },
    ready: () => making,
    async stop() {
      stopped = true;
      await making;
    },
  };
}
