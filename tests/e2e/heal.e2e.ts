/**
 * A show whose network is away for some seconds, then carries hardly more than the sound, then is away to the end: the
 * host's page keeps what it films, offers it after the show, and the replay has no hole. Each picture carries the
 * moment at which it was taken.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import test, { after, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OfficeRecording, Replay, ReplayStretch } from '@nacre/contract/replays';
import type { AxeResults } from 'axe-core';
import HLS from 'hls-parser';
import type { BrowserContext, Page } from 'playwright-core';
import { momentOf } from '../../web/src/lib/replay/places.ts';
import { leadCamera, shownPictures } from '../support/coded-camera.ts';
import { cookiesOf } from '../support/cookies.ts';
import { decodeWithFfmpeg } from '../support/ffmpeg.ts';
import { openMarket, startNacre, until, type Market, type Nacre } from '../support/nacre.ts';
import { textsOf } from '../support/texts.ts';
import { startUdpRelay, type UdpRelay } from '../support/udp-relay.ts';
import { launchCameraBrowser, waitForMovement, type CameraBrowser } from '../support/video-browser.ts';

const PATIENCE_MS = 30_000;
const LIVE_MS = 4_000;
const CUT_MS = 5_000;
/** Carries the sound, and stills. */
const WEAK_BPS = 110_000;
const WEAK_MS = 7_000;
const GONE_MS = 3_000;
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

test('[W363] [W420] what the network took and what was weak is kept, offered, added, to the show’s end', async (t) => {
  await waitForMovement(host, PATIENCE_MS);
  await host.locator('.go-live:not([disabled])').click();
  const studio = host.locator('.studio');
  await host.locator('.studio[data-state="live"]').waitFor();
  await sleep(LIVE_MS);
  const cutAtMs = Date.now();
  await relay!.cut(context);
  await sleep(CUT_MS);
  await relay!.mend(context);
  await until('back on air', PATIENCE_MS, async () => (await studio.getAttribute('data-state')) === 'live');
  const backAtMs = Date.now();
  await sleep(LIVE_MS);
  relay!.link.setWeather({ rateBps: WEAK_BPS });
  await host.locator('.brief', { hasText: /see a new picture every few seconds/ }).waitFor();
  const stillAtMs = Date.now();
  await sleep(WEAK_MS);
  await relay!.cut(context);
  const goneAtMs = Date.now();
  await sleep(GONE_MS);
  // From another device.
  const endedAtMs = Date.now();
  await market.owner.must(200, 'POST', `/api/office/shows/${market.show.id}/end`);
  await sleep(1_000);
  await relay!.mend(context);
  const offer = host.locator('.kept-copy[data-state=offered]');
  await offer.waitFor();
  const before = await replayOf();
  t.diagnostic(`offered: ${await offer.innerText()}`);
  await offer.getByText(say('heal.note_weak')).waitFor();
  await assertAxe(host);
  await host.reload({ waitUntil: 'networkidle' });
  let refused = 0;
  await host.route('**/recording/parts/*', (route) => (refused++ < 2 ? route.abort() : route.continue()));
  await offer.getByRole('button').first().click();
  await host.locator('.kept-copy[data-state=added]').waitFor();
  assert.ok(refused > 2, 'what the network did not take is sent again');
  const replay = await replayOf();
  for (const [name, { stretches }] of Object.entries({ before, replay })) {
    t.diagnostic(`${name}: ${stretches.map((one) => `${Date.parse(one.startedAt) - cutAtMs}+${one.durationMs}`
      + `${one.isReplacing ? ' replacing' : one.isHealed ? ' healed' : ''}`).join(', ')}`);
  }
  /** The one that has this moment. */
  const at = (momentMs: number): ReplayStretch | undefined => replay.stretches.find(({ startedAt, durationMs }) => (
    Date.parse(startedAt) <= momentMs && momentMs < Date.parse(startedAt) + durationMs
  ));
  // The last picture before the cut is shown for a second longer (M10).
  const moments = [cutAtMs - 1_000, cutAtMs + 2_000, backAtMs + 1_000, endedAtMs - 1_000];
  assert.deepEqual(moments.map((moment) => [at(moment)?.isHealed, at(moment)?.isReplacing]),
    [[false, false], [true, false], [false, false], [true, false]]);
  // Over so weak a line some of it does not come at all.
  const weakMs = Array.from({ length: 10 }, (_, tenth) => stillAtMs + ((goneAtMs - stillAtMs) * (tenth + 0.5)) / 10);
  assert.ok(weakMs.filter((moment) => at(moment)?.isHealed).length >= 8);
  assert.ok(weakMs.some((moment) => at(moment)?.isReplacing));
  const lastMs = Date.parse(replay.stretches.at(-1)!.startedAt) + replay.stretches.at(-1)!.durationMs;
  assert.ok(Math.abs(lastMs - endedAtMs) < 1_500, `the end is ${lastMs - endedAtMs} ms from the show's`);
  await until('read through', PATIENCE_MS, async () => {
    const { report } = await market.owner.must<OfficeRecording>(
      200, 'GET', `/api/office/shows/${market.show.id}/recording`,
    );
    if (report === null) return false;
    assert.deepEqual([report.gaps, report.faults], [[], []]);
    return true;
  });
  await Promise.all([assertDecodes('media'), assertDecodes('aired-media')]);
  // In the page nothing is left.
  await host.reload({ waitUntil: 'networkidle' });
  await sleep(3_000);
  assert.equal(await host.locator('.kept-copy').count(), 0);
});

