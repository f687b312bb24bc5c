import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test from 'node:test';
import { createH264Depacketiser } from './h264.ts';
import { opusTicks } from './opus.ts';
import { buildRtp, isRtcp, parseRtp } from './packet.ts';
import {
  buildDescription,
  buildGoodbye,
  buildKeyRequest,
  buildNack,
  buildReceiverReport,
  buildSenderReport,
  parseRtcp,
} from './rtcp.ts';
import { unwrapRtx } from './rtx.ts';
import { createUnwrapper, extend16, extend32 } from './sequence.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
/** V=2 P=1 X=1 CC=1, marker, type 102, sequence 65535, timestamp 4294967295, SSRC 0x11223344, one CSRC. */
const wholePacket = hex(
  'b1e6 ffff ffffffff 11223344 aabbccdd bede0002 10 07 31 1234 00 00 00 c0ffee 00 00 03',
);

test('[M1] an RTP packet with a one-byte extension, a CSRC and padding is read as RFC 3550 and 8285 say', () => {
  const packet = parseRtp(wholePacket, 3);
  assert.deepEqual(packet, {
    payloadType: 102,
    marker: true,
    sequence: 65535,
    timestamp: 4294967295,
    ssrc: 0x11223344,
    transportSequence: 0x1234,
    payload: hex('c0ffee'),
  });
});

test('[M1] a two-byte extension is read too, and an extension that was not negotiated is not', () => {
  const packet = hex('9060 0001 00000002 00000003 10000002 0501aa 0302beef 00 dead');
  assert.equal(parseRtp(packet, 3)?.transportSequence, 0xbeef);
  assert.equal(parseRtp(packet, 4)?.transportSequence, -1);
  assert.equal(parseRtp(packet, 0)?.transportSequence, -1);
});

test('[M1] what is built is read back', () => {
  const fields = { payloadType: 111, marker: true, sequence: 70_000, timestamp: 2 ** 32 + 5, ssrc: 9 };
  const built = buildRtp({ ...fields, transport: { id: 3, sequence: 65_537 } }, [hex('01'), hex('0203')]);
  const read = parseRtp(built, 3);
  assert.deepEqual(read, { ...fields, sequence: 4464, timestamp: 5, transportSequence: 1, payload: hex('010203') });
});

test('[M1] packets cut short and random bytes never throw', () => {
  for (let length = 0; length < wholePacket.length; length += 1) parseRtp(wholePacket.subarray(0, length), 3);
  assert.equal(parseRtp(hex('a060 0001 00000002 00000003 ff'), 0), null, 'padding longer than the packet');
  const depacketiser = createH264Depacketiser({
    onStart: () => undefined,
    onUnit: () => undefined,
    onDropped: () => undefined,
    onKeyNeeded: () => undefined,
  });
  for (let round = 0; round < 20_000; round += 1) {
    const bytes = randomBytes(round % 90);
    if (bytes.length > 0 && round % 3 === 0) bytes[0] = 0x80 | (bytes[0]! & 0x3f);
    if (bytes.length > 3 && round % 6 === 0) bytes.set([207, 0, bytes.length / 4 - 1], 1);
    const packet = parseRtp(bytes, 3);
    parseRtcp(bytes);
    isRtcp(bytes);
    opusTicks(bytes);
    if (packet !== null) unwrapRtx(packet, 1, 2);
    depacketiser.push({ payload: bytes, timestamp: round >> 2, marker: round % 5 === 0, arrivedMs: round });
    if (round % 50 === 0) depacketiser.lost();
  }
});

test('[M2] sequence numbers and timestamps wrap without a jump, forwards and backwards', () => {
  const sequence = createUnwrapper(16);
  assert.deepEqual([65534, 65535, 0, 2, 65535, 3].map(sequence), [65534, 65535, 65536, 65538, 65535, 65539]);
  const timestamp = createUnwrapper(32);
  assert.deepEqual([4294967000, 200, 4294967290].map(timestamp), [4294967000, 2 ** 32 + 200, 4294967290]);
  assert.equal(extend16(3_000_000_000_000, extend16(3_000_000_000_000, 7) & 0xffff) & 0xffff, 7);
  assert.equal(extend32(2 ** 40 + 5, 3), 2 ** 40 + 3);
});

test('[M5] a retransmission becomes the packet it repeats; one without content is a probe', () => {
  const fields = { payloadType: 103, marker: true, sequence: 9, timestamp: 77, ssrc: 5 };
  const rtx = parseRtp(buildRtp(fields, [hex('abcd0102')]), 0)!;
  const original = { ...rtx, payloadType: 102, ssrc: 4, sequence: 0xabcd, payload: hex('0102') };
  assert.deepEqual(unwrapRtx(rtx, 102, 4), original);
  assert.equal(unwrapRtx({ ...rtx, payload: hex('abcd') }, 102, 4), null);
});

test('[M4] a NACK packs neighbours into masks and is read back, over the wrap as well', () => {
  const nack = buildNack(1, 2, [10, 11, 26, 27, 65535, 0]);
  assert.equal(nack.toString('hex'), '81cd0005000000010000000200000600001a0001ffff0000');
  const read = parseRtcp(nack)[0];
  assert.ok(read?.type === 'nack');
  assert.deepEqual(read.sequences.sort((a, b) => a - b), [0, 10, 11, 26, 27, 65535].sort((a, b) => a - b));
});

test('[M9] sender reports carry the sender’s clock to the millisecond', () => {
  const ntpMs = 1_795_000_000_123.5;
  const report = buildSenderReport({ ssrc: 7, ntpMs, rtpTimestamp: 2 ** 32 + 1, packets: 3, bytes: 4 });
  const compound = Buffer.concat([report, buildDescription(7, 'nacre'), buildGoodbye(7), buildKeyRequest(1, 7)]);
  const [sender, bye, key] = parseRtcp(compound);
  assert.ok(sender?.type === 'sender-report' && Math.abs(sender.ntpMs - ntpMs) < 0.001);
  assert.equal(sender.rtpTimestamp, 1);
  assert.deepEqual(bye, { type: 'bye', ssrcs: [7] });
  assert.deepEqual(key, { type: 'key-request', mediaSsrc: 7 });
});

test('[M1] a receiver report has the form of RFC 3550 §6.4.2', () => {
  const block = { mediaSsrc: 2, fractionLost: 0.25, totalLost: 5, highestSequence: 2 ** 32 + 3, jitterTicks: 90 };
  const report = buildReceiverReport(1, [{ ...block, lastReportNtp: 0xaabbccdd, sinceLastReportMs: 500 }]);
  assert.equal(report.toString('hex'), '81c90007000000010000000240000005000000030000005aaabbccdd00008000');
});

test('[M11] the length of an Opus packet follows RFC 6716', () => {
  assert.equal(opusTicks(hex('fc00')), 960, 'one CELT frame of 20 ms');
  assert.equal(opusTicks(hex('0800')), 960, 'SILK 20 ms');
  assert.equal(opusTicks(hex('fd0000')), 1920, 'two frames');
  assert.equal(opusTicks(hex('e306')), 6 * 120, 'six frames of 2.5 ms');
  assert.equal(opusTicks(hex('fb3f')), null, 'longer than 120 ms');
  assert.equal(opusTicks(Buffer.alloc(0)), null);
});
