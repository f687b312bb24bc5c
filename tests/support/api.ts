/**
 * The HTTP application with people, pictures, shops, follows and goods on a real database, for tests that ask it as a
 * client does.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Person } from '@nacre/contract/accounts';
import type { Product, ProductCreate } from '@nacre/contract/catalog';
import type { Shop, ShopCreate } from '@nacre/contract/shops';
import type { OutgoingHttpHeaders } from 'node:http';
import {
  createAccounts, type Accounts, type AccountsDeps, type DemoAccount,
} from '../../server/src/accounts/accounts.ts';
import { accountsReactions } from '../../server/src/accounts/reactions.ts';
import { accountsRoutes } from '../../server/src/accounts/routes.ts';
import { createCatalog, type Catalog } from '../../server/src/catalog/catalog.ts';
import { catalogRoutes } from '../../server/src/catalog/routes.ts';
import { waitingRoutes } from '../../server/src/catalog/waiting-routes.ts';
import { createFollows, type Follows } from '../../server/src/follows/follows.ts';
import { followsRoutes } from '../../server/src/follows/routes.ts';
import { createApp, type App } from '../../server/src/http/app.ts';
import { createGuests } from '../../server/src/http/guest.ts';
import { createImages, type Images } from '../../server/src/images/images.ts';
import { imagesRoutes } from '../../server/src/images/routes.ts';
import { createDiskBlobs } from '../../server/src/platform/blobs.ts';
import { createMemoryBus } from '../../server/src/platform/bus.ts';
import type { Clock } from '../../server/src/platform/clock.ts';
import { createDatabase } from '../../server/src/platform/database.ts';
import { newId } from '../../server/src/platform/ids.ts';
import { createJobs, type Jobs } from '../../server/src/platform/jobs.ts';
import { createLog } from '../../server/src/platform/log.ts';
import { createLogMailer, type Mail, type Mailer } from '../../server/src/platform/mailer.ts';
import { createOutbox } from '../../server/src/platform/outbox.ts';
import type { Platform } from '../../server/src/platform/platform.ts';
import { createLogTexter } from '../../server/src/platform/texter.ts';
import { teamReactions } from '../../server/src/shops/reactions.ts';
import { shopsRoutes } from '../../server/src/shops/routes.ts';
import { createShops, type Shops } from '../../server/src/shops/shops.ts';
import { teamRoutes } from '../../server/src/shops/team-routes.ts';
import { createTeam, type TeamOfShops } from '../../server/src/shops/team.ts';
import { putPerson, QUICK } from './people.ts';

export { PASSWORD } from './people.ts';

export const SECRET = 'a secret for tests only, forty-two letters';

/** Where the pages are, as mails and passkeys know it. */
export const PAGES = 'https://nacre.test';

export interface Asked {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD';
  body?: unknown;
  cookie?: string | undefined;
  headers?: Record<string, string>;
  /** Address of the socket; this machine by default. */
  remoteAddress?: string;
}

export interface Answer {
  status: number;
  /** The parsed JSON; null when there is none. */
  json: Record<string, unknown>;
  headers: OutgoingHttpHeaders;
  cookies: string[];
  bytes: Buffer;
}

/** A person with the cookie of a session. */
export interface SignedInPerson extends Person {
  email: string;
  cookie: string;
}

export interface TestApi {
  app: App;
  platform: Platform;
  accounts: Accounts;
  /** To make accounts as another process would have them. */
  accountsDeps: AccountsDeps;
  images: Images;
  shops: Shops;
  team: TeamOfShops;
  follows: Follows;
  catalog: Catalog;
  blobFolder: string;
  /** What `shopOfShow` answers: show id → shop id. */
  showShops: Map<string, string>;
  clock: { advance(ms: number): void };
  ask(path: string, asked?: Asked): Promise<Answer>;
  /** Sends a file as the form field `file`. */
  upload(bytes: Buffer, cookie: string | undefined, field?: string): Promise<Answer>;
  newPerson(name?: string): Promise<SignedInPerson>;
  newShop(cookie: string, changes?: Partial<ShopCreate>): Promise<Shop>;
  newProduct(cookie: string, shopId: string, changes?: Partial<ProductCreate>): Promise<Product>;
  stop(): Promise<void>;
}

