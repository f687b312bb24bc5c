import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { drawStream } from '../../../tests/support/drawn-stream.ts';
import { keptParts } from '../../../tests/support/kept-parts.ts';
import { createHls } from '../hls/hls.ts';
import { createHealer, holesOf, withHealed, type Hole, type KeptMedia } from './healing.ts';
import { createRecorder } from './recorder.ts';
import {
  airedOf, bytesOf, durationOf, emptyIndex, linesOf, readIndex, stretchesOf, type RecordedSegment, type RecordingIndex,
} from './recording-index.ts';
import { addSpans, givingWay, weakIn, type KeptSpan } from './weak.ts';

const startMs = Date.UTC(2026, 10, 28, 20);
const mime = 'video/mp4; codecs="avc1.42e01f,opus"';
const maps = [
  { name: 'whole', mime, width: 720, height: 1_280, hasAudio: true },
  { name: 'half', mime, width: 360, height: 640, hasAudio: true },
];

type Change = Partial<RecordedSegment>;

/** Segments of two seconds each; of them those from `from` to `to` are made by `change`. */
function recording(
  count: number, from: number, to: number, change: Change | ((at: number) => Change),
): RecordingIndex {
  const segments = Array.from({ length: count }, (_, at): RecordedSegment => ({
    sequence: 100 + at, map: 'whole', startedAtMs: startMs + at * 2_000, durationMs: 2_000, bytes: 100,
    isIndependent: true, isLost: false, pictures: 60,
    ...(at >= from && at < to && (typeof change === 'function' ? change(at) : change)),
  }));
  return { maps, segments };
}

const weakOf = (index: RecordingIndex): Hole[] => weakIn(index, holesOf(index));
const stills = { pictures: 4 };
const at = ({ fromMs, toMs }: Hole) => [fromMs - startMs, toMs - startMs];
const kept = (fromMs: number, toMs: number): KeptMedia[][] => (
  keptParts(startMs + fromMs, startMs + toMs).map(({ media }) => media)
);
function spansOf(parts: readonly KeptMedia[][]): KeptSpan[] {
  const spans: KeptSpan[] = [];
  for (const part of parts) addSpans(spans, part);
  return spans;
}

function heal(index: RecordingIndex, hole: Hole, parts: readonly KeptMedia[][]): RecordingIndex {
  const healed = emptyIndex();
  const healer = createHealer(hole, {
    onMap: (map) => void healed.maps.push(map), onSegment: (segment) => void healed.segments.push(segment),
  });
  for (const part of parts) healer.add(part);
  healer.end();
  return withHealed(index, hole, healed);
}

test('[M233] weak is five seconds and more of stills, or of a picture of half the size', () => {
  assert.deepEqual(weakOf(recording(10, 3, 7, stills)).map(at), [[6_000, 14_000]]);
  assert.deepEqual(weakOf(recording(10, 3, 7, { map: 'half' })).map(at), [[6_000, 14_000]]);
  const both = recording(10, 3, 7, (one) => (one < 5 ? stills : { map: 'half' }));
  assert.deepEqual(weakOf(both).map(at), [[6_000, 14_000]], 'one after the other');
  assert.deepEqual(weakOf(recording(10, 3, 5, stills)), [], 'four seconds');
  assert.deepEqual(weakOf(recording(10, 0, 10, {})), []);
  assert.deepEqual(weakOf(recording(10, 3, 7, { pictures: 16 })), [], 'eight a second move');
  const old = recording(10, 0, 0, {});
  for (const segment of old.segments) delete segment.pictures;
  assert.deepEqual(weakOf(old), [], 'of before pictures were counted nothing is said');
  assert.deepEqual(weakOf(recording(10, 3, 7, { ...stills, isLost: true })), [], 'what is lost is a hole');
  assert.deepEqual(weakOf(recording(10, 3, 7, { ...stills, isHealed: true })), []);
  assert.deepEqual(weakOf(emptyIndex()), []);
  const before = recording(10, 3, 5, stills);
  before.segments.splice(5, 2);
  assert.deepEqual(weakOf(before).map(at), [[6_000, 10_000]], 'at a hole, where there is a seam in any case');
  const standing = recording(10, 4, 5, { pictures: 1 });
  standing.segments.splice(5, 2);
  standing.segments[4]!.durationMs = 1_000;
  assert.deepEqual(weakOf(standing), [], 'a last picture that stands');
  const small = { maps: [maps[1]!], segments: recording(10, 0, 10, { map: 'half' }).segments };
  assert.deepEqual(weakOf(small), [], 'a camera that has no more to give');
});

