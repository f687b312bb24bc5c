import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny';
import {
  aacHeader, aacPacket, avcHeader, hex, landscapeSps, opusHeader, opusPacket, picture,
} from '../../../tests/support/rtmp-client.ts';
import { readFragments } from '../fmp4/fragment-reader.ts';
import type { MediaEvent } from '../hooks.ts';
import { createPublisherRegistry } from '../publishing/registry.ts';
import { createRtmpPublishers, maxRtmpPublishers } from './rtmp-publishers.ts';
import { createRtmpSession } from './rtmp-session.ts';
import { sentenceOf, type EncoderProblem } from './problems.ts';

function stage() {
  const told: string[] = [];
  const problems: EncoderProblem[] = [];
  const files: Buffer[][] = [];
  const of = { video: [] as number[], audio: [] as number[] };
  const session = createRtmpSession({
    nowMs: 0, silenceMs: 4_000,
    onUp: () => void told.push('up'),
    onInit({ mime, info, initSegment }) {
      told.push(`${info.width}×${info.height} ${/codecs="[^,"]*,?(.*)"/.exec(mime)![1]}`);
      files.push([initSegment]);
    },
    onFragment({ track, timeMs, data }) {
      of[track].push(Math.round(timeMs));
      files.at(-1)!.push(data);
    },
    onLost: () => void told.push('lost'),
    onProblem(problem, isRefused) {
      problems.push(problem);
      told.push(`${isRefused ? 'refused' : 'told'} ${problem.code} ${problem.found ?? ''}`.trim());
    },
  });
  return {
    session, told, problems, of,
    files: () => files.map((parts) => Buffer.concat(parts)),
    video: (payload: Buffer, ms: number, nowMs = ms) => (
      session.take({ kind: 'video', timestamp: ms >>> 0, payload }, nowMs)
    ),
    audio: (payload: Buffer, ms: number, nowMs = ms) => (
      session.take({ kind: 'audio', timestamp: ms >>> 0, payload }, nowMs)
    ),
  };
}

async function read(file: Buffer) {
  const input = new Input({ formats: ALL_FORMATS, source: new BufferSource(file) });
  const [video, audio] = await Promise.all([input.getPrimaryVideoTrack(), input.getPrimaryAudioTrack()]);
  const packets = async (track: NonNullable<typeof video | typeof audio>) => {
    const found = [];
    for await (const packet of new EncodedPacketSink(track).packets()) found.push(packet);
    return found;
  };
  return { audio, pictures: await packets(video!), sounds: audio === null ? [] : await packets(audio) };
}

test('[M110] pictures and AAC of 44.1 kHz are an MP4 that others read, each picture at its own time', async () => {
  const one = stage();
  one.video(avcHeader(), 0);
  one.audio(aacHeader, 0);
  // As x264 sends them: I P B B, shown two pictures later than decoded.
  const offsets = [66, 166, 33, 33];
  for (let at = 0; at < 60; at += 1) {
    one.video(picture(at % 20 === 0, at % 20 === 0 ? 66 : offsets[at % 4]), at * 33);
    for (let sound = Math.ceil((at * 33) / 23.2); sound * 23.2 < (at + 1) * 33; sound += 1) {
      one.audio(aacPacket(), Math.round(sound * 23.2199));
    }
  }
  one.session.end();
  assert.deepEqual(one.told, ['up', '720×1280 mp4a.40.2']);
  const { audio, pictures, sounds } = await read(one.files()[0]!);
  assert.equal(pictures.length, 60);
  assert.deepEqual([audio!.codec, audio!.sampleRate, audio!.numberOfChannels], ['aac', 44_100, 2]);
  for (const [at, { timestamp }] of pictures.entries()) {
    const shownMs = at * 33 + (at % 20 === 0 ? 66 : offsets[at % 4]!);
    assert.ok(Math.abs(timestamp * 1_000 - shownMs) < 1, `${at}: ${timestamp}`);
  }
  for (const [at, { timestamp }] of sounds.entries()) assert.ok(Math.abs(timestamp - (at * 1_024) / 44_100) < 0.002);
  assert.equal(one.of.video[0], 66, 'a key picture’s time is when it is shown');
  assert.deepEqual(one.problems, []);
});

test('[M110] AAC of 48 kHz in one channel, and Opus by Enhanced RTMP', async () => {
  const mono = stage();
  mono.video(avcHeader(), 0);
  mono.audio(hex('af 00 1188'), 0);
  mono.video(picture(true), 0);
  for (let ms = 0; ms < 400; ms += 21) mono.audio(aacPacket(), ms);
  mono.video(picture(false), 400);
  mono.session.end();
  const { audio } = await read(mono.files()[0]!);
  assert.deepEqual([audio!.sampleRate, audio!.numberOfChannels], [48_000, 1]);
  const opus = stage();
  opus.video(avcHeader(), 0);
  opus.audio(opusHeader, 0);
  opus.video(picture(true), 0);
  for (let ms = 0; ms < 400; ms += 20) opus.audio(opusPacket, ms);
  opus.video(picture(false), 400);
  opus.session.end();
  assert.deepEqual(opus.told, ['up', '720×1280 opus']);
  assert.deepEqual((await read(opus.files()[0]!)).audio!.codec, 'opus');
});

