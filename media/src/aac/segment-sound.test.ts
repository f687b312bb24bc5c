/** AAC of segments made one by one, read back by FFmpeg: joined, it is what one piece would have been. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny';
import { demoClip } from '../../../tests/support/publisher-stage.ts';
import { parseSps } from '../fmp4/avc.ts';
import { buildPictureFragment, buildSoundFragment, sequenceOf } from '../fmp4/fragment.ts';
import { readFragments } from '../fmp4/fragment-reader.ts';
import { buildInitSegment } from '../fmp4/init-segment.ts';
import { opusSound } from '../fmp4/sound.ts';
import { loadClip } from '../publisher/clip.ts';
import { makeRecordedSound } from '../recording/recorded-sound.ts';
import type { RecordingIndex } from '../recording/recording-index.ts';
import { withAacSound } from './aac-init.ts';
import { makeSegmentSound, soundOf, withMadeSound, type MadeSound, type SoundRun } from './segment-sound.ts';
import { createTranscoder } from './transcoder.ts';

const rate = 48_000;
const frameTicks = 960;
const packetTicks = 1_024;
const folder = mkdtempSync(join(tmpdir(), 'nacre-segment-sound-'));
const transcoder = createTranscoder({ lingerMs: 10_000 });
after(async () => {
  await transcoder.stop();
  rmSync(folder, { recursive: true });
});

const sps = Buffer.from('6742c01fd900b40a1bff0040001b1000000300100000030320f1832480', 'hex');
const init = withAacSound(buildInitSegment({
  info: parseSps(sps)!, sps, pps: [Buffer.from('68cb83cb20', 'hex')], sound: opusSound,
}));

/** Opus packets of this sound; null where there is no FFmpeg. */
async function opusOf(wave: string): Promise<Buffer[] | null> {
  const file = join(folder, 'sound.mp4');
  const source = `aevalsrc=${wave}:s=${rate}:c=stereo:d=9`;
  const made = spawnSync('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', source, '-c:a', 'libopus', file]);
  if (made.status !== 0) return null;
  const input = new Input({ source: new BufferSource(readFileSync(file)), formats: ALL_FORMATS });
  const track = await input.getPrimaryAudioTrack();
  const packets: Buffer[] = [];
  for await (const { data } of new EncodedPacketSink(track!).packets()) packets.push(Buffer.from(data));
  return packets;
}

/** Sound that begins at this tick, cut into segments of so many frames each, as fragments of 60 ms. */
function segmentsOf(packets: readonly Buffer[], from: number, framesEach: readonly number[]): Buffer[] {
  let at = 0;
  let sequence = 0;
  return framesEach.map((count) => {
    const end = at + count;
    const fragments: Buffer[] = [];
    for (; at < end; at += 3) {
      const samples = packets.slice(at, Math.min(at + 3, end)).map((data) => ({ data, duration: frameTicks }));
      fragments.push(buildSoundFragment((sequence += 1), from + at * frameTicks, samples));
    }
    at = end;
    return Buffer.concat(fragments);
  });
}

const runOf = (segment: Buffer): SoundRun => soundOf(readFragments(segment)) ?? assert.fail('no sound');

/** As the server does it: with the end of the sound before, and the beginning of the one after. */
async function make(segments: readonly Buffer[], at: number, by = transcoder): Promise<MadeSound> {
  let startedAtMs = 0;
  const index: RecordingIndex = {
    maps: [{ name: 'one', mime: 'video/mp4; codecs="avc1.42e01f,opus"', width: 720, height: 1280, hasAudio: true }],
    segments: segments.map((segment, sequence) => {
      const { from: begins, to: ends } = runOf(segment);
      const durationMs = (ends - begins) / 48;
      startedAtMs += durationMs;
      return {
        sequence, map: 'one', startedAtMs: startedAtMs - durationMs, durationMs, bytes: segment.length,
        isIndependent: true, isLost: false,
      };
    }),
  };
  const made = await makeRecordedSound(by, index, at, async ({ sequence }) => runOf(segments[sequence]!));
  return made ?? assert.fail('no sound');
}

/** What FFmpeg decodes, mono. */
function decode(segments: readonly Buffer[]): Float32Array {
  const file = join(folder, 'aac.mp4');
  writeFileSync(file, Buffer.concat([init, ...segments]));
  const args = ['-v', 'error', '-xerror', '-i', file, '-map', '0:a', '-f', 'f32le', '-ac', '1', '-'];
  const done = spawnSync('ffmpeg', args, { maxBuffer: 2 ** 27 });
  assert.deepEqual([done.status, String(done.stderr)], [0, '']);
  const { buffer, byteOffset, length } = done.stdout;
  return new Float32Array(buffer.slice(byteOffset, byteOffset + length));
}

