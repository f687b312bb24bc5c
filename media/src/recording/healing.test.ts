import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny';
import { clipMs, keptParts } from '../../../tests/support/kept-parts.ts';
import { checkRecording } from './check.ts';
import { createHealer, holesOf, spanOf, withHealed, type Hole, type KeptMedia } from './healing.ts';
import {
  addEntry, durationOf, emptyIndex, readIndex, stretchesOf, writeEntry, type RecordedSegment, type RecordingIndex,
} from './recording-index.ts';

const startMs = Date.UTC(2026, 10, 27, 20);
const map = {
  name: 'init-1-1', mime: 'video/mp4; codecs="avc1.42e01f,opus"', width: 720, height: 1280, hasAudio: true,
};

function segment(sequence: number, fromMs: number, durationMs = 2_000, isLost = false): RecordedSegment {
  return {
    sequence, map: map.name, startedAtMs: startMs + fromMs, durationMs, bytes: isLost ? 0 : 100, isIndependent: true,
    isLost,
  };
}

/** Two segments, nothing from 4 s to 12.5 s, two segments. */
const broken: RecordingIndex = {
  maps: [map], segments: [segment(1, 0), segment(2, 2_000), segment(3, 12_500), segment(4, 14_500)],
};

function heal(hole: Hole, parts: readonly KeptMedia[][]) {
  const healed = emptyIndex();
  const files = new Map<string, Buffer>();
  const healer = createHealer(hole, {
    onMap(made, init) {
      healed.maps.push(made);
      files.set(made.name, init);
    },
    onSegment(made, data) {
      healed.segments.push(made);
      files.set(String(made.sequence), data);
    },
  });
  for (const part of parts) healer.add(part);
  healer.end();
  return { healed, files };
}

const kept = (fromMs: number, toMs: number): KeptMedia[][] => (
  keptParts(startMs + fromMs, startMs + toMs).map(({ media }) => media)
);

async function packetsOf({ healed, files }: ReturnType<typeof heal>) {
  const bytes = [files.get(healed.maps[0]!.name)!, ...healed.segments.map(({ sequence }) => files.get(`${sequence}`)!)];
  const input = new Input({ formats: ALL_FORMATS, source: new BufferSource(Buffer.concat(bytes)) });
  const track = await input.getPrimaryVideoTrack();
  const pictures = [];
  for await (const packet of new EncodedPacketSink(track!).packets()) pictures.push(packet);
  return pictures;
}

test('[M180] a break of a second and more is a hole, what is lost is one, a shorter one is none', () => {
  const at = (hole: Hole) => [hole.fromMs - startMs, hole.toMs - startMs];
  assert.deepEqual(holesOf(broken).map(at), [[4_000, 12_500]]);
  const lost = { maps: [map], segments: [segment(1, 0), segment(2, 2_000, 2_000, true), segment(3, 4_900)] };
  assert.deepEqual(holesOf(lost).map(at), [[2_000, 4_900]]);
  assert.deepEqual(holesOf({ maps: [map], segments: [segment(1, 0), segment(2, 2_900)] }), []);
  assert.deepEqual(holesOf(emptyIndex()), []);
});

test('[M231] before the first picture and after the last the show tells what is missing, ten minutes at most', () => {
  const at = ({ fromMs, toMs }: Hole) => [fromMs - startMs, toMs - startMs];
  const edges = (wentLiveMs: number | null, endedMs: number | null) => (
    holesOf(broken, { wentLiveMs: wentLiveMs && startMs + wentLiveMs, endedMs: endedMs && startMs + endedMs }).map(at)
  );
  const middle = [4_000, 12_500];
  assert.deepEqual(edges(-3_000, 20_000), [[-3_000, 0], middle, [16_500, 20_000]]);
  assert.deepEqual(edges(-900, 17_400), [middle], 'a moment is none');
  assert.deepEqual(edges(5_000, 3_000), [middle], 'nor is what the clocks disagree on');
  assert.deepEqual(edges(-7_200_000, 7_200_000), [[-600_000, 0], middle, [16_500, 616_500]]);
  assert.deepEqual(holesOf(emptyIndex(), { wentLiveMs: startMs, endedMs: startMs + 60_000 }), []);
});

