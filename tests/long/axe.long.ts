/** Every page in every language, light and dark, without a finding of axe (WCAG 2.2 A and AA). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import type { AxeResults } from 'axe-core';
import type { BrowserContext, Page } from 'playwright-core';
import { DEMO_OWNER, openDemo, type DemoStage } from '../support/demo-pages.ts';
import { createClient, PASSWORD } from '../support/nacre.ts';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const LANGUAGES = [
  { locale: 'en-US', width: 360, height: 740, colorScheme: 'light' },
  { locale: 'zh-CN', width: 1280, height: 800, colorScheme: 'dark' },
  { locale: 'ar-SA', width: 360, height: 740, colorScheme: 'dark' },
  { locale: 'ar-SA', width: 1280, height: 800, colorScheme: 'light' },
] as const;

let demo: DemoStage;
let operator: { email: string; password: string };
before(async () => {
  demo = await openDemo();
  const client = createClient(demo.nacre.url);
  await client.signUp('Olga');
  const { person } = await client.must<{ person: { email: string } }>(200, 'GET', '/api/me');
  operator = { email: person.email, password: PASSWORD };
  await demo.nacre.makeOperator(person.email);
});
after(() => demo?.stop());

async function findings(page: Page, path: string): Promise<string[]> {
  await page.goto(`${demo.nacre.url}${path}`, { waitUntil: 'domcontentloaded' });
  return findingsHere(page, path);
}

async function findingsHere(page: Page, path: string): Promise<string[]> {
  // Whatever fades in has done so.
  await page.waitForTimeout(1_200);
  await page.evaluate(axe);
  const results = await page.evaluate((values) => (
    (globalThis as unknown as { axe: { run(options: object): Promise<AxeResults> } }).axe
      .run({ runOnly: { type: 'tag', values }, resultTypes: ['violations'] })
  ), RULES);
  return results.violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => {
    const [, why = ''] = failureSummary?.split('\n') ?? [];
    return `${path} ${id} ${target.join(' ')}: ${why}`;
  }));
}

/** Pages that were loaded and then lost the network, or asked for what did not come. */
async function findingsWithoutNetwork(page: Page, path: string, to: string): Promise<string[]> {
  await page.goto(`${demo.nacre.url}${path}`, { waitUntil: 'domcontentloaded' });
  // From then on there is a page of ours for what cannot be loaded.
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await page.context().setOffline(true);
  await page.locator(`a[href="${to}"]`).first().evaluate((link: HTMLAnchorElement) => link.click());
  const found = await findingsHere(page, `${path} without network`);
  await page.context().setOffline(false);
  return found;
}

for (const { locale, width, height, colorScheme } of LANGUAGES) {
  test(`[W20] axe finds nothing on any page (${locale}, ${width} px, ${colorScheme})`, async () => {
    const context: BrowserContext = await demo.browser.newContext({ locale, viewport: { width, height }, colorScheme });
    const page = await context.newPage();
    const found: string[] = [];
    for (const path of [...demo.pages.guest, ...demo.pages.print]) found.push(...await findings(page, path));
    found.push(...await findingsWithoutNetwork(page, '/', '/orders'));
    await context.request.post(`${demo.nacre.url}/api/auth/sign-in/email`, { data: DEMO_OWNER });
    for (const path of demo.pages.owner) found.push(...await findings(page, path));
    await context.clearCookies();
    await context.request.post(`${demo.nacre.url}/api/auth/sign-in/email`, { data: operator });
    for (const path of demo.pages.operator) found.push(...await findings(page, path));
    await context.close();
    assert.deepEqual(found, []);
  });
}