const joined = (segments: readonly Buffer[], made: readonly MadeSound[]): Buffer[] => (
  segments.map((segment, at) => withMadeSound(readFragments(segment), made[at]!))
);

const toneHz = 440;
/** What of the sound is no such tone: 0 for a pure one. A click has all frequencies, and stands out. */
function besideTone(sound: Float32Array, from: number, to: number): number {
  const turn = 2 * Math.cos((2 * Math.PI * toneHz) / rate);
  let most = 0;
  for (let at = Math.max(from, 2); at < Math.min(to, sound.length); at += 1) {
    most = Math.max(most, Math.abs(sound[at]! - turn * sound[at - 1]! + sound[at - 2]!));
  }
  return most;
}

const noFfmpeg = 'ffmpeg with libopus is not here: apt-get install ffmpeg';
/** Segments of 2 s, of a turned phone, and of the end. */
const framesEach = [100, 17, 31, 100, 50];
const from = 413;

test('[M221] segments made one by one are without a seam what one piece is: a tone has no click', async (t) => {
  const packets = await opusOf(`0.5*sin(2*PI*${toneHz}*t)`);
  if (packets === null) return t.skip(noFfmpeg);
  const used = packets.slice(0, framesEach.reduce((sum, count) => sum + count));
  const segments = segmentsOf(used, from, framesEach);
  const made = await Promise.all(segments.map((_, at) => make(segments, at)));
  const whole = segmentsOf(used, from, [used.length]);
  const onePiece = decode(joined(whole, [await make(whole, 0)]));
  const cut = decode(joined(segments, made));
  assert.equal(cut.length, onePiece.length);
  const seams = made.slice(1).map((own) => own.from - made[0]!.from);
  const clickOf = (sound: Float32Array) => (
    Math.max(...seams.map((at) => besideTone(sound, at - packetTicks, at + packetTicks)))
  );
  const usual = besideTone(onePiece, 4 * packetTicks, onePiece.length - 4 * packetTicks);
  t.diagnostic(`beside the tone: ${usual.toFixed(4)} in one piece, ${clickOf(cut).toFixed(4)} at the seams`);
  assert.ok(clickOf(cut) <= usual * 1.2, `${clickOf(cut)} at a seam, ${usual} elsewhere`);
  // And it would be heard by this test.
  const alone = await Promise.all(segments.map((segment) => makeSegmentSound(transcoder, runOf(segment), [], null)));
  assert.ok(clickOf(decode(joined(segments, alone))) > usual * 3, 'without the neighbours there is a click');
});

test('[M220] [M221] packets lie on one grid, each in the segment it begins in; the sound where it was', async (t) => {
  const packets = await opusOf(`0.5*sin(2*PI*${toneHz}*t)*lt(mod(t\\,1)\\,0.1)`);
  if (packets === null) return t.skip(noFfmpeg);
  const segments = segmentsOf(packets, from, [...framesEach, 100]);
  const made = await Promise.all(segments.map((_, at) => make(segments, at)));
  let next = packetTicks;
  for (const [at, { from: first, packets: own }] of made.entries()) {
    assert.equal(first, next);
    const { from: begins, to: ends } = runOf(segments[at]!);
    next = first + own.length * packetTicks;
    assert.ok(first >= begins && next - packetTicks < ends && next >= ends, `segment ${at}`);
  }
  const sound = decode(joined(segments, made));
  const onsets: number[] = [];
  let lastLoud = -Infinity;
  for (let at = 0; at < sound.length; at += 1) {
    if (Math.abs(sound[at]!) < 0.1) continue;
    if (at - lastLoud > rate / 2) onsets.push(at + packetTicks - from);
    lastLoud = at;
  }
  const [, ...onTime] = onsets.map((at) => ((at / rate + 0.5) % 1 - 0.5) * 1_000);
  t.diagnostic(`beeps off by ${onTime.map((ms) => ms.toFixed(1)).join(', ')} ms`);
  assert.ok(onTime.length >= 6 && onTime.every((ms) => Math.abs(ms) < 20), String(onTime));
});

