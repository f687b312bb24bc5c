/**
 * Reading, hearing, touching: the whole story by keyboard alone, what a screen reader is told while a room is lively,
 * and that nothing on the show's page moves by itself or gets lost on a narrow or enlarged page.
 */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { Product } from '@nacre/contract/catalog';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.ts';
import { cookiesOf } from '../support/cookies.ts';
import {
  createClient, goLive, openMarket, PASSWORD, startNacre, until, type Client, type Market, type Nacre,
} from '../support/nacre.ts';
import { focusedName, press, tabTo, type Stop } from '../support/keys.ts';
import { textsOf } from '../support/texts.ts';

const PHONE = { width: 360, height: 740 };
/** Generous: a browser, a server and a publisher share two cores. */
const PATIENCE_MS = 20_000;
/** A narrow window (WCAG 2.2, 1.4.10), and a phone on which all is twice as large (1.4.4). */
const REFLOWED = [
  { viewport: { width: 320, height: 640 } },
  { viewport: { width: PHONE.width / 2, height: PHONE.height / 2 }, deviceScaleFactor: 2 },
];
/** Room for what rounds at the half pixel; a line that moves is more by a hundred times. */
const LAYOUT_SHIFT_MAX = 0.01;
const say = textsOf('en');

let nacre: Nacre;
let market: Market;
let second: Product;
let publisher: { stop(): Promise<void> };
let browser: Browser;
before(async () => {
  nacre = await startNacre();
  market = await openMarket(nacre.url);
  second = await addProduct('Jade scarf');
  await market.owner.must(200, 'PUT', `/api/office/shows/${market.show.id}/bag`, {
    productIds: [market.product.id, second.id],
  });
  publisher = await goLive(nacre.url, market);
  browser = await launchChromium();
});
after(async () => {
  await browser?.close();
  await publisher?.stop();
  await nacre?.remove();
});

function addProduct(title: string): Promise<Product> {
  return market.owner.must<Product>(201, 'POST', `/api/office/shops/${market.shop.id}/products`, {
    title, description: '', imageIds: [], state: 'active', options: [],
    variants: [{ optionValues: [], sku: title, priceMinor: 2_900, stock: 5 }],
  });
}

