/**
 * A publisher's picture in all its sizes: packets in, the fragments of one layer or two out (`layer-roles.ts`).
 *
 * Each size has an RTP clock of its own, with a random beginning. The size that is heard of first is the reference: the
 * timestamps of the other are put on its clock before anything is made of them, so that both layers, and a layer that
 * goes on with the other size, are on one timeline.
 */
import { createMuxer, type Muxer, type MuxerFragment, type MuxerInit } from '../fmp4/muxer.ts';
import { opusSound } from '../fmp4/sound.ts';
import type { LayerStats, PictureLayer as LayerName } from '../hooks.ts';
import type { AccessUnit } from '../rtp/h264.ts';
import type { RtpPacket } from '../rtp/packet.ts';
import type { OrderedPacket } from '../rtp/receive-track.ts';
import { buildKeyRequest } from '../rtp/rtcp.ts';
import { unwrapRtx } from '../rtp/rtx.ts';
import {
  createTrackSync, layerDriftLimitMs, soundDriftLimitMs, type TrackClock, type TrackSync,
} from '../rtp/sync.ts';
import { createDemultiplexer } from './demultiplexer.ts';
import { chooseRoles, isAlive } from './layer-roles.ts';
import type { Offer } from './offer.ts';
import { createPictureLayer, type PictureLayer } from './picture-layer.ts';
import type { ReceiveStream } from './receive-stream.ts';

const clockRate = 90_000;
const ticksPerMs = clockRate / 1000;

export interface PicturesDeps {
  offer: Pick<Offer, 'video' | 'simulcast' | 'audio'>;
  /** Of the sound; null without. */
  soundClock: TrackClock | null;
  onInit(init: MuxerInit, layer: LayerName): void;
  onFragment(fragment: MuxerFragment, layer: LayerName): void;
  /** No small picture comes any more, for now or for good. */
  onSmallGone(): void;
  /** A full picture was whole: when it was taken, by the sender's clock, and when it came, by ours; and its place. */
  onFullPicture(capturedMs: number, arrivedMs: number, placedMs: number): void;
}

export interface Pictures {
  /** Of each size. */
  streams: readonly ReceiveStream[];
  /** The one that viewers of the full picture see, or the first. */
  mainSsrc(): number | null;
  receive(packet: RtpPacket, buffer: Buffer, nowMs: number): void;
  sound(packet: OrderedPacket): void;
  /** These SSRCs are left (RFC 3550 §6.6). */
  goodbye(ssrcs: readonly number[]): void;
  tick(nowMs: number): void;
  /** Requests for key pictures that are to be sent now. */
  keyRequests(ownSsrc: number, nowMs: number): Buffer[];
  flush(): void;
  stats(): LayerStats[];
}

interface Output {
  name: LayerName;
  muxer: Muxer;
  /** Index of the size that it is made of. */
  source: number | null;
  /** Index of the one that it is to be made of from its next key picture on. */
  next: number | null;
}