/** Each stretch as one file, and all of it as a player reads it, where it is of one size. */
async function assertDecodes(name: 'media' | 'aired-media'): Promise<void> {
  const base = `${nacre.url}/replay/${market.show.id}`;
  const { segments } = HLS.parse(await (await fetch(`${base}/${name}.m3u8`)).text()) as HLS.types.MediaPlaylist;
  const files = new Map<string, Buffer[]>();
  const bytesOf = async (uri: string): Promise<Buffer> => (
    Buffer.from(await (await fetch(`${base}/${uri}`)).arrayBuffer())
  );
  for (const { uri, map } of segments) {
    const parts = files.get(map!.uri!) ?? [await bytesOf(map!.uri!)];
    parts.push(await bytesOf(uri));
    files.set(map!.uri!, parts);
  }
  for (const [map, parts] of files) {
    const decoded = await decodeWithFfmpeg(Buffer.concat(parts));
    assert.ok(decoded === null || (decoded.errors === '' && decoded.pictures > 0), `${map} ${decoded?.errors}`);
  }
  // FFmpeg goes on with the size that it began with.
  const sizes = new Set([...files.values()].map(([init]) => init!.readUInt32BE(init!.lastIndexOf('avc1') + 28)));
  if (sizes.size > 1) return;
  const whole = await decodeWithFfmpeg(`${base}/${name}.m3u8`);
  assert.ok(whole === null || (whole.errors === '' && whole.pictures > 200), `${whole?.pictures} ${whole?.errors}`);
}

/** From its place in the replay to when it was taken, of the pictures there: the middle one, in ms. */
async function latenessAt(page: Page, stretch: ReplayStretch, replay: Replay): Promise<number> {
  const placeMs = stretch.fromMs + Math.min(1_000, stretch.durationMs / 3);
  await page.evaluate((at) => {
    const video = document.querySelector('video')!;
    video.currentTime = at;
    return video.play();
  }, placeMs / 1_000);
  await until('there', PATIENCE_MS, async () => (
    Math.abs((await page.evaluate(() => document.querySelector('video')!.currentTime * 1_000)) - placeMs) < 700
  ));
  const pictures = await shownPictures(page, 25, Date.parse(stretch.startedAt));
  const late = pictures.map((picture) => momentOf(replay.stretches, picture.placeMs)! - picture.takenMs);
  return late.sort((a, b) => a - b)[12]!;
}

