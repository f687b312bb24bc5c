import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChatMessage } from '@nacre/contract/chat';
import '../../../../tests/support/runes.ts';

const { createReplayTalk } = await import('./talk.svelte.ts');

const message = (atMs: number): ChatMessage => ({
  id: `m${atMs}`, clientId: 'c', personId: 'p', name: 'Ada', isHost: false, text: 'hi',
  sentAt: new Date(atMs).toISOString(),
});
const all = Array.from({ length: 40 }, (_, index) => message(1_000_000 + index * 10_000));

function stage(pageSize = 10) {
  const asked: number[] = [];
  const talk = createReplayTalk(async (fromMs) => {
    asked.push(fromMs);
    const from = all.filter(({ sentAt }) => Date.parse(sentAt) >= fromMs);
    return { items: from.slice(0, pageSize), isLast: from.length <= pageSize };
  });
  const settle = () => new Promise((done) => setTimeout(done, 1));
  const at = async (momentMs: number) => {
    talk.note(momentMs);
    await settle();
    talk.note(momentMs);
    await settle();
    return talk.lines.map(({ sentAt }) => Date.parse(sentAt));
  };
  return { at, asked };
}

test('[W322] messages come up at their moment, page after page, without loss or repeat', async () => {
  const { at, asked } = stage();
  assert.deepEqual(await at(999_000), []);
  assert.deepEqual(await at(1_000_000), [1_000_000]);
  for (let now = 1_000_000; now <= 1_390_000; now += 5_000) {
    const shown = await at(now);
    assert.equal(shown.at(-1), 1_000_000 + Math.floor((now - 1_000_000) / 10_000) * 10_000);
    assert.equal(new Set(shown).size, shown.length);
  }
  assert.ok(asked.length < 10, `${asked.length} pages`);
});

test('[W322] after a jump the talk is that of the new place, with what was said just before', async () => {
  const { at } = stage();
  await at(1_000_000);
  assert.deepEqual(await at(1_305_000), [1_280_000, 1_290_000, 1_300_000]);
  assert.deepEqual(await at(1_045_000), [1_020_000, 1_030_000, 1_040_000]);
});