export function createPictures(deps: PicturesDeps): Pictures {
  const { video } = deps.offer;
  const demultiplexer = createDemultiplexer(deps.offer);
  const sound = deps.offer.audio === null ? null : opusSound;
  let reference: { layer: number; zero: number; syncs: TrackSync[]; sound: TrackSync | null } | null = null;
  let firstPictureMs: number | null = null;
  /** When the first full picture came of which something is seen. */
  let beganMs: number | null = null;

  const outputOf = (name: LayerName, beside?: Muxer): Output => ({
    name, source: null, next: null,
    muxer: createMuxer({
      sound,
      ...(beside === undefined ? {} : { beside }),
      soundMs: (timestamp, zero) => reference?.sound?.placeMs(timestamp, zero) ?? null,
      onInit: (init) => deps.onInit(init, name),
      onFragment: (fragment) => deps.onFragment(fragment, name),
    }),
  });
  const full = outputOf('full');
  const small = outputOf('small', full.muxer);
  const outputs = [full, small];

  const layers: PictureLayer[] = demultiplexer.rids.map((_, index) => createPictureLayer({
    ssrc: () => demultiplexer.ssrcOf(index),
    onStart(timestamp) {
      const placed = place(index, timestamp);
      if (placed === null) return;
      for (const { source, muxer } of outputs) if (source === index) muxer.pictureStarts(placed);
    },
    onUnit: (unit) => take(index, unit),
  }));

  const startReference = (layer: number, zero: number): void => {
    const { clock } = layers[layer]!.stream;
    reference = {
      layer, zero,
      syncs: layers.map(({ stream }) => (
        createTrackSync(clock, stream.clock, { clockRate, driftLimitMs: layerDriftLimitMs })
      )),
      sound: deps.soundClock && createTrackSync(clock, deps.soundClock, {
        clockRate: opusSound.timescale, driftLimitMs: soundDriftLimitMs,
      }),
    };
  };

  /** A timestamp of a size, on the reference's clock; null while nobody knows. */
  const place = (index: number, timestamp: number): number | null => {
    if (reference === null || reference.layer === index) return timestamp;
    const ms = reference.syncs[index]!.placeMs(timestamp, reference.zero);
    return ms === null ? null : Math.round(reference.zero + ms * ticksPerMs);
  };

  /** @param keyOf the size of which a key picture is there */
  const choose = (nowMs: number, keyOf: number | null): void => {
    const roles = chooseRoles(layers, nowMs, firstPictureMs);
    for (const output of outputs) {
      const wanted = roles[output.name];
      if (wanted !== null && wanted !== output.source) {
        if (wanted === keyOf) output.source = wanted;
        else if (wanted !== output.next) layers[wanted]!.keyRequests.needed();
      }
      output.next = wanted;
    }
    if (small.source === null || roles.small !== null) return;
    small.source = null;
    small.muxer.pause();
    // For who had the small one until now.
    if (full.source !== null) layers[full.source]!.keyRequests.needed();
    deps.onSmallGone();
  };

  const take = (index: number, unit: AccessUnit): void => {
    firstPictureMs ??= unit.arrivedMs;
    const timestamp = place(index, unit.timestamp);
    if (timestamp === null) {
      if (unit.isKey) layers[index]!.keyRequests.needed();
      return;
    }
    choose(unit.arrivedMs, unit.isKey ? index : null);
    for (const { source, muxer } of outputs) if (source === index) muxer.picture({ ...unit, timestamp });
    const zero = full.muxer.zero();
    if (full.source !== index || zero === null) return;
    beganMs ??= unit.arrivedMs;
    const capturedMs = layers[index]!.stream.clock.reportedMs(unit.timestamp);
    const placedMs = beganMs + (timestamp - zero) / ticksPerMs;
    if (capturedMs !== null) deps.onFullPicture(capturedMs, unit.arrivedMs, placedMs);
  };

  return {
    streams: layers.map(({ stream }) => stream),
    mainSsrc: () => demultiplexer.ssrcOf(full.source ?? 0),
    receive(packet, buffer, nowMs) {
      const route = demultiplexer.route(packet, buffer);
      if (route === null) return;
      const layer = layers[route.layer]!;
      const ssrc = layer.stream.ssrc();
      const original = !route.isRepair ? packet : ssrc === null ? null : unwrapRtx(packet, video.payloadType, ssrc);
      if (original === null) return;
      if (reference === null && !route.isRepair) startReference(route.layer, packet.timestamp);
      layer.receive(original, route.isRepair, nowMs);
    },
    sound: ({ payload, timestamp, arrivedMs }) => full.muxer.sound(payload, timestamp, arrivedMs),
    goodbye(ssrcs) {
      if (layers.length === 1) return;
      for (const layer of layers) if (ssrcs.includes(layer.stream.ssrc() ?? -1)) layer.lastPacketMs = null;
    },
    tick(nowMs) {
      if (layers.length > 1) choose(nowMs, null);
      for (const layer of layers) layer.tick(nowMs);
      for (const { muxer } of outputs) muxer.tick(nowMs);
    },
    keyRequests(ownSsrc, nowMs) {
      const asked = layers.filter((_, index) => layers.length === 1 || isAlive(layers, index));
      const due = asked.filter(({ keyRequests }) => keyRequests.due(nowMs));
      // Sizes that begin anew at the same pictures can be changed between at any of them.
      const together = due.some((layer) => layer === layers[full.source ?? -1]) ? asked : due;
      return together.flatMap((layer) => {
        const ssrc = layer.stream.ssrc();
        if (ssrc === null) return [];
        if (!due.includes(layer)) layer.keyRequests.askedAlong(nowMs);
        return [buildKeyRequest(ownSsrc, ssrc)];
      });
    },
    flush: () => outputs.forEach(({ muxer }) => muxer.flush()),
    stats: () => layers.map((layer, index) => ({
      rid: demultiplexer.rids[index] ?? null,
      layer: outputs.find(({ source }) => source === index)?.name ?? null,
      ...layer.stats(),
    })),
  };
}
