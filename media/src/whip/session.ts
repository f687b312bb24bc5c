/**
 * One publisher: its packets are told apart by payload type and SSRC, put in order, and muxed; feedback goes back.
 *
 * Everything here runs inside callbacks of the transport adapter or the process's tick; both guard against exceptions.
 */
import { performance } from 'node:perf_hooks';
import type { MuxerFragment, MuxerInit } from '../fmp4/muxer.ts';
import type { PictureLayer, SessionStats } from '../hooks.ts';
import { audioNackTimes } from '../rtp/nack.ts';
import { isRtcp, parseRtp, type RtpPacket } from '../rtp/packet.ts';
import { createRate } from '../rtp/rate.ts';
import { buildReceiverReport, buildReferenceTime, parseRtcp, roundTripMs } from '../rtp/rtcp.ts';
import { unwrapRtx } from '../rtp/rtx.ts';
import { createTransportFeedback } from '../rtp/transport-feedback.ts';
import { createUplinkMeter, type Uplink } from '../rtp/uplink.ts';
import type { Offer, OfferedCodec } from './offer.ts';
import { createPictures } from './pictures.ts';
import { createReceiveStream, type ReceiveStream } from './receive-stream.ts';

/** Without a packet for so long the publisher is lost. Shorter: a dead spot of a phone ends the show's picture; longer:
 * viewers look at a still picture without being told. */
export const mediaTimeoutMs = 4000;
/** From the answer to the first packet. Shorter: slow ICE on bad networks fails; longer: dead offers hold a place. */
export const connectTimeoutMs = 15_000;
/** Shorter: more packets upstream than an estimate needs; longer: the sender reacts late to a full network. */
const feedbackIntervalMs = 60;
const receiverReportIntervalMs = 1000;
/** SSRC of our reports; any value serves, since we send no media. */
const ownSsrc = 1;

export interface SessionEvents {
  onUp(): void;
  onInit(init: MuxerInit, layer: PictureLayer): void;
  onFragment(fragment: MuxerFragment, layer: PictureLayer): void;
  /** No small picture comes any more, for now or for good. */
  onSmallGone(): void;
  /** How long pictures take from the camera to here: when it is first known, and when it has changed. */
  onUplink(uplink: Uplink): void;
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
  readonly isUp: boolean;
  connected(): void;
  packet(packet: Buffer): void;
  /** Call every 10 ms or so. */
  tick(nowMs: number): void;
  /** Emits what is held back. */
  flush(): void;
  stats(): SessionStats;
}

