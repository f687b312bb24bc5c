import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWeakUplink, uplinkSteps, type UplinkAdvice } from './weak-uplink.ts';

const full = 2_500_000;

/** A line of so many kbit/s each second, that a sender fills when it may; the advice of each second. */
function play(kbps: readonly number[], wantsBps = full): UplinkAdvice[] {
  const uplink = createWeakUplink(full, 6_000);
  let advice: UplinkAdvice | null = null;
  return kbps.map((carries, second) => {
    const sent = Math.min(wantsBps, advice?.isStill ? 20_000 : (advice?.bitrateBps ?? full)) + 64_000;
    const isFull = sent > carries * 1_000 * 0.97;
    advice = uplink.decide({ nowMs: 1_000 * (second + 1), carriesBps: isFull ? carries * 1_000 : null });
    return advice;
  });
}

const steady = (kbps: number, seconds: number): number[] => Array<number>(seconds).fill(kbps);
/** The steps in their order, each once. */
const path = (advice: readonly UplinkAdvice[]): number[] =>
  advice.map(({ step }) => step).filter((step, at, all) => step !== all[at - 1]);

test('[W305] a good line is left alone, and so is a search for it in the first seconds', () => {
  assert.deepEqual(path(play([...steady(300, 5), ...steady(5_000, 60)])), [0]);
  const advice = play(steady(5_000, 10)).at(-1);
  assert.deepEqual(advice, { step: 0, isStill: false, framesPerSecond: 30, scale: 1, bitrateBps: full });
});

test('[W305] first the bitrate goes down, then the frame rate, then the size, and the sound stays to the last', () => {
  const at = (kbps: number): UplinkAdvice => play([...steady(5_000, 10), ...steady(kbps, 9)]).at(-1)!;
  const shape = ({ step, framesPerSecond, scale, isStill }: UplinkAdvice) => [step, framesPerSecond, scale, isStill];
  assert.deepEqual(shape(at(1_500)), [0, 30, 1, false]);
  assert.equal(at(1_500).bitrateBps, 1_436_000);
  assert.deepEqual(shape(at(800)), [1, 20, 1, false]);
  assert.deepEqual(shape(at(500)), [2, 15, 1, false]);
  assert.deepEqual(shape(at(300)), [3, 15, 0.75, false]);
  assert.deepEqual(shape(at(200)), [4, 12, 0.5, false]);
  assert.deepEqual(shape(at(120)), [5, 2, 0.5, true]);
  for (const { fromBps } of uplinkSteps.slice(0, -1)) {
    const { step, bitrateBps } = at(fromBps / 1_000 + 1);
    assert.equal(uplinkSteps[step]!.fromBps, fromBps);
    assert.ok(bitrateBps <= fromBps, 'sound has its place beside it');
  }
});

test('[W305] down within 3 s, not for a hiccup of one', () => {
  const hiccup = play([...steady(5_000, 10), 200, ...steady(5_000, 30)]);
  assert.deepEqual(path(hiccup), [0]);
  const weak = play([...steady(5_000, 10), ...steady(300, 5)]);
  assert.equal(weak[12]!.step, 3, 'three seconds after it began');
});

test('[W305] up a step at a time, when it has carried enough for 5 s', () => {
  const advice = play([...steady(5_000, 10), ...steady(200, 10), ...steady(5_000, 120)]);
  assert.deepEqual(path(advice), [0, 4, 3, 2, 1, 0]);
  const times = [3, 2, 1, 0].map((step) => advice.findIndex((one, second) => second > 20 && one.step === step) - 20);
  for (const [index, second] of times.entries()) assert.ok(second - (times[index - 1] ?? 0) >= 5, times.join());
  assert.ok(times.at(-1)! < 70, times.join());
  assert.equal(advice.at(-1)!.bitrateBps, full);
});

test('[W305] a line near a limit is not gone up and down all the time', () => {
  for (const kbps of [130, 160, 290, 440, 460, 710, 990]) {
    const advice = play([...steady(5_000, 10), ...steady(kbps, 600)]).slice(20);
    const changes = advice.filter(({ step }, at) => at > 0 && step !== advice[at - 1]!.step).length;
    // A try every two minutes in the end.
    assert.ok(changes <= 14, `${changes} changes in ten minutes at ${kbps} kbit/s`);
  }
});

test('[W305] back from sound with a still, though a line that is not filled tells nothing', () => {
  const advice = play([...steady(5_000, 10), ...steady(100, 60), ...steady(2_000, 120)]);
  assert.ok(advice[60]!.isStill);
  assert.equal(advice.at(-1)!.step, 0);
});

test('[W305] pictures that need little are not made smaller, whatever the line', () => {
  assert.deepEqual(path(play([...steady(5_000, 10), ...steady(600, 60)], 300_000)), [0]);
});
