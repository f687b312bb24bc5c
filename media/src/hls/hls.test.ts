import assert from 'node:assert/strict';
import { test } from 'node:test';
import HLS from 'hls-parser';
import { Parser } from 'm3u8-parser';
import type { MediaEvent, StreamDownReason } from '../hooks.ts';
import { createHls, type Hls, type HlsAnswer, type WrittenPlaylist } from './hls.ts';
import { partTargetMs, targetDurationSeconds } from './packager.ts';

const startMs = Date.UTC(2026, 10, 26);

interface Stage {
  hls: Hls;
  send(event: MediaEvent): void;
  init(sessionId?: string, generation?: number): void;
  /** Pictures of so many ms each, with sound; a key picture each `gopMs`. Time goes on from call to call. */
  play(forMs: number, more?: { frameMs?: number; gopMs?: number }): void;
  down(reason?: StreamDownReason): void;
  /** Every picture and sound that was sent, as the bytes in it. */
  sent: string[];
}

function stage(options: { nowMs?: number; waitMs?: number } = {}): Stage {
  const hls = createHls({ now: () => options.nowMs ?? startMs, ...(options.waitMs ? { waitMs: options.waitMs } : {}) });
  const at = { timeMs: 0, sinceKeyMs: Infinity, sessionId: '1', generation: 1 };
  const sent: string[] = [];
  const send = (event: MediaEvent): void => hls.onMediaEvent(event);
  const fragment = (track: 'video' | 'audio', durationMs: number, isKey: boolean): void => {
    const name = `${at.sessionId}.${at.generation}.${track[0]}${at.timeMs};`;
    sent.push(name);
    send({
      type: 'fragment', layer: 'full', streamId: 'show', sessionId: at.sessionId, generation: at.generation, track,
      isKey, timeMs: at.timeMs, durationMs, arrivedAtMs: startMs + at.timeMs,
      data: Buffer.from(`${' '.repeat(24)}|${name}`),
    });
  };
  return {
    hls, send, sent,
    init(sessionId = '1', generation = 1) {
      if (sessionId !== at.sessionId) at.timeMs = 0;
      Object.assign(at, { sessionId, generation, sinceKeyMs: Infinity });
      send({
        type: 'init', layer: 'full', streamId: 'show', sessionId, generation,
        mime: 'video/mp4; codecs="avc1.42e01f,opus"', width: 720, height: 1280, hasVideo: true, hasAudio: true,
        initSegment: Buffer.from(`init ${sessionId}.${generation};`),
      });
    },
    play(forMs, { frameMs = 40, gopMs = 2_000 } = {}) {
      const endMs = at.timeMs + forMs;
      while (at.timeMs < endMs) {
        const isKey = at.sinceKeyMs >= gopMs;
        fragment('video', frameMs, isKey);
        at.sinceKeyMs = isKey ? frameMs : at.sinceKeyMs + frameMs;
        fragment('audio', frameMs, true);
        at.timeMs += frameMs;
      }
    },
    down: (reason = 'lost') => send({ type: 'down', streamId: 'show', sessionId: at.sessionId, reason }),
  };
}

const plain = { sequence: null, part: null, skip: false };

async function textOf(answer: Promise<HlsAnswer<WrittenPlaylist>>): Promise<string> {
  const found = await answer;
  assert.equal(found.kind, 'ok');
  return found.kind === 'ok' ? found.body.text : '';
}

async function bytesOf(hls: Hls, uri: string): Promise<string> {
  const found = await hls.file('show', uri);
  assert.equal(found.kind, 'ok', uri);
  return found.kind === 'ok' ? found.body.toString() : '';
}

/** The pictures and sounds in parts or segments, in their order. */
const namesIn = (bytes: string): string[] => bytes.match(/\d+\.\d+\.[va]\d+;/g) ?? [];

function mediaPlaylist(text: string): HLS.types.MediaPlaylist {
  const playlist = HLS.parse(text);
  assert.ok(!playlist.isMasterPlaylist);
  return playlist as HLS.types.MediaPlaylist;
}