test('[M110] H.264 by Enhanced RTMP, with offsets and without, behind a modifier too', () => {
  const one = stage();
  const plain = avcHeader().subarray(5);
  one.video(Buffer.concat([hex('90'), Buffer.from('avc1'), plain]), 0);
  const nals = picture(true).subarray(5);
  one.video(Buffer.concat([hex('91'), Buffer.from('avc1'), hex('000000'), nals]), 0);
  one.video(Buffer.concat([hex('a3'), Buffer.from('avc1'), picture(false).subarray(5)]), 33);
  // A nanosecond offset (type 7, two bytes and a half) before the type.
  one.video(Buffer.concat([hex('a7 02 000001 03'), Buffer.from('avc1'), picture(false).subarray(5)]), 66);
  one.session.end();
  assert.deepEqual(one.of.video, [0, 33, 66]);
  assert.deepEqual(one.problems, []);
});

test('[M112] times wrap at 32 bit without a jump', () => {
  const one = stage();
  const start = 2 ** 32 - 100;
  one.session.take({ kind: 'video', timestamp: start, payload: avcHeader() }, 0);
  one.session.take({ kind: 'audio', timestamp: start, payload: aacHeader }, 0);
  for (let ms = 0; ms < 400; ms += 40) {
    one.session.take({ kind: 'video', timestamp: (start + ms) % 2 ** 32, payload: picture(ms === 0) }, ms);
    one.session.take({ kind: 'audio', timestamp: (start + ms) % 2 ** 32, payload: aacPacket() }, ms);
  }
  one.session.end();
  assert.deepEqual(one.of.video, [0, 40, 80, 120, 160, 200, 240, 280, 320, 360]);
  assert.ok(one.of.audio.at(-1)! > 300 && one.of.audio.at(-1)! < 400);
});

test('[M112] a clock that jumps or runs away ends the session, rounding does not', () => {
  for (const [ms, nowMs] of [[20_000, 1_000], [-3_000, 1_000]] as const) {
    const one = stage();
    one.video(avcHeader(), 5_000, 0);
    one.video(picture(true), 5_000, 0);
    one.video(picture(false), 5_000 + ms, nowMs);
    assert.deepEqual(one.told.slice(2), ['refused clock'], `${ms}`);
  }
  const one = stage();
  one.video(avcHeader(), 100);
  one.video(picture(true, 40), 100);
  one.video(picture(false, 40), 100);
  one.video(picture(false, 40), 98);
  one.video(picture(false, 40), 133);
  one.session.end();
  assert.equal(one.of.video.length, 4);
  assert.ok(one.of.video.every((ms, at) => at === 0 || ms >= one.of.video[at - 1]!));
  one.video(picture(false), 200);
  assert.equal(one.of.video.length, 4, 'nothing after the end');
});

test('[M113] what browsers do not play is refused, with what came and the setting to change', () => {
  const enhanced = (type: string, fourCc: string) => Buffer.concat([hex(type), Buffer.from(fourCc), Buffer.alloc(9)]);
  const high10 = Buffer.from(avcHeader());
  high10[6] = 110;
  high10[14] = 110;
  const cases: Array<['video' | 'audio', Buffer, string, RegExp]> = [
    ['video', enhanced('90', 'hvc1'), 'picture_codec HEVC', /HEVC.*H\.264/],
    ['video', enhanced('90', 'av01'), 'picture_codec AV1', /AV1.*H\.264/],
    ['video', enhanced('90', 'vp09'), 'picture_codec VP9', /VP9.*H\.264/],
    ['video', hex('1c 00 000000 01'), 'picture_codec HEVC', /HEVC/],
    ['video', hex('12 00'), 'picture_codec Sorenson H.263', /H\.264/],
    ['video', high10, 'picture_profile High 10', /High 10.*NV12/],
    ['video', enhanced('96', 'avc1'), 'tracks', /one video track/],
    ['video', hex('17 00 000000 01 42'), 'broken', /Start it again/],
    ['audio', hex('2f ff'), 'sound_codec MP3', /MP3.*AAC/],
    ['audio', hex('b2 ff'), 'sound_codec Speex', /Speex.*AAC/],
    ['audio', hex('af 00 2b92 0800'), 'sound_codec HE-AAC', /AAC-LC/],
    ['audio', hex('af 00 1390'), 'sound_rate 22050', /22050 Hz.*48 kHz/],
    ['audio', hex('af 00 11b0'), 'sound_channels 6', /6 channels.*stereo/],
    ['audio', enhanced('90', 'fLaC'), 'sound_codec FLAC', /FLAC.*AAC/],
    ['audio', enhanced('95', 'mp4a'), 'tracks', /one audio track/],
  ];
  for (const [kind, payload, problem, words] of cases) {
    const one = stage();
    one[kind](payload, 0);
    one[kind](payload, 10);
    assert.deepEqual(one.told, [`refused ${problem}`]);
    assert.match(sentenceOf(one.problems[0]!), words);
    assert.match(sentenceOf(one.problems[0]!), /^[\x20-\x7e]+$/, 'ASCII: RTMP’s library counts letters, not bytes');
  }
});

