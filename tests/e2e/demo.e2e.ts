/** The demo market as a first start leaves it: alive, marked, and only for this machine. */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { ChatMessage } from '@nacre/contract/chat';
import type { ShowClip } from '@nacre/contract/clips';
import type { OfficeRecording, Replay } from '@nacre/contract/replays';
import type { Shop } from '@nacre/contract/shops';
import type { Show, ShowState, ShowTile } from '@nacre/contract/shows';
import { DEMO_FILMED_TALK, DEMO_PASSWORD, DEMO_SHOPS } from '../../server/src/demo/market.ts';
import { joinAsLightViewer } from '../support/light-viewer.ts';
import { createClient, publishClip, startNacre, until, type Client, type Nacre } from '../support/nacre.ts';

const FILMED_TITLE = DEMO_SHOPS[0]?.shows.find(({ kind }) => kind === 'filmed')?.title;

let nacre: Nacre;
before(async () => {
  nacre = await startNacre({ demo: true });
});
after(() => nacre?.remove());

async function liveShow(client: Client): Promise<ShowTile | undefined> {
  return (await client.must<{ items: ShowTile[] }>(200, 'GET', '/api/shows?state=live')).items[0];
}

test('three shops, planned and past shows, and one that is live with picture and talk', async () => {
  const guest = createClient(nacre.url);
  await until('the demo show is live', 20_000, async () => (await liveShow(guest)) !== undefined);
  const live = await liveShow(guest);
  assert.ok(live?.isDemo);
  await until('something has a live price', 5_000, async () => (
    (await guest.must<Show>(200, 'GET', `/api/shows/${live.id}`)).livePrices.some(({ left }) => left > 0)
  ));
  const shops = await guest.must<{ items: Shop[] }>(200, 'GET', '/api/shops');
  assert.deepEqual(new Set(shops.items.map((shop) => shop.category)), new Set(['clothes', 'jewellery', 'kitchen']));
  assert.ok(shops.items.every((shop) => shop.isDemo));
  for (const [state, many] of [['planned', 3], ['ended', 4]] as const) {
    await until(`${many} are ${state}`, 10_000, async () => (
      (await guest.must<{ items: ShowTile[] }>(200, 'GET', `/api/shows?state=${state}`)).items.length === many
    ));
  }
  const viewer = await joinAsLightViewer({ url: nacre.url, showId: live.id, cookie: guest.cookie() });
  await until('there is a picture', 10_000, () => viewer.fragments() > 30);
  await until('somebody talks', 15_000, () => viewer.events().some((event) => event.type === 'chat'));
  await viewer.close();
});

test('[RE70] a show of yesterday can be seen again, with chapters, talk and clips; there is one', async () => {
  const guest = createClient(nacre.url);
  const filmed = async () => (await guest.must<{ items: ShowTile[] }>(200, 'GET', '/api/shows?state=ended')).items
    .filter(({ title }) => title === FILMED_TITLE);
  let replay: Replay | undefined;
  await until('there is a replay', 20_000, async () => {
    const [show] = await filmed();
    replay = show && await guest.must<Replay>(200, 'GET', `/api/shows/${show.id}/replay`);
    return replay?.state === 'ready';
  });
  assert.ok(replay);
  assert.equal(replay.durationMs, 120_000);
  assert.equal(replay.stretches.length, 1);
  assert.deepEqual(replay.chapters.map(({ fromMs, toMs }) => [fromMs, toMs]), [
    [0, 30_000], [30_000, 60_000], [60_000, 90_000], [90_000, 120_000],
  ]);
  assert.deepEqual(replay.likesByMinute.map((likes) => likes > 0), [true, true]);
  const path = `/api/shows/${replay.showId}`;
  const talk = await guest.must<{ items: ChatMessage[] }>(200, 'GET', `${path}/talk?from=2020-01-01T00:00:00.000Z`);
  assert.equal(talk.items.length, DEMO_FILMED_TALK.length);
  const clips = await guest.must<ShowClip[]>(200, 'GET', `${path}/clips`);
  assert.deepEqual(clips.map(({ durationMs }) => durationMs), [30_000, 30_000, 30_000, 30_000]);
  const owner = createClient(nacre.url);
  await owner.must(200, 'POST', '/api/auth/sign-in/email', { email: 'liu@demo.nacre', password: DEMO_PASSWORD });
  let report: OfficeRecording['report'] = null;
  await until('it has been read through', 20_000, async () => {
    ({ report } = await owner.must<OfficeRecording>(200, 'GET', `/api/office/shows/${replay?.showId}/recording`));
    return report !== null;
  });
  assert.deepEqual([report!.pictures, report!.gaps, report!.faults], [3_000, [], []]);
  await nacre.terminate();
  await nacre.startAgain();
  await until('the demo is live again', 20_000, async () => (await liveShow(guest)) !== undefined);
  assert.equal((await filmed()).length, 1);
});

test('demo accounts are offered and taken here, and refused through a proxy or under another name', async () => {
  const credentials = { email: 'liu@demo.nacre', password: DEMO_PASSWORD };
  const sign = (headers: Record<string, string>): Promise<Response> => fetch(`${nacre.url}/api/auth/sign-in/email`, {
    method: 'POST', body: JSON.stringify(credentials), headers: { 'content-type': 'application/json', ...headers },
  });
  const proxied = await sign({ 'x-forwarded-for': '203.0.113.7' });
  assert.equal(proxied.status, 403);
  assert.equal(((await proxied.json()) as { code: string }).code, 'accounts.demo_only_here');
  const here = await sign({});
  assert.equal(here.status, 200);
  const cookie = here.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ');
  const page = await fetch(`${nacre.url}/orders`, { headers: { cookie, 'x-forwarded-for': '203.0.113.7' } });
  assert.doesNotMatch(await page.text(), /liu@demo\.nacre/, 'nor does a page know the person');
  const offered = await createClient(nacre.url).must<{ accounts: unknown[] }>(200, 'GET', '/api/demo-accounts');
  assert.equal(offered.accounts.length, 2);
});

test('who takes the demo show over with a camera keeps it', async () => {
  const owner = createClient(nacre.url);
  await owner.must(200, 'POST', '/api/auth/sign-in/email', { email: 'liu@demo.nacre', password: DEMO_PASSWORD });
  const live = await liveShow(owner);
  assert.ok(live);
  const viewer = await joinAsLightViewer({ url: nacre.url, showId: live.id, cookie: owner.cookie() });
  const states = (): ShowState[] => viewer.events().flatMap((event) => (event.type === 'show' ? [event.state] : []));
  // The new key cuts the clip, which is told; then the camera's picture comes.
  const { key } = await owner.must<{ key: string }>(200, 'POST', `/api/office/shows/${live.id}/stream-key`);
  const camera = publishClip(nacre.url, key);
  await until('the camera is on air', 15_000, () => states().join() === 'interrupted,live');
  const fragmentsBefore = viewer.fragments();
  await new Promise((done) => setTimeout(done, 6_000));
  assert.ok(viewer.fragments() > fragmentsBefore + 100, 'without a break');
  assert.deepEqual(states(), ['interrupted', 'live'], 'nobody took the show from the camera');
  await viewer.close();
  await camera.stop();
});