async function pageOf(client: Client | null, options: object = {}): Promise<{ page: Page; context: BrowserContext }> {
  const context = await browser.newContext({ viewport: PHONE, locale: 'en-US', ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  await context.addCookies(cookiesOf(client, nacre.url));
  return { page: await context.newPage(), context };
}

const putOnScreen = (productId: string | null) => (
  market.owner.must(200, 'PUT', `/api/office/shows/${market.show.id}/on-screen`, { productId })
);
const named = (name: string) => (stop: Stop): boolean => stop.name === name;
const startsWith = (name: string) => (stop: Stop): boolean => stop.name.startsWith(name);

/** Fills the fields of a form in their sequence, as somebody with a keyboard does. */
async function fill(page: Page, values: Record<string, string>): Promise<void> {
  for (const [label, value] of Object.entries(values)) {
    await tabTo(page, named(label));
    await page.keyboard.type(value);
  }
}

test('[W140] [W141] a viewer finds, chooses, signs up, pays and talks by keyboard, and always sees where', async () => {
  const { page, context } = await pageOf(null);
  await page.goto(nacre.url);
  await tabTo(page, (stop) => stop.href.endsWith(`/shows/${market.show.id}`));
  await press(page, 'Enter');
  await page.waitForURL(/\/shows\//);
  await page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 0.2);

  // Who passes by the line is not asked anything; who types is, and Escape leads back to it.
  await tabTo(page, named(say('viewer.say')));
  assert.equal(await page.getByRole('dialog').count(), 0);
  await page.keyboard.type('h');
  await page.getByRole('dialog').waitFor();
  await press(page, 'Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await until('the focus is back in the line', PATIENCE_MS, async () => (
    (await focusedName(page)) === say('viewer.say')
  ));

  const isBag = (stop: Stop): boolean => stop.classes.includes('bag');
  await tabTo(page, isBag, 'Shift+Tab');
  await press(page, 'Enter');
  await tabTo(page, named(say('viewer.buy')));
  await press(page, 'Enter');
  // Tab enters a group of choices at one place, arrows choose.
  await tabTo(page, named('S'));
  await press(page, 'ArrowRight');
  await tabTo(page, named('Coral'));
  await press(page, 'Space');
  await tabTo(page, startsWith(say('buy.pay', { amount: '' }).trim()));
  await press(page, 'Enter');
  await tabTo(page, named(say('signin.to_sign_up')));
  await press(page, 'Enter');
  await fill(page, {
    [say('signin.name')]: 'Mei', [say('signin.email')]: `mei-${performance.now()}@example.test`,
    [say('signin.password')]: PASSWORD,
  });
  await press(page, 'Enter');
  await page.getByLabel(say('buy.address_name'), { exact: true }).waitFor();
  await fill(page, {
    [say('buy.address_name')]: 'Mei Tan', [say('buy.address_phone')]: '+1 503 555 0118',
    [say('buy.address_line1')]: '18 Harbour Lane', [say('buy.address_city')]: 'Portland',
    [say('buy.address_country')]: 'United States',
  });
  await tabTo(page, named(say('buy.address_use')));
  await press(page, 'Enter');
  await tabTo(page, startsWith(say('buy.pay', { amount: '' }).trim()));
  await press(page, 'Enter');
  await page.frameLocator('iframe.pay-frame').getByRole('button', { name: say('buy.sandbox_succeed') }).waitFor();
  await tabTo(page, named(say('buy.sandbox_succeed')));
  await press(page, 'Enter');
  await page.getByRole('dialog').getByText(say('buy.paid_title')).waitFor();
  await tabTo(page, named(say('buy.back_to_show')));
  await press(page, 'Enter');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });

  await tabTo(page, named(say('viewer.say')));
  await page.keyboard.type('thank you');
  await putOnScreen(second.id);
  await page.locator('.pcard').getByText('Jade scarf').waitFor();
  assert.equal(await focusedName(page), say('viewer.say'), 'other goods on screen leave the focus where it is');
  await press(page, 'Enter');
  await page.locator('[role=log]').getByText('thank you').waitFor();
  await page.goto(`${nacre.url}/orders`);
  await page.getByText(/N-\d+/).first().waitFor();
  await putOnScreen(null);
  await context.close();
});