test('[M233] what the copy covers gives way in whole segments, as if it had come live; the rest stays', () => {
  const index = recording(10, 2, 8, { ...stills, placedMs: 70 });
  const [weak] = weakOf(index);
  assert.deepEqual([at(weak!), weak!.placedMs], [[4_000, 16_000], 70]);
  const parts = kept(5_000, 13_000).map((part) => part.filter(({ capturedMs }) => capturedMs < startMs + 13_000));
  const [hole, ...more] = givingWay(index, weak!, spansOf(parts));
  assert.deepEqual(at(hole!), [6_000, 12_000]);
  assert.deepEqual(more, []);
  const healed = heal(index, hole!, parts);
  assert.ok(Math.abs(durationOf(healed) - 20_000) < 3, `${durationOf(healed)}`);
  const stretches = stretchesOf(healed);
  assert.deepEqual(stretches.map(({ isHealed, isReplacing }) => [isHealed, isReplacing]),
    [[undefined, undefined], [true, true], [undefined, undefined]]);
  assert.deepEqual(weakOf(healed).filter(({ fromMs }) => fromMs >= hole!.fromMs - 1 && fromMs < hole!.toMs - 1), []);
});

test('[M233] what gave way is kept beside it: written, read, counted, and seen as it went out', () => {
  const index = recording(10, 2, 8, stills);
  const parts = kept(0, 20_000);
  const [hole] = givingWay(index, weakOf(index)[0]!, spansOf(parts));
  const healed = heal(index, hole!, parts);
  assert.deepEqual(healed.replaced!.map(({ sequence }) => sequence), [102, 103, 104, 105, 106, 107]);
  assert.deepEqual(airedOf(healed).segments, index.segments);
  assert.deepEqual(readIndex(linesOf(healed)).index, healed);
  assert.deepEqual(readIndex(linesOf(healed) + linesOf(healed)).index, healed, 'again it changes nothing');
  assert.equal(bytesOf(healed) - bytesOf({ ...healed, replaced: [] }), 600);
  assert.deepEqual(airedOf(index), index);
});

test('[M233] nothing gives way to what shows no more, or leaves what follows without its key picture', () => {
  const parts = kept(0, 20_000);
  const spans = spansOf(parts);
  const [span] = spans;
  assert.ok(spans.length === 1 && span!.side === 720 && span!.pictures > 400, JSON.stringify(spans));
  const index = recording(10, 2, 8, stills);
  const [weak] = weakOf(index);
  const gives = (one: Partial<KeptSpan>) => givingWay(index, weak!, [{ ...span!, ...one }]).map(at);
  assert.deepEqual(gives({}), [[4_000, 16_000]]);
  assert.deepEqual(gives({ side: 360 }), [], 'smaller');
  assert.deepEqual(gives({ pictures: 40 }), [], 'stills too');
  assert.deepEqual(gives({ toMs: startMs + 5_000 }), [], 'not one whole segment');
  const half = recording(10, 2, 8, { map: 'half' });
  assert.deepEqual(givingWay(half, weakOf(half)[0]!, [{ ...span!, side: 360 }]), [], 'of the same size');
  assert.deepEqual(givingWay(half, weakOf(half)[0]!, [{ ...span!, side: 540 }]).map(at), [[4_000, 16_000]]);
  const dependent = recording(10, 2, 9, (one) => (
    one < 7 ? stills : { isIndependent: false, pictures: one === 7 ? 4 : 60 }
  ));
  assert.deepEqual(givingWay(dependent, weakOf(dependent)[0]!, [span!]).map(at), [[4_000, 12_000]]);
});

test('[M233] a copy with a pause in it is two, and begins with a key picture each', () => {
  const [one] = kept(0, 1_000);
  const torn = one!.filter(({ capturedMs }) => capturedMs < startMs + 1_000 || capturedMs > startMs + 2_300);
  const spans = spansOf([torn]);
  assert.equal(spans[0]!.toMs < startMs + 1_000, true);
  assert.ok(spans.slice(1).every(({ fromMs }) => fromMs > startMs + 2_300));
  assert.deepEqual(spansOf([[{ kind: 'picture', capturedMs: startMs, bytes: Buffer.from('a picture') }]]), []);
});

test('[M232] of each segment it is kept how many pictures it has, and how long after capture they lie', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nacre-weak-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const silent = (): void => undefined;
  const recorder = createRecorder({
    folder, store: { put: async () => undefined }, log: { info: silent, warn: silent, error: silent },
  });
  const hls = createHls({ now: () => startMs, recorder });
  const stream = drawStream({ streamId: 'show', startedAtMs: startMs, send: hls.onMediaEvent });
  stream.begin('one');
  stream.play(3_000);
  stream.placed(83.4);
  hls.onMediaEvent({ type: 'uplink', streamId: 'show', sessionId: 'of before', uplinkMs: 7, placedMs: 7 });
  hls.onMediaEvent({ type: 'uplink', streamId: 'another', sessionId: 'one', uplinkMs: 7, placedMs: 7 });
  stream.play(1_000);
  stream.play(2_000, 500);
  stream.end();
  stream.begin('two');
  stream.play(2_000);
  hls.end('show');
  const index = await recorder.finish('show');
  const told = index!.segments.map(({ pictures, placedMs }) => [pictures, placedMs]);
  assert.deepEqual(told, [[50, undefined], [50, 83], [4, 83], [50, undefined]]);
});
