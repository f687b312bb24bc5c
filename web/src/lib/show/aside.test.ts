/** Putting aside, as the page shows it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../../../../tests/support/runes.ts';

const { createAside } = await import('./aside.svelte.ts');

test('[W18] a tap shows at once, a second takes it back, and the server hears them in their order', async () => {
  const told: [string, boolean][] = [];
  const aside = createAside(['hat'], async (...mark) => {
    // The first is slow: it must not come after the second.
    if (told.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    told.push(mark);
  });
  const first = aside.toggle('coat');
  assert.deepEqual([aside.has('coat'), aside.has('hat')], [true, true]);
  assert.deepEqual(await Promise.all([first, aside.toggle('coat'), aside.toggle('hat')]), [true, false, false]);
  assert.deepEqual(told, [['coat', true], ['coat', false], ['hat', false]]);
  assert.deepEqual([aside.has('coat'), aside.knows('coat'), aside.knows('scarf')], [false, true, false]);
});

test('[W18] what the server refuses falls back, and does not hold up the next', async () => {
  let works = false;
  const aside = createAside([], async () => {
    if (!works) throw new Error('the show is over');
  });
  await assert.rejects(aside.toggle('coat'), /over/);
  assert.equal(aside.has('coat'), false);
  works = true;
  assert.equal(await aside.toggle('coat'), true);
});

test('[W18] after signing in the marks are those of the person', () => {
  const aside = createAside(['coat', 'hat'], async () => {});
  aside.take(['hat', 'scarf']);
  assert.deepEqual(['coat', 'hat', 'scarf'].map(aside.has), [false, true, true]);
});
