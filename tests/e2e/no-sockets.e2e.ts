/** A show's page behind a proxy that lets no WebSocket through: picture, talk and stock come all the same. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { createClient, goLive, openMarket, startNacre, until, type Nacre } from '../support/nacre.ts';
import { startPlainProxy, type PlainProxy } from '../support/plain-proxy.ts';
import { textsOf } from '../support/texts.ts';
import { launchCameraBrowser, waitForMovement, type CameraBrowser } from '../support/video-browser.ts';

const PATIENCE_MS = 30_000;
const say = textsOf('en');

let nacre: Nacre;
let proxy: PlainProxy;
let camera: CameraBrowser;
before(async () => {
  nacre = await startNacre();
  proxy = await startPlainProxy(nacre.url);
  camera = await launchCameraBrowser();
});
after(async () => {
  await camera?.close();
  await proxy?.stop();
  await nacre?.remove();
});

async function openShow(showId: string): Promise<Page> {
  const context = await camera.browser.newContext({ locale: 'en-US', viewport: { width: 390, height: 844 } });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  await page.goto(`${proxy.url}/shows/${showId}`);
  return page;
}

test('[R21] [V20] without sockets a viewer sees and hears everything, and returns to sockets', async (t) => {
  const market = await openMarket(nacre.url);
  const publisher = await goLive(nacre.url, market);
  t.after(() => publisher.stop());
  const ways: string[] = [];
  const page = await openShow(market.show.id);
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith('/realtime/events')) ways.push('stream');
    if (pathname.endsWith('.m3u8')) ways.push('hls');
  });
  await waitForMovement(page, PATIENCE_MS);
  const talker = createClient(nacre.url);
  await talker.signUp('Mei');
  const talk = (text: string) => talker.must(201, 'POST', `/api/shows/${market.show.id}/chat`, {
    clientId: crypto.randomUUID(), text,
  });
  await until('the room is joined', PATIENCE_MS, async () => ways.includes('stream'));
  await until('talk comes through', PATIENCE_MS, async () => {
    await talk(`hello ${Math.round(performance.now())}`).catch(() => undefined);
    return (await page.getByText('hello').count()) > 0;
  });
  assert.ok(ways.includes('hls'));
  const onScreen = { productId: market.product.id };
  await market.owner.must(200, 'PUT', `/api/office/shows/${market.show.id}/on-screen`, onScreen);
  await page.locator('.pcard').getByText(market.product.title).waitFor();

  proxy.letSocketsThrough(true);
  const socketOpened = page.waitForEvent('websocket', (socket) => socket.url().includes('/live/'));
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await socketOpened;
  await waitForMovement(page, PATIENCE_MS);
  await until('talk comes by the socket', PATIENCE_MS, async () => {
    await talk(`again ${Math.round(performance.now())}`).catch(() => undefined);
    return (await page.getByText('again').count()) > 0;
  });
  assert.equal(await page.getByText(say('viewer.room_lost')).count(), 0);
});
