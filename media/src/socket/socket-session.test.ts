import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny';
import { demoClip, startPublisherStage } from '../../../tests/support/publisher-stage.ts';
import type { MediaEvent } from '../hooks.ts';
import { loadClip } from '../publisher/clip.ts';
import { startPublisher } from '../publisher/publisher.ts';
import { parseAnnexB } from './annex-b.ts';
import { createPublisherRegistry } from '../publishing/registry.ts';
import { createSocketPublishers, maxSocketPublishers, type SocketPublishers } from './socket-publishers.ts';
import { createSocketSession, firstPictureWithinMs } from './socket-session.ts';

const clip = await loadClip(demoClip);
const startCode = Buffer.from([0, 0, 0, 1]);
const picture = (at: number): Buffer => Buffer.concat(clip.pictures[at]!.nals.flatMap((nal) => [startCode, nal]));
const pictureMs = (at: number): number => clip.pictures[at]!.ticks / 90;
const log = { error: () => undefined };
const silenceMs = 4_000;

function session(hasSound = true) {
  const told: string[] = [];
  const fragments: Buffer[] = [];
  const opened = createSocketSession({
    hasSound, nowMs: 0, silenceMs: 4000,
    onUp: () => told.push('up'),
    onInit: ({ info, initSegment }) => {
      told.push(`init ${info.width}×${info.height}`);
      fragments.push(initSegment);
    },
    onFragment: ({ track, data }) => {
      told.push(track);
      fragments.push(data);
    },
    onUplink: ({ uplinkMs, placedMs }) => told.push(`uplink ${Math.round(uplinkMs)}`, `placed ${Math.round(placedMs)}`),
    onKeyNeeded: () => told.push('key'),
    onLost: () => told.push('lost'),
  });
  return { opened, told, fragments };
}

test('[M70] pictures and sound of a socket are an MP4 that others read, with all of them in it', async () => {
  const { opened, told, fragments } = session();
  for (let at = 0; at < 60; at += 1) {
    const ms = pictureMs(at);
    assert.ok(opened.picture(picture(at), 5_000 + ms, ms));
    for (const sound of clip.sounds) {
      const soundMs = sound.ticks / 48;
      if (soundMs >= ms && soundMs < pictureMs(at + 1)) assert.ok(opened.sound(sound.data, 5_000 + soundMs, ms));
    }
  }
  opened.end();
  assert.deepEqual(told.slice(0, 2), ['up', `init ${clip.width}×${clip.height}`]);
  const input = new Input({ formats: ALL_FORMATS, source: new BufferSource(Buffer.concat(fragments)) });
  const track = await input.getPrimaryVideoTrack();
  const sound = await input.getPrimaryAudioTrack();
  assert.ok(track && sound);
  let index = 0;
  for await (const packet of new EncodedPacketSink(track).packets()) {
    assert.ok(Math.abs(packet.timestamp * 1000 - pictureMs(index)) < 1, 'each at its own time');
    index += 1;
  }
  assert.equal(index, 60);
  assert.ok(Math.abs((await sound.computeDuration()) * 1000 - pictureMs(60)) < 80);
});

test('[M71] nothing is passed on before the first key picture, and one is asked for', () => {
  const { opened, told } = session(false);
  const delta = clip.pictures.findIndex(({ isKey }) => !isKey);
  for (let ms = 0; ms <= 2_000; ms += 100) assert.ok(opened.picture(picture(delta), ms, ms));
  assert.deepEqual([...new Set(told)], ['key']);
  assert.equal(told.length, 4, 'once in 500 ms');
  opened.picture(picture(0), 2_100, 2_100);
  assert.deepEqual(told.slice(4), ['up', `init ${clip.width}×${clip.height}`]);
});

