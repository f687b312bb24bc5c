import assert from 'node:assert/strict';
import { test } from 'node:test';
import HLS from 'hls-parser';
import { Parser } from 'm3u8-parser';
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny';
import { createMuxer } from '../fmp4/muxer.ts';
import { opusSound } from '../fmp4/sound.ts';
import type { NalUnit } from '../rtp/h264.ts';
import type { HlsAnswer, WrittenPlaylist } from './hls.ts';
import { createHlsLadder, type HlsReader } from './ladder.ts';
import { targetDurationSeconds } from './packager.ts';

const startMs = Date.UTC(2026, 10, 27);
/** 720×1280 constrained baseline. */
const sps = Buffer.from('6742c01fd900b40a1bff0040001b1000000300100000030320f1832480', 'hex');
const pps = Buffer.from('68cb83cb20', 'hex');
const opus = Buffer.from('fcfffe', 'hex');
const nal = (bytes: Buffer): NalUnit => ({ type: bytes[0]! & 0x1f, size: bytes.length, chunks: [bytes] });
const plain = { sequence: null, part: null, skip: false };

function stage() {
  const ladder = createHlsLadder({ now: () => startMs, waitMs: 100 });
  /** One publisher's session from its beginning on: 25 pictures a second, a key picture each 2 s. */
  function play(sessionId: string, seconds: number, hasSound = true): void {
    const ids = { streamId: 'show', sessionId };
    const muxer = createMuxer({
      sound: hasSound ? opusSound : null,
      soundMs: (timestamp) => timestamp / 48,
      onInit: ({ info: { width, height }, ...init }) => ladder.onMediaEvent({
        type: 'init', layer: 'full', ...ids, ...init, width, height, hasVideo: true, hasAudio: hasSound,
      }),
      onFragment: ({ arrivedMs, ...fragment }) => ladder.onMediaEvent({
        type: 'fragment', layer: 'full', ...ids, ...fragment, arrivedAtMs: startMs + arrivedMs,
      }),
    });
    for (let ms = 0; ms < seconds * 1_000; ms += 20) {
      if (ms % 40 === 0) {
        const isKey = ms % 2_000 === 0;
        const nals = isKey ? [nal(sps), nal(pps), nal(Buffer.from([0x65, 1]))] : [nal(Buffer.from([0x61, 1]))];
        muxer.pictureStarts(ms * 90);
        muxer.picture({ timestamp: ms * 90, isKey, nals, arrivedMs: ms });
      }
      if (hasSound) muxer.sound(opus, ms * 48, ms);
    }
  }
  const down = (sessionId: string): void => (
    ladder.onMediaEvent({ type: 'down', streamId: 'show', sessionId, reason: 'lost' })
  );
  /** Of the same session's small picture, begun and gone. */
  function playSmall(sessionId: string): void {
    const ids = { streamId: 'show', sessionId, layer: 'small' } as const;
    ladder.onMediaEvent({
      type: 'init', ...ids, generation: 1, mime: 'video/mp4; codecs="avc1.42c015,opus"', width: 288, height: 512,
      hasVideo: true, hasAudio: true, initSegment: Buffer.from('small'),
    });
    ladder.onMediaEvent({
      type: 'fragment', ...ids, generation: 1, track: 'video', isKey: true, timeMs: 0, durationMs: 40,
      arrivedAtMs: startMs, data: Buffer.from('small'),
    });
    ladder.onMediaEvent({ type: 'layer-down', ...ids });
  }
  return { ladder, play, playSmall, down };
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
  const { ladder, play, playSmall } = stage();
  play('1', 3);
  playSmall('1');
  play('1', 5);
  const before = stage();
  before.play('1', 3);
  before.play('1', 5);
  for (const rendition of ['whole', 'sound'] as const) {
    const text = await textOf(ladder[rendition].playlist('show', plain));
    assert.equal(text, await textOf(before.ladder[rendition].playlist('show', plain)));
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
