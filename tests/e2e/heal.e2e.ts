/**
 * A show whose network is away for eight seconds: the host's page keeps what it films, offers it after the show, and
 * the replay has no hole. Each picture carries the moment at which it was taken.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import test, { after, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OfficeRecording, Replay } from '@nacre/contract/replays';
import type { AxeResults } from 'axe-core';
import HLS from 'hls-parser';
import type { BrowserContext, Page } from 'playwright-core';
import { leadCamera, shownMoment } from '../support/coded-camera.ts';
import { cookiesOf } from '../support/cookies.ts';
import { decodeWithFfmpeg } from '../support/ffmpeg.ts';
import { openMarket, startNacre, until, type Market, type Nacre } from '../support/nacre.ts';
import { textsOf } from '../support/texts.ts';
import { startUdpRelay, type UdpRelay } from '../support/udp-relay.ts';
import { launchCameraBrowser, waitForMovement, type CameraBrowser } from '../support/video-browser.ts';

const PATIENCE_MS = 30_000;
const CUT_MS = 8_000;
const say = textsOf('en');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let nacre: Nacre;
let camera: CameraBrowser;
let market: Market;
let relay: UdpRelay | null = null;
let host: Page;
let context: BrowserContext;
before(async () => {
  [nacre, camera] = await Promise.all([startNacre(), launchCameraBrowser()]);
  market = await openMarket(nacre.url);
});
after(async () => {
  relay?.stop();
  await camera?.close();
  await nacre?.remove();
});

/** The media's port is the system's choice: the way leads through the relay from the answer on. */
async function leadThrough(to: BrowserContext): Promise<void> {
  await to.exposeFunction('relayFor', async (port: number) => {
    relay ??= await startUdpRelay(port);
    return relay.link.port;
  });
  await to.addInitScript(() => {
    type SetAnswer = (this: RTCPeerConnection, answer: RTCSessionDescriptionInit) => Promise<void>;
    const { prototype } = RTCPeerConnection;
    const set: SetAnswer = prototype.setRemoteDescription;
    const setLed: SetAnswer = async function ({ type, sdp = '' }) {
      const from = /a=candidate:\S+ \d \w+ \d+ \S+ (\d+) typ host/.exec(sdp)?.[1] ?? '';
      const ask = (globalThis as unknown as { relayFor(port: number): Promise<number> }).relayFor;
      return set.call(this, { type, sdp: sdp.replaceAll(` ${from} `, ` ${await ask(Number(from))} `) });
    };
    prototype.setRemoteDescription = setLed;
  });
}

/** As the shop's owner, or (`locale`) as a guest who reads that language. */
async function open(path: string, locale: string | null = null): Promise<Page> {
  const own = await camera.browser.newContext({
    viewport: { width: 390, height: 844 }, locale: locale ?? 'en-US',
  });
  own.setDefaultTimeout(PATIENCE_MS);
  if (locale === null) await own.addCookies(cookiesOf(market.owner, nacre.url));
  const page = await own.newPage();
  page.on('pageerror', (error) => console.error(path, error));
  await page.goto(`${nacre.url}${path}`, { waitUntil: 'networkidle' });
  return page;
}

const replayOf = (): Promise<Replay> => market.owner.must(200, 'GET', `/api/shows/${market.show.id}/replay`);
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

async function assertAxe(page: Page): Promise<void> {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => (
    (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run()
  ));
  assert.deepEqual(violations.map(({ id, nodes }) => `${id} ${nodes[0]?.html}`), []);
}