test('[M222] a segment’s bytes are the same alone, among others, and again', async () => {
  const segments = segmentsOf(await clipSound(), from, framesEach);
  const orderly: MadeSound[] = [];
  for (let at = 0; at < segments.length; at += 1) orderly.push(await make(segments, at));
  const together = await Promise.all(segments.map((_, at) => make(segments, at)).reverse());
  const hashes = (made: readonly MadeSound[]) => (
    made.map(({ from: first, packets }) => [
      first, createHash('sha256').update(Buffer.concat(packets)).digest('hex'),
    ])
  );
  assert.deepEqual(hashes(together.reverse()), hashes(orderly));
  const fresh = createTranscoder();
  assert.deepEqual(hashes([await make(segments, 3, fresh)]), hashes(orderly.slice(3, 4)));
  assert.equal(fresh.isRunning(), false, 'with its last segment the thread ends');
});

const clipSound = async (): Promise<Buffer[]> => (await loadClip(demoClip)).sounds.map(({ data }) => data);

test('[M223] beyond a break there is silence; too little sound for a packet makes none', async () => {
  const segments = segmentsOf(await clipSound(), 0, [100, 100, 1]);
  const alone = await makeSegmentSound(transcoder, runOf(segments[1]!), [], null);
  assert.equal(alone.packets.length, 94);
  const short = soundOf(readFragments(buildSoundFragment(1, 20, [{ data: segments[2]!, duration: 60 }])))!;
  assert.deepEqual(await makeSegmentSound(transcoder, short, [], null), { from: packetTicks, packets: [] });
  assert.equal(soundOf([]), null);
  const gap = [...readFragments(segments[0]!), ...readFragments(segments[2]!)];
  assert.throws(() => soundOf(gap), RangeError);
});

test('[M224] pictures stay as they are, in their order, and fragments are numbered upwards', async () => {
  const picture = (sequence: number) => buildPictureFragment(sequence, {
    nals: [{ type: 1, size: 5, chunks: [Buffer.from([0x61, 1, 2, 3, sequence])] }],
    isKey: sequence === 1, decodeTime: (sequence - 1) * 2_700, duration: 5_400, offset: 0,
  });
  const sounds = readFragments(segmentsOf(await clipSound(), from, [30])[0]!);
  const bytes = Buffer.concat(sounds.flatMap(({ samples, decodeTime }, at) => [
    picture(at * 2 + 1), buildSoundFragment(at * 2 + 2, decodeTime, samples),
  ]));
  const fragments = readFragments(bytes);
  const own = soundOf(fragments)!;
  const result = readFragments(withMadeSound(fragments, await makeSegmentSound(transcoder, own, [], null)));
  const pictures = (of: typeof result) => of.filter(({ track }) => track === 'video').map(({ data }) => data);
  assert.deepEqual(pictures(result), pictures(fragments));
  const numbers = result.map(({ data }) => sequenceOf(data));
  assert.deepEqual(numbers, [...new Set(numbers)].sort((a, b) => a - b));
  // A picture waits for no sound that is later than it by more than what it had with it.
  for (const [at, { track, timeMs }] of result.entries()) {
    const before = result.slice(0, at).findLast((other) => other.track !== track);
    if (before !== undefined) assert.ok(Math.abs(timeMs - before.timeMs) < 120, `${timeMs} behind ${before.timeMs}`);
  }
});

test('[M225] a thread that does not answer costs 20 s and no more; what fails is told', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let isClosed = false;
  const line = { sound: () => undefined, close: () => void (isClosed = true) };
  const [run] = segmentsOf(await clipSound(), 0, [100]).map(runOf);
  const hangs = makeSegmentSound({ open: () => line }, run!, [], null);
  t.mock.timers.tick(20_000);
  await assert.rejects(hangs, /too long/);
  assert.ok(isClosed);
  const fails = makeSegmentSound({
    open({ onFailed }) {
      queueMicrotask(() => onFailed('no memory'));
      return line;
    },
  }, run!, [], null);
  await assert.rejects(fails, /no memory/);
});

test('[M225] the thread waits for the next segment for a moment, then it ends', async () => {
  const waits = createTranscoder({ lingerMs: 300 });
  const [run] = segmentsOf(await clipSound(), 0, [20]).map(runOf);
  await makeSegmentSound(waits, run!, [], null);
  assert.equal(waits.isRunning(), true);
  await makeSegmentSound(waits, run!, [], null);
  await sleep(600);
  assert.equal(waits.isRunning(), false);
});
