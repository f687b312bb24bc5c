import assert from 'node:assert/strict';
import test from 'node:test';
import type { MuxerFragment } from '../fmp4/muxer.ts';
import { readFragments } from '../fmp4/fragment-reader.ts';
import { buildRtp, parseRtp } from '../rtp/packet.ts';
import { parseRtcp } from '../rtp/rtcp.ts';
import { createTrackClock } from '../rtp/sync.ts';
import { withNames } from '../../../tests/support/named-packets.ts';
import { createPictures } from './pictures.ts';

/** 720 × 1280 and 640 × 360, by x264. */
const largeSps = Buffer.from('6742c01fd900b40a1bff0040001b1000000300100000030320f1832480', 'hex');
const smallSps = Buffer.from('6764001eacd940a02ff97ff000300041000003000100000300320f162d96', 'hex');
const pps = Buffer.from('68cb83cb20', 'hex');
const opus = Buffer.from('fcfffe', 'hex');
const codec = { rtxPayloadType: 103, parameters: '', feedback: [], transportSequenceId: null, ssrc: null };
const taken = { restrictions: '', isPaused: false, isTaken: true };
const offer = {
  video: { ...codec, payloadType: 102 },
  audio: { ...codec, payloadType: 111, rtxPayloadType: null },
  simulcast: { ridId: 10, repairedRidId: 11, layers: [{ rid: 's', ...taken }, { rid: 'f', ...taken }] },
};
/** As two streams of one sender have them: beginnings of their own, 0xffff0000 close before its wrap. */
const beginnings = { f: 0xffff_0000, s: 5_000 };
const ssrcs = { f: 21, s: 22 };
type Size = 'f' | 's';

interface Picture {
  /** When it was taken. */
  ms: number;
  isKey: boolean;
  /** How much later than its taking it comes. */
  delayMs?: number;
}

function stage() {
  const told: string[] = [];
  const fragments: (MuxerFragment & { layer: string })[] = [];
  const soundClock = createTrackClock(48_000);
  const pictures = createPictures({
    offer, soundClock,
    onInit: ({ info, generation }, layer) => told.push(`${layer} ${info.width}x${info.height} ${generation}`),
    onFragment: (fragment, layer) => fragments.push({ ...fragment, layer }),
    onSmallGone: () => told.push('small gone'),
    onFullPicture: () => undefined,
  });
  const sequences = { f: 100, s: 65_530 };
  const ticks = (size: Size, ms: number): number => (beginnings[size] + ms * 90) >>> 0;

  function send(size: Size, { ms, isKey, delayMs = 0 }: Picture): void {
    const sps = size === 'f' ? largeSps : smallSps;
    const nals = isKey ? [sps, pps, Buffer.from([0x65, 1, 2])] : [Buffer.from([0x61, 1, 2])];
    nals.forEach((nal, index) => {
      sequences[size] += 1;
      const bare = buildRtp({
        payloadType: 102, ssrc: ssrcs[size], sequence: sequences[size], timestamp: ticks(size, ms),
        marker: index === nals.length - 1,
      }, [nal]);
      const buffer = isKey ? withNames(bare, { 10: size }) : bare;
      pictures.receive(parseRtp(buffer, 0)!, buffer, ms + delayMs);
    });
  }
  /** A sender's report of one size, whose clock is `ms` since 1970. */
  const report = (size: Size, ms: number): void => (
    pictures.streams[size === 's' ? 0 : 1]!.reported({ ntpMs: ms, ntpMiddle: 0, rtpTimestamp: ticks(size, ms) }, ms)
  );
  const pictureTimes = (layer: string): number[] => (
    fragments.filter((one) => one.layer === layer && one.track === 'video').map(({ timeMs }) => Math.round(timeMs))
  );
  return { pictures, told, fragments, send, report, pictureTimes, soundClock };
}

/** Both sizes from `from` to `to`, the small one at half the pictures, key pictures each second. */
function play(s: ReturnType<typeof stage>, sizes: readonly Size[], from: number, to: number, smallDelayMs = 0): void {
  for (let ms = from; ms < to; ms += 40) {
    const isKey = (ms - from) % 1000 === 0;
    if (sizes.includes('f')) s.send('f', { ms, isKey });
    if (sizes.includes('s') && (ms - from) % 80 === 0) s.send('s', { ms, isKey, delayMs: smallDelayMs });
    s.pictures.tick(ms + 5);
  }
}

test('[M160] two sizes come out as two layers on one timeline, by arrivals first, by reports within 20 ms', () => {
  const s = stage();
  play(s, ['f', 's'], 0, 1000, 12);
  assert.deepEqual(s.told, ['full 720x1280 1', 'small 640x360 1']);
  const early = s.pictureTimes('small');
  assert.deepEqual(early, s.pictureTimes('full').filter((_, index) => index % 2 === 0).map((ms) => ms + 12)
    .slice(0, early.length), 'by arrival, which is late by what the small one takes longer');
  s.report('f', 1000);
  s.report('s', 1000);
  play(s, ['f', 's'], 1000, 3000, 12);
  const full = s.pictureTimes('full');
  for (const ms of s.pictureTimes('small').filter((time) => time > 1200)) {
    assert.ok(full.some((other) => Math.abs(other - ms) <= 1), `${ms} of the small one`);
  }
});

