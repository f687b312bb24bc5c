import assert from 'node:assert/strict';
import test from 'node:test';
import { nearest } from './nearest.ts';

const OPTIONS = ['--port', '--udp-port', '--data', '--empty'];

test('a slip finds the word that was meant', () => {
  assert.equal(nearest('--prot', OPTIONS), '--port');
  assert.equal(nearest('--upd-port', OPTIONS), '--udp-port');
  assert.equal(nearest('--DATA', OPTIONS), '--data');
  assert.equal(nearest('--emtpy', OPTIONS), '--empty');
});

test('another word finds none', () => {
  assert.equal(nearest('--colour', OPTIONS), null);
  assert.equal(nearest('', OPTIONS), null);
  assert.equal(nearest('anything', []), null);
});