/** Takes every job and does none. */
export const NO_JOBS: Jobs = {
  on: () => {}, add: async () => {}, addAll: async () => {}, start: async () => {}, stop: async () => {},
};

let made = 0;

/** A short text that no other call has given. */
export function unique(prefix: string): string {
  made += 1;
  return `${prefix}-${made}`;
}

export interface TestApiOptions {
  url: string;
  demo?: DemoAccount[];
  /** Whether jobs are done, such as mail; otherwise they are forgotten. */
  doesJobs?: boolean;
  /** Hears each mail. */
  onMail?(mail: Mail): void;
  /** Default: what is in `showShops`. */
  shopOfShow?(showId: string, personId: string): Promise<string | null>;
}

export async function createTestApi(options: TestApiOptions): Promise<TestApi> {
  const log = createLog('silent', false);
  let aheadMs = 0;
  const clock: Clock = { now: () => new Date(Date.now() + aheadMs) };
  const database = createDatabase({ url: options.url, log });
  const outbox = createOutbox({ database, clock, log });
  const bus = createMemoryBus({ log });
  const platform: Platform = { database, outbox, bus, clock, newId, log };
  const blobFolder = mkdtempSync(join(tmpdir(), 'nacre-blobs-'));
  const blobs = createDiskBlobs({ folder: blobFolder });
  const showShops = new Map<string, string>();
  const { demo } = options;
  const jobs = options.doesJobs === true ? createJobs({ url: options.url, log }) : NO_JOBS;
  const accountsDeps: AccountsDeps = {
    platform, jobs, secret: SECRET, passwords: QUICK, demoAccounts: demo === undefined ? null : async () => demo,
    mailer: heard(createLogMailer({ log, keeps: demo !== undefined }), options.onMail), pagesAt: () => PAGES,
    texter: createLogTexter({ log, keeps: demo !== undefined, perDay: 1000 }), origins: () => [PAGES],
  };
  const accounts = createAccounts(accountsDeps);
  accountsReactions(jobs, { accounts });
  const images = createImages({ platform, blobs });
  const shops = createShops({ platform, images });
  const { namesOf, readersOf } = accounts;
  const { mailer, pagesAt } = accountsDeps;
  const team = createTeam({ platform, shops, namesOf, readersOf, jobs, mailer, pagesAt });
  teamReactions(jobs, { team });
  const shopOfShow = options.shopOfShow ?? (async (showId: string) => showShops.get(showId) ?? null);
  const follows = createFollows({ platform, shopOfShow });
  const catalog = createCatalog({ platform, images, shops, tell: () => {} });
  const app = await createApp({
    writesPerMinute: 2_000,
    log, guests: createGuests({ secret: SECRET }), findPerson: accounts.findPerson, trustProxy: '127.0.0.1',
  });
  await accountsRoutes(app, { accounts, membershipsOf: shops.membershipsOf, offersPhone: true });
  await imagesRoutes(app, { images, blobs });
  shopsRoutes(app, {
    shops, followingOf: follows.stateFor,
    languageOf: async (personId) => (await accounts.person(personId))?.locale ?? 'en',
  });
  await teamRoutes(app, { team, publicUrl: null });
  followsRoutes(app, { follows, shopBySlug: shops.bySlug });
  catalogRoutes(app, { catalog });
  waitingRoutes(app, { catalog, clock: platform.clock });
  await jobs.start();
  outbox.start();

  const api: TestApi = {
    app, platform, accounts, accountsDeps, images, shops, team, follows, catalog, blobFolder, showShops,
    clock: { advance: (ms) => void (aheadMs += ms) },
    ask: (path, asked = {}) => ask(app, path, asked),
    upload: (bytes, cookie, field = 'file') => upload(app, bytes, cookie, field),
    newPerson: (name = 'Mei') => newPerson(api, name),
    newShop: (cookie, changes = {}) => newShop(api, cookie, changes),
    newProduct: (cookie, shopId, changes = {}) => newProduct(api, cookie, shopId, changes),
    async stop() {
      await app.close();
      await outbox.stop();
      await jobs.stop();
      await accounts.stop();
      await bus.stop();
      await database.stop();
      rmSync(blobFolder, { recursive: true, force: true });
    },
  };
  return api;
}