test('[W365] a copy is kept unless the host says no, and what it takes is said', async () => {
  context = await camera.browser.newContext({
    viewport: { width: 390, height: 844 }, locale: 'en-US', permissions: ['camera', 'microphone'],
  });
  context.setDefaultTimeout(PATIENCE_MS);
  await context.addCookies(cookiesOf(market.owner, nacre.url));
  await leadThrough(context);
  await leadCamera(context);
  await context.addInitScript(() => {
    const charge = { level: 1, charging: false };
    Object.assign(globalThis, { charge });
    Object.defineProperty(navigator, 'getBattery', { value: async () => charge });
  });
  host = await context.newPage();
  host.on('pageerror', (error) => console.error('studio:', error));
  await host.goto(`${nacre.url}/studio/${market.show.id}`, { waitUntil: 'networkidle' });
  await waitForMovement(host, PATIENCE_MS);
  await button(host, say('studio.devices')).first().click();
  const keep = host.getByRole('checkbox', { name: say('heal.keep_title') });
  assert.ok(await keep.isChecked());
  await keep.uncheck();
  await host.reload({ waitUntil: 'networkidle' });
  await button(host, say('studio.devices')).first().click();
  assert.equal(await keep.isChecked(), false, 'remembered');
  await keep.check();
  await host.evaluate(() => ((globalThis as unknown as { charge: { level: number } }).charge.level = 0.15));
  await host.getByText(say('heal.keep_strained')).waitFor();
  await host.evaluate(() => ((globalThis as unknown as { charge: { level: number } }).charge.level = 1));
  await host.getByText(say('heal.keep_strained')).waitFor({ state: 'detached' });
  await host.keyboard.press('Escape');
});

test('[W363] what the network took is kept, offered, added also after a reload; the replay has no hole', async (t) => {
  await waitForMovement(host, PATIENCE_MS);
  await host.locator('.go-live:not([disabled])').click();
  await host.locator('.studio[data-state="live"]').waitFor();
  await sleep(8_000);
  const cutAtMs = Date.now();
  await relay!.cut(context);
  await sleep(CUT_MS);
  await relay!.mend(context);
  const mendedAtMs = Date.now();
  await until('back on air', PATIENCE_MS, async () => (
    (await host.locator('.studio').getAttribute('data-state')) === 'live'
  ));
  // Longer than what is kept after the trouble.
  await sleep(10_000);
  await market.owner.must(200, 'POST', `/api/office/shows/${market.show.id}/end`);
  const offer = host.locator('.kept-copy[data-state=offered]');
  await offer.waitFor();
  const before = await replayOf();
  assert.equal(before.stretches.length, 2);
  t.diagnostic(`offered: ${await offer.innerText()}`);
  await assertAxe(host);
  await host.reload({ waitUntil: 'networkidle' });
  let refused = 0;
  await host.route('**/recording/parts/*', (route) => (refused++ < 2 ? route.abort() : route.continue()));
  await offer.getByRole('button').first().click();
  await host.locator('.kept-copy[data-state=added]').waitFor();
  assert.ok(refused > 2, 'what the network did not take is sent again');
  const replay = await replayOf();
  const [first, healed, last] = replay.stretches;
  assert.deepEqual(replay.stretches.map(({ isHealed }) => isHealed), [false, true, false]);
  const missingMs = Date.parse(last!.startedAt) - Date.parse(first!.startedAt) - first!.durationMs - healed!.durationMs;
  t.diagnostic(`healed ${healed!.durationMs} ms, missing ${missingMs} ms`);
  assert.ok(healed!.durationMs > CUT_MS - 1_000 && Math.abs(missingMs) < 100, `${healed!.durationMs} ${missingMs}`);
  // The last picture before the cut is shown for a second longer (M10).
  assert.ok(Date.parse(healed!.startedAt) < cutAtMs + 2_000);
  assert.ok(Date.parse(healed!.startedAt) + healed!.durationMs > mendedAtMs);
  await until('read through', PATIENCE_MS, async () => {
    const { report } = await market.owner.must<OfficeRecording>(
      200, 'GET', `/api/office/shows/${market.show.id}/recording`,
    );
    if (report === null) return false;
    assert.deepEqual([report.gaps, report.faults], [[], []]);
    return true;
  });
  await assertDecodes();
  // In the page nothing is left.
  await host.reload({ waitUntil: 'networkidle' });
  await sleep(3_000);
  assert.equal(await host.locator('.kept-copy').count(), 0);
});

