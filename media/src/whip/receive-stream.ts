/** One stream of packets of a publisher, with what its reports and ours say of it. */
import { createTrackClock, type TrackClock } from '../rtp/sync.ts';
import { createReceiveTrack, type ReceiveTrack, type ReceiveTrackDeps } from '../rtp/receive-track.ts';
import { buildNack, type ReportBlock } from '../rtp/rtcp.ts';

export interface ReceiveStream {
  track: ReceiveTrack;
  clock: TrackClock;
  /** Null until it is heard of. */
  ssrc(): number | null;
  /** A sender report, and when it came. */
  reported(report: { ntpMs: number; ntpMiddle: number; rtpTimestamp: number }, nowMs: number): void;
  /** Null before the first packet. */
  reportBlock(nowMs: number): ReportBlock | null;
  /** What is to be sent to the publisher for missing packets; null when nothing is. */
  nack(ownSsrc: number, nowMs: number): Buffer | null;
}

export function createReceiveStream(ssrc: () => number | null, deps: ReceiveTrackDeps): ReceiveStream {
  const track = createReceiveTrack(deps);
  const clock = createTrackClock(deps.clockRate);
  let lastReport: { ntpMiddle: number; atMs: number } | null = null;
  return {
    track,
    clock,
    ssrc,
    reported({ ntpMs, ntpMiddle, rtpTimestamp }, nowMs) {
      lastReport = { ntpMiddle, atMs: nowMs };
      const timestamp = track.extendTimestamp(rtpTimestamp);
      if (timestamp !== null) clock.report(timestamp, ntpMs);
    },
    reportBlock(nowMs) {
      const mediaSsrc = ssrc();
      const block = mediaSsrc === null ? null : track.reportBlock(mediaSsrc);
      if (block === null) return null;
      const sinceLastReportMs = lastReport === null ? 0 : nowMs - lastReport.atMs;
      return { ...block, lastReportNtp: lastReport?.ntpMiddle ?? 0, sinceLastReportMs };
    },
    nack(ownSsrc, nowMs) {
      track.tick(nowMs);
      const due = track.due(nowMs);
      const mediaSsrc = ssrc();
      return due.length === 0 || mediaSsrc === null ? null : buildNack(ownSsrc, mediaSsrc, due);
    },
  };
}
