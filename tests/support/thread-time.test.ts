import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byThreadTime, type TraceEvent } from './thread-time.ts';

const thread = { ph: 'X', pid: 1, tid: 2 };
const task: TraceEvent = { ...thread, name: 'RunTask', ts: 1_000, dur: 400, tdur: 100 };

test('a task lasts as long as the processor worked on it, and what is in it shrinks with it', () => {
  const script: TraceEvent = { ...thread, name: 'EvaluateScript', ts: 1_200, dur: 200, tdur: 20 };
  const sent: TraceEvent = { ...thread, name: 'ResourceSendRequest', ph: 'I', ts: 1_400 };
  assert.deepEqual(byThreadTime([task, script, sent]).map(({ ts, dur }) => [ts, dur]), [
    [1_000, 100], [1_050, 50], [1_100, undefined],
  ]);
});

test('what no task of its thread holds stays, marks stay, and so does a task that had the processor all along', () => {
  const before: TraceEvent = { ...thread, name: 'ResourceFinish', ph: 'I', ts: 999 };
  const mark: TraceEvent = { ...thread, name: 'navigationStart', ph: 'R', ts: 1_200 };
  const elsewhere: TraceEvent = { ...task, tid: 3, name: 'Paint' };
  const whole: TraceEvent = { ...task, ts: 2_000, dur: 50, tdur: 51 };
  assert.deepEqual(byThreadTime([before, elsewhere, whole]), [before, elsewhere, whole]);
  assert.deepEqual(byThreadTime([task, mark])[1], mark);
});
