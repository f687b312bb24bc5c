/** Every page in every language at 320 px and enlarged twice: nothing is lost, nothing scrolls sideways. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { DEMO_OWNER, openDemo, type DemoStage } from '../support/demo-pages.ts';

/** A window of 1280 px enlarged four times (WCAG 2.2, 1.4.10), and a phone on which all is twice as large (1.4.4). */
const SHAPES = [
  { viewport: { width: 320, height: 640 } },
  { viewport: { width: 180, height: 370 }, deviceScaleFactor: 2 },
];

let demo: DemoStage;
before(async () => {
  demo = await openDemo();
});
after(() => demo?.stop());

/** What sticks out of the page sideways, but for what scrolls within its own frame or is for screen readers only. */
async function faultsOf(page: Page, path: string): Promise<string[]> {
  const faults = await page.evaluate(() => {
    const found: string[] = [];
    const root = document.documentElement;
    const wider = root.scrollWidth - root.clientWidth;
    if (wider > 0) found.push(`wider than the window by ${wider} px`);
    for (const node of document.querySelectorAll('a, button, input, select, textarea, h1, h2, h3')) {
      const { left, right, width, height } = node.getBoundingClientRect();
      if (width < 2 || height < 2 || node.closest('.vh')) continue;
      let scrolls = false;
      for (let one = node.parentElement; one && one !== document.body; one = one.parentElement) {
        scrolls ||= ['auto', 'scroll'].includes(getComputedStyle(one).overflowX) && one.scrollWidth > one.clientWidth;
      }
      if (!scrolls && (left < -1 || right > root.clientWidth + 1)) {
        found.push(`${node.tagName}.${node.className} “${node.textContent?.trim().slice(0, 30)}” sticks out`);
      }
    }
    return found;
  });
  return faults.map((fault) => `${path} at ${page.viewportSize()?.width} px: ${fault}`);
}

for (const locale of ['en-US', 'zh-CN', 'ar-SA']) {
  test(`[W144] no page loses anything at 320 px and enlarged twice (${locale})`, async () => {
    const found: string[] = [];
    for (const shape of SHAPES) {
      const context = await demo.browser.newContext({ locale, ...shape });
      const page = await context.newPage();
      const look = async (path: string): Promise<void> => {
        await page.goto(`${demo.nacre.url}${path}`, { waitUntil: 'domcontentloaded' });
        // What is loaded after the first drawing has come.
        await page.waitForTimeout(800);
        found.push(...await faultsOf(page, path));
      };
      for (const path of demo.pages.guest) await look(path);
      await context.request.post(`${demo.nacre.url}/api/auth/sign-in/email`, { data: DEMO_OWNER });
      for (const path of demo.pages.owner) await look(path);
      await context.close();
    }
    assert.deepEqual(found, []);
  });
}
