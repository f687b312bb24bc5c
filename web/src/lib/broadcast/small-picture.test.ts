import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSmallPicture, type SmallPictureSample } from './small-picture.ts';

const fullBps = 2_500_000;
const good = { availableBps: 5_500_000, fullTargetBps: fullBps, isWhole: true, limitedByCpu: false };
const camera = { source: 'camera', taken: 30, made: 30, encodeMs: 300 };

/** Asked each quarter of a second, by what `samples` say of each second; whether it was sent at the end of each. */
function play(samples: readonly Partial<SmallPictureSample>[]): boolean[] {
  return playBps(samples).map((bps) => bps === 300_000);
}

function playBps(samples: readonly Partial<SmallPictureSample>[]): number[] {
  const small = createSmallPicture(fullBps);
  const counted = { taken: 0, made: 0, encodeMs: 0 };
  return samples.map((sample, second) => {
    let bps = 0;
    const { source, taken, made, encodeMs } = sample.pictures ?? camera;
    for (const quarter of [1, 2, 3, 4]) {
      counted.taken += taken / 4;
      counted.made += made / 4;
      counted.encodeMs += (encodeMs ?? 0) / 4;
      const pictures = sample.pictures === null ? null
        : { source, ...counted, encodeMs: encodeMs === null ? null : counted.encodeMs };
      bps = small.decide({ ...good, ...sample, nowMs: 1_000 * second + 250 * quarter, pictures });
    }
    return bps;
  });
}

const lasting = (sample: Partial<SmallPictureSample>, seconds: number): Partial<SmallPictureSample>[] =>
  Array<Partial<SmallPictureSample>>(seconds).fill(sample);
/** The line is not found to carry both: the small one is thin, and goes. */
const unknown = lasting({ availableBps: 1_300_000 }, 3);
/** At the end of which second it was first so. */
const first = (sent: readonly boolean[], wanted: boolean, from = 0): number => sent.indexOf(wanted, from);
/** How often it began. */
const begins = (sent: readonly boolean[]): number => sent.filter((one, at) => one && !sent[at - 1]).length;

test('[W356] it is thin while the line is searched for, and sent at once where that carries both', () => {
  const small = createSmallPicture(fullBps);
  const at = (nowMs: number, availableBps: number | null): number =>
    small.decide({ ...good, nowMs, availableBps, pictures: null });
  assert.deepEqual([at(0, null), at(300, 1_200_000), at(600, 5_000_000)], [30_000, 30_000, 300_000]);
  assert.deepEqual([...new Set(playBps(lasting({}, 600)))], [300_000]);
});

test('[W356] where nothing is found within 2 s it goes, and at once of a line that is found to be weak', () => {
  assert.deepEqual(playBps(lasting({ availableBps: 1_300_000 }, 4)), [30_000, 30_000, 0, 0]);
  assert.deepEqual(playBps(lasting({ availableBps: null }, 4)), [30_000, 30_000, 0, 0]);
  for (const sample of [{ availableBps: 900_000 }, { limitedByCpu: true }, { isWhole: false }]) {
    assert.deepEqual(playBps(lasting(sample, 2)), [0, 0], JSON.stringify(sample));
  }
});

test('[W356] then it comes when the line has carried more than both for 4 s, and stays', () => {
  const sent = play([...unknown, ...lasting({}, 600)]);
  assert.equal(first(sent, true), 7);
  assert.equal(begins(sent), 1);
  assert.equal(sent.at(-1), true);
});

test('[W356] without enough to spare, an estimate, or a full picture that has what it needs, it never comes', () => {
  const needs = fullBps + 300_000 + 64_000;
  for (const sample of [
    { availableBps: needs }, { availableBps: null }, { fullTargetBps: fullBps * 0.85 }, { isWhole: false },
    { limitedByCpu: true },
  ]) {
    assert.equal(begins(play(lasting(sample, 60))), 0, JSON.stringify(sample));
  }
  assert.equal(begins(play(lasting({ availableBps: needs + 150_000 }, 60))), 1);
  assert.equal(begins(play(lasting({ fullTargetBps: null, pictures: null }, 60))), 1, 'what is not told is no reason');
});

test('[W356] four good seconds are wanted in a row', () => {
  const fitful = [...unknown, ...Array.from({ length: 60 }, (_, second) => (
    second % 4 === 3 ? { availableBps: 2_600_000 } : {}
  ))];
  assert.equal(begins(play(fitful)), 0);
});