test('[M231] the end is filled up to there, the beginning from there on, and all of it is in order', () => {
  const holes = holesOf(broken, { wentLiveMs: startMs - 3_000, endedMs: startMs + 20_000 });
  const whole = holes.reduce((index, hole) => (
    withHealed(index, hole, heal(hole, kept(-9_000, 24_000)).healed)
  ), broken);
  const stretches = stretchesOf(whole);
  assert.deepEqual(stretches.map(({ isHealed }) => isHealed ?? false), [true, false, true, false, true]);
  assert.ok(Math.abs(stretches[0]!.startedAtMs - startMs + 3_000) < 2);
  assert.ok(Math.abs(durationOf(whole) - 23_000) < 3, `${durationOf(whole)}`);
  assert.equal(whole.replaced, undefined);
});

test('[M232] what was kept is put as late as the pictures before the hole lie, else those behind it', async () => {
  const known: RecordingIndex = {
    ...broken, segments: broken.segments.map((one, at) => ({ ...one, ...(at > 0 && { placedMs: at * 90 }) })),
  };
  const holes = holesOf(known, { wentLiveMs: startMs - 3_000, endedMs: startMs + 20_000 });
  assert.deepEqual(holes.map(({ placedMs }) => placedMs), [90, 90, 270]);
  assert.deepEqual(holesOf(broken).map(({ placedMs }) => placedMs), [0], 'nothing is known');
  const [, hole] = holes;
  const filled = heal(hole!, kept(1_300, 13_000));
  const [first] = filled.healed.segments;
  assert.ok(Math.abs(first!.startedAtMs - hole!.fromMs) < 2);
  assert.ok(Math.abs(durationOf(filled.healed) - 8_500) < 2, `${durationOf(filled.healed)}`);
  const captured = kept(1_300, 13_000).flat().filter(({ kind, capturedMs }) => (
    kind === 'picture' && capturedMs + 90 >= hole!.fromMs && capturedMs + 90 < hole!.toMs
  ));
  const shown = (await packetsOf(filled)).filter(({ duration }) => duration > 0.001).slice(1);
  assert.equal(shown.length, captured.length);
  for (const [at, { timestamp }] of shown.entries()) {
    const lateMs = first!.startedAtMs + timestamp * 1_000 - captured[at]!.capturedMs;
    assert.ok(Math.abs(lateMs - 90) < 1, `${lateMs}`);
  }
});

test('[M181] a hole is filled from its first ms to its last, with what was captured then alone', async () => {
  const hole = holesOf(broken)[0]!;
  // Its key pictures are not where the hole begins.
  const filled = heal(hole, kept(1_300, 13_000));
  const { healed } = filled;
  const first = healed.segments[0]!;
  assert.ok(Math.abs(first.startedAtMs - hole.fromMs) < 2, `${first.startedAtMs - hole.fromMs}`);
  assert.ok(Math.abs(durationOf(healed) - 8_500) < 2, `${durationOf(healed)}`);
  const pictures = await packetsOf(filled);
  assert.equal(pictures[0]!.type, 'key');
  const shown = pictures.filter(({ duration }) => duration > 0.001);
  const hidden = pictures.length - shown.length;
  assert.ok(hidden > 0, 'what decoding needs is in front');
  assert.ok(pictures.slice(0, hidden).every(({ duration }) => duration < 0.0001), 'and takes no time');
  // The clip's own times, as captured.
  const captured = kept(1_300, 13_000).flat().filter(({ kind, capturedMs }) => (
    kind === 'picture' && capturedMs >= hole.fromMs && capturedMs < hole.toMs
  ));
  assert.equal(shown.length, captured.length + 1, 'the first was on screen when the hole began');
  for (const [at, { timestamp }] of shown.slice(1).entries()) {
    const ms = first.startedAtMs + timestamp * 1_000;
    assert.ok(Math.abs(ms - captured[at]!.capturedMs) < 1, `${ms - captured[at]!.capturedMs}`);
  }
});

