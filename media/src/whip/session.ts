/**
 * One publisher: its packets are told apart by payload type and SSRC, put in order, and muxed; feedback goes back.
 *
 * Everything here runs inside callbacks of the transport adapter or the process's tick; both guard against exceptions.
 */
import { performance } from 'node:perf_hooks';
import { createMuxer, type MuxerFragment, type MuxerInit } from '../fmp4/muxer.ts';
import { opusSound } from '../fmp4/sound.ts';
import type { SessionStats } from '../hooks.ts';
import { createH264Depacketiser } from '../rtp/h264.ts';
import { createKeyRequests } from '../rtp/key-requests.ts';
import { audioNackTimes, videoNackTimes } from '../rtp/nack.ts';
import { isRtcp, parseRtp } from '../rtp/packet.ts';
import { createReceiveTrack, type ReceiveTrack, type ReceiveTrackDeps } from '../rtp/receive-track.ts';
import {
  buildKeyRequest,
  buildNack,
  buildReceiverReport,
  buildReferenceTime,
  parseRtcp,
  roundTripMs,
  type ReportBlock,
} from '../rtp/rtcp.ts';
import { unwrapRtx } from '../rtp/rtx.ts';
import { createSoundSync, createTrackClock, type TrackClock } from '../rtp/sync.ts';
import { createTransportFeedback } from '../rtp/transport-feedback.ts';
import { createUplinkMeter } from '../rtp/uplink.ts';
import type { Offer, OfferedCodec } from './offer.ts';

/** Without a packet for so long the publisher is lost. Shorter: a dead spot of a phone ends the show's picture; longer:
 * viewers look at a still picture without being told. */
export const mediaTimeoutMs = 4000;
/** From the answer to the first packet. Shorter: slow ICE on bad networks fails; longer: dead offers hold a place. */
export const connectTimeoutMs = 15_000;
/** Shorter: more packets upstream than an estimate needs; longer: the sender reacts late to a full network. */
const feedbackIntervalMs = 60;
const receiverReportIntervalMs = 1000;
const bitrateWindowMs = 1000;
/** SSRC of our reports; any value serves, since we send no media. */
const ownSsrc = 1;

export interface SessionEvents {
  onUp(): void;
  onInit(init: MuxerInit): void;
  onFragment(fragment: MuxerFragment): void;
  /** How long pictures take from the camera to here: when it is first known, and when it has changed. */
  onUplink(uplinkMs: number): void;
  onLost(): void;
}

export interface SessionDeps extends SessionEvents {
  streamId: string;
  sessionId: string;
  offer: Offer;
  send(packet: Buffer): boolean;
}

export interface Session {
  readonly streamId: string;
  readonly sessionId: string;
  connected(): void;
  packet(packet: Buffer): void;
  /** Call every 10 ms or so. */
  tick(nowMs: number): void;
  /** Emits what is held back. */
  flush(): void;
  stats(): SessionStats;
}

interface Stream {
  payloadType: number;
  rtxPayloadType: number | null;
  transportSequenceId: number;
  track: ReceiveTrack;
  clock: TrackClock;
  /** The first SSRC heard (or declared) with this payload type; others are ignored. */
  ssrc: number | null;
  lastReport: { ntpMiddle: number; atMs: number } | null;
}

function openStream(codec: OfferedCodec, clock: TrackClock, deps: ReceiveTrackDeps): Stream {
  return {
    payloadType: codec.payloadType,
    rtxPayloadType: codec.rtxPayloadType,
    transportSequenceId: codec.transportSequenceId ?? 0,
    clock,
    ssrc: codec.ssrc,
    lastReport: null,
    track: createReceiveTrack(deps),
  };
}