/** Each stretch as one file, and all of it as a player reads it. */
async function assertDecodes(): Promise<void> {
  const base = `${nacre.url}/replay/${market.show.id}`;
  const { segments } = HLS.parse(await (await fetch(`${base}/media.m3u8`)).text()) as HLS.types.MediaPlaylist;
  const files = new Map<string, Buffer[]>();
  const bytesOf = async (uri: string): Promise<Buffer> => (
    Buffer.from(await (await fetch(`${base}/${uri}`)).arrayBuffer())
  );
  for (const { uri, map } of segments) {
    const parts = files.get(map!.uri!) ?? [await bytesOf(map!.uri!)];
    parts.push(await bytesOf(uri));
    files.set(map!.uri!, parts);
  }
  assert.equal(files.size, 3);
  for (const [name, parts] of files) {
    const decoded = await decodeWithFfmpeg(Buffer.concat(parts));
    assert.ok(decoded === null || (decoded.errors === '' && decoded.pictures > 60), `${name} ${decoded?.errors}`);
  }
  const whole = await decodeWithFfmpeg(`${base}/index.m3u8`);
  assert.ok(whole === null || (whole.errors === '' && whole.pictures > 400), `${whole?.pictures} ${whole?.errors}`);
}

test('[W364] the healed part shows what was filmed then, is marked, and says that it proves nothing', async (t) => {
  const replay = await replayOf();
  const healed = replay.stretches[1]!;
  const middleMs = healed.fromMs + Math.round(healed.durationMs / 2);
  const momentMs = Date.parse(healed.startedAt) + middleMs - healed.fromMs;
  for (const [locale, texts] of [['en-US', say], ['ar', textsOf('ar')]] as const) {
    // As from an order placed then.
    const page = await open(`/shows/${market.show.id}?at=${momentMs}`, locale);
    await page.getByText(texts('replay.healed')).waitFor();
    assert.equal(await page.locator('.bar .healed').count(), 1);
    await page.locator('.play-big').click();
    await waitForMovement(page, PATIENCE_MS);
    let offMs = Infinity;
    // What is decoded late is shown late, on a machine that runs other tests at the same time.
    await until('a picture at its moment', PATIENCE_MS, async () => {
      const placeMs = await page.evaluate(() => document.querySelector('video')!.currentTime * 1_000);
      assert.ok(placeMs < healed.fromMs + healed.durationMs, `none until ${placeMs}: ${offMs} ms`);
      offMs = Math.round((await shownMoment(page, momentMs)) - Date.parse(healed.startedAt) - placeMs + healed.fromMs);
      return Math.abs(offMs) < 250;
    });
    t.diagnostic(`${locale}: the picture is ${offMs} ms from its moment`);
    await assertAxe(page);
    await page.context().close();
  }
  const page = await open(`/shows/${market.show.id}`);
  const mark = await page.locator('.bar .healed').boundingBox();
  const line = await page.locator('.bar .track').boundingBox();
  assert.ok(Math.abs(mark!.width / line!.width - healed.durationMs / replay.durationMs) < 0.02, `${mark!.width}`);
  assert.equal(await page.getByText(say('replay.healed')).count(), 0, 'the rest says nothing of the kind');
  // Into the healed part and out of it, without a jump.
  await page.locator('.play-big').click();
  await waitForMovement(page, PATIENCE_MS);
  await page.evaluate((at) => (document.querySelector('video')!.currentTime = at), healed.fromMs / 1_000 - 2);
  await page.getByText(say('replay.healed')).waitFor();
  await page.evaluate((at) => (document.querySelector('video')!.currentTime = at),
    (healed.fromMs + healed.durationMs) / 1_000 - 2);
  await until('out of it', PATIENCE_MS, async () => (await page.getByText(say('replay.healed')).count()) === 0);
  await waitForMovement(page, PATIENCE_MS);
  await page.context().close();
  const office = await open(`/office/${market.shop.slug}/shows/${market.show.id}`);
  await office.getByText(/came from the shop’s device/).waitFor();
  await office.context().close();
});
