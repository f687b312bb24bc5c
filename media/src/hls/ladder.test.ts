import assert from 'node:assert/strict';
import { test } from 'node:test';
import HLS from 'hls-parser';
import { Parser } from 'm3u8-parser';
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny';
import { readFragments } from '../fmp4/fragment-reader.ts';
import { createMuxer } from '../fmp4/muxer.ts';
import { opusSound } from '../fmp4/sound.ts';
import type { NalUnit } from '../rtp/h264.ts';
import type { HlsAnswer, WrittenPlaylist } from './hls.ts';
import type { MediaEvent, PictureLayer } from '../hooks.ts';
import { createHlsLadder, withoutSmall, type HlsLadder, type HlsReader } from './ladder.ts';
import { targetDurationSeconds } from './packager.ts';

const startMs = Date.UTC(2026, 10, 27);
/** 720×1280 constrained baseline. */
const sps = Buffer.from('6742c01fd900b40a1bff0040001b1000000300100000030320f1832480', 'hex');
const pps = Buffer.from('68cb83cb20', 'hex');
const opus = Buffer.from('fcfffe', 'hex');
const nal = (bytes: Buffer): NalUnit => ({ type: bytes[0]! & 0x1f, size: bytes.length, chunks: [bytes] });
const plain = { sequence: null, part: null, skip: false };

/** One size of a publisher's picture, with its sound where it has one; each call goes on where the last came to. */
function createPlayed(ladder: HlsLadder, sessionId: string, layer: PictureLayer, hasSound: boolean) {
  const ids = { streamId: 'show', sessionId, layer };
  const fragments: (MediaEvent & { type: 'fragment' })[] = [];
  const muxer = createMuxer({
    sound: hasSound ? opusSound : null,
    soundMs: (timestamp) => timestamp / 48,
    onInit: ({ info: { width, height }, ...init }) => ladder.onMediaEvent({
      type: 'init', ...ids, ...init, width, height, hasVideo: true, hasAudio: hasSound,
    }),
    onFragment: ({ arrivedMs, ...fragment }) => {
      const event = { type: 'fragment', ...ids, ...fragment, arrivedAtMs: startMs + arrivedMs } as const;
      if (layer === 'small' && event.track === 'audio') return;
      fragments.push(event);
      ladder.onMediaEvent(event);
    },
  });
  return {
    fragments,
    step(ms: number, gopMs: number): void {
      if (ms % 40 === 0) {
        const isKey = ms % gopMs === 0;
        const nals = isKey ? [nal(sps), nal(pps), nal(Buffer.from([0x65, 1]))] : [nal(Buffer.from([0x61, 1]))];
        muxer.pictureStarts(ms * 90);
        muxer.picture({ timestamp: ms * 90, isKey, nals, arrivedMs: ms });
      }
      if (hasSound && layer === 'full') muxer.sound(opus, ms * 48, ms);
    },
  };
}

function stage() {
  const ladder = createHlsLadder({ now: () => startMs, waitMs: 100 });
  /** One publisher's session from its beginning on: 25 pictures a second, a key picture each 2 s. */
  function play(sessionId: string, seconds: number, hasSound = true): void {
    const full = createPlayed(ladder, sessionId, 'full', hasSound);
    for (let ms = 0; ms < seconds * 1_000; ms += 20) full.step(ms, 2_000);
  }
  const down = (sessionId: string): void => (
    ladder.onMediaEvent({ type: 'down', streamId: 'show', sessionId, reason: 'lost' })
  );
  /** With a small picture from 2 s on, that stops after 10 s and is known to be gone a second later. */
  function playBoth(sessionId: string, seconds: number, stopMs = 10_000) {
    const full = createPlayed(ladder, sessionId, 'full', true);
    const small = createPlayed(ladder, sessionId, 'small', true);
    for (let ms = 0; ms < seconds * 1_000; ms += 20) {
      full.step(ms, 2_000);
      if (ms >= 2_000 && ms < stopMs) small.step(ms, 2_500);
      if (ms !== stopMs + 1_000) continue;
      ladder.onMediaEvent({ type: 'layer-down', streamId: 'show', sessionId, layer: 'small' });
    }
    return { full: full.fragments, small: small.fragments };
  }
  return { ladder, play, playBoth, down };
}

