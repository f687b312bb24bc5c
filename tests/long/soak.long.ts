/**
 * One publisher on a network with 2 % loss that is cut every few minutes, for as long as wanted: what comes out is
 * whole, the picture is back within 2 s after each cut, and the media process stays as large as it was.
 *
 * `npm run soak -- --minutes 60`; NACRE_TEST_SOAK_MINUTES is the same, 5 by default.
 */
import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { releaseSenders } from '@nacre/media/publisher/connection';
import { startNetworkStage } from '../support/network-stage.ts';
import { loadPaddedClip } from '../support/padded-clip.ts';
import { sizeOf } from '../support/process-size.ts';

const minutes = Number(process.env['NACRE_TEST_SOAK_MINUTES'] ?? 5);
const seed = Number(process.env['NACRE_TEST_SEED'] ?? 20_261);
/** In each, the network is away for a while at the end. */
const roundMs = 100_000;
const cutMs = 6_000;
const backWithinMs = 2_000;
/** What may come on top after the second round. */
const growthMaxBytes = 24 * 2 ** 20;

after(releaseSenders);

test(`[M99] ${minutes} minutes on a bad network`, async (t) => {
  const clip = await loadPaddedClip(2_000_000);
  const network = await startNetworkStage(t, { clip, seed, weather: { loss: 0.02, delayMs: 20, jitterMs: 10 } });
  await network.stage.until('the first picture', () => network.lastPictureMs() !== null, 15_000);
  const pid = network.stage.supervisor.pid()!;
  const sizes: number[] = [];
  const totals = { pictures: 0, broken: 0, missing: 0, sessions: 0 };
  for (const endMs = performance.now() + minutes * 60_000; performance.now() < endMs;) {
    await sleep(Math.min(roundMs, endMs - performance.now()));
    const seen = network.judge();
    for (const name of ['pictures', 'broken', 'missing', 'sessions'] as const) totals[name] += seen[name];
    network.stage.events.length = 0;
    sizes.push(sizeOf(pid)?.residentBytes ?? 0);
    network.cut();
    await sleep(cutMs);
    network.mend();
    const mendedMs = performance.now();
    await network.stage.until('pictures again', () => network.lastPictureMs()! > mendedMs, 10_000);
    const backMs = network.lastPictureMs()! - mendedMs;
    t.diagnostic(`${JSON.stringify(seen)}, back after ${Math.round(backMs)} ms, ${sizes.at(-1)! >> 20} MB`);
    assert.ok(backMs < backWithinMs, `${backMs} ms`);
  }
  t.diagnostic(`seed ${seed}: ${JSON.stringify(totals)}`);
  assert.equal(totals.broken, 0);
  assert.ok(totals.missing < totals.pictures / 200, `${totals.missing} of ${totals.pictures} are missing`);
  assert.equal(network.stage.supervisor.pid(), pid, 'it is the same process');
  const grown = (sizes.at(-1) ?? 0) - (sizes[1] ?? sizes[0] ?? 0);
  assert.ok(grown < growthMaxBytes, `${grown} bytes more`);
});
