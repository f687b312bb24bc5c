/**
 * Order in the talk, in a real browser: a viewer whose words are not welcome, a moderator who mutes them by keyboard,
 * the reason they read, the appeal that is heard; slow mode, pause and a ban as the viewer has them; the operator.
 */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.ts';
import { cookiesOf } from '../support/cookies.ts';
import {
  createClient, goLive, openMarket, PASSWORD, startNacre, type Client, type Market, type Nacre,
} from '../support/nacre.ts';
import { textsOf } from '../support/texts.ts';

const PHONE = { width: 360, height: 740 };
const DESK = { width: 1280, height: 800 };
const PATIENCE_MS = 20_000;
const say = textsOf('en');

let nacre: Nacre;
let market: Market;
let live: { stop(): Promise<void> };
let browser: Browser;
let keeper: Client;
before(async () => {
  nacre = await startNacre();
  market = await openMarket(nacre.url);
  [live, browser, keeper] = await Promise.all([goLive(nacre.url, market), launchChromium(), newModerator()]);
});
after(async () => {
  await live?.stop();
  await browser?.close();
  await nacre?.remove();
});

async function newPerson(name: string): Promise<Client> {
  const client = createClient(nacre.url);
  await client.signUp(name);
  return client;
}

async function newModerator(): Promise<Client> {
  const made = await market.owner.must<{ token: string }>(
    201, 'POST', `/api/office/shops/${market.shop.id}/invitations`, { role: 'moderator' },
  );
  const client = await newPerson('Wang');
  await client.must(200, 'POST', `/api/invitations/${made.token}/accept`);
  return client;
}

async function pageOf(client: Client, viewport: typeof PHONE): Promise<{ page: Page; context: BrowserContext }> {
  const context = await browser.newContext({ viewport, locale: 'en-US' });
  context.setDefaultTimeout(PATIENCE_MS);
  await context.addCookies(cookiesOf(client, nacre.url));
  return { page: await context.newPage(), context };
}

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const field = (page: Page) => page.getByLabel(say('viewer.say'));
const inLog = (page: Page, text: string) => page.getByRole('log').getByText(text);

/** The page answers when the talk has its voice. */
async function openShow(page: Page): Promise<void> {
  await page.goto(`${nacre.url}/shows/${market.show.id}`);
  await page.locator('[data-voice=chat]').waitFor({ state: 'attached' });
}

async function write(page: Page, text: string): Promise<void> {
  await field(page).fill(text);
  await field(page).press('Enter');
}

async function listWord(page: Page, word: string): Promise<void> {
  await page.goto(`${nacre.url}/office/${market.shop.slug}/talk`);
  await page.getByText('Wang').waitFor();
  await page.getByText(say('moderation.list_none')).waitFor();
  await page.getByLabel(say('moderation.list_add_label')).fill(word);
  await page.keyboard.press('Enter');
  await button(page, say('moderation.list_remove_of', { word })).waitFor();
  await page.getByLabel(say('moderation.try_label')).fill(`All F A K E?`);
  await page.keyboard.press('Enter');
  await page.getByText(say('moderation.try_refused')).waitFor();
}

const story = '[W151] [W152] [W153] [W155] [W157] [W158] [W160] words come back, a mute says why, an appeal is heard';
test(story, async () => {
  const [lin, olga] = await Promise.all([newPerson('Lin'), newPerson('Olga')]);
  const [viewer, moderator, owner] = await Promise.all([
    pageOf(lin, PHONE), pageOf(keeper, DESK), pageOf(market.owner, PHONE),
  ]);
  await listWord(owner.page, 'fake');
  await Promise.all([openShow(viewer.page), openShow(moderator.page)]);
  await write(viewer.page, 'is it fake?');
  await viewer.page.getByText(say('refusal.chat.word')).waitFor();
  assert.equal(await field(viewer.page).inputValue(), 'is it fake?');
  await write(viewer.page, 'buy at my shop');

  // The newest message is the one stop of Tab in the talk; Enter opens what can be done about it.
  const message = moderator.page.getByRole('log').getByRole('button', { name: 'buy at my shop' });
  await message.waitFor();
  assert.equal(await message.getAttribute('tabindex'), '0');
  await message.focus();
  await moderator.page.keyboard.press('Enter');
  const sheet = moderator.page.getByRole('dialog');
  await sheet.getByRole('button', { name: say('moderation.mute', { name: 'Lin' }) }).press('Enter');
  await sheet.getByLabel(say('moderation.words')).fill('No advertising, please.');
  await sheet.getByRole('button', { name: say('moderation.mute_do'), exact: true }).press('Enter');
  await sheet.waitFor({ state: 'hidden' });

  const note = viewer.page.getByRole('link', { name: say('moderation.now_why') });
  await note.waitFor();
  await viewer.page.getByText('No advertising, please.').waitFor();
  assert.equal(await field(viewer.page).isDisabled(), true);
  await inLog(viewer.page, 'buy at my shop').waitFor({ state: 'detached' });
  await inLog(moderator.page, 'buy at my shop').waitFor({ state: 'detached' });
  await note.click();
  const measure = viewer.page.getByRole('article', { name: say('moderation.own_mute') });
  await button(viewer.page, say('moderation.appeal')).first().waitFor();
  await measure.getByRole('button', { name: say('moderation.appeal') }).click();
  await viewer.page.keyboard.type('I only asked.');
  await button(viewer.page, say('moderation.appeal_send')).click();
  await measure.getByText(say('moderation.appeal_sent')).waitFor();

  const { email } = (await olga.must<{ person: { email: string } }>(200, 'GET', '/api/me')).person;
  await nacre.makeOperator(email);
  // Known sessions hear of it within a minute, a new one at once.
  await olga.must(200, 'POST', '/api/auth/sign-in/email', { email, password: PASSWORD });
  const operator = await pageOf(olga, DESK);
  await operator.page.goto(nacre.url);
  await operator.page.getByRole('link', { name: say('common.nav_operator') }).click();
  await operator.page.getByRole('link', { name: say('moderation.op_appeals') }).click();
  await operator.page.getByText('I only asked.').waitFor();
  await operator.page.getByLabel(say('moderation.appeal_answer')).fill('Be welcome.');
  await button(operator.page, say('moderation.grant')).click();
  await operator.page.getByText(say('moderation.op_appeals_none')).waitFor();

  await viewer.page.reload();
  await measure.getByText(say('moderation.appeal_granted')).waitFor();
  await measure.getByText('Be welcome.').waitFor();
  await openShow(viewer.page);
  await write(viewer.page, 'thank you');
  await inLog(moderator.page, 'thank you').waitFor();
  const forbidden = await viewer.page.request.get(`${nacre.url}/platform`);
  assert.equal(forbidden.status(), 403);
  await Promise.all([viewer.context.close(), moderator.context.close(), operator.context.close()]);
  await owner.context.close();
});