export function createSession(deps: SessionDeps): Session {
  const { offer } = deps;
  const startedMs = performance.now();
  const keyRequests = createKeyRequests();
  const feedback = createTransportFeedback();
  const pictureClock = createTrackClock(90_000);
  const soundClock = createTrackClock(48_000);
  const sync = createSoundSync(pictureClock, soundClock);
  const uplink = createUplinkMeter();
  const counts = { bytes: 0, packets: 0, pictures: 0, picturesDropped: 0, keyPictures: 0, soundFrames: 0 };
  let size = { width: 0, height: 0 };
  let isUp = false;
  let isOver = false;
  let lastPacketMs = startedMs;
  let lastFeedbackMs = 0;
  let lastReportMs = 0;
  let bitrate = { fromMs: startedMs, fromBytes: 0, bps: 0 };

  const muxer = createMuxer({
    sound: offer.audio === null ? null : opusSound,
    soundMs: (timestamp, zero) => sync.soundMs(timestamp, zero),
    onInit(init) {
      size = { width: init.info.width, height: init.info.height };
      deps.onInit(init);
    },
    onFragment: (fragment) => deps.onFragment(fragment),
  });
  const depacketiser = createH264Depacketiser({
    onStart: (timestamp) => muxer.pictureStarts(timestamp),
    onUnit(unit) {
      counts.pictures += 1;
      if (unit.isKey) {
        counts.keyPictures += 1;
        keyRequests.keyArrived(performance.now());
      }
      muxer.picture(unit);
      const capturedMs = pictureClock.reportedMs(unit.timestamp);
      if (capturedMs !== null) uplink.picture(capturedMs, unit.arrivedMs);
    },
    onDropped() {
      counts.picturesDropped += 1;
      // Packets sent before DTLS was through on our side are lost unseen, and with them the first key picture.
      if (counts.pictures === 0) keyRequests.needed();
    },
    onKeyNeeded: () => keyRequests.needed(),
  });
  const video = openStream(offer.video, pictureClock, {
    clockRate: 90_000,
    times: videoNackTimes,
    onPacket: (packet) => depacketiser.push(packet),
    onLost: () => depacketiser.lost(),
  });
  const audio =
    offer.audio === null
      ? null
      : openStream(offer.audio, soundClock, {
          clockRate: 48_000,
          times: audioNackTimes,
          onPacket(packet) {
            counts.soundFrames += 1;
            muxer.sound(packet.payload, packet.timestamp, packet.arrivedMs);
          },
          // The muxer sees the gap in the timestamps.
          onLost: () => undefined,
        });
  const streams = audio === null ? [video] : [video, audio];

  const receiveRtcp = (packet: Buffer, nowMs: number): void => {
    let sentMs: number | null = null;
    for (const message of parseRtcp(packet)) {
      if (message.type === 'reference-echo') {
        const echo = message.echoes.find(({ ssrc }) => ssrc === ownSsrc);
        const tripMs = echo === undefined ? null : roundTripMs(echo, nowMs);
        if (sentMs !== null && tripMs !== null) uplink.answered(sentMs, tripMs, nowMs);
      }
      if (message.type !== 'sender-report') continue;
      const stream = streams.find(({ ssrc }) => ssrc === message.ssrc);
      if (stream === undefined) continue;
      if (stream === video) sentMs = message.ntpMs;
      stream.lastReport = { ntpMiddle: message.ntpMiddle, atMs: nowMs };
      const timestamp = stream.track.extendTimestamp(message.rtpTimestamp);
      if (timestamp !== null) stream.clock.report(timestamp, message.ntpMs);
    }
  };

  const receiveRtp = (buffer: Buffer, nowMs: number): void => {
    const type = (buffer[1] ?? 0) & 0x7f;
    const isAudio = audio !== null && (type === audio.payloadType || type === audio.rtxPayloadType);
    const stream = isAudio ? audio : video;
    const packet = parseRtp(buffer, stream.transportSequenceId);
    if (packet === null) return;
    if (packet.transportSequence !== -1) feedback.received(packet.transportSequence, nowMs);
    if (type === stream.payloadType) {
      stream.ssrc ??= packet.ssrc;
      if (packet.ssrc !== stream.ssrc) return;
      stream.track.receive(packet, nowMs, false);
      const timestamp = stream.track.extendTimestamp(packet.timestamp);
      if (timestamp !== null) stream.clock.arrived(timestamp, nowMs);
    } else if (type === stream.rtxPayloadType && stream.ssrc !== null) {
      const original = unwrapRtx(packet, stream.payloadType, stream.ssrc);
      if (original !== null) stream.track.receive(original, nowMs, true);
    }
  };

  const sendReceiverReport = (nowMs: number): void => {
    const blocks: ReportBlock[] = [];
    for (const stream of streams) {
      const block = stream.ssrc === null ? null : stream.track.reportBlock(stream.ssrc);
      if (block === null) continue;
      const last = stream.lastReport;
      const sinceLastReportMs = last === null ? 0 : nowMs - last.atMs;
      blocks.push({ ...block, lastReportNtp: last?.ntpMiddle ?? 0, sinceLastReportMs });
    }
    if (blocks.length > 0) deps.send(buildReceiverReport(ownSsrc, blocks));
    deps.send(buildReferenceTime(ownSsrc, nowMs));
  };

  const tick = (nowMs: number): void => {
    if (isOver) return;
    if (nowMs - lastPacketMs > (isUp ? mediaTimeoutMs : connectTimeoutMs)) {
      isOver = true;
      deps.onLost();
      return;
    }
    if (!isUp) return;
    for (const stream of streams) {
      stream.track.tick(nowMs);
      const due = stream.track.due(nowMs);
      if (due.length > 0 && stream.ssrc !== null) deps.send(buildNack(ownSsrc, stream.ssrc, due));
    }
    muxer.tick(nowMs);
    if (video.ssrc !== null && counts.packets > 0 && keyRequests.due(nowMs)) {
      deps.send(buildKeyRequest(ownSsrc, video.ssrc));
    }
    if (nowMs - lastFeedbackMs >= feedbackIntervalMs) {
      lastFeedbackMs = nowMs;
      for (const report of feedback.take(ownSsrc, video.ssrc ?? 0)) deps.send(report);
    }
    if (nowMs - lastReportMs >= receiverReportIntervalMs) {
      lastReportMs = nowMs;
      sendReceiverReport(nowMs);
      const uplinkMs = uplink.news(nowMs);
      if (uplinkMs !== null) deps.onUplink(uplinkMs);
    }
    if (nowMs - bitrate.fromMs >= bitrateWindowMs) {
      const bps = ((counts.bytes - bitrate.fromBytes) * 8000) / (nowMs - bitrate.fromMs);
      bitrate = { fromMs: nowMs, fromBytes: counts.bytes, bps };
    }
  };

  return {
    streamId: deps.streamId,
    sessionId: deps.sessionId,
    connected() {
      if (isUp || isOver) return;
      isUp = true;
      lastPacketMs = performance.now();
      deps.onUp();
    },
    packet(packet) {
      if (isOver) return;
      const nowMs = performance.now();
      lastPacketMs = nowMs;
      if (isRtcp(packet)) {
        receiveRtcp(packet, nowMs);
        return;
      }
      counts.packets += 1;
      counts.bytes += packet.length;
      receiveRtp(packet, nowMs);
    },
    tick,
    flush() {
      isOver = true;
      muxer.flush();
    },
    stats() {
      const tracks = streams.map((stream) => stream.track.counts());
      const sum = (key: 'nacked' | 'mended' | 'lost'): number => tracks.reduce((total, one) => total + one[key], 0);
      return {
        streamId: deps.streamId,
        sessionId: deps.sessionId,
        state: isUp ? 'up' : 'connecting',
        ageMs: Math.round(performance.now() - startedMs),
        packets: counts.packets,
        bytes: counts.bytes,
        bitrateBps: Math.round(bitrate.bps),
        nacked: sum('nacked'),
        mended: sum('mended'),
        lost: sum('lost'),
        jitterMs: tracks[0]?.jitterMs ?? 0,
        pictures: counts.pictures,
        picturesDropped: counts.picturesDropped,
        keyPictures: counts.keyPictures,
        soundFrames: counts.soundFrames,
        keyRequests: keyRequests.asked,
        uplinkMs: uplink.read(),
        ...size,
      };
    },
  };
}