test('[M71] what is no picture and a clock that runs away are refused, and nothing throws', () => {
  const refused = ['', '00', '000000', '00000109f0', '0000016742', 'ff0000016588', '0000000000'];
  for (const hex of refused) assert.equal(parseAnnexB(Buffer.from(hex, 'hex')), null, hex);
  assert.equal(parseAnnexB(Buffer.alloc(4_000, startCode)), null);
  assert.equal(parseAnnexB(Buffer.concat(Array(600).fill(Buffer.from([0, 0, 1, 0x65])))), null);
  const four = parseAnnexB(Buffer.from('00000001674200000001680000016588800000', 'hex'));
  assert.deepEqual(four?.nals.map(({ type, size }) => [type, size]), [[7, 2], [8, 1], [5, 3]]);
  const { opened } = session();
  assert.ok(opened.picture(picture(0), 1_000, 0));
  assert.equal(opened.picture(picture(1), 12_000, 500), false, 'ten seconds ahead of the clock here');
  assert.equal(opened.sound(Buffer.from('fcfffe', 'hex'), 12_000, 500), false);
  assert.ok(opened.picture(picture(1), 900, 600), 'behind its time it comes after the one before');
  let seed = 7;
  for (let round = 0; round < 3_000; round += 1) {
    const bytes = Buffer.from(picture(round % 5));
    for (let change = 0; change < 20; change += 1) {
      seed = (seed * 48_271) % 2_147_483_647;
      bytes[seed % bytes.length] = seed & 0xff;
    }
    opened.picture(bytes, 1_000 + round, round);
    opened.sound(bytes.subarray(0, seed % 300), 1_000 + round, round);
    opened.tick(round);
  }
  opened.end();
});

test('[M73] silence of 4 s is a loss, and so is a publisher that never sends a picture', () => {
  const quiet = session();
  quiet.opened.picture(picture(0), 0, 100);
  quiet.opened.tick(4_100);
  assert.ok(!quiet.told.includes('lost'));
  quiet.opened.tick(4_101);
  quiet.opened.tick(9_000);
  assert.deepEqual(quiet.told.filter((one) => one === 'lost'), ['lost']);
  const blank = session();
  for (let ms = 0; ms <= firstPictureWithinMs; ms += 1_000) {
    blank.opened.ping(ms, undefined, ms);
    blank.opened.tick(ms);
  }
  assert.ok(!blank.told.includes('lost'));
  blank.opened.tick(firstPictureWithinMs + 1);
  assert.deepEqual(blank.told, ['lost']);
});

test('[M75] how long pictures take from the camera is measured, whatever the clocks say', () => {
  const { opened, told } = session(false);
  const far = 1_000_000;
  // 40 ms there, 20 ms back, and 30 ms in the encoder.
  opened.ping(far, undefined, 40);
  opened.ping(far + 1_000, { sentMs: far, roundTripMs: 60 }, 1_040);
  opened.picture(picture(0), far + 1_000, 1_070);
  opened.tick(1_100);
  // Half of a round trip of 60 is 30: the way there counts 10 ms short, which no clock can tell.
  assert.deepEqual(told.filter((one) => one.startsWith('uplink')), ['uplink 60']);
});

test('[M230] by socket: where pictures lie is the first one’s way, whatever later ones take', () => {
  const { opened, told } = session(false);
  const far = 1_000_000;
  opened.ping(far, undefined, 30);
  opened.ping(far + 1_000, { sentMs: far, roundTripMs: 60 }, 1_030);
  // The first waits for 400 ms in the encoder, those behind it do not.
  opened.picture(picture(0), far + 1_000, 1_430);
  for (let ms = 500; ms < 3_000; ms += 40) opened.picture(picture(1), far + 1_000 + ms, 1_050 + ms);
  opened.tick(4_000);
  assert.deepEqual(told.filter((one) => one.startsWith('placed')), ['placed 430']);
  assert.ok(told.some((one) => /^uplink 1?\d\d$/.test(one)), told.join(' '));
});

test('[M219] so it is while pings follow each other sooner than the line answers', () => {
  const { opened, told } = session(false);
  const far = 1_000_000;
  // 300 ms there, 200 ms back: the answer to the first comes when two more are on their way.
  for (const [sentMs, before] of [[0], [200], [400], [600, 0]] as const) {
    const answered = before === undefined ? undefined : { sentMs: far + before, roundTripMs: 500 };
    opened.ping(far + sentMs, answered, sentMs + 300);
  }
  opened.picture(picture(0), far + 600, 930);
  opened.tick(1_000);
  assert.deepEqual(told.filter((one) => one.startsWith('uplink')), ['uplink 280']);
});