function heard(mailer: Mailer, onMail: ((mail: Mail) => void) | undefined): Mailer {
  return {
    ...mailer,
    send(mail) {
      onMail?.(mail);
      return mailer.send(mail);
    },
  };
}

async function ask(app: App, path: string, asked: Asked): Promise<Answer> {
  const isBytes = Buffer.isBuffer(asked.body);
  const answer = await app.inject({
    method: asked.method ?? (asked.body === undefined ? 'GET' : 'POST'),
    url: path,
    headers: {
      ...(asked.cookie === undefined ? {} : { cookie: asked.cookie }),
      ...(asked.body === undefined || isBytes ? {} : { 'content-type': 'application/json' }),
      ...asked.headers,
    },
    ...(asked.body === undefined ? {} : { payload: isBytes ? asked.body as Buffer : JSON.stringify(asked.body) }),
    remoteAddress: asked.remoteAddress ?? '127.0.0.1',
  });
  const isJson = String(answer.headers['content-type']).includes('json');
  const setCookie = answer.headers['set-cookie'] ?? [];
  return {
    status: answer.statusCode,
    json: isJson ? JSON.parse(answer.body) as Record<string, unknown> : {},
    headers: answer.headers,
    cookies: Array.isArray(setCookie) ? setCookie : [setCookie],
    bytes: answer.rawPayload,
  };
}

async function upload(app: App, bytes: Buffer, cookie: string | undefined, field: string): Promise<Answer> {
  const form = new FormData();
  form.set(field, new Blob([new Uint8Array(bytes)], { type: 'image/jpeg' }), 'picture.jpg');
  const request = new Response(form);
  return ask(app, '/api/images', {
    body: Buffer.from(await request.arrayBuffer()),
    cookie,
    headers: { 'content-type': request.headers.get('content-type') ?? '' },
  });
}

/** `name=value` of the session in an answer's cookies; undefined when it sets none. */
export function sessionCookieOf(answer: Answer): string | undefined {
  return answer.cookies.find((cookie) => cookie.startsWith('nacre.session_token='))?.split(';')[0];
}

async function newPerson(api: TestApi, name: string): Promise<SignedInPerson> {
  const email = `${unique('person')}@example.test`;
  const { id, cookie } = await putPerson(api.platform, SECRET, { name, email });
  const person = await api.accounts.person(id);
  if (person === null) throw new Error(`${name} is not there`);
  return { ...person, email, cookie };
}

async function newShop(api: TestApi, cookie: string, changes: Partial<ShopCreate>): Promise<Shop> {
  const body: ShopCreate = {
    name: 'Silk Road Dresses', slug: unique('silk-road'), story: 'From Lanzhou.', imageId: null, region: 'Gansu',
    category: 'clothes', currency: 'CNY', ...changes,
  };
  const answer = await api.ask('/api/shops', { body, cookie });
  if (answer.status !== 201) throw new Error(`opening a shop failed: ${JSON.stringify(answer.json)}`);
  return answer.json as unknown as Shop;
}

/** A dress in two sizes and two colours, five pieces each, for sale. */
export function dress(changes: Partial<ProductCreate> = {}): ProductCreate {
  const sizes = ['S', 'M'];
  const colours = [{ value: 'Red', swatch: '#cc2222' }, { value: 'Blue', swatch: '#2222cc' }];
  return {
    title: 'Summer dress', description: 'Linen.', imageIds: [], state: 'active',
    options: [{ name: 'Size', values: sizes.map((value) => ({ value })) }, { name: 'Colour', values: colours }],
    variants: sizes.flatMap((size) => colours.map(({ value }) => ({
      optionValues: [size, value], sku: `D-${size}-${value}`, priceMinor: 12_900, stock: 5,
    }))),
    ...changes,
  };
}

async function newProduct(
  api: TestApi, cookie: string, shopId: string, changes: Partial<ProductCreate>,
): Promise<Product> {
  const answer = await api.ask(`/api/office/shops/${shopId}/products`, { body: dress(changes), cookie });
  if (answer.status !== 201) throw new Error(`adding a product failed: ${JSON.stringify(answer.json)}`);
  return answer.json as unknown as Product;
}
