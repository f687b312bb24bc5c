import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ShowPatch, ShowState } from '@nacre/contract/shows';
import { isOpen, isRunning, mayPatch, nextState, type ShowStep } from './states.ts';

const STATES: ShowState[] = ['planned', 'live', 'interrupted', 'ended', 'cancelled'];
const STEPS: ShowStep[] = ['picture-up', 'picture-down', 'server-started', 'stayed-away', 'end', 'cancel'];

test('[S1] the whole table', () => {
  const table = STATES.map((state) => [state, ...STEPS.map((step) => nextState(state, step))]);
  assert.deepEqual(table, [
    ['planned', 'live', null, null, null, null, 'cancelled'],
    ['live', 'live', 'interrupted', 'interrupted', null, 'ended', null],
    ['interrupted', 'live', 'interrupted', 'interrupted', 'ended', 'ended', null],
    ['ended', null, null, null, null, 'ended', null],
    ['cancelled', null, null, null, null, null, 'cancelled'],
  ]);
});

test('[S1] what is over never comes back', () => {
  for (const over of ['ended', 'cancelled'] as const) {
    assert.equal(isOpen(over), false);
    for (const step of STEPS) assert.ok([null, over].includes(nextState(over, step) as typeof over | null));
  }
  assert.deepEqual(STATES.filter(isRunning), ['live', 'interrupted']);
});

test('[S4] what may be changed in which state', () => {
  const patches: Record<string, ShowPatch> = {
    text: { title: 'x', description: 'y', coverImageId: null }, time: { startsAt: '2026-01-01T00:00:00Z' },
    speech: { language: 'yue' }, open: { visibility: 'public' }, close: { visibility: 'private' },
  };
  const allowed = STATES.map((state) => [
    state, ...Object.keys(patches).filter((name) => mayPatch(state, patches[name] ?? {})),
  ]);
  assert.deepEqual(allowed, [
    ['planned', 'text', 'time', 'speech', 'open', 'close'],
    ['live', 'text', 'speech', 'open'],
    ['interrupted', 'text', 'speech', 'open'],
    ['ended', 'text', 'speech'],
    ['cancelled'],
  ]);
});
