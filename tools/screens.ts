/**
 * Makes docs/screens/*.webp: home, show, studio and office as people see them, on phone and desktop, in three
 * languages, from a fresh demo market in a real browser. To be looked at after every change of the pages.
 *
 * Usage: npm run screens [-- NAME…]; names such as home, show, studio, office.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { BagItem } from '@nacre/contract/shows';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import sharp from 'sharp';
import { DEMO_SHOPS, DEMO_SIGN_INS } from '../server/src/demo/market.ts';
import { findChromium } from '../tests/support/chromium.ts';
import { startNacre } from '../tests/support/nacre.ts';
import { textsOf } from '../tests/support/texts.ts';

const ROOT = resolve(import.meta.dirname, '..');
const FOLDER = join(ROOT, 'docs/screens');
const WEBP_QUALITY = 78;
const SIZES = { phone: { width: 360, height: 740 }, desktop: { width: 1280, height: 800 } } as const;
const LOCALES = { en: 'en-US', zh: 'zh-CN', ar: 'ar-SA' } as const;
type Locale = keyof typeof LOCALES;

interface Shot {
  name: string;
  /** Whom the demo signs in as; null for a guest. */
  as: 'owner' | 'buyer' | null;
  open(page: Page, url: string, locale: Locale): Promise<void>;
}

const PLANNED_TITLE = DEMO_SHOPS[0]?.shows.find((show) => show.kind === 'planned')?.title;

/** For what arrives after the page is loaded: the picture, chat, web fonts. */
const SETTLE_MS = 3_500;
/** A toast stays for four seconds and lies over the goods. */
const TOAST_MS = 2_000;

const shots: Shot[] = [
  { name: 'home', as: null, open: (page, url) => go(page, url) },
  { name: 'show', as: 'buyer', open: async (page, url) => go(page, `${url}/shows/${await showOf(page, url, 'live')}`) },
  {
    name: 'buy', as: 'buyer',
    async open(page, url, locale) {
      await go(page, `${url}/shows/${await showOf(page, url, 'live')}`);
      const say = textsOf(locale);
      await page.getByRole('button', { name: say('viewer.buy'), exact: true }).first().click();
      await page.waitForTimeout(SETTLE_MS / 2);
    },
  },
  {
    name: 'cart', as: 'buyer',
    async open(page, url) {
      await fillCart(page, url);
      await go(page, `${url}/cart`);
    },
  },
  {
    name: 'studio', as: 'owner',
    open: async (page, url) => go(page, `${url}/studio/${await ownPlannedShow(page, url)}`),
  },
  {
    name: 'live', as: 'owner',
    async open(page, url) {
      await go(page, `${url}/studio/${await ownPlannedShow(page, url)}`);
      await page.locator('.go-live').click();
      await page.getByRole('timer').waitFor();
      await page.waitForTimeout(SETTLE_MS + TOAST_MS);
    },
  },
  { name: 'office', as: 'owner', open: (page, url) => go(page, `${url}/office/liu-wardrobe/orders`) },
  { name: 'goods', as: 'owner', open: (page, url) => go(page, `${url}/office/liu-wardrobe/goods`) },
  { name: 'coupons', as: 'owner', open: (page, url) => go(page, `${url}/office/liu-wardrobe/coupons`) },
];

async function go(page: Page, url: string): Promise<void> {
  await page.goto(url, { waitUntil: 'load' });
  await page.waitForTimeout(SETTLE_MS);
}

async function showOf(page: Page, url: string, state: 'live' | 'planned'): Promise<string> {
  const answer = await page.context().request.get(`${url}/api/shows?state=${state}`);
  const { items } = (await answer.json()) as { items: Array<{ id: string }> };
  if (items[0] === undefined) throw new Error(`the demo has no show that is ${state}`);
  return items[0].id;
}