test('[W357] it goes at the first look that shows a line or a device too weak for both', () => {
  for (const sample of [
    { availableBps: 2_800_000 }, { availableBps: null }, { isWhole: false }, { limitedByCpu: true },
    { fullTargetBps: fullBps * 0.6 },
  ]) {
    const sent = play([...lasting({}, 10), sample, ...lasting({}, 5)]);
    assert.deepEqual([sent[9], sent[10]], [true, false], JSON.stringify(sample));
  }
  const small = createSmallPicture(fullBps);
  for (let nowMs = 0; nowMs <= 4_000; nowMs += 500) small.decide({ ...good, nowMs, pictures: null });
  assert.equal(small.decide({ ...good, nowMs: 4_300, availableBps: 2_000_000, pictures: null }), 0);
});

test('[W357] a full picture that is given a little less for a moment is no reason: encoders begin so', () => {
  assert.equal(play([...lasting({}, 10), { fullTargetBps: fullBps / 1.2 }, {}])[10], true);
});

test('[W357] it goes within 6 s when the encoder leaves out pictures that the camera gives', () => {
  for (const encodeMs of [900, null]) {
    const slow = { pictures: { ...camera, made: 20, encodeMs } };
    const sent = play([...lasting({ pictures: { ...camera, encodeMs } }, 10), ...lasting(slow, 10)]);
    assert.ok(sent[9] && first(sent, false, 5) <= 16, sent.join());
  }
  const detailed = { pictures: { ...camera, made: 17, encodeMs: 100 } };
  assert.equal(play(lasting(detailed, 20)).at(-1), true, 'what needs more bits than there may be is not slow');
  const dark = { pictures: { ...camera, taken: 12, made: 12, encodeMs: 900 } };
  assert.equal(play([...lasting({}, 10), ...lasting(dark, 20)]).at(-1), true, 'a camera in the dark gives fewer');
  const fast = { pictures: { ...camera, taken: 60, made: 30, encodeMs: 900 } };
  assert.equal(play([...lasting({}, 10), ...lasting(fast, 20)]).at(-1), true, 'more than 30 are never made');
});

test('[W357] another camera, or a pause sign in its place, is not taken for a slow encoder', () => {
  const small = createSmallPicture(fullBps);
  const at = (nowMs: number, source: string, taken: number, made: number): boolean =>
    small.decide({ ...good, nowMs, pictures: { source, taken, made, encodeMs: null } }) > 0;
  for (let second = 0; second <= 10; second += 1) at(second * 1_000, 'front', second * 30, second * 30);
  assert.equal(at(11_000, 'back', 4_000, 302), true);
  assert.equal(at(12_000, 'front', 30, 332), true);
  for (let second = 13; second <= 20; second += 1) {
    assert.equal(at(second * 1_000, 'pause', second * 2, 332 + second * 2), true);
  }
});

test('[W358] it comes back after 30 s, and later each time that it was in vain', () => {
  const sent = play([...lasting({}, 10), { availableBps: 700_000 }, ...lasting({}, 60)]);
  const back = first(sent, true, 11) - 10;
  assert.ok(back >= 30 && back <= 31, `${back} s`);
  // A line that carries both as long as they are not sent.
  const small = createSmallPicture(fullBps);
  let isSent = false;
  const beganMs: number[] = [];
  for (let nowMs = 0; nowMs < 3_600_000; nowMs += 300) {
    const was = isSent;
    isSent = small.decide({ ...good, nowMs, availableBps: isSent ? 2_400_000 : 3_000_000, pictures: null }) > 0;
    if (isSent && !was) beganMs.push(nowMs);
  }
  const waits = beganMs.slice(1).map((ms, index) => Math.round((ms - beganMs[index]!) / 1_000));
  assert.deepEqual(waits.slice(0, 5), [30, 60, 120, 240, 480]);
  assert.ok(waits.every((seconds) => seconds <= 481), 'and not given up for good');
});

test('[W358] having been sent for long it waits 30 s again', () => {
  const hiccup = { availableBps: 700_000 };
  const sent = play([...lasting({}, 10), hiccup, ...lasting({}, 40), hiccup, ...lasting({}, 300), hiccup,
    ...lasting({}, 60)]);
  const from = 10 + 1 + 40 + 1 + 300;
  assert.deepEqual([sent[from - 1], sent[from]], [true, false]);
  const back = first(sent, true, from) - from;
  assert.ok(back >= 30 && back <= 31, `${back} s`);
});
