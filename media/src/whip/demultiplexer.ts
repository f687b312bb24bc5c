/**
 * Which size of the picture a packet belongs to: by SSRC, and by the RID in a header extension until that is known
 * (RFC 8853 §6.2). Senders leave the RID out once they have heard a report about the SSRC.
 */
import { extensionText, type RtpPacket } from '../rtp/packet.ts';
import type { Offer } from './offer.ts';

export interface Demultiplexer {
  /** RIDs of the sizes that are taken, in the offer's order; one that is null without simulcast. */
  rids: readonly (string | null)[];
  /**
   * @param buffer the whole packet
   * @returns null for what is of no size that is taken
   */
  route(packet: RtpPacket, buffer: Buffer): { layer: number; isRepair: boolean } | null;
  /** Of the pictures; null until known. */
  ssrcOf(layer: number): number | null;
}

export function createDemultiplexer({ video, simulcast }: Pick<Offer, 'video' | 'simulcast'>): Demultiplexer {
  const taken = simulcast?.layers.filter(({ isTaken }) => isTaken).map(({ rid }) => rid);
  const rids: readonly (string | null)[] = taken ?? [null];
  // Of several sizes no SSRC is told beforehand: OBS names that of one and not whose it is.
  const pictures: (number | null)[] = rids.map((rid) => (rid === null ? video.ssrc : null));
  const repairs: (number | null)[] = rids.map(() => null);

  /** The one whose SSRC this is. The first SSRC of a size is kept; others are ignored. */
  const find = (ssrcs: (number | null)[], ssrc: number, nameId: number | null, buffer: Buffer): number => {
    const known = ssrcs.indexOf(ssrc);
    if (known >= 0 || simulcast === null) return known;
    const named = nameId === null ? null : extensionText(buffer, nameId);
    const layer = named === null ? -1 : rids.indexOf(named);
    if (layer < 0 || ssrcs[layer] !== null) return -1;
    ssrcs[layer] = ssrc;
    return layer;
  };

  return {
    rids,
    route(packet, buffer) {
      if (packet.payloadType === video.payloadType) {
        if (simulcast === null) pictures[0] ??= packet.ssrc;
        const layer = find(pictures, packet.ssrc, simulcast?.ridId ?? null, buffer);
        return layer < 0 ? null : { layer, isRepair: false };
      }
      if (packet.payloadType !== video.rtxPayloadType) return null;
      const layer = simulcast === null ? 0 : find(repairs, packet.ssrc, simulcast.repairedRidId, buffer);
      // Repairs of what has not been heard of tell nothing.
      return layer < 0 || pictures[layer] === null ? null : { layer, isRepair: true };
    },
    ssrcOf: (layer) => pictures[layer] ?? null,
  };
}
