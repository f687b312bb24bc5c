import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny';
import { demoClip } from '../../../tests/support/publisher-stage.ts';
import { createPace } from './pace.ts';
import { createRecordedReader, type RecordedSample, type RecordedTracks } from './recorded.ts';
import { createSocketSession } from './socket-session.ts';

/** As a browser's recorder writes it; null where there is no FFmpeg. */
function record(...options: string[]): Buffer | null {
  const made = spawnSync('ffmpeg', [
    '-v', 'error', '-i', demoClip, '-t', '4', '-c:v', 'copy', ...options, '-f', 'mp4', 'pipe:1',
  ], { maxBuffer: 64 * 1024 * 1024 });
  return made.status === 0 ? made.stdout : null;
}
const fragmented = ['-movflags', 'empty_moov+default_base_moof+frag_keyframe'];
const aac = ['-c:a', 'aac', '-ar', '48000', '-ac', '1'];

function read(bytes: Buffer, pieceBytes: number) {
  const tracks: RecordedTracks[] = [];
  const samples: RecordedSample[] = [];
  const reader = createRecordedReader({
    onTracks: (found) => void tracks.push(found), onSample: (sample) => void samples.push(sample),
  });
  const isRead = Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, at) => (
    reader.push(bytes.subarray(at * pieceBytes, (at + 1) * pieceBytes))
  )).every(Boolean);
  return { isRead, tracks, samples };
}

/** What another reader finds: decoding order, shown times in ms, sizes. */
async function packets(bytes: Buffer, kind: 'picture' | 'sound'): Promise<[number, number][]> {
  const input = new Input({ formats: ALL_FORMATS, source: new BufferSource(bytes) });
  const track = await (kind === 'picture' ? input.getPrimaryVideoTrack() : input.getPrimaryAudioTrack());
  const found: [number, number][] = [];
  for await (const packet of new EncodedPacketSink(track!).packets()) {
    found.push([Math.round(packet.timestamp * 1_000), packet.data.length]);
  }
  return found;
}

const ways: [string, string[]][] = [
  ['Opus', [...fragmented, '-c:a', 'copy']],
  ['AAC', [...fragmented, ...aac]],
  ['offsets from the file, no edit list', ['-movflags', 'empty_moov+frag_keyframe', '-use_editlist', '0', ...aac]],
  ['an edit list over AAC’s priming', ['-movflags', 'delay_moov+default_base_moof+frag_keyframe', ...aac]],
];
for (const [name, options] of ways) {
  test(`[M76] a recording is read with every picture and sound at its time, cut anywhere: ${name}`, async (t) => {
    const bytes = record(...options);
    if (bytes === null) return t.skip('ffmpeg is not here');
    for (const pieceBytes of [bytes.length, 10_007, 301]) {
      const { isRead, tracks, samples } = read(bytes, pieceBytes);
      assert.ok(isRead);
      assert.deepEqual(tracks.map(({ sound }) => sound?.codec), [options.includes('aac') ? 'mp4a.40.2' : 'opus']);
      for (const kind of ['picture', 'sound'] as const) {
        const found = samples.filter(({ track }) => track === kind)
          .map(({ timeMs, offsetMs, data }) => [timeMs + offsetMs, data.length] as const);
        const wanted = await packets(bytes, kind);
        assert.equal(found.length, wanted.length, kind);
        found.forEach(([ms, size], at) => {
          assert.equal(size, wanted[at]![1]);
          assert.ok(Math.abs(ms - wanted[at]![0]) <= 2, `${kind} ${at}: ${ms} is not ${wanted[at]![0]} ms`);
        });
      }
    }
  });
}

test('[M76] what is no such recording is refused, and nothing throws', (t) => {
  const bytes = record(...fragmented, '-c:a', 'copy');
  if (bytes === null) return t.skip('ffmpeg is not here');
  assert.equal(read(Buffer.from('1a45dfa3010000000000001f4286810142f7', 'hex'), 100).isRead, false, 'WebM');
  assert.equal(read(Buffer.from('ffffffff6d646174', 'hex'), 8).isRead, false, 'a box of 4 GB');
  assert.equal(read(readFileSync(demoClip), 1_000_000).isRead, false, 'a file that is not fragmented');
  let refused = 0;
  for (let at = 0; at < 1_500; at += 1) {
    const changed = Buffer.from(bytes.subarray(0, 60_000));
    changed[at] = changed[at]! ^ 0xff;
    if (!read(changed, 20_000).isRead) refused += 1;
  }
  assert.ok(refused > 100, `${refused}`);
});

