/**
 * What takes bytes from outside, each with how its inputs are made from the corpus and what must hold for every input.
 * `run` throws when it does not.
 */
import assert from 'node:assert/strict';
import fastify, { type FastifyInstance } from 'fastify';
import { createHlsLadder } from '@nacre/media/hls/ladder';
import { readFragments } from '@nacre/media/fmp4/fragment-reader';
import { createMuxer } from '@nacre/media/fmp4/muxer';
import { PublishRefusal } from '@nacre/media/hooks';
import { createFrameReader, encodeFrame, maxFrameBytes } from '@nacre/media/pipe';
import { createRtmpProtocol, rtmpLimits } from '@nacre/media/rtmp/protocol';
import { createRtmpSession, type RtmpSession } from '@nacre/media/rtmp/rtmp-session';
import { createH264Depacketiser } from '@nacre/media/rtp/h264';
import { parseRtp } from '@nacre/media/rtp/packet';
import { buildNack, buildReceiverReport, parseRtcp } from '@nacre/media/rtp/rtcp';
import { createTransportFeedback } from '@nacre/media/rtp/transport-feedback';
import type { Uplink } from '@nacre/media/rtp/uplink';
import { buildAnswer } from '@nacre/media/whip/answer';
import { decodePublished, parsePublisherMessage } from '@nacre/contract/publish';
import { createSocketSession } from '@nacre/media/socket/socket-session';
import { parseOffer, type Offer } from '@nacre/media/whip/offer';
import { createSession } from '@nacre/media/whip/session';
import { createHlsRoutes } from '../../server/src/video/hls-routes.ts';
import type { Chance } from '../simulation/world.ts';
import { joinLines, joinPackets, mutateBytes, mutateList, splitLines, splitPackets } from './mutate.ts';

export interface FuzzTarget {
  name: string;
  /** Folder of the corpus that its inputs come from. */
  corpus: 'sdp' | 'packets' | 'requests' | 'rtmp';
  mutate(seeds: readonly Buffer[], chance: Chance): Buffer;
  run(input: Buffer): void | Promise<void>;
}

const transport = {
  iceUfrag: 'ours', icePwd: 'p'.repeat(32), fingerprint: `sha-256 ${Array(32).fill('AB').join(':')}`,
  setup: 'active', addresses: ['192.0.2.7'], udpPort: 4000,
} as const;

const lists = (
  split: (bytes: Buffer) => Buffer[], join: (items: readonly Buffer[]) => Buffer,
) => (seeds: readonly Buffer[], chance: Chance): Buffer => {
  const input = chance.pick(seeds);
  if (chance.is(0.3)) return mutateBytes(input, chance, chance.pick(seeds));
  return join(mutateList(split(input), chance, split(chance.pick(seeds))));
};
const mutatePackets = lists(splitPackets, joinPackets);

/** Every line of an answer is one of SDP, whatever was offered: nothing of the offer may break out of its line. */
function runOffer(input: Buffer): void {
  try {
    const answer = buildAnswer(parseOffer(input.toString()), transport);
    for (const line of answer.split('\r\n').slice(0, -1)) assert.match(line, /^[a-z]=[\x20-\x7e]*$/);
  } catch (error) {
    if (!(error instanceof PublishRefusal)) throw error;
  }
}

function runRtp(input: Buffer): void {
  const feedback = createTransportFeedback();
  for (const packet of splitPackets(input)) {
    const parsed = parseRtp(packet, 3);
    if (parsed === null) continue;
    assert.ok(parsed.payload.length <= packet.length);
    if (parsed.transportSequence >= 0) feedback.received(parsed.transportSequence, packet.length);
  }
  for (const report of feedback.take(1, 2)) assert.ok(report.length % 4 === 0 && report.length < 1400);
}