test('[W140] a host puts goods on screen, answers and ends by keyboard', async () => {
  const { page, context } = await pageOf(market.owner);
  await page.goto(`${nacre.url}/studio/${market.show.id}`);
  await page.getByRole('timer').waitFor();
  const label = say('studio.good_label', { number: '2', name: 'Jade scarf' });
  await tabTo(page, startsWith(label));
  await press(page, 'Enter');
  const on = page.locator('.good[aria-pressed=true]');
  await on.waitFor();
  assert.ok(await on.evaluate((good) => good === document.activeElement), 'the focus stays on it');
  await tabTo(page, named(say('studio.answer')));
  await page.keyboard.type('It is silk');
  await press(page, 'Enter');
  await page.locator('[role=log]').getByText('It is silk').waitFor();
  await tabTo(page, named(say('studio.end')));
  await press(page, 'Enter');
  await page.getByRole('dialog').waitFor();
  await press(page, 'Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await until('the focus is back', PATIENCE_MS, async () => (await focusedName(page)) === say('studio.end'));
  await putOnScreen(null);
  await context.close();
});

test('[W142] [W143] [W145] a lively room neither floods the ear nor moves the page', async () => {
  const { page, context } = await pageOf(null);
  await page.goto(`${nacre.url}/shows/${market.show.id}`);
  await page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 0.2);
  await page.waitForFunction(() => document.querySelector('[data-voice=chat]'));
  // No card yet: the first one, too, may move nothing.
  await putOnScreen(null);
  await page.locator('.pcard').waitFor({ state: 'detached' });
  const talkers = Array.from({ length: 20 }, () => createClient(nacre.url));
  // One after the other: hashing so many passwords at once the server would refuse as too busy.
  for (const [at, client] of talkers.entries()) await client.signUp(`Talker ${at}`);
  let sent = 0;
  const talk = async (round: number): Promise<void> => {
    const answers = await Promise.all(talkers.map((client, at) => (
      client.ask('POST', `/api/shows/${market.show.id}/chat`, {
        clientId: crypto.randomUUID(), text: `${round} of ${at}: is it lined, and does it come in a longer size?`,
      }))));
    sent += answers.filter(({ status }) => status < 300).length;
  };
  await talk(0);
  await page.locator('[role=log]').getByText('0 of 19').waitFor();
  // Announced, and the quick messages' summary too, before the watch begins.
  await page.waitForFunction(() => document.querySelector('[data-voice=chat]')?.textContent);
  await page.evaluate(() => {
    const seen = { voice: [] as string[], news: [] as string[], shift: 0, moved: [] as string[] };
    Object.assign(globalThis, { nacreHeard: seen });
    for (const region of document.querySelectorAll('[aria-live=polite], [role=status]')) {
      const list = (region as HTMLElement).dataset['voice'] === 'chat' ? seen.voice : seen.news;
      new MutationObserver(() => region.textContent?.trim() && list.push(region.textContent.trim()))
        .observe(region, { childList: true, characterData: true, subtree: true });
    }
    new PerformanceObserver((entries) => {
      type Shift = PerformanceEntry & { value: number; hadRecentInput: boolean; sources: { node?: Node }[] };
      for (const entry of entries.getEntries() as Shift[]) {
        if (entry.hadRecentInput) continue;
        seen.shift += entry.value;
        seen.moved.push(...entry.sources.map(({ node }) => (node as Element | undefined)?.className ?? ''));
      }
    }).observe({ type: 'layout-shift', buffered: true });
  });
  const order = [market.product.id, second.id, market.product.id];
  const startedMs = performance.now();
  for (let round = 1; round < 6; round += 1) {
    await talk(round);
    if (round % 2 === 1) await putOnScreen(order[(round - 1) / 2] ?? null);
  }
  assert.ok(sent >= 80, `${sent} messages went out`);
  type Heard = { voice: string[]; news: string[]; shift: number; moved: string[] };
  const heard = () => page.evaluate(() => (globalThis as unknown as { nacreHeard: Heard }).nacreHeard);
  const onScreen = (sentences: string[]) => sentences.filter((sentence) => sentence.includes('On screen now'));
  await until('all is said', PATIENCE_MS, async () => {
    const { voice, news } = await heard();
    return voice.length > 0 && onScreen(news).join(' ').split('On screen now').length - 1 >= order.length;
  });
  const { voice, news, shift, moved } = await heard();
  const windows = Math.ceil((performance.now() - startedMs) / 5_000) + 1;
  assert.ok(voice.length <= windows, `one sentence of the talk in five seconds: ${voice.join(' | ')}`);
  assert.match(voice[0] ?? '', /^\d+ new messages$/, 'and nothing of what was said before');
  assert.equal(onScreen(news).join(' ').split('On screen now').length - 1, order.length, 'each once');
  assert.ok(shift <= LAYOUT_SHIFT_MAX, `the page moved by ${shift}: ${moved.join(', ')}`);
  await context.close();
  await putOnScreen(null);
});

test('[W142] a screen reader finds names, landmarks and headings in three languages', async () => {
  for (const locale of ['en-US', 'zh-CN', 'ar-SA']) {
    for (const [path, client] of [[`/shows/`, null], ['/studio/', market.owner]] as const) {
      const { page, context } = await pageOf(client, { locale });
      await page.goto(`${nacre.url}${path}${market.show.id}`);
      await (client ? page.getByRole('timer') : page.locator('.dock .bag')).waitFor();
      const cdp = await context.newCDPSession(page);
      const { nodes } = await cdp.send('Accessibility.getFullAXTree');
      const seen = nodes.filter((node) => !node.ignored);
      const roleOf = (node: (typeof seen)[number]): string => String(node.role?.value);
      const nameless = seen.filter((node) => /^(button|link|textbox|radio|log|dialog|region|list)$/.test(roleOf(node)))
        .filter((node) => roleOf(node) !== 'list' && !String(node.name?.value ?? '').trim());
      assert.deepEqual(nameless.map(roleOf), [], `${locale} ${path}`);
      for (const role of ['main', 'log']) assert.equal(seen.filter((node) => roleOf(node) === role).length, 1, role);
      const levels = seen.filter((node) => roleOf(node) === 'heading')
        .map((node) => Number(node.properties?.find(({ name }) => name === 'level')?.value.value));
      assert.equal(levels[0], 1, `${locale} ${path}: ${levels.join()}`);
      levels.reduce((before, level) => {
        assert.ok(level <= before + 1, `${locale} ${path}: no level is left out in ${levels.join()}`);
        return level;
      }, 0);
      await context.close();
    }
  }
});