test('[M25] segments, joined, hold every picture and sound once; and so do their parts', async () => {
  const it = stage();
  it.init();
  it.play(4_400);
  const { segments } = mediaPlaylist(await textOf(it.hls.playlist('show', plain)));
  const read: string[] = [];
  for (const { uri, parts } of segments) {
    const names = parts.filter(({ hint }) => !hint).map((part) => part.uri);
    const inParts = (await Promise.all(names.map((name) => bytesOf(it.hls, name)))).join('');
    if (uri) assert.equal(inParts, await bytesOf(it.hls, uri));
    read.push(inParts);
  }
  const got = namesIn(read.join(''));
  assert.deepEqual(got.toSorted(), it.sent.slice(0, got.length).toSorted());
  assert.ok(it.sent.length - got.length <= (2 * partTargetMs) / 40, 'all but what the next part will hold');
  assert.equal(await bytesOf(it.hls, segments[0]?.map?.uri ?? ''), 'init 1.1;');
});

test('[M26] a part begins with its picture, whatever sound came before it; its fragments are counted on', async () => {
  const it = stage();
  it.init();
  it.play(4_400);
  const { segments } = mediaPlaylist(await textOf(it.hls.playlist('show', plain)));
  const numbers: number[] = [];
  for (const { uri } of segments.flatMap(({ parts }) => parts.filter(({ hint }) => !hint))) {
    const found = await it.hls.file('show', uri);
    assert.ok(found.kind === 'ok');
    assert.match(namesIn(found.body.toString())[0] ?? '', /v/, uri);
    const names = found.body.toString('latin1').matchAll(/\|[\d.]+[va]/g);
    for (const { index } of names) numbers.push(found.body.readUInt32BE(index - 4));
  }
  assert.deepEqual(numbers, numbers.map((_, index) => index + 1));
  assert.ok(numbers.length > 100);
});

for (const frameMs of [33, 40, 42, 50, 66, 83, 100]) {
  test(`[M26] parts and segments keep their lengths at ${Math.round(1000 / frameMs)} pictures a second`, async () => {
    const it = stage();
    it.init();
    it.play(4_900, { frameMs });
    const { segments, targetDuration } = mediaPlaylist(await textOf(it.hls.playlist('show', plain)));
    assert.equal(targetDuration, targetDurationSeconds);
    for (const segment of segments) {
      const parts = segment.parts.filter(({ hint }) => !hint);
      if (segment.parts.length > 0) assert.ok(parts[0]?.independent, 'begins with a key picture');
      for (const [index, part] of parts.entries()) {
        const share = ((part.duration ?? 0) * 1_000) / partTargetMs;
        assert.ok(share <= 1.0001 && (share >= 0.85 || index === parts.length - 1), `${share} of ${part.uri}`);
      }
      if (segment.uri) assert.ok(Math.round(segment.duration) <= targetDurationSeconds);
    }
  });
}

test('[M26] a publisher that sends key pictures rarely gets segments all the same', async () => {
  const it = stage();
  it.init();
  it.play(12_000, { gopMs: 10_000 });
  const text = await textOf(it.hls.playlist('show', plain));
  const { segments } = mediaPlaylist(text);
  const whole = segments.filter(({ uri }) => uri);
  assert.ok(whole.length >= 3 && whole.every(({ duration }) => Math.round(duration) <= targetDurationSeconds));
  assert.doesNotMatch(text, /INDEPENDENT-SEGMENTS/, 'and the playlist does not claim what is not so');
});

test('[M37] who begins anew where key pictures are rare gets the last segment that starts with one', () => {
  const it = stage();
  it.init();
  it.play(12_000, { gopMs: 10_000 });
  const { startedAtMs, chunks } = it.hls.recent('show') ?? assert.fail('nothing');
  assert.equal(startedAtMs, startMs);
  assert.deepEqual(namesIn(chunks.join('')).toSorted(), it.sent.toSorted());
  it.play(3_000, { gopMs: 10_000 });
  assert.equal(it.hls.recent('show')?.startedAtMs, startMs + 10_000);
});

test('[M27] numbers go on over a takeover, and begin beyond all earlier ones after a restart', async () => {
  const before = stage();
  before.init();
  before.play(60_000);
  const old = mediaPlaylist(await textOf(before.hls.playlist('show', plain)));
  const oldParts = old.segments.flatMap(({ parts }) => parts.map(({ uri }) => Number.parseInt(uri, 10)));
  const after = stage({ nowMs: startMs + 60_000 });
  after.init();
  after.play(3_000);
  const fresh = mediaPlaylist(await textOf(after.hls.playlist('show', plain)));
  const first = fresh.mediaSequenceBase ?? 0;
  assert.ok(first > (old.mediaSequenceBase ?? 0) + old.segments.length);
  assert.ok(Number.parseInt(fresh.segments[0]?.parts[0]?.uri ?? '', 10) > Math.max(...oldParts));
  after.init('2');
  after.play(3_000);
  const taken = mediaPlaylist(await textOf(after.hls.playlist('show', plain)));
  const names = taken.segments.flatMap(({ uri }) => (uri ? [uri] : []));
  assert.deepEqual(names, [...new Set(names)].sort());
});