function runRtcp(input: Buffer): void {
  for (const packet of splitPackets(input)) {
    for (const message of parseRtcp(packet)) {
      if (message.type !== 'nack') continue;
      assert.ok(message.sequences.length <= packet.length * 17);
      buildNack(1, message.mediaSsrc, message.sequences);
    }
  }
  buildReceiverReport(1, []);
}

/** The payloads of packets as one stream's: the pictures that come out must be readable by whoever cuts them. */
function runH264(input: Buffer): void {
  let lastTime = 0;
  const muxer = createMuxer({
    sound: null,
    soundMs: () => null,
    onInit: ({ info }) => assert.ok(info.width > 0 && info.height > 0),
    onFragment({ data, timeMs, durationMs }) {
      assert.equal(readFragments(data).length, 1);
      assert.ok(timeMs >= lastTime && durationMs >= 0, `${timeMs} after ${lastTime}, for ${durationMs}`);
      lastTime = timeMs;
    },
  });
  const depacketiser = createH264Depacketiser({
    onStart: (timestamp) => muxer.pictureStarts(timestamp),
    onUnit: (unit) => muxer.picture(unit),
    onDropped: () => undefined,
    onKeyNeeded: () => undefined,
  });
  splitPackets(input).forEach((bytes, index) => {
    const packet = parseRtp(bytes, 0);
    if (packet === null) depacketiser.lost();
    else {
      const { payload, marker } = packet;
      depacketiser.push({ payload, marker, timestamp: packet.timestamp, arrivedMs: index });
    }
  });
  muxer.flush();
}

/** The offer that the packets of the corpus belong to, as far as a session needs it. */
const codec = { rtxPayloadType: null, parameters: '', feedback: [], transportSequenceId: 3, ssrc: null };
const offer: Offer = {
  sections: [], iceUfrag: '', icePwd: '', fingerprint: '', setup: '', bundle: [], hasReducedSize: true,
  videoIndex: 0, video: { ...codec, payloadType: 102, rtxPayloadType: 103 }, simulcast: null,
  audioIndex: 1, audio: { ...codec, payloadType: 111 },
};

const taken = { restrictions: '', isPaused: false, isTaken: true };
/** The same, of two sizes. */
const sizedOffer: Offer = {
  ...offer, simulcast: { ridId: 10, repairedRidId: 11, layers: [{ rid: 's', ...taken }, { rid: 'f', ...taken }] },
};

function runSession(input: Buffer): void {
  publish(offer, input);
  publish(sizedOffer, input);
}

/** A whole session: what is sent back and what comes out stays bounded and readable. */
function publish(offer: Offer, input: Buffer): void {
  let sent = 0;
  const session = createSession({
    streamId: 's', sessionId: 's', offer,
    send: (packet) => {
      sent += 1;
      assert.ok(packet.length % 4 === 0 && packet.length <= 1400, `${packet.length} bytes`);
      return true;
    },
    onUp: () => undefined,
    onInit: () => undefined,
    onFragment: ({ data }) => void readFragments(data),
    onSmallGone: () => undefined,
    onUplink: assertUplink,
    onLost: () => undefined,
  });
  session.connected();
  const startMs = performance.now();
  splitPackets(input).forEach((packet, index) => {
    session.packet(packet);
    if (index % 4 === 0) session.tick(startMs + index * 10);
  });
  session.tick(startMs + 2_000);
  session.flush();
  const stats = session.stats();
  assert.ok(Object.values(stats).every((value) => typeof value !== 'number' || Number.isFinite(value)), 'figures');
  assert.ok(sent < 1000, `${sent} packets sent back`);
}

function assertUplink({ uplinkMs, placedMs }: Uplink): void {
  assert.ok(uplinkMs >= 0 && uplinkMs <= 10_000 && Math.abs(placedMs) <= 20_000, `${uplinkMs} ${placedMs}`);
}

