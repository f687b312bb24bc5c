/** What a viewer is told of the talk before they write in vain. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Measure, Standing, TalkSetting } from '@nacre/contract/moderation';
import '../../../../tests/support/runes.ts';

const { createTalk } = await import('./talk.svelte.ts');

function talkWith(held: TalkSetting, measure: Partial<Measure> | null = null) {
  const at = { nowMs: 1_000_000, held, isExempt: false };
  const talk = createTalk({
    held: () => at.held,
    isExempt: () => at.isExempt,
    loadStanding: async () => ({ mayModerate: false, measure, talk: at.held }) as Standing,
    now: () => at.nowMs,
  });
  return { at, talk };
}

test('[W150] slow mode waits from the last message, or as long as the server says; not for moderators', () => {
  const { at, talk } = talkWith({ slowSeconds: 30, isQuiet: false });
  assert.ok(talk.waitUntilMs < at.nowMs);
  talk.noteSaid();
  assert.equal(talk.waitUntilMs - at.nowMs, 30_000);
  talk.noteSlow(55);
  assert.equal(talk.waitUntilMs - at.nowMs, 55_000);
  at.held = { slowSeconds: 0, isQuiet: false };
  assert.ok(talk.waitUntilMs < at.nowMs);
  at.held = { slowSeconds: 60, isQuiet: true };
  assert.deepEqual([talk.isPaused, talk.slowSeconds], [true, 60]);
  at.isExempt = true;
  assert.deepEqual([talk.isPaused, talk.slowSeconds, talk.waitUntilMs < at.nowMs], [false, 0, true]);
});

test('[W152] the measure that holds is known after asking, and stays when asking fails', async () => {
  const { talk } = talkWith({ slowSeconds: 0, isQuiet: false }, { kind: 'ban', until: null });
  assert.equal(talk.isBanned, false);
  await talk.renew();
  assert.deepEqual([talk.isBanned, talk.measure?.kind], [true, 'ban']);
  const failing = createTalk({
    held: () => ({ slowSeconds: 0, isQuiet: false }), isExempt: () => false, now: Date.now,
    loadStanding: () => Promise.reject(new Error('no network')),
  });
  await failing.renew();
  assert.equal(failing.measure, null);
});