/** One piece each of the first goods of every live show; what the picture before has put in stays. */
async function fillCart(page: Page, url: string): Promise<void> {
  const { request } = page.context();
  const read = async <Body>(path: string) => (await (await request.get(url + path)).json()) as Body;
  const { groups } = await read<{ groups: unknown[] }>('/api/cart');
  if (groups.length > 0) return;
  const { items } = await read<{ items: Array<{ id: string }> }>('/api/shows?state=live');
  for (const { id: showId } of items) {
    const { bag } = await read<{ bag: BagItem[] }>(`/api/shows/${showId}`);
    const { product } = bag[0] ?? {};
    const variant = product?.variants.find(({ available }) => available > 0);
    if (variant === undefined) continue;
    const line = { variantId: variant.id, quantity: 1, seenPriceMinor: variant.priceMinor, showId };
    const data = { putId: crypto.randomUUID(), lines: [line] };
    const answer = await request.post(`${url}/api/cart/put`, { data });
    if (!answer.ok()) throw new Error(`the cart refused: ${answer.status()} ${await answer.text()}`);
  }
}

/** The show that the demo's owner has planned; by now it may be live, from the picture before. */
async function ownPlannedShow(page: Page, url: string): Promise<string> {
  for (const state of ['planned', 'live']) {
    const answer = await page.context().request.get(`${url}/api/shows?state=${state}`);
    const { items } = (await answer.json()) as { items: Array<{ id: string; title: string; shop: { slug: string } }> };
    const own = items.find((show) => show.shop.slug === 'liu-wardrobe' && show.title === PLANNED_TITLE);
    if (own !== undefined) return own.id;
  }
  throw new Error('the demo shop has planned nothing');
}

/** The demo's own clip stands before the camera. */
function cameraFile(folder: string): string[] {
  const file = join(folder, 'camera.mjpeg');
  const made = spawnSync('ffmpeg', [
    '-v', 'error', '-y', '-i', join(ROOT, 'server/demo/show.mp4'), '-t', '4', '-q:v', '3', '-pix_fmt', 'yuvj420p', file,
  ]).status === 0;
  return made ? [`--use-file-for-fake-video-capture=${file}`] : [];
}

async function signedIn(context: BrowserContext, url: string, as: Shot['as']): Promise<void> {
  const account = DEMO_SIGN_INS.find(({ role }) => role === as);
  if (account === undefined) return;
  const { email, password } = account;
  const answer = await context.request.post(`${url}/api/auth/sign-in/email`, { data: { email, password } });
  if (!answer.ok()) throw new Error(`the demo account was refused: ${answer.status()}`);
}

async function take(browser: Browser, url: string, shot: Shot, locale: Locale): Promise<void> {
  for (const [device, viewport] of Object.entries(SIZES)) {
    for (const colorScheme of locale === 'en' ? (['light', 'dark'] as const) : (['light'] as const)) {
      const context = await browser.newContext({
        viewport, colorScheme, locale: LOCALES[locale], permissions: ['camera', 'microphone'], deviceScaleFactor: 2,
      });
      await signedIn(context, url, shot.as);
      const page = await context.newPage();
      await shot.open(page, url, locale);
      const name = `${shot.name}-${device}-${locale}-${colorScheme}.webp`;
      const picture = sharp(await page.screenshot()).resize({ width: viewport.width * (device === 'phone' ? 2 : 1) });
      writeFileSync(join(FOLDER, name), await picture.webp({ quality: WEBP_QUALITY }).toBuffer());
      console.log(name);
      await context.close();
    }
  }
}

const wanted = process.argv.slice(2);
const executablePath = findChromium();
if (executablePath === null) throw new Error('This needs Chromium: apt-get install chromium.');
const scratch = mkdtempSync(join(tmpdir(), 'nacre-screens-'));
const nacre = await startNacre({ demo: true });
const browser = await chromium.launch({
  executablePath,
  args: [
    '--no-sandbox', '--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync',
    '--no-first-run', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream=device-count=2',
    ...cameraFile(scratch),
  ],
});
try {
  mkdirSync(FOLDER, { recursive: true });
  for (const shot of shots.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
    for (const locale of Object.keys(LOCALES) as Locale[]) await take(browser, nacre.url, shot, locale);
  }
} finally {
  await browser.close();
  await nacre.remove();
  rmSync(scratch, { recursive: true, force: true });
}