/** What a publisher's socket brings, as text, as what it should be, and as pictures and sound whatever it is. */
function runPublishSocket(input: Buffer): void {
  let bytes = 0;
  const session = createSocketSession({
    hasSound: true, nowMs: 0, silenceMs: 4_000,
    onUp: () => undefined,
    onInit: ({ info }) => assert.ok(info.width > 0 && info.height > 0),
    onFragment({ data }) {
      bytes += data.length;
      assert.equal(readFragments(data).length, 1);
    },
    onUplink: assertUplink,
    onKeyNeeded: () => undefined,
    onLost: () => undefined,
  });
  splitPackets(input).forEach((packet, index) => {
    const message = parsePublisherMessage(packet.toString());
    if (message?.type === 'ping') session.ping(message.sentMs, message.before, index);
    const media = decodePublished(packet);
    const payload = Buffer.concat([Buffer.from([0, 0, 0, 1]), packet.subarray(12)]);
    session.picture(payload, media?.capturedMs ?? index * 33, index);
    session.sound(packet.subarray(12), index * 20, index);
    session.recorded(packet.subarray(12), index, index);
    session.tick(index * 10);
  });
  session.end();
  // The longest silence that one sound may bring is 10 s, of 3 bytes each 20 ms.
  assert.ok(bytes < input.length * 2 + splitPackets(input).length * 20_000, `${bytes} bytes of ${input.length}`);
}

/** A session that says whether what it makes can be read and is no more than what came. */
function watchedRtmpSession(): { session: RtmpSession; made(): number } {
  let made = 0;
  const session = createRtmpSession({
    nowMs: 0, silenceMs: 4_000,
    onUp: () => undefined,
    onInit: ({ info }) => assert.ok(info.width > 0 && info.height > 0),
    onFragment({ data, timeMs, durationMs }) {
      made += data.length;
      assert.equal(readFragments(data).length, 1);
      assert.ok(Number.isFinite(timeMs) && durationMs > 0, `${timeMs} for ${durationMs}`);
    },
    onLost: () => undefined,
    onProblem: ({ code, found }) => assert.ok(code.length > 0 && (found === null || found.length < 40)),
  });
  return { session, made: () => made };
}

/** The longest silence that one sound may bring is 10 s, of 9 bytes each 21 ms, and each has its boxes. */
const mostOf = (input: Buffer): number => input.length * 3 + splitPackets(input).length * 20_000;

/** A connection as it comes: it goes on or ends, answers little, and holds no more than it may. */
function runRtmp(input: Buffer): void {
  let answered = 0;
  const { session, made } = watchedRtmpSession();
  let messages = 0;
  const protocol = createRtmpProtocol({
    send: (bytes) => void (answered += bytes.length),
    onPublish: () => protocol.accept(),
    onMedia(message) {
      assert.ok(message.payload.length <= rtmpLimits.messageBytes);
      session.take(message, messages * 10);
    },
    onGoodbye: () => undefined,
    admits: () => (messages += 1) < 2_000,
  });
  for (const piece of splitPackets(input)) if (!protocol.take(piece)) break;
  session.end();
  assert.ok(answered < 20_000 + input.length * 4, `${answered} bytes answered to ${input.length}`);
  assert.ok(made() <= mostOf(input), `${made()} bytes of ${input.length}`);
}

/** What is in the messages, past the protocol, as pictures and as sound whatever it is. */
function runRtmpTags(input: Buffer): void {
  const { session, made } = watchedRtmpSession();
  splitPackets(input).forEach((packet, index) => {
    // Behind the long header of a chunk and behind the short one.
    for (const payload of [packet.subarray(12), packet.subarray(8)]) {
      session.take({ kind: 'video', timestamp: index * 33, payload }, index * 33);
      session.take({ kind: 'audio', timestamp: index * 33, payload }, index * 33);
    }
    session.tick(index * 33);
  });
  session.end();
  assert.ok(made() <= mostOf(input), `${made()} bytes of ${input.length}`);
}

