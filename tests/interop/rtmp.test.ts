/** FFmpeg as an encoder by RTMP, into the real port. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny';
import { decodeWithFfmpeg } from '../support/ffmpeg.ts';
import { findProgram } from '../support/programs.ts';
import { runFfmpeg, startRtmpStage, type RtmpStage } from '../support/rtmp-stage.ts';
import { foreignFolder, missing } from './foreign.ts';

const seconds = 5;
const noFfmpeg = findProgram('ffmpeg') === null && 'ffmpeg is not here';

/** What is published, as a file: a picture that moves and a tone, with B-frames and a key picture each second. */
async function makeClip(t: TestContext, name: string, ...sound: readonly string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'nacre-rtmp-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, name);
  const made = await runFfmpeg([
    '-f', 'lavfi', '-i', 'testsrc2=s=360x640:r=30', '-f', 'lavfi', '-i', 'sine=f=440:r=48000', '-t', `${seconds}`,
    '-c:v', 'libx264', '-preset', 'veryfast', '-bf', '3', '-g', '30', '-pix_fmt', 'yuv420p', ...sound, file,
  ]);
  assert.deepEqual(made, { code: 0, words: '' });
  return file;
}

async function timesOf(file: Buffer) {
  const input = new Input({ formats: ALL_FORMATS, source: new BufferSource(file) });
  const [video, audio] = await Promise.all([input.getPrimaryVideoTrack(), input.getPrimaryAudioTrack()]);
  const read = async (track: NonNullable<typeof video | typeof audio>) => {
    const packets: { ms: number; bytes: number }[] = [];
    for await (const { timestamp, data } of new EncodedPacketSink(track).packets()) {
      packets.push({ ms: timestamp * 1_000, bytes: data.length });
    }
    return packets;
  };
  return { pictures: await read(video!), sounds: await read(audio!) };
}

const fileOf = (stage: RtmpStage): Buffer => (
  Buffer.concat([stage.of('init')[0]!.initSegment, ...stage.of('fragment').map(({ data }) => data)])
);

/** Without a gap, whole, decodable, and sound and picture as far from each other as they were in the clip. */
async function check(t: TestContext, stage: RtmpStage, clip: string): Promise<void> {
  assert.deepEqual(stage.problems, [null]);
  assert.equal(stage.of('init').length, 1);
  for (const track of ['video', 'audio'] as const) {
    const fragments = stage.of('fragment').filter((fragment) => fragment.track === track);
    for (const [index, { timeMs }] of fragments.entries()) {
      const before = fragments[index - 1];
      const gapMs = before === undefined ? 0 : timeMs - before.timeMs - before.durationMs;
      assert.ok(Math.abs(gapMs) < 0.1, `${track} ${index}: ${gapMs} ms`);
    }
  }
  const [was, is] = [await timesOf(readFileSync(clip)), await timesOf(fileOf(stage))];
  assert.equal(is.pictures.length, was.pictures.length);
  assert.ok(is.sounds.length >= was.sounds.length - 2, `${is.sounds.length} of ${was.sounds.length}`);
  const shiftMs = is.pictures[0]!.ms - was.pictures[0]!.ms;
  for (const [at, { ms }] of is.pictures.entries()) {
    assert.ok(Math.abs(ms - was.pictures[at]!.ms - shiftMs) < 2, `picture ${at}: ${ms} for ${was.pictures[at]!.ms}`);
  }
  assert.ok(is.pictures.some(({ ms }, at) => at > 0 && ms < is.pictures[at - 1]!.ms), 'in another order than shown');
  const shown = is.pictures.map(({ ms }) => ms).sort((a, b) => a - b);
  assert.ok(shown.every((ms, at) => at === 0 || ms - shown[at - 1]! > 20), 'each is shown at a time of its own');
  // The same packet, found by its length, in the middle.
  const middle = Math.floor(was.sounds.length / 2);
  const lengths = (list: { bytes: number }[], at: number) => `${list.slice(at, at + 6).map(({ bytes }) => bytes)}`;
  const found = is.sounds.findIndex((_, at) => lengths(is.sounds, at) === lengths(was.sounds, middle));
  assert.ok(found !== -1, 'the sound is what was sent');
  const apartMs = is.sounds[found]!.ms - was.sounds[middle]!.ms - shiftMs;
  t.diagnostic(`sound and picture are ${apartMs.toFixed(1)} ms from where they were`);
  assert.ok(Math.abs(apartMs) < 20, `${apartMs} ms`);
  const decoded = await decodeWithFfmpeg(fileOf(stage));
  assert.deepEqual(decoded, { errors: '', pictures: was.pictures.length });
}

