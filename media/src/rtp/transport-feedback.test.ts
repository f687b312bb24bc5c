import assert from 'node:assert/strict';
import test from 'node:test';
import { createTransportFeedback } from './transport-feedback.ts';

/** An own reading of the draft, for checks: sequence → arrival in ms, or null where reported as not received. */
function decode(report: Buffer): Map<number, number | null> {
  assert.equal(report[0], 0x8f);
  assert.equal(report[1], 205);
  assert.equal(report.readUInt16BE(2), report.length / 4 - 1);
  const base = report.readUInt16BE(12);
  const count = report.readUInt16BE(14);
  const symbols: number[] = [];
  let offset = 20;
  while (symbols.length < count) {
    const chunk = report.readUInt16BE(offset);
    offset += 2;
    assert.equal(chunk >> 14, 3, 'two-bit vectors only');
    for (let shift = 12; shift >= 0; shift -= 2) symbols.push((chunk >> shift) & 3);
  }
  const arrivals = new Map<number, number | null>();
  let ticks = report.readUIntBE(16, 3) * 256;
  for (let index = 0; index < count; index += 1) {
    const symbol = symbols[index]!;
    if (symbol === 1) ticks += report[offset++]!;
    if (symbol === 2) {
      ticks += report.readInt16BE(offset);
      offset += 2;
    }
    arrivals.set((base + index) & 0xffff, symbol === 0 ? null : ticks / 4);
  }
  assert.ok(report.length - offset < 4, 'nothing but padding is left');
  return arrivals;
}

test('[M8] every arrival is reported to a quarter of a millisecond, losses as losses', () => {
  const feedback = createTransportFeedback();
  const sent = [[65533, 1000], [65534, 1000.3], [0, 1020.5], [1, 1021], [3, 1500]] as const;
  for (const [sequence, atMs] of sent) feedback.received(sequence, atMs);
  const [report, ...others] = feedback.take(1, 2);
  assert.equal(others.length, 0);
  const arrivals = decode(report!);
  assert.deepEqual([...arrivals.keys()], [65533, 65534, 65535, 0, 1, 2, 3]);
  for (const [sequence, atMs] of sent) {
    assert.ok(Math.abs(arrivals.get(sequence)! - atMs) <= 0.25, `packet ${sequence}`);
  }
  assert.equal(arrivals.get(65535), null);
  assert.equal(arrivals.get(2), null);
  assert.deepEqual(feedback.take(1, 2), []);
});

test('[M8] a report that follows begins where the last one ended, and counts on', () => {
  const feedback = createTransportFeedback();
  feedback.received(10, 100);
  const first = feedback.take(1, 2)[0]!;
  feedback.received(13, 130);
  const second = feedback.take(1, 2)[0]!;
  assert.deepEqual([...decode(second)], [[11, null], [12, null], [13, 130]]);
  assert.equal((second[19]! - first[19]!) & 0xff, 1);
});

test('[M8] a packet that comes late reopens the report; its neighbours are not called lost', () => {
  const feedback = createTransportFeedback();
  for (const sequence of [5, 6, 8]) feedback.received(sequence, 200 + sequence);
  feedback.take(1, 2);
  feedback.received(7, 250);
  feedback.received(7, 260);
  const arrivals = decode(feedback.take(1, 2)[0]!);
  assert.deepEqual([...arrivals], [[7, 250], [8, 208]]);
});

test('[M8] long stretches are split, jumps and time beyond the reference field do no harm', () => {
  const feedback = createTransportFeedback();
  const late = 2 ** 24 * 64 + 5;
  for (let index = 0; index < 1000; index += 1) feedback.received((60_000 + index * 3) & 0xffff, late + index);
  const reports = feedback.take(1, 2);
  assert.ok(reports.length > 1 && reports.every((report) => report.length < 1200));
  const received = reports.flatMap((report) => [...decode(report).values()]).filter((value) => value !== null);
  assert.equal(received.length, 1000);
  feedback.received(30_000, late + 5000);
  assert.ok(feedback.take(1, 2).length > 0);
});
