/**
 * The way in on bad networks, half a minute each: what came out, how long viewers saw the picture stand, and FFmpeg's
 * word on it. Prints a table.
 *
 * NACRE_TEST_SEED is another seed.
 */
import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { releaseSenders } from '@nacre/media/publisher/connection';
import { cameraPage } from '../support/camera-page.ts';
import { decodeWithFfmpeg } from '../support/ffmpeg.ts';
import { openLossyLink, type LossyLink, type Weather } from '../support/lossy-link.ts';
import { filesOf, startNetworkStage, type NetworkStage } from '../support/network-stage.ts';
import { loadPaddedClip } from '../support/padded-clip.ts';
import { unlessStarved } from '../support/processor.ts';
import { startPublisherStage } from '../support/publisher-stage.ts';
import { launchCameraBrowser } from '../support/video-browser.ts';

const seed = Number(process.env['NACRE_TEST_SEED'] ?? 20_261);
const clip = await loadPaddedClip(2_000_000);
const watchMs = 30_000;

interface Trial {
  name: string;
  weather: Weather;
  /** In the middle of the time. */
  event?: 'cut' | 'rebind';
  /** Pictures that may be missing of each thousand. */
  mayMiss: number;
}

/** A picture of nine packets is lost when one of them is, in five or six tries of both ways. */
const trials: readonly Trial[] = [
  { name: '2 % loss', weather: { loss: 0.02, delayMs: 20 }, mayMiss: 0 },
  { name: '5 % loss', weather: { loss: 0.05, delayMs: 20 }, mayMiss: 0 },
  { name: '10 % loss', weather: { loss: 0.1, delayMs: 20 }, mayMiss: 100 },
  { name: '20 % loss', weather: { loss: 0.2, delayMs: 20 }, mayMiss: 600 },
  { name: '500 ms each way', weather: { delayMs: 500 }, mayMiss: 0 },
  { name: '5 % loss, 100 ms each way', weather: { loss: 0.05, delayMs: 100 }, mayMiss: 200 },
  { name: '40 ms jitter, out of order', weather: { delayMs: 20, jitterMs: 40 }, mayMiss: 0 },
  { name: 'cut for 10 s', weather: {}, event: 'cut', mayMiss: 0 },
  // ICE follows after a while in our direction only, so that pictures of before come through in part.
  { name: 'new source port', weather: {}, event: 'rebind', mayMiss: 100 },
];
const rows: Record<string, object> = {};

after(() => {
  console.log(`seed ${seed}, 2 Mbit/s, ${watchMs / 1000} s each`);
  console.table(rows);
  releaseSenders();
});

async function happen(network: NetworkStage, event: Trial['event']): Promise<number | null> {
  if (event === undefined) return null;
  const fromMs = performance.now();
  if (event === 'rebind') network.link.rebind();
  else {
    network.cut();
    await sleep(10_000);
    network.mend();
  }
  const mendedMs = performance.now();
  const known = (await network.stage.supervisor.stats())?.sessions[0]?.sessionId;
  const isNew = (): boolean => network.stage.of('fragment').at(-1)?.sessionId !== known;
  await network.stage.until('pictures again', () => network.lastPictureMs()! > mendedMs && isNew(), 10_000);
  return Math.round(performance.now() - (event === 'cut' ? mendedMs : fromMs));
}

for (const { name, weather, event, mayMiss } of trials) {
  test(`[M92] ${name}`, (t) => unlessStarved(t, async (scope) => {
    const network = await startNetworkStage(scope, { clip, seed, weather });
    await network.stage.until('the first picture', () => network.lastPictureMs() !== null, 15_000);
    await sleep(watchMs / 2);
    const recoveredMs = await happen(network, event);
    await sleep(watchMs / 2);
    const seen = network.judge();
    const decoded = await Promise.all(network.files().map(decodeWithFfmpeg));
    if (decoded.includes(null)) t.diagnostic('ffmpeg is not here');
    rows[name] = {
      ...seen, 'lost packets': network.link.counts().lost, 'recovered ms': recoveredMs ?? '–',
      'by FFmpeg': decoded.reduce((sum, one) => sum + (one?.pictures ?? 0), 0),
    };
    assert.equal(seen.broken, 0);
    assert.ok(seen.missing * 1000 <= mayMiss * (seen.missing + seen.pictures), JSON.stringify(seen));
    for (const one of decoded) assert.equal(one?.errors ?? '', '');
    if (event === 'cut') assert.ok(recoveredMs! < 2_000, `${recoveredMs} ms`);
  }));
}

const browserTrials: readonly { name: string; weather: Weather; fewestPictures: number }[] = [
  { name: 'Chromium, 5 % loss', weather: { loss: 0.05, delayMs: 20 }, fewestPictures: 300 },
  { name: 'Chromium, 500 kbit/s', weather: { rateBps: 500_000, delayMs: 20 }, fewestPictures: 100 },
];

for (const { name, weather, fewestPictures } of browserTrials) {
  test(`[M92] ${name}`, async (t) => {
    let link: LossyLink | null = null;
    const stage = await startPublisherStage({ page: cameraPage, mediaPort: () => link?.port ?? 0 });
    t.after(() => stage.stop());
    link = await openLossyLink({ serverPort: (await stage.supervisor.ready()).udpPort, seed, weather });
    const camera = await launchCameraBrowser();
    t.after(() => camera.close());
    const tab = await camera.browser.newPage();
    await tab.goto(stage.url.replace('127.0.0.1', 'localhost'));
    await tab.evaluate('publish()');
    await stage.until('the first picture', () => stage.of('init').length > 0, 15_000);
    await sleep(watchMs);
    const session = (await stage.supervisor.stats())?.sessions[0];
    const decoded = await Promise.all(filesOf(stage).map(decodeWithFfmpeg));
    rows[name] = {
      pictures: session?.pictures, missing: session?.picturesDropped, 'lost packets': link.counts().lost,
      sessions: stage.of('up').length, 'by FFmpeg': decoded.reduce((sum, one) => sum + (one?.pictures ?? 0), 0),
    };
    t.diagnostic(JSON.stringify({ session, link: link.counts(), sizes: stage.of('init').map(({ width }) => width) }));
    assert.ok((session?.pictures ?? 0) > fewestPictures, `${session?.pictures} pictures`);
    for (const one of decoded) assert.equal(one?.errors ?? '', '');
    link.stop();
  });
}