test('[M28] two readers take the playlist as it is meant', async () => {
  const it = stage();
  it.init();
  it.play(40_000);
  const text = await textOf(it.hls.playlist('show', plain));
  const { segments, lowLatencyCompatibility, partTargetDuration } = mediaPlaylist(text);
  assert.deepEqual(lowLatencyCompatibility, {
    canBlockReload: true, canSkipUntil: 18, partHoldBack: 1.05, holdBack: 9,
  });
  assert.equal(partTargetDuration, 0.35);
  assert.equal(segments.at(-1)?.parts.at(-1)?.hint, true, 'the next part is hinted at');
  const parser = new Parser();
  parser.push(text);
  parser.end();
  assert.equal(parser.manifest.segments.length, segments.filter(({ uri }) => uri).length);
  const first = segments[0]?.programDateTime?.getTime() ?? 0;
  assert.equal((first - startMs) % 2_000, 0, 'wall-clock time of the first picture');
  const index = await textOf(it.hls.multivariant('show'));
  assert.match(index, /,CLOSED-CAPTIONS=NONE\n/, 'nobody looks for captions in the pictures');
  const multivariant = HLS.parse(index);
  assert.ok(multivariant.isMasterPlaylist);
  const [variant] = (multivariant as HLS.types.MasterPlaylist).variants;
  assert.deepEqual(variant?.resolution, { width: 720, height: 1280 });
  assert.equal(variant?.codecs, 'avc1.42e01f,opus');
});

