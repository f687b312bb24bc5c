/**
 * Transport-wide congestion feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01): when each packet of a
 * transport arrived, from which the sender estimates how much the network carries.
 *
 * Invariants: every packet that carries the extension is reported, whatever its stream (retransmissions and probing
 * included); a packet that comes late reopens the report from its place, with its neighbours as they arrived, so that
 * nothing received is ever reported as lost; the reference time is a multiple of 64 ms not after the first arrival.
 */
import { extend16 } from './sequence.ts';

/** Packets remembered for reopened reports. Fewer: late ones are reported among false losses; more: memory only. */
const historySize = 4096;
/** Packets in one report. More: it outgrows an MTU at 2 bytes each; fewer: more packets at high bitrates. */
const maxReportedPackets = 400;
const tickMs = 0.25;
const referenceTickMs = 64;
const symbolsPerChunk = 7;

export interface TransportFeedback {
  /** @param nowMs a steady clock with sub-millisecond steps */
  received(transportSequence: number, nowMs: number): void;
  /** Reports not sent yet, as RTCP messages; empty when nothing arrived. */
  take(senderSsrc: number, mediaSsrc: number): Buffer[];
}

export function createTransportFeedback(): TransportFeedback {
  const arrivalMs = new Float64Array(historySize);
  const sequenceAt = new Float64Array(historySize).fill(Number.NaN);
  let highest: number | null = null;
  let reportFrom = 0;
  let reportCount = 0;

  const wasReceived = (sequence: number): boolean => sequenceAt[sequence & (historySize - 1)] === sequence;

  const buildReport = (from: number, to: number, senderSsrc: number, mediaSsrc: number): Buffer => {
    const report = encodeReport(
      from,
      to,
      (sequence) => (wasReceived(sequence) ? arrivalMs[sequence & (historySize - 1)]! : null),
    );
    const words = 5 + Math.ceil((report.chunks.length * 2 + report.deltas.length) / 4);
    const buffer = Buffer.alloc(words * 4);
    buffer[0] = 0x80 | 15;
    buffer[1] = 205;
    buffer.writeUInt16BE(words - 1, 2);
    buffer.writeUInt32BE(senderSsrc >>> 0, 4);
    buffer.writeUInt32BE(mediaSsrc >>> 0, 8);
    buffer.writeUInt16BE(from & 0xffff, 12);
    buffer.writeUInt16BE(to - from + 1, 14);
    buffer.writeUIntBE(report.reference & 0xffffff, 16, 3);
    buffer[19] = reportCount & 0xff;
    reportCount += 1;
    let offset = 20;
    for (const chunk of report.chunks) offset = buffer.writeUInt16BE(chunk, offset);
    report.deltas.forEach((byte, index) => (buffer[offset + index] = byte));
    return buffer;
  };

  return {
    received(transportSequence, nowMs) {
      const sequence = highest === null ? transportSequence : extend16(highest, transportSequence);
      if (highest === null) {
        highest = sequence;
        reportFrom = sequence;
      } else if (sequence <= highest - historySize || wasReceived(sequence)) {
        return;
      }
      // A jump beyond the history cannot be reported as a run of losses: begin anew there.
      if (sequence - highest >= historySize) reportFrom = sequence;
      highest = Math.max(highest, sequence);
      reportFrom = Math.max(Math.min(reportFrom, sequence), highest - historySize + 1);
      arrivalMs[sequence & (historySize - 1)] = nowMs;
      sequenceAt[sequence & (historySize - 1)] = sequence;
    },
    take(senderSsrc, mediaSsrc) {
      const reports: Buffer[] = [];
      if (highest === null) return reports;
      while (reportFrom <= highest) {
        const to = Math.min(highest, reportFrom + maxReportedPackets - 1);
        reports.push(buildReport(reportFrom, to, senderSsrc, mediaSsrc));
        reportFrom = to + 1;
      }
      return reports;
    },
  };
}

interface EncodedReport {
  reference: number;
  chunks: number[];
  deltas: number[];
}

function encodeReport(from: number, to: number, arrivalOf: (sequence: number) => number | null): EncodedReport {
  const chunks: number[] = [];
  const deltas: number[] = [];
  let reference = 0;
  let lastTicks: number | null = null;
  let chunk = 0;
  let symbols = 0;
  const addSymbol = (symbol: number): void => {
    chunk |= symbol << (2 * (symbolsPerChunk - 1 - symbols));
    symbols += 1;
    if (symbols === symbolsPerChunk) flush();
  };
  const flush = (): void => {
    if (symbols === 0) return;
    chunks.push(0xc000 | chunk);
    chunk = 0;
    symbols = 0;
  };
  for (let sequence = from; sequence <= to; sequence += 1) {
    const arrived = arrivalOf(sequence);
    if (arrived === null) {
      addSymbol(0);
      continue;
    }
    const ticks = Math.round(arrived / tickMs);
    if (lastTicks === null) {
      reference = Math.floor((ticks * tickMs) / referenceTickMs);
      lastTicks = reference * (referenceTickMs / tickMs);
    }
    const delta = Math.max(-32768, Math.min(32767, ticks - lastTicks));
    lastTicks += delta;
    if (delta >= 0 && delta <= 255) {
      addSymbol(1);
      deltas.push(delta);
    } else {
      addSymbol(2);
      deltas.push((delta >> 8) & 0xff, delta & 0xff);
    }
  }
  flush();
  return { reference, chunks, deltas };
}
