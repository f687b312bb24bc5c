/** One stream of the publisher: numbering, sender reports, and repeats for those who missed a packet. */
import { buildRtp } from '../rtp/packet.ts';
import { buildDescription, buildSenderReport } from '../rtp/rtcp.ts';

/** Packets kept for repeats: some 3 s at 2.5 Mbit/s, far longer than any receiver waits. */
const historySize = 1024;

export interface RtpSenderOptions {
  ssrc: number;
  payloadType: number;
  /** Repeats go there (RFC 4588); null: the same packet is sent again. */
  rtx: { ssrc: number; payloadType: number } | null;
  clockRate: number;
  cname: string;
  firstSequence: number;
  firstTimestamp: number;
  /** Number of the transport's next packet and the extension's id; null when not negotiated. */
  transport: { id: number; next(): number } | null;
  send(packet: Buffer): void;
}

export interface RtpSender {
  /** @param ticks since the publication began */
  send(ticks: number, payloads: readonly (readonly Buffer[])[], hasMarker: boolean): void;
  report(ticks: number, ntpMs: number): Buffer;
  repeat(sequences: readonly number[]): number;
}

interface Sent {
  sequence: number;
  timestamp: number;
  marker: boolean;
  payload: readonly Buffer[];
}

export function createRtpSender(options: RtpSenderOptions): RtpSender {
  const history = Array.from<Sent | undefined>({ length: historySize });
  let sequence = options.firstSequence & 0xffff;
  let rtxSequence = 0;
  let packets = 0;
  let bytes = 0;

  const emit = (fields: Omit<Sent, 'payload'>, payload: readonly Buffer[], isRtx: boolean): void => {
    const target = isRtx && options.rtx !== null ? options.rtx : options;
    const { transport } = options;
    options.send(
      buildRtp(
        {
          ...fields,
          payloadType: target.payloadType,
          ssrc: target.ssrc,
          ...(transport === null ? {} : { transport: { id: transport.id, sequence: transport.next() } }),
        },
        payload,
      ),
    );
  };

  return {
    send(ticks, payloads, hasMarker) {
      const timestamp = (options.firstTimestamp + ticks) >>> 0;
      payloads.forEach((payload, index) => {
        const marker = hasMarker && index === payloads.length - 1;
        history[sequence % historySize] = { sequence, timestamp, marker, payload };
        emit({ sequence, timestamp, marker }, payload, false);
        sequence = (sequence + 1) & 0xffff;
        packets += 1;
        for (const piece of payload) bytes += piece.length;
      });
    },
    report(ticks, ntpMs) {
      const rtpTimestamp = (options.firstTimestamp + ticks) >>> 0;
      const { ssrc, cname } = options;
      const report = buildSenderReport({ ssrc, ntpMs, rtpTimestamp, packets, bytes });
      return Buffer.concat([report, buildDescription(ssrc, cname)]);
    },
    repeat(sequences) {
      let repeated = 0;
      for (const wanted of sequences) {
        const sent = history[wanted % historySize];
        if (sent === undefined || sent.sequence !== wanted) continue;
        repeated += 1;
        if (options.rtx === null) {
          emit(sent, sent.payload, false);
        } else {
          const original = Buffer.from([wanted >> 8, wanted & 0xff]);
          emit({ ...sent, sequence: rtxSequence }, [original, ...sent.payload], true);
          rtxSequence = (rtxSequence + 1) & 0xffff;
        }
      }
      return repeated;
    },
  };
}