test('[W150] [W152] [W154] [S50] [S51] slow mode counts down, a pause is said, a ban is read at once', async () => {
  const mei = await newPerson('Mei');
  const [viewer, moderator] = await Promise.all([pageOf(mei, PHONE), pageOf(keeper, DESK)]);
  await Promise.all([openShow(viewer.page), openShow(moderator.page)]);
  await button(moderator.page, say('viewer.keep_order')).first().click();
  const sheet = moderator.page.getByRole('dialog');
  await sheet.getByRole('radio', { name: '5 seconds', exact: true }).check();
  await viewer.page.getByPlaceholder('One message every 5 seconds').waitFor();
  await write(viewer.page, 'hello');
  const wait = viewer.page.locator('.wait');
  await wait.waitFor();
  assert.ok(Number(await wait.innerText()) <= 5);
  await write(viewer.page, 'hello again');
  assert.equal(await field(viewer.page).inputValue(), 'hello again');
  await wait.waitFor({ state: 'detached' });
  await field(viewer.page).press('Enter');
  await inLog(moderator.page, 'hello again').waitFor();

  // The owner's second device, which does not film: its desk hears of what the moderator did.
  const desk = await pageOf(market.owner, PHONE);
  await desk.page.goto(`${nacre.url}/studio/${market.show.id}`);
  await button(desk.page, 'One message every 5 s').click();
  await desk.page.getByLabel(say('moderation.quiet_title')).check();
  await viewer.page.getByPlaceholder(say('viewer.chat_paused')).waitFor();
  await desk.page.getByLabel(say('moderation.quiet_title')).uncheck();
  await viewer.page.getByPlaceholder('One message every 5 seconds').waitFor();
  await button(desk.page, say('common.close')).click();

  await desk.page.getByRole('log').getByRole('button', { name: 'hello again' }).click();
  const about = desk.page.getByRole('dialog');
  await about.getByRole('button', { name: say('moderation.ban', { name: 'Mei' }) }).click();
  await about.getByRole('button', { name: say('moderation.ban_do'), exact: true }).click();
  const title = say('moderation.now_ban_title', { shop: market.shop.name });
  await viewer.page.getByRole('heading', { name: title }).waitFor();
  await viewer.page.getByRole('link', { name: say('moderation.now_why') }).waitFor();
  // Closed and opened, the moderator's sheet has what the owner did.
  await moderator.page.keyboard.press('Escape');
  await button(moderator.page, say('viewer.keep_order')).first().click();
  await button(moderator.page, say('moderation.undo_of', { what: say('moderation.kind_ban'), name: 'Mei' })).click();
  await viewer.page.getByRole('heading', { name: title }).waitFor({ state: 'detached' });
});

test('[W156] [W161] a guest reports a show and signs in on the way; an operator ends it from its page', async () => {
  const [viewer, olga] = [await pageOf(createClient(nacre.url), PHONE), await newPerson('Olga')];
  const { email } = (await olga.must<{ person: { email: string } }>(200, 'GET', '/api/me')).person;
  await openShow(viewer.page);
  await button(viewer.page, say('common.more')).click();
  await button(viewer.page, say('viewer.report_show')).click();
  await viewer.page.getByRole('radio', { name: say('moderation.reason_fraud') }).check();
  await viewer.page.getByLabel(say('moderation.words')).fill('Glass, not pearls.');
  await button(viewer.page, say('moderation.report')).click();
  await viewer.page.getByLabel(say('signin.email')).fill(email);
  await viewer.page.getByLabel(say('signin.password')).fill(PASSWORD);
  await button(viewer.page, say('signin.do_sign_in')).click();
  await viewer.page.getByText(say('moderation.reported_toast')).waitFor();

  await nacre.makeOperator(email);
  await olga.must(200, 'POST', '/api/auth/sign-in/email', { email, password: PASSWORD });
  const operator = await pageOf(olga, PHONE);
  await openShow(operator.page);
  await button(operator.page, say('common.more')).click();
  await button(operator.page, say('viewer.end_as_operator')).click();
  await button(operator.page, say('moderation.end_show')).click();
  await viewer.page.getByText(say('viewer.ended_title')).first().waitFor();
  await operator.page.goto(`${nacre.url}/platform`);
  await operator.page.getByText('Glass, not pearls.').waitFor();
  await Promise.all([viewer.context.close(), operator.context.close()]);
});
