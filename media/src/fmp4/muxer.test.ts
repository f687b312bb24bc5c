import assert from 'node:assert/strict';
import test from 'node:test';
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny';
import type { NalUnit } from '../rtp/h264.ts';
import { avcCodecString, parseSps } from './avc.ts';
import { box, fullBox, text, u16, u32, u8 } from './boxes.ts';
import { createMuxer, maxHoldMs, type Muxer, type MuxerFragment, type MuxerInit } from './muxer.ts';
import { opusSound } from './sound.ts';

/** 720×1280 constrained baseline by x264, and 640×360 high by x264 (cropped from 368 lines). */
const portrait = Buffer.from('6742c01fd900b40a1bff0040001b1000000300100000030320f1832480', 'hex');
const landscape = Buffer.from('6764001eacd940a02ff97ff000300041000003000100000300320f162d96', 'hex');
const pps = Buffer.from('68cb83cb20', 'hex');

const nal = (bytes: Buffer): NalUnit => ({ type: bytes[0]! & 0x1f, size: bytes.length, chunks: [bytes] });
const slice = (type: number): NalUnit => nal(Buffer.from([0x60 | type, 1, 2, 3, 4]));
const opus = Buffer.from('fcfffe', 'hex');

interface Stage {
  muxer: Muxer;
  inits: MuxerInit[];
  all: MuxerFragment[];
  of(track: 'video' | 'audio'): [number, number][];
  /** One picture with its first packet announced, as the session does it. */
  picture(ms: number, isKey: boolean, sps?: Buffer): void;
  sound(ms: number): void;
}

function stage(hasSound = true): Stage {
  const inits: MuxerInit[] = [];
  const all: MuxerFragment[] = [];
  const muxer = createMuxer({
    sound: hasSound ? opusSound : null,
    soundMs: (timestamp) => timestamp / 48,
    onInit: (init) => inits.push(init),
    onFragment: (fragment) => all.push(fragment),
  });
  const round = (value: number): number => Math.round(value * 1000) / 1000;
  return {
    muxer,
    inits,
    all,
    of: (track) => all.filter((one) => one.track === track).map((one) => [round(one.timeMs), round(one.durationMs)]),
    picture(ms, isKey, sps = portrait) {
      const nals = isKey ? [nal(sps), nal(pps), slice(5)] : [slice(1)];
      muxer.pictureStarts(ms * 90);
      muxer.picture({ timestamp: ms * 90, isKey, nals, arrivedMs: 10_000 + ms });
    },
    sound: (ms) => muxer.sound(opus, ms * 48, 10_000 + ms),
  };
}

/** Each fragment begins where the one before ended. */
function isContiguous(times: [number, number][]): boolean {
  return times.every(([timeMs], index) => {
    const before = times[index - 1];
    return before === undefined || Math.abs(before[0] + before[1] - timeMs) < 0.01;
  });
}

test('[M13] boxes have their size, type, version and flags', () => {
  assert.equal(box('free', u8(1), u16(2)).toString('hex'), '0000000b66726565010002');
  assert.equal(fullBox('tfdt', 1, 2, u32(3)).toString('hex'), '00000010746664740100000200000003');
  assert.equal(text('ab').toString('hex'), '616200');
});

test('[M13] size and codec are read from the sequence parameter set, with cropping', () => {
  assert.deepEqual(parseSps(portrait), { profile: 0x42, constraints: 0xc0, level: 31, width: 720, height: 1280 });
  assert.equal(avcCodecString(parseSps(portrait)!), 'avc1.42c01f');
  const { width, height } = parseSps(landscape)!;
  assert.deepEqual({ width, height }, { width: 640, height: 360 });
});

test('[M1] a broken parameter set is none, and random ones never throw', () => {
  for (let length = 0; length < 9; length += 1) assert.equal(parseSps(portrait.subarray(0, length)), null);
  let seed = 1;
  for (let round = 0; round < 20_000; round += 1) {
    const bytes = Buffer.alloc(4 + (round % 40));
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = (seed = (seed * 48_271) % 2_147_483_647) & 0xff;
    bytes[0] = 0x67;
    parseSps(bytes);
  }
});

test('[M10] a picture is held until the next begins, so durations are exact at any pace', () => {
  const { picture, of, all } = stage(false);
  picture(1000, true);
  assert.equal(all.length, 0);
  for (const ms of [1033, 1066, 1200, 1210]) picture(ms, false);
  assert.deepEqual(of('video'), [[0, 33], [33, 33], [66, 134], [200, 10]]);
});

test('[M10] after a loss the next picture begins where the last one ended', () => {
  const { picture, muxer, of } = stage(false);
  picture(0, true);
  muxer.pictureStarts(40 * 90);
  // That one was lost on the way; the next key picture comes 300 ms later.
  picture(340, true);
  picture(380, false);
  assert.deepEqual(of('video'), [[0, 40], [40, 340]]);
});