/** Read in pieces: a frame is a message or ends the pipe, and no length makes it wait for more than it may hold. */
function runPipe(input: Buffer): void {
  let bytes = 0;
  const read = createFrameReader(({ head, body }) => {
    assert.equal(typeof head.type, 'string');
    bytes += body.length;
  });
  try {
    for (let at = 0; at < input.length; at += 997) read(input.subarray(at, at + 997));
  } catch (error) {
    if (error instanceof assert.AssertionError || error instanceof RangeError) throw error;
  }
  assert.ok(bytes <= input.length && bytes <= maxFrameBytes);
}

function framesOf(packets: readonly Buffer[]): Buffer {
  return Buffer.concat(packets.slice(0, 8).flatMap((body, index) => (
    encodeFrame({ type: 'fragment', streamId: 's', sessionId: 's', track: 'video', timeMs: index * 40 }, body)
  )));
}

let hlsApp: Promise<FastifyInstance> | null = null;

async function openHls(): Promise<FastifyInstance> {
  const hls = createHlsLadder({ now: () => 0, waitMs: 1 });
  const ids = { streamId: 'show', sessionId: '1', generation: 1 };
  hls.onMediaEvent({
    type: 'init', ...ids, layer: 'full', mime: 'video/mp4; codecs="avc1.42e01f,opus"', width: 720, height: 1280,
    hasVideo: true, hasAudio: true, initSegment: Buffer.alloc(0),
  });
  for (let timeMs = 0; timeMs < 9_000; timeMs += 40) {
    hls.onMediaEvent({
      type: 'fragment', ...ids, layer: 'full', track: 'video', isKey: timeMs % 2_000 === 0, timeMs, durationMs: 40,
      arrivedAtMs: timeMs, data: Buffer.alloc(64),
    });
  }
  const app = fastify({ routerOptions: { maxParamLength: 200 } });
  const missing = { kind: 'not-found' } as const;
  const reader = { playlist: async () => missing, file: async () => missing };
  const aac = { multivariant: async () => missing, whole: reader, sound: reader };
  await app.register(createHlsRoutes({
    hls, aac: aac as never, mayWatch: async () => [], isPublic: async () => true, hasBans: async () => false,
  }).routes);
  return app;
}

/** One request a line; answers are those that the draft knows, and none is a fault of ours. */
async function runHls(input: Buffer): Promise<void> {
  const app = await (hlsApp ??= openHls());
  for (const line of splitLines(input).slice(0, 6)) {
    const url = `/live/show/${line.toString('latin1').replaceAll(/[^\x21-\x7e]/g, '')}`;
    const { statusCode } = await app.inject({ method: 'GET', url });
    assert.ok(statusCode < 500 || statusCode === 503, `${statusCode} for ${url}`);
  }
}

export const fuzzTargets: readonly FuzzTarget[] = [
  { name: 'sdp', corpus: 'sdp', mutate: lists(splitLines, joinLines), run: runOffer },
  { name: 'rtp', corpus: 'packets', mutate: mutatePackets, run: runRtp },
  { name: 'rtcp', corpus: 'packets', mutate: mutatePackets, run: runRtcp },
  { name: 'h264', corpus: 'packets', mutate: mutatePackets, run: runH264 },
  { name: 'session', corpus: 'packets', mutate: mutatePackets, run: runSession },
  { name: 'publish-socket', corpus: 'packets', mutate: mutatePackets, run: runPublishSocket },
  { name: 'rtmp', corpus: 'rtmp', mutate: mutatePackets, run: runRtmp },
  { name: 'rtmp-tags', corpus: 'rtmp', mutate: mutatePackets, run: runRtmpTags },
  {
    name: 'pipe', corpus: 'packets', run: runPipe,
    mutate: (seeds, chance) => {
      const frames = framesOf(splitPackets(chance.pick(seeds)));
      return mutateBytes(frames, chance, framesOf(splitPackets(chance.pick(seeds))));
    },
  },
  { name: 'hls', corpus: 'requests', mutate: lists(splitLines, joinLines), run: runHls },
];
