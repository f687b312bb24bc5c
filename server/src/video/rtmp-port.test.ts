import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import test from 'node:test';
import { readConfig, rtmpPortOf } from '../config.ts';
import { rtmpUrlAt } from '../http/origin.ts';
import { refuseTakenPorts } from '../platform/ports.ts';

test('[V95] who names an RTMP port gets it or no start; without one the usual is tried', async (t) => {
  const door = createServer();
  t.after(() => door.close());
  await once(door.listen(0, '127.0.0.1'), 'listening');
  const { port } = door.address() as AddressInfo;
  const start = { port: 0, host: '127.0.0.1', udpPort: 0 };
  await assert.rejects(refuseTakenPorts({ ...start, rtmpPort: port }), /TCP port \d+ is taken.*--rtmp-port/);
  for (const rtmpPort of [null, 'off', 0] as const) await refuseTakenPorts({ ...start, rtmpPort });
  const portOf = (...args: string[]) => rtmpPortOf(readConfig({ args, env: {} }));
  assert.equal(portOf(), 1935);
  assert.equal(portOf('--port', '0'), 0);
  assert.equal(portOf('--rtmp-port', '1936'), 1936);
  assert.equal(portOf('--rtmp-port', 'off'), null);
  assert.throws(() => portOf('--rtmp-port', 'on'), /takes `off`, a whole number from 0 to 65535/);
});

test('[V95] encoders’ address names the host that browsers reach, and a port other than 1935', () => {
  assert.equal(rtmpUrlAt('https://live.example.org', 1935), 'rtmp://live.example.org/live');
  assert.equal(rtmpUrlAt('http://[::1]:3000', 1936), 'rtmp://[::1]:1936/live');
  assert.equal(rtmpUrlAt('http://localhost:3000', null), null);
});