test('[M10] a stalled picture is let go after a second, and what follows keeps its own time', () => {
  const { picture, muxer, of } = stage(false);
  picture(0, true);
  muxer.tick(10_000 + maxHoldMs - 1);
  assert.deepEqual(of('video'), []);
  muxer.tick(10_000 + maxHoldMs);
  assert.deepEqual(of('video'), [[0, 1000]]);
  picture(3000, true);
  picture(3040, false);
  assert.deepEqual(of('video'), [[0, 1000], [3000, 40]]);
});

test('[M11] sound before the first picture is left out, and begins at the picture’s zero', () => {
  const { picture, sound, muxer, of } = stage();
  sound(-40);
  picture(0, true);
  for (let ms = -20; ms < 100; ms += 20) sound(ms);
  picture(40, false);
  picture(80, false);
  muxer.flush();
  assert.equal(of('audio')[0]![0], 0);
  assert.ok(isContiguous(of('audio')));
});

test('[M11] a gap is filled with silence to the tick; late sound is dropped', () => {
  const { sound, picture, muxer, of } = stage();
  picture(0, true);
  for (const ms of [0, 20, 95, 115, 60, 135]) sound(ms);
  muxer.flush();
  const times = of('audio');
  assert.ok(isContiguous(times), JSON.stringify(times));
  assert.equal(times.at(-1)![0] + times.at(-1)![1], 155);
});

test('[M11] a publisher that sends no sound gets silence up to the picture; real sound takes over again', () => {
  const { picture, sound, of, all } = stage();
  picture(0, true);
  for (let ms = 40; ms <= 1000; ms += 40) picture(ms, false);
  const silent = of('audio');
  assert.ok(isContiguous(silent));
  assert.ok(silent.at(-1)![0] + silent.at(-1)![1] >= 960, 'the silence keeps up with the picture');
  for (let ms = 1040; ms <= 1400; ms += 40) {
    sound(ms - 40);
    sound(ms - 20);
    picture(ms, false);
  }
  assert.ok(isContiguous(of('audio')));
  const last = all.filter((one) => one.track === 'audio').at(-1)!;
  assert.ok(last.data.subarray(-3).equals(opus), 'the last sound is a real one');
});

test('[M12] a new parameter set makes a new init, a generation, and goes on in time', () => {
  const { picture, inits, all, of } = stage(false);
  picture(0, true);
  picture(40, true);
  picture(80, true, landscape);
  picture(120, false);
  const sizes = inits.map(({ generation, info }) => [generation, info.width, info.height]);
  assert.deepEqual(sizes, [[1, 720, 1280], [2, 640, 360]]);
  assert.deepEqual(all.map(({ generation, isKey }) => [generation, isKey]), [[1, true], [1, true], [2, true]]);
  assert.ok(isContiguous(of('video')));
  assert.equal(inits[1]!.mime, 'video/mp4; codecs="avc1.64001e"');
});

test('[M6] after a key picture with senseless parameter sets nothing is passed on until a good one', () => {
  const { picture, inits, of } = stage(false);
  picture(0, true);
  picture(40, true, Buffer.from('6742', 'hex'));
  picture(80, false);
  picture(120, true);
  picture(160, false);
  assert.equal(inits.length, 1);
  assert.equal(of('video').length, 2);
});

test('[M13] init and fragments are an MP4 that a foreign reader takes, tick by tick', async () => {
  const { picture, sound, muxer, inits, all } = stage();
  for (let index = 0; index < 50; index += 1) {
    picture(index * 40, index % 25 === 0);
    sound(index * 40);
    sound(index * 40 + 20);
  }
  muxer.flush();
  const file = Buffer.concat([inits[0]!.initSegment, ...all.map(({ data }) => data)]);
  const input = new Input({ formats: ALL_FORMATS, source: new BufferSource(file) });
  const video = (await input.getPrimaryVideoTrack())!;
  const audio = (await input.getPrimaryAudioTrack())!;
  assert.equal(await video.getCodecParameterString(), 'avc1.42c01f');
  assert.equal(audio.codec, 'opus');
  const times: number[] = [];
  const keys: number[] = [];
  for await (const packet of new EncodedPacketSink(video).packets()) {
    times.push(Math.round(packet.timestamp * 1000));
    if (packet.type === 'key') keys.push(times.length - 1);
    assert.equal(Buffer.from(packet.data).readUInt32BE(0), 5);
  }
  assert.deepEqual(times, Array.from({ length: 50 }, (_, index) => index * 40));
  assert.deepEqual(keys, [0, 25]);
  let sounds = 0;
  for await (const packet of new EncodedPacketSink(audio).packets()) {
    assert.equal(Math.round(packet.timestamp * 1000), sounds * 20);
    sounds += 1;
  }
  assert.equal(sounds, 100);
});