for (const [what, ...sound] of [
  ['AAC of 44.1 kHz in two channels', '-c:a', 'aac', '-ar', '44100', '-ac', '2'],
  ['AAC of 48 kHz in one channel', '-c:a', 'aac', '-ar', '48000', '-ac', '1'],
] as const) {
  test(`[M111] FFmpeg’s x264 with B-frames and ${what} comes through`, { skip: noFfmpeg }, async (t) => {
    const clip = await makeClip(t, 'clip.mp4', ...sound);
    const stage = await startRtmpStage(t);
    const ran = await runFfmpeg(['-re', '-i', clip, '-c', 'copy', '-f', 'flv', `${stage.url}/show`]);
    assert.deepEqual(ran, { code: 0, words: '' });
    await stage.until('its goodbye', () => stage.of('down').length === 1);
    assert.equal(stage.of('down')[0]!.reason, 'closed');
    await check(t, stage, clip);
  });
}

test('[M110] a newer FFmpeg’s Opus by Enhanced RTMP comes through', { skip: noFfmpeg }, async (t) => {
  const folder = foreignFolder('node-av');
  if (folder === null) return t.skip(missing('node-av'));
  const clip = await makeClip(t, 'clip.mkv', '-c:a', 'libopus', '-ac', '2');
  const stage = await startRtmpStage(t);
  const program = join(import.meta.dirname, 'ffmpeg-publisher.ts');
  const child = spawn(process.execPath, [program, folder, `${stage.url}/show`, '', clip, `${seconds + 1}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let words = '';
  child.stderr.on('data', (chunk: Buffer) => { words += chunk; });
  assert.equal(await new Promise((resolve) => child.once('exit', resolve)), 0, words);
  await stage.until('its goodbye', () => stage.of('down').length === 1);
  assert.match(stage.of('init')[0]!.mime, /,opus"$/);
  await check(t, stage, clip);
});

test('[V92] FFmpeg says in its log what to set', { skip: noFfmpeg }, async (t) => {
  const stage = await startRtmpStage(t);
  const source = ['-re', '-f', 'lavfi', '-i', 'testsrc2=s=360x640:r=30', '-t', '20', '-c:v', 'libx264', '-preset',
    'ultrafast', '-g', '30'];
  const publish = (name: string, ...more: readonly string[]) => (
    runFfmpeg([...source, ...more, '-f', 'flv', `${stage.url}/${name}`])
  );
  const wrong = await publish('wrong', '-pix_fmt', 'yuv420p');
  assert.match(wrong!.words, /This stream key opens no show\. Make a new one in the studio\./);
  assert.notEqual(wrong!.code, 0);
  const [profile, sound] = await Promise.all([
    publish('a', '-pix_fmt', 'yuv444p'),
    runFfmpeg(['-re', '-f', 'lavfi', '-i', 'sine', '-c:a', 'mp3', '-t', '20', '-f', 'flv', `${stage.url}/b`]),
  ]);
  assert.notEqual(profile!.code, 0);
  assert.notEqual(sound!.code, 0);
  t.diagnostic(profile!.words);
  t.diagnostic(sound!.words);
  const problems = stage.problems.map((problem) => `${problem?.code} ${problem?.found}`);
  assert.deepEqual(problems.sort(), ['picture_profile High 4:4:4', 'sound_codec MP3']);
});