test('[M160] the small picture counts from the full one’s beginning, whenever it begins', () => {
  const s = stage();
  play(s, ['f'], 0, 2000);
  play(s, ['f', 's'], 2000, 3000);
  assert.deepEqual(s.pictureTimes('small').slice(0, 3), [2000, 2080, 2160]);
  const first = s.fragments.find(({ layer }) => layer === 'small')!;
  assert.equal(readFragments(first.data)[0]!.timeMs, 2000, 'as in its data');
});

test('[M160] sound comes once, with the full picture', () => {
  const s = stage();
  for (let ms = 0; ms < 1000; ms += 20) {
    s.soundClock.arrived(ms * 48, ms);
    if (ms % 40 === 0) {
      s.send('f', { ms, isKey: ms === 0 });
      s.send('s', { ms, isKey: ms === 0 });
    }
    s.pictures.sound({ payload: opus, timestamp: ms * 48, marker: false, arrivedMs: ms });
  }
  const sounds = s.fragments.filter(({ track }) => track === 'audio');
  assert.ok(sounds.length > 10);
  assert.ok(sounds.every(({ layer }) => layer === 'full'));
});

test('[M163] a small picture that is not sent any more is told, and comes again with an init of its own', () => {
  const s = stage();
  play(s, ['f', 's'], 0, 2000);
  play(s, ['f'], 2000, 4000);
  assert.equal(s.told.at(-1), 'small gone');
  const before = s.pictureTimes('small').length;
  assert.equal(s.told.filter((one) => one === 'small gone').length, 1);
  play(s, ['f', 's'], 4000, 5000);
  assert.equal(s.told.at(-1), 'small 640x360 2');
  assert.equal(s.pictureTimes('small')[before], 4000, 'at its own time');
  assert.deepEqual(s.told.filter((one) => one.startsWith('full')), ['full 720x1280 1']);
});

test('[M163] a goodbye tells it at once', () => {
  const s = stage();
  play(s, ['f', 's'], 0, 1000);
  s.pictures.goodbye([ssrcs.s]);
  s.send('f', { ms: 1000, isKey: false });
  assert.equal(s.told.at(-1), 'small gone');
});

test('[M163] where the large picture stays away the small one is the full one, and gives way when it is back', () => {
  const s = stage();
  play(s, ['f', 's'], 0, 2000);
  play(s, ['s'], 2000, 5000);
  assert.deepEqual(s.told.slice(2), ['small gone', 'full 640x360 2']);
  play(s, ['f', 's'], 5000, 7000);
  assert.deepEqual(s.told.slice(4), ['full 720x1280 3', 'small 640x360 2']);
  const full = s.pictureTimes('full');
  assert.deepEqual(full, [...full].sort((a, b) => a - b));
  assert.ok(Math.max(...full.slice(1).map((ms, index) => ms - full[index]!)) < 2100, 'a gap of one group at most');
});

test('[M163] each size is asked for its own key pictures; those that are silent for none', () => {
  const s = stage();
  const asked = (ms: number): number[] => s.pictures.keyRequests(1, ms).flatMap((packet) => (
    parseRtcp(packet).flatMap((message) => (message.type === 'key-request' ? [message.mediaSsrc] : []))
  ));
  asked(0);
  play(s, ['f', 's'], 0, 1000);
  assert.deepEqual(asked(1000), []);
  // A packet of the small picture is lost for good.
  s.send('s', { ms: 1000, isKey: false });
  const stream = s.pictures.streams[0]!;
  s.pictures.receive({ ...parseRtp(buildRtp({
    payloadType: 102, ssrc: ssrcs.s, sequence: 65_530 + 60, timestamp: 95_000, marker: true,
  }, [Buffer.from([0x61, 1])]), 0)! }, Buffer.alloc(12), 1040);
  stream.nack(1, 1500);
  assert.deepEqual(asked(1500), [ssrcs.s]);
  s.send('s', { ms: 1600, isKey: true });
  s.send('f', { ms: 1600, isKey: false });
  assert.deepEqual(asked(2100).sort(), [ssrcs.f, ssrcs.s], 'due for the full one: both together');
  play(s, ['f'], 2120, 4200);
  assert.deepEqual(asked(6300), [ssrcs.f]);
});

test('[M162] without names nothing comes, and nothing breaks', () => {
  const s = stage();
  for (let sequence = 0; sequence < 100; sequence += 1) {
    const buffer = buildRtp({ payloadType: 102, ssrc: 9, sequence, timestamp: sequence, marker: true }, [largeSps]);
    s.pictures.receive(parseRtp(buffer, 0)!, buffer, sequence);
  }
  s.pictures.tick(1000);
  assert.deepEqual([s.told, s.pictures.keyRequests(1, 2000), s.pictures.mainSsrc()], [[], [], null]);
});
