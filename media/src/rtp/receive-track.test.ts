import assert from 'node:assert/strict';
import test from 'node:test';
import { createJitterBuffer } from './jitter-buffer.ts';
import { createKeyRequests } from './key-requests.ts';
import { createNackSchedule, videoNackTimes } from './nack.ts';
import type { RtpPacket } from './packet.ts';
import { createReceiveTrack } from './receive-track.ts';

function packet(sequence: number, timestamp = sequence * 10): RtpPacket {
  const payload = Buffer.from([sequence & 0xff]);
  const fields = { payloadType: 102, marker: true, ssrc: 1, transportSequence: -1, payload };
  return { ...fields, sequence: sequence & 0xffff, timestamp };
}

function listen(): { track: ReturnType<typeof createReceiveTrack>; heard: (number | string)[] } {
  const heard: (number | string)[] = [];
  const track = createReceiveTrack({
    clockRate: 90_000,
    times: videoNackTimes,
    onPacket: ({ timestamp }) => heard.push(timestamp / 10),
    onLost: (count) => heard.push(`lost ${count}`),
  });
  return { track, heard };
}

test('[M3] packets leave in order and once, however they come', () => {
  const { track, heard } = listen();
  for (const sequence of [1, 3, 2, 2, 5, 4, 4, 1, 6]) track.receive(packet(sequence), 0, false);
  assert.deepEqual(heard, [1, 2, 3, 4, 5, 6]);
});

test('[M3] order holds over the wrap of the sequence number', () => {
  const { track, heard } = listen();
  for (const sequence of [65534, 65536, 65535, 65538, 65537]) track.receive(packet(sequence), 0, false);
  assert.deepEqual(heard, [65534, 65535, 65536, 65537, 65538]);
});

test('[M3] any shuffle with doubles comes out sorted', () => {
  let seed = 7;
  const chance = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  for (let round = 0; round < 50; round += 1) {
    const { track, heard } = listen();
    const order = Array.from({ length: 200 }, (_, index) => ({ sequence: 65_400 + index, at: index + chance() * 12 }));
    order[0]!.at = -1;
    const sent = [...order, ...order.filter(() => chance() < 0.2)].sort((a, b) => a.at - b.at);
    for (const { sequence } of sent) track.receive(packet(sequence), 0, false);
    assert.deepEqual(heard, order.map(({ sequence }) => sequence));
  }
});

test('[M3] a jump beyond the buffer begins anew instead of waiting', () => {
  const buffer = createJitterBuffer<string>(8);
  assert.equal(buffer.insert(1, 'a'), 'fresh');
  assert.equal(buffer.pop(), 'a');
  assert.equal(buffer.insert(1, 'a'), 'late');
  assert.equal(buffer.insert(100, 'z'), 'jump');
  assert.equal(buffer.pop(), 'z');
  assert.equal(buffer.insert(103, 'y'), 'fresh');
  assert.equal(buffer.insert(103, 'y'), 'duplicate');
  assert.equal(buffer.missing(), 101);
});

test('[M4] a missing packet is asked for after 5 ms, then each 60, and given up at 400', () => {
  const nacks = createNackSchedule(videoNackTimes);
  nacks.skipped(10, 11, 1000);
  assert.deepEqual(nacks.due(1004), []);
  assert.deepEqual(nacks.due(1005), [10, 11]);
  assert.deepEqual(nacks.due(1064), []);
  assert.equal(nacks.arrived(10), true);
  assert.deepEqual(nacks.due(1065), [11]);
  assert.equal(nacks.isGivenUp(11, 1399), false);
  assert.equal(nacks.isGivenUp(11, 1400), true);
  assert.equal(nacks.asked, 2);
});

test('[M4] what is only out of order is not asked for', () => {
  const { track } = listen();
  track.receive(packet(1), 0, false);
  track.receive(packet(3), 1, false);
  track.receive(packet(2), 3, false);
  assert.deepEqual(track.due(50), []);
  assert.equal(track.counts().nacked, 0);
});

test('[M5] a repair in time mends, without a word of loss', () => {
  const { track, heard } = listen();
  track.receive(packet(1), 0, false);
  track.receive(packet(3), 1, false);
  assert.deepEqual(track.due(7), [2]);
  track.receive(packet(2), 80, true);
  assert.deepEqual(heard, [1, 2, 3]);
  assert.deepEqual({ ...track.counts(), jitterMs: 0 }, { packets: 3, nacked: 1, mended: 1, lost: 0, jitterMs: 0 });
});

test('[M6] a packet that never comes is given up, the rest follows', () => {
  const { track, heard } = listen();
  for (const sequence of [1, 4, 5]) track.receive(packet(sequence), 0, false);
  track.tick(399);
  assert.deepEqual(heard, [1]);
  track.tick(400);
  assert.deepEqual(heard, [1, 'lost 2', 4, 5]);
  track.receive(packet(2), 401, true);
  assert.deepEqual(heard, [1, 'lost 2', 4, 5], 'too late is dropped');
  assert.equal(track.counts().lost, 2);
  assert.equal(track.reportBlock(1)?.fractionLost, 2 / 5);
});

test('[M6] a gap longer than can be asked for is given up at once', () => {
  const { track, heard } = listen();
  track.receive(packet(1), 0, false);
  track.receive(packet(1801), 10, false);
  assert.deepEqual(heard, [1, 'lost 1299']);
  assert.equal(track.due(20).length, 500);
});

test('[M6] when the first key picture comes broken, another is asked for without waiting', () => {
  const requests = createKeyRequests();
  assert.equal(requests.due(0), false);
  requests.needed();
  assert.equal(requests.due(10), true);
  requests.needed();
  assert.equal(requests.due(20), false);
});

test('[M7] a key picture is asked for each 2 s, at once after a loss, and not twice for one', () => {
  const requests = createKeyRequests();
  assert.equal(requests.due(0), false, 'the first one is on its way');
  assert.equal(requests.due(300), true, 'but did not come');
  requests.keyArrived(400);
  assert.equal(requests.due(2399), false);
  assert.equal(requests.due(2400), true);
  assert.equal(requests.due(2500), false);
  requests.keyArrived(2550);
  requests.needed();
  assert.equal(requests.due(2600), false, 'within the pause');
  assert.equal(requests.due(2700), true);
  assert.equal(requests.asked, 3);
});
