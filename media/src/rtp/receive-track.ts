/**
 * One media stream as received: packets in, the same packets in order out, losses named.
 *
 * Joins the jitter buffer with the NACK schedule, and counts what receiver reports and the stats need.
 */
import { createJitterBuffer } from './jitter-buffer.ts';
import { createNackSchedule, maxMissing, type NackTimes } from './nack.ts';
import type { RtpPacket } from './packet.ts';
import type { ReportBlock } from './rtcp.ts';
import { extend16, extend32 } from './sequence.ts';

export interface OrderedPacket {
  payload: Buffer;
  /** Extended. */
  timestamp: number;
  marker: boolean;
  /** Steady clock, ms. */
  arrivedMs: number;
}

export interface ReceiveTrackDeps {
  clockRate: number;
  times: NackTimes;
  onPacket(packet: OrderedPacket): void;
  /** `count` packets before the next one will never come. */
  onLost(count: number): void;
}

export interface ReceiveTrackCounts {
  packets: number;
  nacked: number;
  mended: number;
  lost: number;
  jitterMs: number;
}

export interface ReceiveTrack {
  /** @param isRepair it came over the retransmission stream: its timing says nothing about the network */
  receive(packet: RtpPacket, nowMs: number, isRepair: boolean): void;
  /** Gives up on what took too long. Call every few ms. */
  tick(nowMs: number): void;
  /** Sequence numbers to ask for now. */
  due(nowMs: number): number[];
  /** The extended form of a timestamp of this stream, e.g. from a sender report; null before the first packet. */
  extendTimestamp(timestamp: number): number | null;
  /** Loss is counted since the last call. */
  reportBlock(mediaSsrc: number): Omit<ReportBlock, 'lastReportNtp' | 'sinceLastReportMs'> | null;
  counts(): ReceiveTrackCounts;
}

export function createReceiveTrack(deps: ReceiveTrackDeps): ReceiveTrack {
  const buffer = createJitterBuffer<OrderedPacket>();
  const nacks = createNackSchedule(deps.times);
  const ticksPerMs = deps.clockRate / 1000;
  let lastSequence: number | null = null;
  let lastTimestamp = 0;
  let firstSequence = 0;
  let transitTicks: number | null = null;
  let jitterTicks = 0;
  let packets = 0;
  let mended = 0;
  let lost = 0;
  let reported = { expected: 0, packets: 0 };

  const measureJitter = (timestamp: number, nowMs: number): void => {
    const transit = nowMs * ticksPerMs - timestamp;
    if (transitTicks !== null) jitterTicks += (Math.abs(transit - transitTicks) - jitterTicks) / 16;
    transitTicks = transit;
  };

  const release = (nowMs: number): void => {
    let lostInARow = 0;
    for (;;) {
      const packet = buffer.pop();
      if (packet !== null) {
        if (lostInARow > 0) deps.onLost(lostInARow);
        lostInARow = 0;
        deps.onPacket(packet);
        continue;
      }
      const missing = buffer.missing();
      if (missing === null || !nacks.isGivenUp(missing, nowMs)) break;
      nacks.forget(missing);
      buffer.skip();
      lost += 1;
      lostInARow += 1;
    }
    if (lostInARow > 0) deps.onLost(lostInARow);
  };

  const receive = (packet: RtpPacket, nowMs: number, isRepair: boolean): void => {
    const previous: number | null = lastSequence;
    const sequence: number = previous === null ? packet.sequence : extend16(previous, packet.sequence);
    if (previous === null) {
      if (isRepair) return;
      firstSequence = sequence;
      lastTimestamp = packet.timestamp;
    }
    const timestamp = extend32(lastTimestamp, packet.timestamp);
    const outcome = buffer.insert(sequence, {
      payload: packet.payload,
      timestamp,
      marker: packet.marker,
      arrivedMs: nowMs,
    });
    if (outcome === 'late' || outcome === 'duplicate') return;
    packets += 1;
    if (outcome === 'fresh' || outcome === 'jump') {
      if (outcome === 'jump') {
        nacks.clear();
        lost += 1;
        deps.onLost(1);
      } else if (previous !== null && sequence - previous > 1) {
        // The newest of a long run are worth asking for; the older ones are given up at once.
        nacks.skipped(Math.max(previous + 1, sequence - maxMissing), sequence - 1, nowMs);
      }
      lastSequence = sequence;
      lastTimestamp = timestamp;
      if (!isRepair) measureJitter(timestamp, nowMs);
    } else if (nacks.arrived(sequence)) {
      mended += 1;
    }
    release(nowMs);
  };

  return {
    receive,
    tick(nowMs) {
      if (nacks.size > 0) release(nowMs);
    },
    due(nowMs) {
      return nacks.size === 0 ? [] : nacks.due(nowMs).map((sequence) => sequence & 0xffff);
    },
    extendTimestamp(timestamp) {
      return lastSequence === null ? null : extend32(lastTimestamp, timestamp);
    },
    reportBlock(mediaSsrc) {
      if (lastSequence === null) return null;
      const expected = lastSequence - firstSequence + 1;
      const newExpected = expected - reported.expected;
      const newLost = Math.max(0, newExpected - (packets - reported.packets));
      reported = { expected, packets };
      return {
        mediaSsrc,
        fractionLost: newExpected <= 0 ? 0 : newLost / newExpected,
        totalLost: Math.max(0, expected - packets),
        highestSequence: lastSequence,
        jitterTicks: Math.round(jitterTicks),
      };
    },
    counts() {
      return { packets, nacked: nacks.asked, mended, lost, jitterMs: jitterTicks / ticksPerMs };
    },
  };
}
