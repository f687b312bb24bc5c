/** AAC made of real Opus, read back by FFmpeg: right tone, right time, only while somebody asks. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny';
import { readFragments } from '../fmp4/fragment-reader.ts';
import { buildSoundFragment } from '../fmp4/fragment.ts';
import { createMuxer } from '../fmp4/muxer.ts';
import { aacSound, opusSound, type SoundCodec } from '../fmp4/sound.ts';
import { createHlsLadder, type HlsLadder } from '../hls/ladder.ts';
import type { MediaEvent } from '../hooks.ts';
import type { NalUnit } from '../rtp/h264.ts';
import { createAacRenditions, type AacRenditions } from './renditions.ts';
import { createTranscoder } from './transcoder.ts';

const portrait = Buffer.from('6742c01fd900b40a1bff0040001b1000000300100000030320f1832480', 'hex');
const landscape = Buffer.from('6764001eacd940a02ff97ff000300041000003000100000300320f162d96', 'hex');
const pps = Buffer.from('68cb83cb20', 'hex');
const silence = Buffer.from('fcfffe', 'hex');
const nal = (bytes: Buffer): NalUnit => ({ type: bytes[0]! & 0x1f, size: bytes.length, chunks: [bytes] });

/** A beep of 1,000 Hz and 100 ms at the start of each second. */
const seconds = 8;
const toneHz = 1_000;
const quietLog = { info: () => undefined, warn: () => undefined, error: () => undefined };
const plain = { sequence: null, part: null, skip: false };
const folder = mkdtempSync(join(tmpdir(), 'nacre-aac-'));
after(() => rmSync(folder, { recursive: true }));

interface Stage {
  hls: HlsLadder;
  aac: AacRenditions;
  clock: { ms: number };
  /** Pictures at 25 a second with a key each 2 s, and their sound; as fast as it goes. */
  play(forMs: number, sps?: Buffer): void;
  publish(sessionId: string, sound?: SoundCodec): void;
  down(): void;
}

function stage(packets: readonly Uint8Array[] = [], maxRenditions?: number): Stage {
  const clock = { ms: Date.UTC(2026, 10, 26) };
  const hls = createHlsLadder({ now: () => clock.ms, waitMs: 4_000 });
  const deps = { hls, now: () => clock.ms, log: quietLog };
  const aac = createAacRenditions(maxRenditions === undefined ? deps : { ...deps, maxRenditions });
  const send = (event: MediaEvent): void => {
    hls.onMediaEvent(event);
    aac.onMediaEvent(event);
  };
  let ids = { streamId: 'show', sessionId: '1' };
  let generation = 0;
  let timeMs = 0;
  const create = (sound = opusSound) => createMuxer({
    sound,
    soundMs: (timestamp) => timestamp / 48,
    onInit({ info: { width, height }, ...init }) {
      generation += 1;
      send({ type: 'init', layer: 'full', ...ids, ...init, width, height, generation, hasVideo: true, hasAudio: true });
    },
    onFragment: ({ arrivedMs, ...fragment }) => send({
      type: 'fragment', layer: 'full', ...ids, ...fragment, generation, arrivedAtMs: arrivedMs,
    }),
  });
  let muxer = create();
  let lastSps: Buffer = portrait;
  return {
    hls, aac, clock,
    play(forMs, sps: Buffer = portrait) {
      for (const endMs = timeMs + forMs; timeMs < endMs; timeMs += 40) {
        const isKey = timeMs % 2_000 === 0 || sps !== lastSps;
        lastSps = sps;
        for (const ms of [timeMs, timeMs + 20]) {
          muxer.sound(Buffer.from(packets[ms / 20] ?? silence), ms * 48, clock.ms);
        }
        muxer.pictureStarts(timeMs * 90);
        const slice = nal(Buffer.from([0x60 | (isKey ? 5 : 1), 1, 2, 3, 4]));
        const nals = isKey ? [nal(sps), nal(pps), slice] : [slice];
        muxer.picture({ timestamp: timeMs * 90, isKey, nals, arrivedMs: clock.ms });
        clock.ms += 40;
      }
    },
    publish(sessionId, sound) {
      ids = { ...ids, sessionId };
      [generation, timeMs] = [0, 0];
      muxer = create(sound);
    },
    down: () => send({ type: 'down', ...ids, reason: 'lost' }),
  };
}

