import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readConfig } from './config.ts';
import { covers } from './platform/certificate.ts';
import { findReach, isOnlyHere, localUrl, wordsFor } from './reach.ts';

const base = mkdtempSync(join(tmpdir(), 'nacre-reach-'));
after(() => rmSync(base, { recursive: true, force: true }));

const NOW = new Date('2026-11-26T12:00:00Z');
const reachOf = (args: string[], env: Record<string, string> = {}) => (
  findReach(readConfig({ args, env }), { dataFolder: base, root: base, now: NOW })
);

test('without --lan it is http on this machine, and nothing is made', async () => {
  const reach = await reachOf([]);
  assert.deepEqual([reach.host, reach.tls, reach.urls(3000)], ['localhost', null, ['http://localhost:3000']]);
  assert.deepEqual(wordsFor(reach, { address: 'http://localhost:3000', others: [] }, 200), []);
  assert.deepEqual(readdirSync(base), []);
  const open = await reachOf([], { NACRE_HOST: '0.0.0.0' });
  assert.deepEqual([open.tls, open.urls(3000)], [null, ['http://localhost:3000']]);
});

test('nobody but this machine comes only where it listens on loopback, without a public address', async () => {
  const cases: [boolean, string[], Record<string, string>?][] = [
    [true, []], [true, [], { NACRE_HOST: '127.0.0.1' }], [false, ['--lan']], [false, [], { NACRE_HOST: '0.0.0.0' }],
    [false, [], { NACRE_HOST: '192.0.2.7' }], [false, ['--public-url', 'https://pearl.example']],
  ];
  for (const [isAlone, args, env = {}] of cases) {
    assert.equal(isOnlyHere(readConfig({ args, env }), await reachOf(args, env)), isAlone, JSON.stringify([args, env]));
  }
});

test('a public address is where browsers go, and in the certificate', async () => {
  const reach = await reachOf(['--lan', '--public-url', 'https://pearl.example:8443', '--public-ip', '203.0.113.7'],
    { NACRE_HOST: '192.0.2.7' });
  assert.deepEqual(reach.urls(3000), ['https://pearl.example:8443', 'https://192.0.2.7:3000']);
  assert.equal(localUrl(reach, 3000), 'https://192.0.2.7:3000');
  const certificate = new X509Certificate(reach.tls?.certificate ?? '');
  for (const name of ['pearl.example', '203.0.113.7', '192.0.2.7', 'localhost']) {
    assert.ok(covers(certificate, name), name);
  }
});

test('--lan listens everywhere and says how a phone gets in', async () => {
  const reach = await reachOf(['--lan']);
  assert.match(reach.host, /^(::|0\.0\.0\.0)$/);
  assert.equal(localUrl(reach, 3000), 'https://localhost:3000');
  const address = 'https://192.0.2.7:3000';
  const words = wordsFor(reach, { address, others: ['https://[2001:db8::7]:3000'] }, 200).join('\n');
  assert.ok(words.includes(`open ${address}/studio`) && words.includes('Also at: https://[2001:db8::7]:3000'));
  assert.ok(words.replaceAll(/\s/g, '').includes(reach.tls?.fingerprint ?? '-'));
  assert.match(words, /warns once/);
  assert.match(words, /█/);
  assert.doesNotMatch(wordsFor(reach, { address, others: [] }, 0).join('\n'), /█/, 'a log file gets no code');
});