test('[M182] put into its place it is whole: no hole, no fault, and known for what it is', async () => {
  const hole = holesOf(broken)[0]!;
  const { healed, files } = heal(hole, kept(1_300, 13_000));
  const whole = withHealed(broken, hole, healed);
  assert.deepEqual(holesOf(whole), []);
  assert.equal(Math.round(durationOf(whole)), 16_500);
  const stretches = stretchesOf(whole);
  assert.deepEqual(stretches.map(({ isHealed }) => isHealed ?? false), [false, true, false]);
  const lines = [...whole.maps.map((one) => ({ map: one })), ...whole.segments.map((one) => ({ segment: one }))];
  assert.deepEqual(readIndex(lines.map(writeEntry).join('')).index, whole, 'written and read');
  const twice = structuredClone(whole);
  for (const line of lines) addEntry(twice, line);
  assert.deepEqual(twice, whole, 'again it changes nothing');
  const inside = await checkRecording(healed, async (sequence) => files.get(`${sequence}`) ?? null);
  assert.deepEqual(inside.faults, []);
  const report = await checkRecording(whole, async () => null);
  assert.deepEqual(report.gaps, []);
});

test('[M183] where the device kept less, less is filled, from a key picture on; nothing is made up', () => {
  const hole = holesOf(broken)[0]!;
  const late = heal(hole, kept(6_000, 13_000)).healed;
  assert.ok(Math.abs(late.segments[0]!.startedAtMs - startMs - 6_000) < 2);
  const [one] = kept(1_300, 2_000);
  const cut = heal(hole, [one!.filter(({ capturedMs }) => capturedMs < startMs + 5_000)]).healed;
  assert.ok(durationOf(cut) < 1_100, `${durationOf(cut)}`);
  // A gap in the middle, longer than a second: two runs, each with a key picture of its own.
  const all = kept(3_000, 4_000)[0]!;
  const torn = [
    all.filter(({ capturedMs }) => capturedMs < startMs + 5_000),
    kept(9_000, 10_000)[0]!,
  ];
  const { healed } = heal(hole, torn);
  assert.equal(healed.maps.length, 2);
  const left = holesOf(withHealed(broken, hole, healed)).map(({ fromMs, toMs }) => Math.round((toMs - fromMs) / 100));
  assert.deepEqual(left, [40]);
  assert.deepEqual(heal(hole, []).healed, emptyIndex());
  // Without its key picture.
  const headless = heal(hole, [all.slice(1).filter(({ capturedMs }) => capturedMs < startMs + 4_900)]).healed;
  assert.deepEqual(headless, emptyIndex());
});

test('[M184] a part that does not begin with a key picture, or holds what cannot be shown, is none', () => {
  const [part] = kept(0, 1_000);
  const span = spanOf(part!)!;
  assert.equal(span.fromMs, startMs);
  assert.ok(span.toMs - span.fromMs > clipMs - 100);
  const pictures = part!.filter(({ kind }) => kind === 'picture');
  assert.equal(spanOf(pictures.slice(1)), null, 'no key');
  assert.equal(spanOf([...pictures].reverse()), null, 'backwards');
  assert.equal(spanOf([{ kind: 'picture', capturedMs: startMs, bytes: Buffer.from('a picture') }]), null);
  assert.equal(spanOf([...pictures, { kind: 'sound', capturedMs: startMs, bytes: Buffer.alloc(0) }]), null);
  assert.equal(spanOf([]), null);
});