test('[M113] rare key pictures are taken and told, once', () => {
  const one = stage();
  one.video(avcHeader(), 0);
  for (let ms = 0; ms < 30_000; ms += 100) one.video(picture(ms % 5_000 === 0), ms);
  assert.deepEqual(one.told.slice(2), ['told keys_rare 5']);
  const only = stage();
  only.video(avcHeader(), 0);
  for (let ms = 0; ms < 30_000; ms += 100) only.video(picture(ms === 0), ms);
  assert.deepEqual(only.told.slice(2), ['told keys_rare 8']);
  const well = stage();
  well.video(avcHeader(), 0);
  for (let ms = 0; ms < 30_000; ms += 100) well.video(picture(ms % 4_000 === 0), ms);
  assert.deepEqual(well.problems, []);
});

test('[M114] another configuration, later sound and gaps come through', async () => {
  const one = stage();
  one.video(avcHeader(), 0);
  for (let ms = 0; ms < 1_000; ms += 40) one.video(picture(ms === 0), ms);
  // Sound begins: with the next key picture it is there.
  one.audio(aacHeader, 1_000);
  for (let ms = 1_000; ms < 4_000; ms += 40) {
    one.video(picture(ms % 1_000 === 0), ms);
    // Silent for a second.
    if (ms < 2_000 || ms >= 3_000) one.audio(aacPacket(), ms);
  }
  one.video(avcHeader(landscapeSps), 4_000);
  one.audio(opusHeader, 4_000);
  for (let ms = 4_000; ms < 5_000; ms += 40) {
    one.video(picture(ms === 4_000), ms);
    one.audio(opusPacket, ms);
    one.audio(opusPacket, ms + 20);
  }
  one.session.end();
  assert.deepEqual(one.told, ['up', '720×1280 ', '720×1280 mp4a.40.2', '640×360 opus']);
  const [silent, withSound, other] = one.files();
  assert.equal((await read(silent!)).audio, null);
  const { sounds } = await read(withSound!);
  assert.ok(sounds.some(({ data }) => Buffer.from(data).equals(hex('210049900219002380'))), 'AAC silence');
  for (const [at, { timestamp, duration }] of sounds.entries()) {
    const before = sounds[at - 1];
    if (before) assert.ok(Math.abs(before.timestamp + before.duration - timestamp) < 0.001, `${at} ${duration}`);
  }
  const fragments = readFragments(withSound!.subarray(withSound!.indexOf('moof') - 4));
  const [first] = fragments.filter(({ track }) => track === 'audio');
  assert.ok(Math.abs(first!.decodeTime / 44_100 - 1) < 0.03, 'it begins with its picture');
  assert.ok((await read(other!)).audio!.codec === 'opus');
});

test('[M116] silence of 4 s is a loss, 15 s without a first picture a refusal', () => {
  const quiet = stage();
  quiet.video(avcHeader(), 0);
  quiet.video(picture(true), 0);
  quiet.session.tick(4_000);
  assert.ok(!quiet.told.includes('lost'));
  quiet.session.tick(4_001);
  quiet.session.tick(9_000);
  assert.deepEqual(quiet.told.slice(2), ['lost']);
  const blank = stage();
  for (let ms = 0; ms <= 15_000; ms += 1_000) {
    blank.video(picture(false), ms);
    blank.session.tick(ms);
  }
  assert.deepEqual(blank.told, []);
  blank.session.tick(15_001);
  assert.deepEqual(blank.told, ['refused no_picture']);
});

test('[M116] so many publish by RTMP and no more; a takeover needs no place', (t: TestContext) => {
  const events: MediaEvent[] = [];
  const registry = createPublisherRegistry({
    onEvent: (event) => void events.push(event), takeOver: () => undefined, log: { error: () => undefined },
  });
  t.after(() => registry.stop());
  const publishers = createRtmpPublishers({ registry, silenceMs: 4_000 });
  const ends: string[] = [];
  const open = (streamId: string) => publishers.open({
    streamId, onUp: () => undefined, onProblem: () => undefined, onEnd: (reason) => void ends.push(reason),
  });
  for (let at = 0; at < maxRtmpPublishers; at += 1) assert.ok(open(`s${at}`));
  assert.equal(open('one more'), null);
  const [first, second] = [open('s0')!, open('s1')!];
  assert.equal(registry.count('rtmp'), maxRtmpPublishers, 'the ones of before had not shown a picture');
  first.take({ kind: 'video', timestamp: 0, payload: avcHeader() });
  first.take({ kind: 'video', timestamp: 0, payload: picture(true) });
  const again = open('s0')!;
  again.take({ kind: 'video', timestamp: 0, payload: avcHeader() });
  again.take({ kind: 'video', timestamp: 0, payload: picture(true) });
  assert.deepEqual(ends, ['replaced', 'replaced', 'replaced']);
  second.end('closed');
  assert.ok(open('one more'));
  assert.deepEqual(events.filter(({ type }) => type === 'up').length, 2);
});