function open(publishers: SocketPublishers, streamId: string, ends: string[] = []) {
  return publishers.open({
    streamId, hasSound: false,
    onKeyNeeded: () => undefined,
    onEnd: (reason) => void ends.push(`${streamId} ${reason}`),
  });
}

function socketStage(t: TestContext) {
  const events: MediaEvent[] = [];
  const registry = createPublisherRegistry({
    log, onEvent: (event) => void events.push(event), takeOver: (streamId) => void told.push(streamId),
  });
  const publishers = createSocketPublishers({ registry, silenceMs });
  const told: string[] = [];
  t.after(() => registry.stop());
  const types = () => events.map((event) => (event.type === 'down' ? `down ${event.reason}` : event.type));
  return { registry, publishers, events, types, told };
}

test('[M72] who takes over by socket replaces the one before, once its first picture is there', (t) => {
  const { registry, publishers, types, told } = socketStage(t);
  const ends: string[] = [];
  const first = open(publishers, 'a', ends)!;
  first.picture(picture(0), 0);
  const second = open(publishers, 'a', ends)!;
  assert.deepEqual(types(), ['up', 'init'], 'who has shown nothing replaces nobody');
  open(publishers, 'b', ends);
  second.picture(picture(0), 0);
  assert.deepEqual(types(), ['up', 'init', 'fragment', 'down replaced', 'up', 'init']);
  assert.deepEqual(told, ['a', 'a'], 'the other way is told each time');
  first.end('lost');
  assert.ok(first.picture(picture(1), 40), 'what still comes of it is dropped');
  registry.replace('a');
  assert.deepEqual(ends, ['a replaced', 'a replaced']);
  assert.deepEqual(types().slice(6), ['fragment', 'down replaced']);
});

test('[M74] so many publish by socket and no more; a takeover needs no place', (t) => {
  const { registry, publishers } = socketStage(t);
  for (let index = 0; index < maxSocketPublishers; index += 1) assert.ok(open(publishers, `s${index}`));
  assert.equal(open(publishers, 'one more'), null);
  assert.ok(open(publishers, 's0'));
  assert.equal(registry.count('socket'), maxSocketPublishers, 'the one of before had not shown a picture');
  registry.drop('s1');
  assert.ok(open(publishers, 'one more'));
});

test('[M72] one stream by WHIP, then by socket, then by WHIP: each replaces the other, in order', async (t) => {
  const stage = await startPublisherStage({
    onEvent: (event) => event.type === 'up' && registry.replace(event.streamId),
  });
  const registry = createPublisherRegistry({
    log,
    onEvent: (event) => void stage.events.push(event),
    takeOver: (streamId) => stage.supervisor.replace(streamId),
  });
  const publishers = createSocketPublishers({ registry, silenceMs });
  const publish = () => startPublisher({ url: stage.url, key: 'show', clip, log: () => undefined });
  const whip = publish();
  t.after(async () => {
    registry.stop();
    await stage.stop();
  });
  await stage.until('a picture by WHIP', () => stage.of('init').length === 1);
  const socket = open(publishers, 'show')!;
  socket.picture(picture(0), 0);
  assert.deepEqual(stage.of('down').map(({ reason }) => reason), ['replaced']);
  const [byWhip, bySocket] = stage.of('up');
  assert.equal(bySocket?.sessionId, socket.sessionId);
  assert.ok(stage.events.indexOf(stage.of('down')[0]!) < stage.events.indexOf(bySocket!));
  await whip.stop();
  const again = publish();
  await stage.until('WHIP again', () => stage.of('init').length === 3);
  assert.deepEqual(stage.of('down').map(({ sessionId }) => sessionId), [byWhip?.sessionId, socket.sessionId]);
  await again.stop();
});
