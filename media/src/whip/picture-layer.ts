/** One size of a publisher's picture as it is received: packets in, whole pictures out, and what is asked for. */
import { parseSps } from '../fmp4/avc.ts';
import type { LayerStats } from '../hooks.ts';
import { createH264Depacketiser, nalType, type AccessUnit } from '../rtp/h264.ts';
import { createKeyRequests, type KeyRequests } from '../rtp/key-requests.ts';
import { videoNackTimes } from '../rtp/nack.ts';
import type { RtpPacket } from '../rtp/packet.ts';
import { createRate } from '../rtp/rate.ts';
import type { LayerState } from './layer-roles.ts';
import { createReceiveStream, type ReceiveStream } from './receive-stream.ts';

export interface PictureLayer extends LayerState {
  stream: ReceiveStream;
  keyRequests: KeyRequests;
  receive(packet: RtpPacket, isRepair: boolean, nowMs: number): void;
  tick(nowMs: number): void;
  /** Without its name and what it serves as. */
  stats(): Omit<LayerStats, 'rid' | 'layer'>;
}

export interface PictureLayerDeps {
  ssrc(): number | null;
  /** A picture with this timestamp has begun. */
  onStart(timestamp: number): void;
  onUnit(unit: AccessUnit): void;
}

export function createPictureLayer(deps: PictureLayerDeps): PictureLayer {
  const keyRequests = createKeyRequests();
  const counts = { packets: 0, bytes: 0, pictures: 0, picturesDropped: 0, keyPictures: 0 };
  const rate = createRate();
  let latestMs = 0;
  let size = { width: 0, height: 0 };
  const depacketiser = createH264Depacketiser({
    onStart: deps.onStart,
    onUnit(unit) {
      counts.pictures += 1;
      if (unit.isKey) {
        counts.keyPictures += 1;
        keyRequests.keyArrived(latestMs);
        size = sizeOf(unit) ?? size;
        layer.pixels = size.width * size.height;
      }
      deps.onUnit(unit);
    },
    onDropped() {
      counts.picturesDropped += 1;
      // Packets sent before DTLS was through on our side are lost unseen, and with them the first key picture.
      if (counts.pictures === 0) keyRequests.needed();
    },
    onKeyNeeded: () => keyRequests.needed(),
  });
  const stream = createReceiveStream(deps.ssrc, {
    clockRate: 90_000,
    times: videoNackTimes,
    onPacket: (packet) => depacketiser.push(packet),
    onLost: () => depacketiser.lost(),
  });
  const layer: PictureLayer = {
    pixels: 0,
    lastPacketMs: null,
    stream,
    keyRequests,
    receive(packet, isRepair, nowMs) {
      latestMs = nowMs;
      counts.packets += 1;
      counts.bytes += packet.payload.length;
      stream.track.receive(packet, nowMs, isRepair);
      if (isRepair) return;
      layer.lastPacketMs = nowMs;
      const timestamp = stream.track.extendTimestamp(packet.timestamp);
      if (timestamp !== null) stream.clock.arrived(timestamp, nowMs);
    },
    tick(nowMs) {
      latestMs = nowMs;
      rate.look(counts.bytes, nowMs);
    },
    stats() {
      const { nacked, mended, lost, jitterMs } = stream.track.counts();
      const { bps: bitrateBps } = rate;
      return { ...counts, ...size, nacked, mended, lost, jitterMs, bitrateBps, keyRequests: keyRequests.asked };
    },
  };
  return layer;
}

function sizeOf(unit: AccessUnit): { width: number; height: number } | null {
  const sps = unit.nals.find(({ type }) => type === nalType.sps);
  const info = sps === undefined ? null : parseSps(Buffer.concat(sps.chunks));
  return info === null ? null : { width: info.width, height: info.height };
}
