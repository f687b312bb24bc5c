/**
 * Who may use whom. Bottom up: a module uses only modules that stand above it in this file.
 *
 * `web → contract ← server → media` between the workspaces; inside the server, business uses platform, http, realtime,
 * lib and contract, never the other way round, and each other by face. What goes upwards is an event.
 */

/** Business modules and those whose faces each may use, besides its own files. */
export const MODULES: Record<string, readonly string[]> = {
  ledger: [],
  accounts: [],
  images: ['accounts'],
  moderation: ['accounts'],
  shops: ['accounts', 'images'],
  catalog: ['shops', 'images'],
  payments: ['ledger', 'accounts'],
  shows: ['shops', 'catalog', 'images'],
  offers: ['shops', 'shows', 'catalog'],
  orders: ['shops', 'catalog', 'payments', 'offers', 'images'],
  carts: ['shops', 'catalog', 'images', 'shows', 'offers', 'orders'],
  auctions: ['shows', 'catalog', 'payments', 'orders'],
  reveals: ['shows', 'catalog', 'payments', 'orders'],
  chat: ['shows', 'accounts', 'moderation'],
  follows: ['accounts', 'shops'],
  notifications: ['accounts', 'follows'],
  discovery: ['shops', 'catalog', 'shows', 'follows'],
  analytics: [],
  video: ['shows'],
  recordings: ['shows', 'shops', 'catalog', 'images'],
};

/** What serves the business and knows none of it, with the layers each may use. */
export const LAYERS: Record<string, readonly string[]> = {
  lib: [],
  platform: ['lib'],
  http: ['lib', 'platform'],
  realtime: ['lib', 'platform', 'http'],
};

/** Wires everything and is used by nothing: files and folders of server/src. */
export const ROOTS = [
  'main.ts', 'config.ts', 'compose.ts', 'modules.ts', 'moderation-deps.ts', 'figures.ts', 'reach.ts', 'cli', 'demo',
] as const;

/** What a root offers to the layers: the type of the configuration. */
export const SHARED_ROOT_TYPES = ['config.ts'] as const;

/** Packages of the workspace each workspace may import. */
export const WORKSPACES: Record<string, readonly string[]> = {
  contract: [],
  media: [],
  server: ['contract', 'media'],
  web: ['contract'],
};

/** Where the bytes of media may be touched inside the server. */
export const MEDIA_USERS = ['video', 'recordings', ...ROOTS] as const;

/**
 * Exceptions, each with its reason. A key is a path, or a path and a function's name after `#`; what it allows is the
 * list it stands in.
 */
export const LONG_FILES: Record<string, string> = {};

export const LONG_FUNCTIONS: Record<string, string> = {};

/** Files besides stores that speak SQL. */
export const SQL_FILES: Record<string, string> = {
  'server/src/shows/listing.ts': 'one query with its filters and cursor, which explain each other',
  'server/src/http/health.ts': 'asks the database whether it is there',
};

/** Files that read time, chance or the environment themselves instead of being given them. */
export const AMBIENT_FILES: Record<string, string> = {
  'server/src/platform/clock.ts': 'is the clock',
  'server/src/platform/ids.ts': 'is the source of ids',
  'server/src/main.ts': 'hands the environment to the configuration',
  'server/src/cli/main.ts': 'hands the environment to the configuration',
  'server/src/demo/demo.ts': 'what the demo does next is nobody’s business',
  'server/src/http/kit-handler.ts': 'SvelteKit takes its settings from the environment only',
};
