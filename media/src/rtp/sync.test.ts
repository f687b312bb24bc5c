import assert from 'node:assert/strict';
import test from 'node:test';
import { createTrackClock, createTrackSync, soundDriftLimitMs, type TrackClock, type TrackSync } from './sync.ts';

const near = (actual: number | null, expected: number): void =>
  assert.ok(actual !== null && Math.abs(actual - expected) < 0.01, `${actual} is not ${expected}`);

const createSoundSync = (picture: TrackClock, sound: TrackClock): TrackSync => (
  createTrackSync(picture, sound, { clockRate: 48_000, driftLimitMs: soundDriftLimitMs })
);

test('[M9] before sender reports the earliest arrivals put sound and picture together', () => {
  const picture = createTrackClock(90_000);
  const sound = createTrackClock(48_000);
  const sync = createSoundSync(picture, sound);
  assert.equal(sync.placeMs(0, 0), null);
  picture.arrived(9000, 1030);
  picture.arrived(12_000, 1050);
  sound.arrived(4800, 1100);
  sound.arrived(5760, 1101);
  // Timestamp 0 of the picture: at 916.67 by the best packet; 5760 of the sound: at 1101.
  near(sync.placeMs(5760, 0), 1101 - (1050 - 12_000 / 90));
});

test('[M9] sender reports correct once; small differences afterwards are left alone', () => {
  const picture = createTrackClock(90_000);
  const sound = createTrackClock(48_000);
  const sync = createSoundSync(picture, sound);
  picture.arrived(0, 100);
  sound.arrived(0, 180);
  near(sync.placeMs(0, 0), 80);
  picture.report(90_000, 5000);
  near(sync.placeMs(4800, 0), 180);
  sound.report(48_000, 5030);
  near(sync.placeMs(4800, 0), 130);
  sound.report(96_000, 6065);
  near(sync.placeMs(9600, 0), 230);
});

test('[M9] clocks that drift apart audibly are brought together again', () => {
  const picture = createTrackClock(90_000);
  const sound = createTrackClock(48_000);
  const sync = createSoundSync(picture, sound);
  picture.arrived(0, 0);
  sound.arrived(0, 0);
  picture.report(0, 1000);
  sound.report(0, 1000);
  near(sync.placeMs(0, 0), 0);
  sound.report(480_000, 11_050);
  near(sync.placeMs(480_000, 0), 10_050);
});
