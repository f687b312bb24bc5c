/**
 * The demo show for a quarter of an hour under a hundred viewers without browsers: everybody's picture keeps coming,
 * nobody's room has a hole, and server and media process end about as large as they were in the middle.
 *
 * NACRE_TEST_STEADY_MINUTES is another length, 15 by default. Below 5, memory has not settled and is only printed.
 */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ShowTile } from '@nacre/contract/shows';
import { joinAsLightViewer, type LightViewer } from '../support/light-viewer.ts';
import { createClient, startNacre, until, type Nacre } from '../support/nacre.ts';

const MINUTES = Number(process.env['NACRE_TEST_STEADY_MINUTES'] ?? 15);
const VIEWERS = 100;
/** Longer hides a picture that stands for a while, shorter takes a busy machine for one. */
const WINDOW_MS = 10_000;
/** The clip has thirty pictures a second; a machine that is busy sends them late, not never. */
const FRAGMENTS_A_WINDOW = 60;
const SETTLED_AFTER_MINUTES = 5;
/**
 * What may come on top between the middle third and the last one. A leak of 100 bytes for each fragment that is sent
 * would be 90 MB in five minutes; a heap that is collected late is a few tens.
 */
const GROWTH_MAX_BYTES = 48 * 1024 * 1024;

interface Sample {
  /** That a viewer got in this window. */
  fewestFragments: number;
  serverBytes: number;
  mediaBytes: number;
  mediaRestarts: number;
}

let nacre: Nacre;
const viewers: LightViewer[] = [];
before(async () => {
  nacre = await startNacre({ demo: true });
});
after(async () => {
  await Promise.all(viewers.map((viewer) => viewer.close()));
  await nacre?.remove();
});

async function liveShow(): Promise<ShowTile> {
  const guest = createClient(nacre.url);
  const list = () => guest.must<{ items: ShowTile[] }>(200, 'GET', '/api/shows?state=live');
  await until('the demo show is live', 20_000, async () => (await list()).items[0]?.state === 'live');
  return (await list()).items[0] ?? assert.fail('no show');
}

async function figures(): Promise<(name: string) => number> {
  const text = await (await fetch(`${nacre.url}/metrics`)).text();
  return (name) => {
    const value = Number(new RegExp(`^nacre_${name} (.+)$`, 'm').exec(text)?.[1]);
    assert.ok(Number.isFinite(value), `${name} is no figure`);
    return value;
  };
}

/** Waits for a window and says what was in it. */
async function sample(): Promise<Sample> {
  const before = viewers.map((viewer) => viewer.fragments());
  await sleep(WINDOW_MS);
  const figure = await figures();
  return {
    fewestFragments: Math.min(...viewers.map((viewer, index) => viewer.fragments() - (before[index] ?? 0))),
    serverBytes: figure('process_resident_memory_bytes'),
    mediaBytes: figure('media_resident_memory_bytes'),
    mediaRestarts: figure('media_restarts_total'),
  };
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

const inMegabytes = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MB`;

test(`a hundred viewers for ${MINUTES} minutes`, async (t) => {
  const show = await liveShow();
  for (let n = 0; n < VIEWERS; n += 1) {
    const guest = createClient(nacre.url);
    await guest.must(200, 'GET', '/api/me');
    viewers.push(await joinAsLightViewer({ url: nacre.url, showId: show.id, cookie: guest.cookie() }));
  }
  await until('everybody has a picture', 30_000, () => viewers.every((viewer) => viewer.fragments() > 0));

  const samples: Sample[] = [];
  const endMs = performance.now() + MINUTES * 60_000;
  while (performance.now() < endMs) {
    const taken = await sample();
    samples.push(taken);
    assert.ok(taken.fewestFragments >= FRAGMENTS_A_WINDOW,
      `in window ${samples.length} somebody got ${taken.fewestFragments} fragments`);
    assert.equal(taken.mediaRestarts, 0, 'the media process ended');
    assert.deepEqual(viewers.flatMap((viewer) => viewer.disorder()), []);
  }

  assert.ok(viewers.every((viewer) => viewer.viewers() === VIEWERS), 'everybody is counted');
  assert.ok(viewers.every((viewer) => viewer.events().some(({ type }) => type === 'chat')), 'everybody heard the talk');
  const third = Math.floor(samples.length / 3);
  for (const part of ['serverBytes', 'mediaBytes'] as const) {
    const middle = median(samples.slice(third, 2 * third).map((taken) => taken[part]));
    const last = median(samples.slice(-third).map((taken) => taken[part]));
    t.diagnostic(`${part}: ${inMegabytes(middle)} in the middle third, ${inMegabytes(last)} in the last`);
    if (MINUTES < SETTLED_AFTER_MINUTES) continue;
    assert.ok(last - middle < GROWTH_MAX_BYTES, `${part} grew from ${inMegabytes(middle)} to ${inMegabytes(last)}`);
  }
  const fewest = Math.min(...samples.map((taken) => taken.fewestFragments));
  t.diagnostic(`fewest fragments in ${WINDOW_MS / 1000} s: ${fewest}`);
});