async function playlistOf(aac: AacRenditions): Promise<string> {
  const answer = await aac.whole.playlist('show', plain);
  assert.equal(answer.kind, 'ok');
  return answer.kind === 'ok' ? answer.body.text : '';
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await holds()); tries += 1) {
    if (tries > 200) throw new Error(`in vain: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** Opus packets of the beeps; null where there is no FFmpeg. */
async function beeps(): Promise<Uint8Array[] | null> {
  const file = join(folder, 'beeps.mp4');
  const wave = `aevalsrc=0.5*sin(2*PI*${toneHz}*t)*lt(mod(t\\,1)\\,0.1):s=48000:c=stereo:d=${seconds}`;
  const made = spawnSync('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', wave, '-c:a', 'libopus', file]);
  if (made.status !== 0) return null;
  const input = new Input({ source: new BufferSource(readFileSync(file)), formats: ALL_FORMATS });
  const track = await input.getPrimaryAudioTrack();
  const packets: Uint8Array[] = [];
  for await (const { data } of new EncodedPacketSink(track!).packets()) packets.push(data);
  return packets;
}

async function bytesOf(aac: AacRenditions, text: string): Promise<Buffer> {
  const read = async (name: string): Promise<Buffer> => {
    const file = await aac.whole.file('show', name);
    return file.kind === 'ok' ? file.body : assert.fail(name);
  };
  const init = await read(/URI="([^"]+\.mp4)"/.exec(text)?.[1] ?? '');
  const segments = await Promise.all((text.match(/^\d+\.m4s$/gm) ?? []).map(read));
  // The pictures here are none, which FFmpeg would say.
  const sound = segments.flatMap(readFragments).filter(({ track }) => track === 'audio');
  return Buffer.concat([init, ...sound.map(({ data }) => data)]);
}

/** What FFmpeg decodes, mono at 48 kHz, and when its first sample is. */
function decode(bytes: Buffer): { pcm: Float32Array; startS: number } {
  const file = join(folder, 'aac.mp4');
  writeFileSync(file, bytes);
  const run = (program: string, args: string[]) => {
    const done = spawnSync(program, ['-v', 'error', ...args], { maxBuffer: 2 ** 27 });
    assert.deepEqual([done.status, String(done.stderr)], [0, '']);
    return done.stdout;
  };
  const probe = run('ffprobe', [
    '-select_streams', 'a', '-show_entries', 'packet=pts_time', '-read_intervals', '%+#1', '-of', 'csv=p=0', file,
  ]);
  const pcm = run('ffmpeg', ['-xerror', '-i', file, '-map', '0:a', '-f', 'f32le', '-ac', '1', '-ar', '48000', '-']);
  return {
    pcm: new Float32Array(pcm.buffer.slice(pcm.byteOffset, pcm.byteOffset + pcm.length)),
    startS: Number.parseFloat(String(probe)),
  };
}

test('[M31] [M32] FFmpeg reads the AAC without an error: the tone that was sent, when it was sent', async (t) => {
  const packets = await beeps();
  if (packets === null) return t.skip('ffmpeg with libopus is not here: apt-get install ffmpeg');
  const it = stage(packets);
  t.after(() => it.aac.stop());
  it.play(4_000);
  await playlistOf(it.aac);
  for (let playedMs = 0; playedMs < 4_000; playedMs += 400) {
    it.play(400);
    // Four times as fast as life.
    await new Promise((done) => setTimeout(done, 100));
  }
  // The last whole segment before the first request, and what followed.
  await until('two segments', async () => ((await playlistOf(it.aac)).match(/^\d+\.m4s$/gm) ?? []).length >= 2);
  const text = await playlistOf(it.aac);
  const { pcm, startS } = decode(await bytesOf(it.aac, text));
  const onsets: number[] = [];
  let lastLoud = -Infinity;
  for (let at = 0; at < pcm.length; at += 1) {
    if (Math.abs(pcm[at]!) < 0.1) continue;
    if (at - lastLoud > 24_000) onsets.push(at);
    lastLoud = at;
  }
  assert.ok(onsets.length >= 3, `${onsets.length} beeps`);
  // The first beep began before the first picture, and with it the stream.
  onsets.splice(0, startS + onsets[0]! / 48_000 < 0.5 ? 1 : 0);
  for (const onset of onsets) {
    const timeS = startS + onset / 48_000;
    const offMs = (timeS - Math.round(timeS)) * 1_000;
    // Of it, 6.5 ms are what libopus looks ahead (RFC 7845 §4.2), which players of the Opus hear as well.
    assert.ok(Math.abs(offMs) < 20, `${offMs} ms off`);
    const beep = pcm.subarray(onset + 960, onset + 960 + 2_400);
    let crossings = 0;
    for (let at = 1; at < beep.length; at += 1) if (beep[at - 1]! < 0 !== beep[at]! < 0) crossings += 1;
    assert.ok(Math.abs((crossings * 10) - toneHz) <= 20, `${crossings * 10} Hz`);
  }
  const offMs = onsets.map((onset) => ((startS + onset / 48_000 + 0.5) % 1 - 0.5) * 1_000);
  t.diagnostic(`beeps off by ${offMs.map((ms) => ms.toFixed(1)).join(', ')} ms`);
});

test('[M31] it is made only while somebody asks, ends after the last, and begins again with other names', async (t) => {
  const it = stage();
  t.after(() => it.aac.stop());
  it.play(4_400);
  assert.equal(it.aac.running(), 0);
  const first = (await playlistOf(it.aac)).match(/^\d+\.m4s$/m)?.[0] ?? '';
  assert.equal(it.aac.running(), 1);
  assert.equal((await it.aac.whole.file('show', first)).kind, 'ok');
  it.clock.ms += 60_000;
  await until('it ends', () => it.aac.running() === 0);
  assert.equal((await it.aac.whole.file('show', first)).kind, 'not-found');
  it.play(4_000);
  const again = (await playlistOf(it.aac)).match(/^\d+\.m4s$/m)?.[0] ?? '';
  assert.ok(Number.parseInt(again, 10) > Number.parseInt(first, 10));
  assert.equal((await it.aac.whole.playlist('nobody', plain)).kind, 'not-found');
});

test('[M33] another size, another publisher and the end of the show come through, as without AAC', async (t) => {
  const it = stage();
  t.after(() => it.aac.stop());
  const maps = async () => new Set((await playlistOf(it.aac)).match(/#EXT-X-MAP[^\n]*/g) ?? []).size;
  it.play(4_000);
  await playlistOf(it.aac);
  it.play(3_000, landscape);
  await until('the other size', async () => (await maps()) === 2);
  it.down();
  it.publish('2');
  it.play(6_000);
  await until('the other publisher', async () => (await maps()) === 3);
  it.aac.end('show');
  it.hls.end('show');
  assert.match(await playlistOf(it.aac), /#EXT-X-ENDLIST\n$/);
  assert.equal(it.aac.running(), 0);
});

test('[M117] a stream with AAC needs no rendition, and one that was running goes on with it', async (t) => {
  const it = stage();
  t.after(() => it.aac.stop());
  const index = async () => {
    const found = await it.aac.multivariant('show');
    return found.kind === 'ok' ? found.body.text : found.kind;
  };
  it.play(4_400);
  assert.match(await index(), /mp4a\.40\.2"[^\n]*\naac\/media\.m3u8/);
  await playlistOf(it.aac);
  assert.equal(it.aac.running(), 1);
  it.down();
  it.publish('2', aacSound({ sampleRate: 48_000, channels: 2 }));
  it.play(4_400);
  assert.match(await index(), /mp4a\.40\.2"[^\n]*\nmedia\.m3u8/);
  const text = await playlistOf(it.aac);
  const map = text.match(/#EXT-X-MAP:URI="([^"]*)/g)?.at(-1)?.slice(16) ?? '';
  const init = await it.aac.whole.file('show', map);
  assert.ok(init.kind === 'ok' && init.body.includes('mp4a'));
  const segment = await it.aac.whole.file('show', text.match(/^\d+\.m4s$/gm)?.at(-1) ?? '');
  assert.ok(segment.kind === 'ok' && readFragments(segment.body).some(({ track }) => track === 'audio'));
});

test('[M35] a show that ends on air keeps its playlist for a moment and no memory after it', async (t) => {
  const it = stage();
  t.after(() => it.aac.stop());
  it.play(4_400);
  await playlistOf(it.aac);
  it.aac.end('show');
  it.hls.end('show');
  it.down();
  assert.match(await playlistOf(it.aac), /#EXT-X-ENDLIST\n$/);
  assert.equal(it.aac.kept(), 1);
  it.clock.ms += 61_000;
  await until('it is forgotten', () => it.aac.kept() === 0);
  assert.equal((await it.aac.whole.playlist('show', plain)).kind, 'unavailable');
});

test('[M36] what failed rests before it is tried again, each time longer, and then has other names', async (t) => {
  const it = stage();
  t.after(() => it.aac.stop());
  const names = async () => (await playlistOf(it.aac)).match(/\d+(?=\.(part\.)?m4s)/g)?.map(Number) ?? [];
  const fail = async () => {
    // Sound from a minute later: no publisher sends it so, and no encoder takes it.
    const at = { streamId: 'show', sessionId: '1', generation: 1, arrivedAtMs: it.clock.ms, timeMs: 90_000 };
    const data = buildSoundFragment(1, 90 * 48_000, [{ data: silence, duration: 960 }]);
    it.aac.onMediaEvent({ type: 'fragment', layer: 'full', ...at, track: 'audio', isKey: true, durationMs: 20, data });
    await until('it failed', () => it.aac.running() === 0);
  };
  it.play(4_400);
  let last = Math.max(...await names());
  for (const restMs of [10_000, 20_000]) {
    await fail();
    it.clock.ms += restMs - 1;
    assert.equal((await it.aac.whole.playlist('show', plain)).kind, 'unavailable');
    assert.equal(it.aac.running(), 0);
    it.clock.ms += 1;
    const next = await names();
    assert.ok(Math.min(...next.filter((name) => name > 2e9)) > last, 'a part has a name again');
    last = Math.max(...next);
  }
});

test('[M36] the thread ends with the last line, also with one that failed', async (t) => {
  const transcoder = createTranscoder();
  t.after(() => transcoder.stop());
  const frames = [{ data: silence, duration: 960 }];
  const reason = await new Promise<string>((resolve) => {
    const line = transcoder.open({ onPacket: () => undefined, onFailed: resolve });
    line.sound(0, frames);
    line.sound(48_000 * 60, frames);
  });
  assert.match(reason, /jumped/);
  await until('the thread ended', () => !transcoder.isRunning());
});

test('[M37] while the publisher is away, who asks for AAC is told to come back', async (t) => {
  const it = stage();
  t.after(() => it.aac.stop());
  it.play(4_400);
  it.down();
  assert.equal((await it.hls.whole.playlist('show', plain)).kind, 'ok');
  assert.equal((await it.aac.whole.playlist('show', plain)).kind, 'unavailable');
  it.publish('2');
  it.play(4_400);
  assert.equal((await it.aac.whole.playlist('show', plain)).kind, 'ok');
});

test('[M34] no more are made at once than the machine carries, and who comes too many is told to wait', async (t) => {
  const it = stage([], 0);
  t.after(() => it.aac.stop());
  it.play(4_400);
  assert.equal((await it.aac.whole.playlist('show', plain)).kind, 'unavailable');
});