async function textOf(answer: Promise<HlsAnswer<WrittenPlaylist>>): Promise<string> {
  const found = await answer;
  assert.equal(found.kind, 'ok');
  return found.kind === 'ok' ? found.body.text : '';
}

async function bytesOf(reader: HlsReader, uri: string): Promise<Buffer> {
  const found = await reader.file('show', uri);
  assert.equal(found.kind, 'ok', uri);
  return found.kind === 'ok' ? found.body : Buffer.alloc(0);
}

function mediaPlaylist(text: string): HLS.types.MediaPlaylist {
  const parser = new Parser();
  parser.push(text);
  parser.end();
  assert.ok(parser.manifest.segments.length > 0);
  const playlist = HLS.parse(text);
  assert.ok(!playlist.isMasterPlaylist);
  return playlist as HLS.types.MediaPlaylist;
}

test('[M164] who takes the full picture alone notices nothing of a small one', async () => {
  const both = stage();
  both.playBoth('1', 15);
  const alone = stage();
  alone.play('1', 15);
  const withoutReports = (text: string): string => text.replace(/^#EXT-X-RENDITION-REPORT.*small.*\n/m, '');
  for (const rendition of ['whole', 'sound'] as const) {
    const text = await textOf(both.ladder[rendition].playlist('show', plain));
    assert.equal(withoutReports(text), await textOf(alone.ladder[rendition].playlist('show', plain)));
  }
});

test('[M140] the sound alone is offered behind the whole, without sound there is none', async () => {
  const { ladder, play, down } = stage();
  play('1', 5);
  const master = HLS.parse(await textOf(ladder.multivariant('show'))) as HLS.types.MasterPlaylist;
  assert.deepEqual(
    master.variants.map(({ uri, codecs, resolution }) => [uri, codecs, resolution?.height ?? null]),
    [['media.m3u8', 'avc1.42c01f,opus', 1280], ['sound/media.m3u8', 'opus', null]],
  );
  const [whole, sound] = master.variants;
  assert.ok(sound!.bandwidth < whole!.bandwidth, 'measured, not assumed');
  down('1');
  play('2', 5, false);
  assert.doesNotMatch(await textOf(ladder.multivariant('show')), /sound/);
});

test('[M140] the sound alone holds every sound once, in time with the whole, cut by its own length', async () => {
  const { ladder, play } = stage();
  play('1', 9);
  const playlist = mediaPlaylist(await textOf(ladder.sound.playlist('show', plain)));
  const segments = playlist.segments.filter(({ uri }) => uri !== '');
  for (const { duration } of segments) assert.ok(Math.abs(duration - 2) < 0.1, `${duration} s`);
  assert.ok(segments.every(({ duration }) => Math.round(duration) <= targetDurationSeconds));
  const init = await bytesOf(ladder.sound, segments[0]?.map?.uri ?? '');
  const bodies = await Promise.all(segments.map(({ uri }) => bytesOf(ladder.sound, uri)));
  const input = new Input({ source: new BufferSource(Buffer.concat([init, ...bodies])), formats: ALL_FORMATS });
  assert.equal(await input.getPrimaryVideoTrack(), null);
  const track = await input.getPrimaryAudioTrack();
  assert.ok(track);
  const times: number[] = [];
  for await (const packet of new EncodedPacketSink(track).packets()) times.push(Math.round(packet.timestamp * 1_000));
  assert.deepEqual(times, times.map((_, index) => index * 20));
  assert.ok(times.length >= 300, `${times.length} packets`);
  const { segments: whole } = mediaPlaylist(await textOf(ladder.whole.playlist('show', plain)));
  assert.equal(segments[0]?.programDateTime?.getTime(), whole[0]?.programDateTime?.getTime());
});

test('[M141] each playlist says how far the other rendition has come', async () => {
  const { ladder, play } = stage();
  play('1', 5);
  for (const [reader, other, uri] of [
    [ladder.whole, ladder.sound, 'sound/media.m3u8'], [ladder.sound, ladder.whole, '../media.m3u8'],
  ] as const) {
    const [report] = mediaPlaylist(await textOf(reader.playlist('show', plain))).renditionReports;
    const { segments, mediaSequenceBase = 0 } = mediaPlaylist(await textOf(other.playlist('show', plain)));
    assert.equal(report?.uri, uri);
    assert.equal(report?.lastMSN, mediaSequenceBase + segments.length - 1);
    assert.equal(report?.lastPart, segments.at(-1)!.parts.filter(({ hint }) => !hint).length - 1);
  }
});

test('[M165] the small picture is offered between the whole and the sound, and alone to who asks for it', async () => {
  const { ladder, play, playBoth, down } = stage();
  playBoth('1', 9);
  const uris = async (answer: ReturnType<HlsLadder['smaller']>): Promise<string[]> => (
    (HLS.parse(await textOf(answer)) as HLS.types.MasterPlaylist).variants.map(({ uri }) => uri)
  );
  const all = ['media.m3u8', 'small/media.m3u8', 'sound/media.m3u8'];
  assert.deepEqual(await uris(ladder.multivariant('show')), all);
  assert.deepEqual(await uris(ladder.smaller('show')), all.slice(1));
  assert.deepEqual(await uris(ladder.multivariant('show', withoutSmall)), ['media.m3u8', 'sound/media.m3u8']);
  down('1');
  play('2', 5);
  assert.deepEqual(await uris(ladder.multivariant('show')), all, 'who plays it goes on with the whole');
  ladder.end('show');
  const never = stage();
  never.play('1', 5);
  assert.deepEqual(await uris(never.ladder.smaller('show')), ['media.m3u8', 'sound/media.m3u8']);
  assert.deepEqual(await never.ladder.small.playlist('show', plain), { kind: 'not-found' });
});

test('[M165] a show whose next publisher sends two sizes has the same discontinuities in each', async () => {
  const { ladder, play, playBoth, down } = stage();
  play('1', 5);
  down('1');
  playBoth('2', 9);
  for (const reader of [ladder.whole, ladder.small, ladder.sound]) {
    const playlist = mediaPlaylist(await textOf(reader.playlist('show', plain)));
    const before = playlist.segments.filter(({ discontinuity }) => discontinuity).length;
    assert.equal((playlist.discontinuitySequenceBase ?? 0) + before, 1);
  }
});

for (const stopMs of [10_000, 9_560, 9_640, 9_720]) {
  test(`[M165] its playlist goes on with the full picture when none is sent any more (${stopMs} ms)`, async () => {
    const { ladder, playBoth } = stage();
    await assertGoesOn(ladder, playBoth('1', 20, stopMs), stopMs);
  });
}

async function assertGoesOn(
  ladder: HlsLadder, sent: Record<'full' | 'small', (MediaEvent & { type: 'fragment' })[]>, stopMs: number,
): Promise<void> {
  const whole = mediaPlaylist(await textOf(ladder.whole.playlist('show', plain)));
  const small = mediaPlaylist(await textOf(ladder.small.playlist('show', plain)));
  assert.equal(small.segments.filter(({ discontinuity }) => discontinuity).length, 0);
  assert.equal(new Set(small.segments.flatMap(({ uri, map }) => (uri ? [map?.uri] : []))).size, 2);
  const bodies = await Promise.all(small.segments.flatMap(({ uri }) => (uri ? [bytesOf(ladder.small, uri)] : [])));
  const fragments = bodies.flatMap(readFragments);
  const times = (track: 'video' | 'audio'): number[] => (
    fragments.filter((one) => one.track === track).map(({ timeMs }) => Math.round(timeMs))
  );
  const [first = 0, last = 0] = [times('video')[0], times('video').at(-1)];
  const wanted = [
    ...sent.small.map(({ timeMs }) => timeMs), ...sent.full.filter(({ track }) => track === 'video')
      .map(({ timeMs }) => timeMs).filter((timeMs) => timeMs >= Math.ceil((stopMs + 1_000) / 2_000) * 2_000),
  ].map(Math.round).filter((timeMs) => timeMs <= last);
  assert.deepEqual(times('video'), wanted);
  const sounds = fragments.filter(({ track }) => track === 'audio');
  for (const [index, { timeMs }] of sounds.entries()) {
    const before = sounds[index - 1];
    if (before) assert.ok(Math.abs(before.timeMs + before.durationMs - timeMs) < 1, `sound is missing at ${timeMs} ms`);
  }
  const dateOf = ({ segments }: HLS.types.MediaPlaylist): number => segments[0]!.programDateTime!.getTime();
  assert.equal(dateOf(small) - dateOf(whole), first, 'the same moment has the same date');
}