test('[M28] a delta update and the playlist before it give the whole', async () => {
  const it = stage();
  it.init();
  it.play(40_000);
  const before = (await textOf(it.hls.playlist('show', plain))).split('\n');
  it.play(360);
  const delta = await textOf(it.hls.playlist('show', { ...plain, skip: true }));
  const full = await textOf(it.hls.playlist('show', plain));
  const skipped = Number(/SKIPPED-SEGMENTS=(\d+)/.exec(delta)?.[1]);
  assert.ok(skipped > 0 && delta.length < full.length);
  const base = Number(/MEDIA-SEQUENCE:(\d+)/.exec(full)?.[1]);
  for (let sequence = base; sequence < base + skipped; sequence += 1) {
    assert.ok(before.includes(`${sequence}.m4s`), 'what is skipped was there before');
    assert.ok(!delta.includes(`\n${sequence}.m4s`));
  }
  const tail = (text: string) => text.slice(text.indexOf(`${base + skipped}.m4s`));
  assert.equal(tail(delta), tail(full));
  assert.match(delta, /SKIP:.*\n#EXT-X-MAP:.*\n/, 'and says how to read what it has');
});

test('[M30] no delta update skips over a change of publishers, and nothing is hinted at across one', async () => {
  const it = stage();
  const delta = () => textOf(it.hls.playlist('show', { ...plain, skip: true }));
  it.init();
  it.play(21_000);
  assert.match(await delta(), /PRELOAD-HINT/);
  it.down();
  assert.match(await delta(), /\.m4s\n#EXT-X-DISCONTINUITY\n$/, 'nobody publishes');
  it.init('2');
  assert.match(await delta(), /\.m4s\n#EXT-X-DISCONTINUITY\n$/, 'the next part has another map');
  it.play(2_500);
  assert.match(await delta(), /PRELOAD-HINT/);
  it.play(60_000);
  let seen = 0;
  it.init('3');
  for (let second = 0; second < 30; second += 1) {
    it.play(1_000);
    const text = await delta();
    const full = await textOf(it.hls.playlist('show', plain));
    if (!full.includes('#EXT-X-DISCONTINUITY\n')) continue;
    seen += 1;
    assert.match(text, /#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="init-\d+-1.mp4"\n/, `${second + 1} s after it`);
  }
  assert.ok(seen > 15);
});

test('[M29] a blocking reload is answered when its part is there, also the first of the next segment', async () => {
  const it = stage();
  it.init();
  it.play(4_400);
  const last = mediaPlaylist(await textOf(it.hls.playlist('show', plain)));
  const sequence = (last.mediaSequenceBase ?? 0) + last.segments.length - 1;
  const parts = last.segments.at(-1)?.parts.filter(({ hint }) => !hint).length ?? 0;
  const order: string[] = [];
  const next = textOf(it.hls.playlist('show', { sequence, part: parts, skip: false })).then((text) => {
    order.push('part');
    return text;
  });
  const far = textOf(it.hls.playlist('show', { sequence: sequence + 1, part: 0, skip: false }))
    .then(() => order.push('segment'));
  const beyond = textOf(it.hls.playlist('show', { sequence, part: 50, skip: false })).then(() => order.push('beyond'));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(order, [], 'nothing is answered early');
  it.play(320);
  const text = await next;
  assert.deepEqual(order, ['part']);
  assert.equal(mediaPlaylist(text).segments.at(-1)?.parts.filter(({ hint }) => !hint).length, parts + 1);
  it.play(2_000);
  await Promise.all([far, beyond]);
  const written = await Promise.all([1, 2].map(() => textOf(it.hls.playlist('show', plain))));
  assert.equal(written[0], written[1]);
});

test('[M29] the hinted part is sent when it is there; files that never were are not found', async () => {
  const it = stage();
  it.init();
  it.play(2_600);
  const hint = /PRELOAD-HINT:TYPE=PART,URI="([^"]+)"/.exec(await textOf(it.hls.playlist('show', plain)))?.[1] ?? '';
  const coming = bytesOf(it.hls, hint);
  it.play(600);
  assert.match(namesIn(await coming)[0] ?? '', /^1\.1\.v\d+;/);
  for (const name of ['999999999999.part.m4s', '7.m4s', 'init-x.mp4', 'secret', '../index.m3u8', '1e3.m4s']) {
    assert.equal((await it.hls.file('show', name)).kind, 'not-found', name);
  }
  assert.equal((await it.hls.playlist('nobody', plain)).kind, 'not-found');
});

test('[M29] too far ahead is refused, a wait is bounded, and one without its segment is no wait', async () => {
  const it = stage({ waitMs: 30 });
  it.init();
  it.play(4_400);
  const { mediaSequenceBase: base = 0, segments } = mediaPlaylist(await textOf(it.hls.playlist('show', plain)));
  const last = base + segments.length - 1;
  const ask = async (sequence: number | null, part: number | null) =>
    (await it.hls.playlist('show', { sequence, part, skip: false })).kind;
  assert.equal(await ask(last + 3, null), 'bad-request');
  assert.equal(await ask(null, 3), 'bad-request');
  assert.equal(await ask(last + 1, null), 'unavailable');
});

test('[M30] another publisher is a discontinuity, and each of its sizes has a map of its own', async () => {
  const it = stage();
  it.init();
  it.play(4_000);
  it.down();
  it.init('2');
  it.play(2_000);
  it.init('2', 2);
  it.play(4_000);
  const { segments, discontinuitySequenceBase } = mediaPlaylist(await textOf(it.hls.playlist('show', plain)));
  assert.deepEqual(segments.map(({ discontinuity }) => discontinuity ?? false), [
    false, false, true, false, false, false,
  ].slice(0, segments.length));
  assert.equal(new Set(segments.flatMap(({ uri, map }) => (uri ? [map?.uri] : []))).size, 3);
  assert.equal(discontinuitySequenceBase ?? 0, 0);
  it.play(40_000);
  assert.match(await textOf(it.hls.playlist('show', plain)), /EXT-X-DISCONTINUITY-SEQUENCE:1\n/);
});

test('[M30] the end of the show ends the playlist, also for who waits', async () => {
  const it = stage();
  it.init();
  it.play(4_400);
  const { mediaSequenceBase: base = 0, segments } = mediaPlaylist(await textOf(it.hls.playlist('show', plain)));
  const waiting = textOf(it.hls.playlist('show', { sequence: base + segments.length, part: 0, skip: false }));
  it.hls.end('show');
  assert.match(await waiting, /#EXT-X-ENDLIST\n$/);
  assert.doesNotMatch(await textOf(it.hls.playlist('show', plain)), /PRELOAD-HINT/);
});