export function createSession(deps: SessionDeps): Session {
  const { offer } = deps;
  const startedMs = performance.now();
  const feedback = createTransportFeedback();
  const uplink = createUplinkMeter();
  const counts = { bytes: 0, packets: 0, soundFrames: 0 };
  const rate = createRate();
  let size = { width: 0, height: 0 };
  let isUp = false;
  let isOver = false;
  let lastPacketMs = startedMs;
  let lastFeedbackMs = 0;
  let lastReportMs = 0;
  /** The first SSRC heard (or declared) for the sound; others are ignored. */
  let soundSsrc = offer.audio?.ssrc ?? null;

  const audio = offer.audio === null ? null : createReceiveStream(() => soundSsrc, {
    clockRate: 48_000,
    times: audioNackTimes,
    onPacket(packet) {
      counts.soundFrames += 1;
      pictures.sound(packet);
    },
    // The muxer sees the gap in the timestamps.
    onLost: () => undefined,
  });
  const pictures = createPictures({
    offer,
    soundClock: audio?.clock ?? null,
    onInit(init, layer) {
      if (layer === 'full') size = { width: init.info.width, height: init.info.height };
      deps.onInit(init, layer);
    },
    onFragment: deps.onFragment,
    onSmallGone: deps.onSmallGone,
    onFullPicture: uplink.picture,
  });
  const streams = audio === null ? pictures.streams : [...pictures.streams, audio];

  const receiveRtcp = (packet: Buffer, nowMs: number): void => {
    let sentMs: number | null = null;
    for (const message of parseRtcp(packet)) {
      if (message.type === 'reference-echo') {
        const echo = message.echoes.find(({ ssrc }) => ssrc === ownSsrc);
        const tripMs = echo === undefined ? null : roundTripMs(echo, nowMs);
        if (sentMs !== null && tripMs !== null) uplink.answered(sentMs, tripMs, nowMs);
      }
      if (message.type === 'bye') pictures.goodbye(message.ssrcs);
      if (message.type !== 'sender-report') continue;
      const stream = streams.find(({ ssrc }) => ssrc() === message.ssrc);
      if (stream === undefined) continue;
      if (stream !== audio) sentMs = message.ntpMs;
      stream.reported(message, nowMs);
    }
  };

  const receiveSound = (packet: RtpPacket, codec: OfferedCodec, stream: ReceiveStream, nowMs: number): void => {
    if (packet.payloadType === codec.payloadType) {
      soundSsrc ??= packet.ssrc;
      if (packet.ssrc !== soundSsrc) return;
      stream.track.receive(packet, nowMs, false);
      const timestamp = stream.track.extendTimestamp(packet.timestamp);
      if (timestamp !== null) stream.clock.arrived(timestamp, nowMs);
    } else if (soundSsrc !== null) {
      const original = unwrapRtx(packet, codec.payloadType, soundSsrc);
      if (original !== null) stream.track.receive(original, nowMs, true);
    }
  };

  const receiveRtp = (buffer: Buffer, nowMs: number): void => {
    const type = (buffer[1] ?? 0) & 0x7f;
    const isSound = offer.audio !== null && (type === offer.audio.payloadType || type === offer.audio.rtxPayloadType);
    const codec = isSound && offer.audio !== null ? offer.audio : offer.video;
    const packet = parseRtp(buffer, codec.transportSequenceId ?? 0);
    if (packet === null) return;
    if (packet.transportSequence !== -1) feedback.received(packet.transportSequence, nowMs);
    if (isSound && audio !== null) receiveSound(packet, codec, audio, nowMs);
    else pictures.receive(packet, buffer, nowMs);
  };

  const sendReceiverReport = (nowMs: number): void => {
    const blocks = streams.map((stream) => stream.reportBlock(nowMs)).filter((block) => block !== null);
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
      const nack = stream.nack(ownSsrc, nowMs);
      if (nack !== null) deps.send(nack);
    }
    pictures.tick(nowMs);
    if (counts.packets > 0) for (const request of pictures.keyRequests(ownSsrc, nowMs)) deps.send(request);
    if (nowMs - lastFeedbackMs >= feedbackIntervalMs) {
      lastFeedbackMs = nowMs;
      for (const report of feedback.take(ownSsrc, pictures.mainSsrc() ?? 0)) deps.send(report);
    }
    if (nowMs - lastReportMs >= receiverReportIntervalMs) {
      lastReportMs = nowMs;
      sendReceiverReport(nowMs);
      const news = uplink.news(nowMs);
      if (news !== null) deps.onUplink(news);
    }
    rate.look(counts.bytes, nowMs);
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
      pictures.flush();
    },
    get isUp() {
      return isUp;
    },
    stats() {
      const layers = pictures.stats();
      const tracks = streams.map(({ track }) => track.counts());
      return {
        streamId: deps.streamId,
        sessionId: deps.sessionId,
        state: isUp ? 'up' : 'connecting',
        ageMs: Math.round(performance.now() - startedMs),
        packets: counts.packets,
        bytes: counts.bytes,
        bitrateBps: rate.bps,
        nacked: sum(tracks, 'nacked'),
        mended: sum(tracks, 'mended'),
        lost: sum(tracks, 'lost'),
        jitterMs: (layers.find(({ layer }) => layer === 'full') ?? layers[0])?.jitterMs ?? 0,
        pictures: sum(layers, 'pictures'),
        picturesDropped: sum(layers, 'picturesDropped'),
        keyPictures: sum(layers, 'keyPictures'),
        soundFrames: counts.soundFrames,
        keyRequests: sum(layers, 'keyRequests'),
        uplinkMs: uplink.read(),
        ...size,
        layers,
      };
    },
  };
}

function sum<K extends string>(list: readonly Record<K, number>[], key: K): number {
  return list.reduce((total, one) => total + one[key], 0);
}
