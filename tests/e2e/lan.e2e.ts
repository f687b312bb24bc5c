/** `--lan` in a real browser: by https, with the certificate made on the spot, a camera goes live and is seen. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { BrowserContext } from 'playwright-core';
import type { Shop } from '@nacre/contract/shops';
import type { Show } from '@nacre/contract/shows';
import { PASSWORD, startNacre, type Nacre } from '../support/nacre.ts';
import { textsOf } from '../support/texts.ts';
import { launchCameraBrowser, waitForMovement, type CameraBrowser } from '../support/video-browser.ts';

/** Generous: two pages, a server and a video encoder share two cores. */
const PATIENCE_MS = 20_000;
const PHONE = { width: 390, height: 844 };
/** Of a documentation network (RFC 5737): nobody answers there, and the next address is taken. */
const PUBLIC_IP = '203.0.113.7';
const say = textsOf('en');

let nacre: Nacre;
let camera: CameraBrowser;
before(async () => {
  const env = { NACRE_PUBLIC_IP: PUBLIC_IP };
  [nacre, camera] = await Promise.all([startNacre({ lan: true, env }), launchCameraBrowser()]);
});
after(async () => {
  await camera?.close();
  await nacre?.remove();
});

/** Somebody whose browser has been told to go on. */
async function someone(): Promise<BrowserContext> {
  const context = await camera.browser.newContext({
    ignoreHTTPSErrors: true, locale: 'en-US', viewport: PHONE, permissions: ['camera', 'microphone'],
  });
  context.setDefaultTimeout(PATIENCE_MS);
  return context;
}

async function planShow(owner: BrowserContext): Promise<string> {
  const must = async <T>(path: string, data: object): Promise<T> => {
    const answer = await owner.request.post(`${nacre.url}${path}`, { data });
    assert.ok(answer.ok(), `${path}: ${answer.status()} ${await answer.text()}`);
    return (await answer.json()) as T;
  };
  await must('/api/auth/sign-up/email', { name: 'Liu', email: 'liu@example.test', password: PASSWORD });
  const shop = await must<Shop>('/api/shops', {
    name: 'Liu’s Wardrobe', slug: 'liu', story: '', imageId: null, region: 'Gansu', category: 'clothes',
    currency: 'USD',
  });
  const show = await must<Show>(`/api/office/shops/${shop.id}/shows`, {
    title: 'Spring dresses', description: '', coverImageId: null, startsAt: new Date().toISOString(),
    visibility: 'public', productIds: [],
  });
  return show.id;
}

test('[H40] [V40] by https a phone’s camera goes live from the studio, and another phone sees it move', async () => {
  const [owner, viewer] = await Promise.all([someone(), someone()]);
  const showId = await planShow(owner);
  const cookies = await owner.cookies();
  assert.ok(cookies.length >= 2 && cookies.every(({ secure }) => secure), 'session and guest only by https');

  const studio = await owner.newPage();
  const sockets: string[] = [];
  studio.on('websocket', (socket) => sockets.push(socket.url()));
  await studio.goto(`${nacre.url}/studio/${showId}`);
  await waitForMovement(studio, PATIENCE_MS);
  const answered = studio.waitForResponse((response) => (
    response.url() === `${nacre.url}/whip` && response.request().method() === 'POST'
  ));
  await studio.getByRole('button', { name: say('studio.go_live'), exact: true }).click();
  await studio.locator('.studio[data-state="live"]').waitFor();
  const candidates = [...(await (await answered).text()).matchAll(/^a=candidate:\d+ 1 udp \d+ (\S+) \d+ typ host/gm)];
  assert.equal(candidates[0]?.[1], PUBLIC_IP, 'the public address first');
  assert.ok(candidates.some(([, address]) => address === '127.0.0.1'));

  const page = await viewer.newPage();
  page.on('websocket', (socket) => sockets.push(socket.url()));
  // As somebody types it: without https.
  await page.goto(`${nacre.url.replace('https', 'http')}/shows/${showId}`);
  assert.equal(page.url(), `${nacre.url}/shows/${showId}`);
  await page.locator('video').waitFor();
  await waitForMovement(page, PATIENCE_MS);
  const host = new URL(nacre.url).host;
  for (const path of ['/realtime', `/live/${showId}/socket`]) {
    assert.ok(sockets.some((url) => url.startsWith(`wss://${host}${path}`)), `${path} by wss: ${sockets.join(' ')}`);
  }
});
