import assert from 'node:assert/strict';
import test from 'node:test';
import { packetiseH264 } from '../publisher/packetise.ts';
import { createH264Depacketiser, type AccessUnit } from './h264.ts';

const sps = Buffer.from('6742c01fd900b4', 'hex');
const pps = Buffer.from('68cb83cb20', 'hex');
const nal = (type: number, size: number): Buffer => Buffer.alloc(size, type).fill(0x60 | type, 0, 1);

interface Collected {
  push(nals: Buffer[], timestamp: number, skip?: number[]): void;
  log: string[];
  units: AccessUnit[];
}

function collect(): Collected {
  const log: string[] = [];
  const units: AccessUnit[] = [];
  const depacketiser = createH264Depacketiser({
    onStart: (timestamp) => log.push(`start ${timestamp}`),
    onUnit: (unit) => {
      log.push(`${unit.isKey ? 'key' : 'unit'} ${unit.timestamp}`);
      units.push(unit);
    },
    onDropped: () => log.push('dropped'),
    onKeyNeeded: () => log.push('key needed'),
  });
  const push = (nals: Buffer[], timestamp: number, skip: number[] = []): void => {
    const payloads = packetiseH264(nals, 100).map((pieces) => Buffer.concat(pieces));
    payloads.forEach((payload, index) => {
      const marker = index === payloads.length - 1;
      if (skip.includes(index)) depacketiser.lost();
      else depacketiser.push({ payload, timestamp, marker, arrivedMs: timestamp + index });
    });
  };
  return { push, log, units };
}

test('[M10] single units, STAP-A and FU-A come out as they went in', () => {
  const { push, units } = collect();
  const idr = nal(5, 777);
  push([sps, pps, idr], 0);
  push([nal(1, 30), nal(1, 20), nal(1, 99)], 3000);
  const bytes = units.map((unit) => unit.nals.map((one) => Buffer.concat(one.chunks)));
  assert.deepEqual(bytes, [[sps, pps, idr], [nal(1, 30), nal(1, 20), nal(1, 99)]]);
  assert.deepEqual(units.map((unit) => unit.isKey), [true, false]);
  assert.ok(units.every((unit) => unit.nals.every((one) => one.size === Buffer.concat(one.chunks).length)));
});

test('[M6] nothing is passed on before the first key picture, nor after a loss until the next', () => {
  const { push, log } = collect();
  push([nal(1, 50)], 0);
  push([sps, pps, nal(5, 300)], 1);
  push([nal(1, 300)], 2, [1]);
  push([nal(1, 50)], 3);
  push([sps, pps, nal(5, 300)], 4);
  assert.deepEqual(log, [
    'dropped', 'start 1', 'key 1', 'start 2', 'dropped', 'key needed', 'dropped', 'dropped', 'start 4', 'key 4',
  ]);
});

test('[M6] fragments without beginning, middle or end break their picture only', () => {
  for (const skip of [0, 1, 2]) {
    const { push, units } = collect();
    push([sps, pps, nal(5, 80)], 0);
    push([nal(1, 280)], 1, [skip]);
    push([sps, pps, nal(5, 80)], 2);
    assert.deepEqual(units.map((unit) => unit.timestamp), [0, 2]);
  }
});

test('[M10] a picture without marker ends where the next one begins; padding does not begin one', () => {
  const starts: number[] = [];
  const units: number[] = [];
  const depacketiser = createH264Depacketiser({
    onStart: (timestamp) => starts.push(timestamp),
    onUnit: (unit) => units.push(unit.timestamp),
    onDropped: () => undefined,
    onKeyNeeded: () => undefined,
  });
  const send = (payload: Buffer, timestamp: number): void =>
    depacketiser.push({ payload, timestamp, marker: false, arrivedMs: 0 });
  send(sps, 0);
  send(pps, 0);
  send(nal(5, 20), 0);
  send(nal(1, 20), 3000);
  send(Buffer.alloc(0), 3000);
  send(nal(1, 20), 6000);
  assert.deepEqual(units, [0, 3000]);
  assert.deepEqual(starts, [0, 3000, 6000]);
});

test('[M6] an aggregate with a false length and interleaved modes count as loss', () => {
  for (const payload of ['78000567', '7800000000', '79000001', '7c', '7c80', '7cc501']) {
    const { push, units } = collect();
    push([sps, pps, nal(5, 80)], 0);
    const dropped: string[] = [];
    const depacketiser = createH264Depacketiser({
      onStart: () => undefined,
      onUnit: () => dropped.push('unit'),
      onDropped: () => dropped.push('dropped'),
      onKeyNeeded: () => undefined,
    });
    depacketiser.push({ payload: Buffer.from(payload, 'hex'), timestamp: 1, marker: true, arrivedMs: 0 });
    assert.deepEqual(dropped, ['dropped'], payload);
    assert.equal(units.length, 1);
  }
});