test('[W421] healed pictures lie where the live ones before them would, also in place of stills', async (t) => {
  const replay = await replayOf();
  const page = await open(`/shows/${market.show.id}`);
  await page.locator('.play-big').click();
  await waitForMovement(page, PATIENCE_MS);
  const [live, ...others] = replay.stretches.filter(({ durationMs }) => durationMs > 2_500);
  assert.deepEqual([live!.isHealed, others[0]!.isHealed], [false, true]);
  const liveMs = await latenessAt(page, live!, replay);
  const healedMs = await latenessAt(page, others[0]!, replay);
  t.diagnostic(`live pictures lie ${liveMs} ms after they were taken, healed ones ${healedMs} ms`);
  assert.ok(Math.abs(healedMs - liveMs) <= 40, `${healedMs - liveMs} ms apart`);
  // Of the second connection.
  const again = others.find(({ isHealed }) => !isHealed);
  const replacing = others.find(({ isReplacing }) => isReplacing)!;
  const againMs = again === undefined ? null : await latenessAt(page, again, replay);
  const replacingMs = await latenessAt(page, replacing, replay);
  t.diagnostic(`afterwards ${againMs} ms, in place of stills ${replacingMs} ms`);
  assert.ok(againMs === null || Math.abs(replacingMs - againMs) <= 40, `${replacingMs - againMs!} ms apart`);
  await page.context().close();
});

test('[W364] the healed part shows what was filmed then, is marked, and says that it proves nothing', async () => {
  const replay = await replayOf();
  const healed = replay.stretches.find(({ isHealed }) => isHealed)!;
  const parts = replay.stretches.filter(({ isHealed }) => isHealed);
  const momentMs = Date.parse(healed.startedAt) + Math.round(healed.durationMs / 2);
  const inArabic = await open(`/shows/${market.show.id}?at=${momentMs}`, 'ar');
  await inArabic.getByText(textsOf('ar')('replay.healed')).waitFor();
  assert.equal(await inArabic.locator('.other-replay').count(), 0, 'nothing went out then');
  assert.equal(await inArabic.locator('.bar .healed').count(), parts.length);
  await assertAxe(inArabic);
  await inArabic.context().close();
  const page = await open(`/shows/${market.show.id}`);
  const mark = await page.locator('.bar .healed').first().boundingBox();
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

test('[W422] from what took the place of stills one comes to what went out, at that moment, and back', async (t) => {
  const { stretches } = await replayOf();
  const replacing = stretches.find(({ isReplacing }) => isReplacing)!;
  const momentMs = Date.parse(replacing.startedAt) + 500;
  const page = await open(`/shows/${market.show.id}?at=${momentMs}`);
  await page.getByText(say('replay.healed')).waitFor();
  await page.getByRole('link', { name: say('replay.to_aired') }).click();
  await page.getByText(say('replay.aired')).waitFor();
  const asked = new URL(page.url()).searchParams;
  assert.deepEqual([asked.get('as'), asked.get('at')], ['aired', String(momentMs)], 'as of an order placed then');
  assert.equal(await page.locator('.bar .healed').count(), 0);
  await page.waitForLoadState('networkidle');
  await page.locator('.play-big').click();
  // Few of them, as they went out, to the end.
  const places = (await shownPictures(page, 4, momentMs)).map(({ placeMs }) => placeMs);
  t.diagnostic(`pictures at ${places.join(', ')} ms`);
  assert.ok(places.length >= 2 && (places.at(-1)! - places[0]!) / (places.length - 1) > 200, JSON.stringify(places));
  await assertAxe(page);
  await page.getByRole('link', { name: say('replay.to_added') }).click();
  await page.getByText(say('replay.healed')).waitFor();
  await page.context().close();
});
