/** Retransmissions on a stream of their own (RFC 4588): the payload begins with the original sequence number. */
import type { RtpPacket } from './packet.ts';

/** The packet as it was first sent; null for a probe that repeats nothing. */
export function unwrapRtx(packet: RtpPacket, payloadType: number, ssrc: number): RtpPacket | null {
  if (packet.payload.length <= 2) return null;
  return {
    ...packet,
    payloadType,
    ssrc,
    sequence: packet.payload.readUInt16BE(0),
    payload: packet.payload.subarray(2),
  };
}
