import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeLight } from './light.ts';

const size = 16;
function picture(value: (x: number, y: number) => number): Uint8ClampedArray {
  const pixels = new Uint8ClampedArray(size * size * 4);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) pixels.fill(value(x, y), (y * size + x) * 4, (y * size + x) * 4 + 3);
  }
  return pixels;
}
const inMiddle = (x: number, y: number): boolean => x >= 4 && x < 12 && y >= 4 && y < 12;

test('an even picture is judged by its brightness', () => {
  assert.equal(judgeLight(picture(() => 20), size), 'dark');
  assert.equal(judgeLight(picture(() => 130), size), 'good');
  assert.equal(judgeLight(picture(() => 240), size), 'bright');
});

test('a dark middle before a bright rim is light from behind; the other way round is a lit face', () => {
  assert.equal(judgeLight(picture((x, y) => (inMiddle(x, y) ? 50 : 200)), size), 'backlit');
  assert.equal(judgeLight(picture((x, y) => (inMiddle(x, y) ? 160 : 60)), size), 'good');
});
