/** The publisher on bad networks: what comes out, and how soon it comes back. The longer table is network.long.ts. */
import assert from 'node:assert/strict';
import test, { after, suite, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { releaseSenders } from '@nacre/media/publisher/connection';
import type { Weather } from '../support/lossy-link.ts';
import { startNetworkStage, type NetworkStage } from '../support/network-stage.ts';
import { loadPaddedClip } from '../support/padded-clip.ts';
import { unlessStarved, type Scope } from '../support/processor.ts';

const seed = Number(process.env['NACRE_TEST_SEED'] ?? 20_261);
const clip = await loadPaddedClip(2_000_000);

after(releaseSenders);

async function open(t: TestContext, scope: Scope, weather: Weather = {}): Promise<NetworkStage> {
  const network = await startNetworkStage(scope, { clip, seed, weather });
  await network.stage.until('the first picture', () => network.lastPictureMs() !== null, 15_000);
  t.diagnostic(`seed ${seed}, ${JSON.stringify(weather)}`);
  return network;
}

suite('on a bad network', { concurrency: 2 }, () => {
  test('[M90] 5 % loss each way leave no trace in the picture', (t) => unlessStarved(t, async (scope) => {
    const network = await open(t, scope, { loss: 0.05, delayMs: 20 });
    await sleep(7_000);
    const seen = network.judge();
    t.diagnostic(JSON.stringify({ ...seen, ...network.link.counts() }));
    assert.ok(network.link.counts().lost > 50, 'packets were lost');
    assert.ok(seen.pictures > 150, `${seen.pictures} pictures`);
    assert.deepEqual([seen.broken, seen.missing, seen.sessions], [0, 0, 1]);
  }));

  test('[M91] packets that overtake each other leave none either', (t) => unlessStarved(t, async (scope) => {
    const network = await open(t, scope, { delayMs: 20, jitterMs: 40 });
    await sleep(5_000);
    const seen = network.judge();
    t.diagnostic(JSON.stringify(seen));
    assert.ok(seen.pictures > 100, `${seen.pictures} pictures`);
    assert.deepEqual([seen.broken, seen.missing, seen.sessions], [0, 0, 1]);
  }));

  test('[M92] at 20 % loss what comes out is whole, whatever is missing', (t) => unlessStarved(t, async (scope) => {
    const network = await open(t, scope, { loss: 0.2, delayMs: 20 });
    await sleep(7_000);
    const seen = network.judge();
    t.diagnostic(JSON.stringify({ ...seen, ...network.link.counts() }));
    assert.equal(seen.broken, 0);
    assert.ok(seen.pictures > 100, `${seen.pictures} pictures`);
  }));

  test('[M93] half a second each way: the picture comes, whole', (t) => unlessStarved(t, async (scope) => {
    const network = await open(t, scope, { delayMs: 500 });
    await sleep(4_000);
    const seen = network.judge();
    t.diagnostic(JSON.stringify(seen));
    assert.deepEqual([seen.broken, seen.missing, seen.sessions], [0, 0, 1]);
    assert.ok(seen.pictures > 80, `${seen.pictures} pictures`);
  }));

  test('[M94] soon after ten seconds without a network the picture moves', (t) => unlessStarved(t, async (scope) => {
    const network = await open(t, scope);
    await sleep(1_000);
    network.cut();
    await sleep(10_000);
    assert.ok(performance.now() - network.lastPictureMs()! > 8_000, 'nothing came through');
    const mendedMs = performance.now();
    network.mend();
    await network.stage.until('pictures again', () => network.lastPictureMs()! > mendedMs, 8_000);
    const tookMs = network.lastPictureMs()! - mendedMs;
    t.diagnostic(`back after ${Math.round(tookMs)} ms`);
    assert.ok(tookMs < 2_000, `${tookMs} ms`);
  }));

  test('[M95] a new port of the publisher’s router stops the picture for five seconds at most', (t) => (
    unlessStarved(t, async (scope) => {
      const network = await open(t, scope);
      await sleep(1_500);
      network.link.rebind();
      await sleep(8_000);
      const seen = network.judge();
      t.diagnostic(JSON.stringify({ ...seen, connections: network.publisher.counts().connections }));
      assert.ok(performance.now() - network.lastPictureMs()! < 500, 'it goes on');
      assert.ok(seen.longestStallMs < 5_000, `${seen.longestStallMs} ms`);
      assert.equal(seen.broken, 0);
    })
  ));
});
