import assert from 'node:assert/strict';
import test from 'node:test';
import type { BroadcastView } from '../broadcast/face.ts';
import { judgeClock, judgeDevice, judgeDisk, judgeUpload } from './examine.ts';

/** What a page's camera says of itself. */
function viewOf(picture: { width: number; height: number } | null, sound: Partial<BroadcastView> = {}): BroadcastView {
  const stream = picture === null ? null : { getVideoTracks: () => [{ getSettings: () => picture }] };
  return { stream, hasMicrophone: true, microphoneOn: true, ...sound } as unknown as BroadcastView;
}
const grades = (view: BroadcastView, heard = true, isSecure = true): string[] => (
  judgeDevice(view, heard, isSecure).map(({ check, word, grade }) => `${check} ${word} ${grade}`)
);

test('[V84] what is wrong with page, camera and microphone is named', () => {
  const good = { width: 720, height: 1280 };
  assert.deepEqual(grades(viewOf(good)), ['secure fine fine', 'camera fine fine', 'microphone fine fine']);
  assert.equal(grades(viewOf(good), true, false)[0], 'secure plain bad');
  assert.deepEqual(grades(viewOf(null)).slice(1), ['camera none bad', 'microphone none warn']);
  assert.equal(grades(viewOf({ width: 640, height: 360 }))[1], 'camera small warn');
  assert.equal(grades(viewOf(good), false)[2], 'microphone silent warn');
  assert.equal(grades(viewOf(good, { microphoneOn: false }))[2], 'microphone off warn');
  assert.equal(grades(viewOf(good, { hasMicrophone: false }))[2], 'microphone none warn');
});

test('[V84] a clock is wrong only by more than the way there and back can explain', () => {
  const server = '2026-11-27T12:00:00.000Z';
  const at = (ms: number): number => Date.parse(server) + ms;
  assert.equal(judgeClock(server, at(-20), at(20)).word, 'fine');
  assert.equal(judgeClock(server, at(-9_000), at(1_000)).word, 'fine', 'a slow answer');
  const fast = { check: 'clock', grade: 'warn', word: 'fast', value: 60 };
  assert.deepEqual(judgeClock(server, at(59_900), at(60_100)), fast);
  assert.deepEqual(judgeClock(server, at(-60_100), at(-59_900)).word, 'slow');
});

test('[V84] speed and disk are judged by what a show needs', () => {
  assert.deepEqual(judgeUpload(4_000_000, 4_000), { check: 'upload', grade: 'fine', word: 'fine', value: 8 });
  assert.equal(judgeUpload(1_000_000, 4_000).word, 'weak');
  assert.equal(judgeUpload(100_000, 4_000).word, 'slow');
  assert.deepEqual(judgeUpload(0, 0), { check: 'upload', grade: 'bad', word: 'slow', value: 0 });
  assert.equal(judgeDisk(48)?.grade, 'fine');
  assert.equal(judgeDisk(2)?.grade, 'warn');
  assert.equal(judgeDisk(0.5)?.grade, 'bad');
  assert.equal(judgeDisk(null), null);
});
