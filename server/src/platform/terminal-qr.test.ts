import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode } from 'uqr';
import { qrLines } from './terminal-qr.ts';

const ADDRESS = 'https://192.168.178.123:3000/studio';

test('[P84] what is printed is the code, dark on light whatever the terminal\'s colours are', () => {
  const { data, size } = encode(ADDRESS, { ecc: 'L', border: 2 });
  const lines = qrLines(ADDRESS, 80);
  const seen: boolean[][] = lines.flatMap((line) => {
    assert.ok(line.startsWith('\u001B[30;107m') && line.endsWith('\u001B[0m'));
    const cells = line.slice('\u001B[30;107m'.length, -'\u001B[0m'.length);
    return [[...cells].map((cell) => '▀█'.includes(cell)), [...cells].map((cell) => '▄█'.includes(cell))];
  });
  assert.deepEqual(seen.slice(0, size), data);
  assert.ok(seen.flat().some(Boolean));
});

test('[P84] a terminal that is too narrow, and a file, get none', () => {
  const { size } = encode(ADDRESS, { ecc: 'L', border: 2 });
  assert.equal(qrLines(ADDRESS, size - 1).length, 0);
  assert.ok(qrLines(ADDRESS, size).length > 0);
  assert.deepEqual(qrLines(ADDRESS, 0), []);
});
