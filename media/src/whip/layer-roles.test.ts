import assert from 'node:assert/strict';
import test from 'node:test';
import { chooseRoles, decideWithinMs, layerSilenceMs, type LayerState } from './layer-roles.ts';

const [hd, small] = [720 * 1280, 288 * 512];
const at = (pixels: number, lastPacketMs: number | null): LayerState => ({ pixels, lastPacketMs });

test('[M160] the larger picture is the full one, wherever it stands in the offer', () => {
  assert.deepEqual(chooseRoles([at(small, 1000), at(hd, 1000)], 1000, 0), { full: 1, small: 0 });
  assert.deepEqual(chooseRoles([at(hd, 1000), at(small, 1000)], 1000, 0), { full: 0, small: 1 });
  assert.deepEqual(chooseRoles([at(hd, 1000), at(hd, 1000)], 1000, 0), { full: 0, small: null });
  assert.deepEqual(chooseRoles([at(small, 1000)], 1000, 1000), { full: 0, small: null });
});

test('[M160] a first picture that may be the small one waits a moment for a larger one', () => {
  const only = [at(small, 1000), at(0, null)];
  assert.deepEqual(chooseRoles(only, 1000, 1000), { full: null, small: null });
  assert.deepEqual(chooseRoles(only, 1000 + decideWithinMs, 1000), { full: 0, small: null });
  assert.deepEqual(chooseRoles([at(hd, 1000), at(0, null)], 1000, 1000), { full: 0, small: null }, 'surely full');
});

test('[M163] a size that is silent while the other comes is gone; when nothing comes nothing has changed', () => {
  const late = 1000 + layerSilenceMs;
  assert.deepEqual(chooseRoles([at(hd, late), at(small, 1000)], late, 0), { full: 0, small: 1 });
  assert.deepEqual(chooseRoles([at(hd, late + 1), at(small, 1000)], late + 1, 0), { full: 0, small: null });
  assert.deepEqual(chooseRoles([at(hd, 1000), at(small, 900)], 60_000, 0), { full: 0, small: 1 });
});

test('[M163] where the largest stays away or says goodbye, the smaller one is the full picture', () => {
  assert.deepEqual(chooseRoles([at(hd, 1000), at(small, 2500)], 2500, 0), { full: 1, small: null });
  assert.deepEqual(chooseRoles([at(hd, null), at(small, 1000)], 1000, 0), { full: 1, small: null });
  assert.deepEqual(chooseRoles([at(hd, null), at(small, null)], 1000, 0), { full: null, small: null });
});