test('[M77] pieces of a second go on at their own pace, later after a late one; much goes on at once', () => {
  const went: [number, number][] = [];
  const pace = createPace();
  const piece = (fromMs: number) => [0, 250, 500, 750].map((ms) => ({
    timeMs: fromMs + ms, go: (nowMs: number) => void went.push([fromMs + ms, nowMs]),
  }));
  const runTo = (fromMs: number, toMs: number): void => {
    for (let ms = fromMs; ms < toMs; ms += 50) pace.tick(ms);
  };
  pace.push(piece(0), 10_000);
  runTo(10_000, 11_000);
  pace.push(piece(1_000), 11_100);
  runTo(11_100, 12_000);
  pace.push(piece(2_000), 12_000);
  runTo(12_000, 13_200);
  assert.deepEqual(went.map(([timeMs, atMs]) => atMs - timeMs - 10_000), [0, 0, 0, 0, ...Array(8).fill(100)]);
  went.length = 0;
  for (let fromMs = 3_000; fromMs < 9_000; fromMs += 1_000) pace.push(piece(fromMs), 20_000);
  assert.ok(went.length >= 12, 'what is too much goes at once');
  pace.flush(20_000);
  assert.equal(went.length, 24);
});

test('[M77] what comes early for long goes on earlier', () => {
  const delays: number[] = [];
  const pace = createPace();
  for (let at = 0; at < 20; at += 1) {
    const nowMs = at === 0 ? 1_000 : at * 1_000;
    for (let ms = nowMs - 1_000; ms < nowMs; ms += 50) pace.tick(ms);
    pace.push([{ timeMs: at * 1_000, go: (goneMs) => void delays.push(goneMs - at * 1_000) }], nowMs);
  }
  assert.ok(delays.at(-1)! <= 200, delays.join());
});

test('[M76] two recordings after each other are one stream, with a change of bitrate between', async (t) => {
  const ofASecond = ['-movflags', 'empty_moov+default_base_moof', '-frag_duration', '1000000', ...aac];
  const [first, second] = [record(...ofASecond), record(...ofASecond, '-metadata', 'title=again')];
  if (first === null || second === null) return t.skip('ffmpeg is not here');
  const told: string[] = [];
  const fragments: Buffer[] = [];
  const session = createSocketSession({
    hasSound: true, nowMs: 0, silenceMs: 4_000,
    onUp: () => told.push('up'),
    onInit: ({ mime, initSegment }) => {
      told.push(mime);
      fragments.push(initSegment);
    },
    onFragment: ({ data }) => void fragments.push(data),
    onUplink: () => undefined, onKeyNeeded: () => undefined, onLost: () => told.push('lost'),
  });
  const runTo = (fromMs: number, toMs: number): void => {
    for (let ms = fromMs; ms < toMs; ms += 50) {
      session.ping(ms, undefined, ms);
      session.tick(ms);
    }
  };
  for (const [recording, beganMs, nowMs] of [[first, 50_000, 1_000], [second, 54_100, 5_100]] as const) {
    const pieceBytes = Math.ceil(recording.length / 4);
    for (let at = 0; at < 4; at += 1) {
      const piece = recording.subarray(at * pieceBytes, (at + 1) * pieceBytes);
      assert.ok(session.recorded(piece, beganMs, nowMs + at * 1_000));
      runTo(nowMs + at * 1_000, nowMs + (at + 1) * 1_000);
    }
  }
  runTo(9_200, 10_500);
  session.end();
  assert.deepEqual(told, ['up', told[1]], 'one generation');
  assert.match(told[1]!, /avc1\.[0-9a-f]+,mp4a\.40\.2/);
  const times = (await packets(Buffer.concat(fragments), 'picture')).map(([ms]) => ms);
  assert.ok(times.length > 190, `${times.length} pictures`);
  times.forEach((ms, at) => at > 0 && assert.ok(ms > times[at - 1]! && ms - times[at - 1]! < 150, `${at}: ${ms}`));
  const sounds = await packets(Buffer.concat(fragments), 'sound');
  assert.ok(Math.abs(sounds.at(-1)![0] - times.at(-1)!) < 300);
});
