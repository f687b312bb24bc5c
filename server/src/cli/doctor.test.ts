import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram } from '../../../tests/support/programs.ts';
import { readConfig } from '../config.ts';
import { showBytesPerHour } from '../platform/disk-space.ts';
import {
  examineClock, examineDisk, examineHttps, examineRtmp, examineServer, isPrivate, report, type Diagnosis,
} from './doctor.ts';
import { asksTurn } from './turn-probe.ts';

const gradeOf = (found: readonly Diagnosis[], what: string) => found.find((each) => each.what === what)?.grade;

test('[P71] ports that other programs have are told, with what to do', async (t) => {
  const [door, ear] = [createServer((socket) => socket.destroy()), createSocket('udp4')];
  t.after(() => Promise.all([door.close(), ear.close()]));
  await once(door.listen(0, 'localhost'), 'listening');
  ear.bind(0);
  await once(ear, 'listening');
  const folder = mkdtempSync(join(tmpdir(), 'nacre-doctor-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const { port } = door.address() as AddressInfo;
  const examine = (args: string[]) => examineServer(readConfig({ args, env: {} }), Date.now);
  const taken = await examine(['--port', String(port), '--udp-port', String(ear.address().port), '--data', folder]);
  assert.deepEqual([gradeOf(taken, 'TCP port'), gradeOf(taken, 'UDP port')], ['bad', 'bad']);
  assert.match(report(taken), /Another program has port \d+.*--port/);
  assert.match(report(taken), /2 things stand in the way of a show/);
  const free = await examine(['--port', '0', '--udp-port', '0', '--data', folder]);
  assert.deepEqual([gradeOf(free, 'TCP port'), gradeOf(free, 'UDP port')], ['warn', 'fine']);
});

test('[V95] the RTMP port is told: free, another program’s, none', async (t) => {
  const door = createServer((socket) => socket.destroy());
  t.after(() => door.close());
  await once(door.listen(0, '127.0.0.1'), 'listening');
  const { port: rtmpPort } = door.address() as AddressInfo;
  const examine = async (set: number | 'off', isRunning: boolean) => {
    const { grade, words } = await examineRtmp({ rtmpPort: set, port: 3000 }, { host: 'localhost' }, isRunning);
    return `${grade} ${words}`;
  };
  assert.match(await examine(rtmpPort, false), /^warn Another program has TCP port \d+.*WHIP only.*--rtmp-port/);
  assert.match(await examine(rtmpPort, true), /^fine \d+ is taken: by Nacre/);
  assert.match(await examine('off', true), /^fine None/);
  await new Promise((done) => door.close(done));
  assert.match(await examine(rtmpPort, false), /^fine \d+ is free/);
  assert.match(await examine(rtmpPort, true), /^warn Nacre runs, but nobody has/);
});

test('[P71] disk, https, clock and addresses are judged', async () => {
  const disk = async (hours: number) => (await examineDisk('/', async () => hours * showBytesPerHour)).grade;
  assert.deepEqual([await disk(9), await disk(2), await disk(0.5)], ['fine', 'warn', 'bad']);
  assert.equal((await examineDisk('/', async () => null)).grade, 'warn');
  const https = (publicUrl: string | null, host: string) => examineHttps({ publicUrl }, { tls: null, host }, 0).grade;
  assert.equal(https('https://live.example.org', '127.0.0.1'), 'fine');
  assert.equal(https('http://live.example.org', '127.0.0.1'), 'bad');
  assert.equal(https(null, 'localhost'), 'warn');
  assert.equal(https(null, '0.0.0.0'), 'bad');
  const nowMs = Date.parse('2026-11-27T12:00:00Z');
  assert.equal(examineClock('Fri, 27 Nov 2026 12:00:03 GMT', nowMs).grade, 'fine');
  assert.match(examineClock('Fri, 27 Nov 2026 12:01:00 GMT', nowMs).words, /differ by 60 s/);
  assert.equal(examineClock(null, nowMs).grade, 'warn');
  for (const address of ['10.1.2.3', '172.20.0.1', '192.168.1.1', '100.64.0.1', '127.0.0.1', '::1', 'fd00::1']) {
    assert.equal(isPrivate(address), true, address);
  }
  for (const address of ['203.0.113.7', '172.32.0.1', '100.128.0.1', '2001:db8::1']) {
    assert.equal(isPrivate(address), false, address);
  }
  assert.match(report([{ what: 'disk', grade: 'fine', words: 'Room.' }]), /Nothing stands in the way of a show/);
});

test('[P72] a TURN server is asked for a relay by our names: there, with another secret, and not there', async (t) => {
  const ear = createSocket('udp4');
  ear.bind(0, '127.0.0.1');
  await once(ear, 'listening');
  const { port } = ear.address();
  const ask = (secret: string) => (
    asksTurn({ url: `turn:127.0.0.1:${port}?transport=udp`, secret, nowMs: Date.now() })
  );
  assert.match(String(await ask('north')), /does not answer by UDP/);
  ear.close();
  const program = findProgram('turnserver');
  if (program === null) return t.diagnostic('coturn is not here: apt-get install coturn');
  const folder = mkdtempSync(join(tmpdir(), 'nacre-turn-'));
  const child = spawn(program, [
    '-n', '--use-auth-secret', '--static-auth-secret=north', '--realm=test', '--fingerprint', '--no-cli', '--no-tls',
    '--no-dtls', '--listening-ip=127.0.0.1', '--relay-ip=127.0.0.1', `--listening-port=${port}`,
    `--pidfile=${folder}/pid`, '--log-file=stdout', `--userdb=${folder}/db`,
  ], { stdio: 'ignore' });
  t.after(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  await sleep(1_000);
  assert.equal(await ask('north'), null);
  assert.match(String(await ask('south')), /static-auth-secret is not NACRE_TURN_SECRET/);
});