test('[W144] the show’s page loses nothing at 320 px and enlarged twice', async () => {
  for (const locale of ['en-US', 'ar-SA']) {
    for (const shape of REFLOWED) {
      const { page, context } = await pageOf(null, { locale, ...shape });
      await page.goto(`${nacre.url}/shows/${market.show.id}`);
      await page.locator('.dock .bag').waitFor();
      const { beyond, missing } = await page.evaluate(() => ({
        beyond: document.documentElement.scrollWidth - innerWidth,
        missing: [...document.querySelectorAll('.dock .bag, .dock input, .dock .like, .who')].filter((node) => {
          const { left, right, bottom } = node.getBoundingClientRect();
          return right > innerWidth + 1 || left < -1 || bottom > innerHeight + 1;
        }).map((node) => node.className),
      }));
      const where = `${locale} at ${shape.viewport.width} px`;
      assert.ok(beyond <= 0, `${where}: wider than the window by ${beyond} px`);
      assert.deepEqual(missing, [], where);
      await context.close();
    }
  }
});

test('[W149] who wants less motion sees a card appear, not move', async () => {
  for (const reducedMotion of ['no-preference', 'reduce'] as const) {
    await putOnScreen(null);
    const { page, context } = await pageOf(null, { reducedMotion });
    await page.goto(`${nacre.url}/shows/${market.show.id}`);
    await page.waitForFunction(() => document.querySelector('[data-voice=chat]'));
    await page.evaluate(() => {
      const moved: string[] = [];
      Object.assign(globalThis, { nacreMoved: moved });
      for (const type of ['animationstart', 'transitionrun']) {
        document.addEventListener(type, ({ target }) => {
          for (const { effect } of (target as Element).getAnimations()) {
            if (Number(effect?.getComputedTiming().duration) > 1) moved.push((target as Element).className);
          }
        });
      }
    });
    await putOnScreen(second.id);
    await page.locator('.pcard').getByText('Jade scarf').waitFor();
    await page.locator('.dock .bag').click();
    await page.getByRole('dialog').waitFor();
    const moved = await page.evaluate(() => (globalThis as unknown as { nacreMoved: string[] }).nacreMoved);
    assert.equal(moved.length > 0, reducedMotion === 'no-preference', moved.join(', '));
    await context.close();
  }
});

test('[W140] the next show is planned, and this one ended, by keyboard', async () => {
  const { page, context } = await pageOf(market.owner);
  await page.goto(`${nacre.url}/office/${market.shop.slug}/shows`);
  await tabTo(page, (stop) => stop.href.endsWith('/shows/new'));
  await press(page, 'Enter');
  await page.waitForURL(/\/shows\/new$/);
  await fill(page, { [say('office.show_name')]: 'Autumn scarves' });
  await tabTo(page, startsWith(say('office.when_tomorrow', { time: '' }).trim()));
  await press(page, 'Space');
  // What is docked above the navigation stands before the fields.
  await tabTo(page, named(say('office.show_save_plan')), 'Shift+Tab');
  await press(page, 'Enter');
  await page.getByRole('link', { name: 'Autumn scarves' }).waitFor();

  await page.goto(`${nacre.url}/studio/${market.show.id}`);
  await page.getByRole('timer').waitFor();
  await tabTo(page, named(say('studio.end')));
  await press(page, 'Enter');
  await page.getByRole('dialog').waitFor();
  await tabTo(page, named(say('studio.end_do')));
  await press(page, 'Enter');
  await page.getByRole('heading', { name: say('studio.summary_title') }).waitFor();
  await context.close();
});
