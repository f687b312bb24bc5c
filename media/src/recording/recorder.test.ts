import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { chmod, cp, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import HLS from 'hls-parser';
import { Parser } from 'm3u8-parser';
import { createChance } from '../../../tests/simulation/world.ts';
import { drawStream } from '../../../tests/support/drawn-stream.ts';
import { mountSmallDisk } from '../../../tests/support/small-disk.ts';
import { wholeFragments } from '../fmp4/fragment-reader.ts';
import { createHls } from '../hls/hls.ts';
import { beginCheck, checkOn, checkRecording, isChecked } from './check.ts';
import { createRecorder, indexKey, mapKey, segmentKey, type SegmentStore } from './recorder.ts';
import { durationOf, placeOf, readIndex, stretchesOf, writeEntry, type RecordingIndex } from './recording-index.ts';
import { writeReplay, writeReplayMultivariant } from './replay-playlist.ts';

const startMs = Date.UTC(2026, 10, 27, 20);
const silent = () => undefined;
const log = { info: silent, warn: silent, error: silent };

/** The port's simplest implementation; the real ones are blobs (server/src/platform). */
function createStore() {
  const kept = new Map<string, Buffer>();
  const store = { isDown: false, kept, put: async (key: string, bytes: Buffer) => {
    if (store.isDown) throw new Error('the store is away');
    kept.set(key, Buffer.from(bytes));
  } };
  return store satisfies SegmentStore;
}

function newFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'nacre-recording-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function stage(folder: string, store: SegmentStore, startedAtMs = startMs) {
  const recorder = createRecorder({ folder, store, log });
  const hls = createHls({ now: () => startedAtMs, recorder });
  const sent: Buffer[] = [];
  const stream = drawStream({
    streamId: 'show', startedAtMs,
    send(event) {
      if (event.type === 'fragment') sent.push(Buffer.from(event.data.subarray(-1)));
      hls.onMediaEvent(event);
    },
  });
  return { recorder, hls, stream, sent };
}

const reader = (kept: ReadonlyMap<string, Buffer>) => async (sequence: number) => (
  kept.get(segmentKey('show', sequence)) ?? null
);

async function untilSettled(recorder: ReturnType<typeof createRecorder>): Promise<void> {
  for (let was = -1, tries = 0; tries < 500; tries += 1) {
    await new Promise((done) => setTimeout(done, 10));
    const { waiting, segmentsKept, segmentsLost } = recorder.stats();
    if (waiting === 0 && was === segmentsKept + segmentsLost) return;
    was = segmentsKept + segmentsLost;
  }
  throw new Error('the recorder does not settle');
}

/** Until the index has so many segments, lost ones too. */
async function untilKept(recorder: ReturnType<typeof createRecorder>, segments: number): Promise<void> {
  for (let tries = 0; (recorder.index('show')?.segments.length ?? 0) < segments; tries += 1) {
    if (tries > 1_000) throw new Error(`${recorder.index('show')?.segments.length} segments`);
    await new Promise((done) => setTimeout(done, 10));
  }
}

test('[M50] what is kept is what was sent, in order, with its time', async (t) => {
  const store = createStore();
  const { recorder, hls, stream } = stage(newFolder(t), store);
  stream.begin('one');
  stream.play(9_000);
  stream.end();
  stream.wait(5_000);
  stream.begin('two');
  stream.play(4_000);
  hls.end('show');
  const live = recorder.index('show');
  const index = await recorder.finish('show');
  assert.equal(live, index);
  assert.ok(index);
  assert.equal(recorder.index('show'), null);
  const inits = index.maps.map(({ name }) => store.kept.get(mapKey('show', name))?.toString());
  assert.deepEqual(inits, ['init one 1', 'init two 1']);
  assert.equal(durationOf(index), 13_000);
  assert.deepEqual(stretchesOf(index), [
    { fromMs: 0, startedAtMs: startMs, durationMs: 9_000 },
    { fromMs: 9_000, startedAtMs: startMs + 14_000, durationMs: 4_000 },
  ]);
  assert.deepEqual(readIndex(store.kept.get(indexKey('show'))!.toString()).index, index);
  const report = await checkRecording(index, reader(store.kept));
  assert.deepEqual(report, {
    durationMs: 13_000, bytes: report.bytes, segments: index.segments.length, pictures: 325, keyPictures: 7,
    soundFrames: 650, gaps: [{ atMs: 9_000, missingMs: 5_000, why: 'interrupted' }], faults: [],
  });
  assert.equal(await recorder.finish('show'), null, 'once');
});

test('[M210] what straggles behind the finish begins nothing anew', async (t) => {
  const store = createStore();
  const folder = newFolder(t);
  const { recorder, hls, stream } = stage(folder, store);
  stream.begin('one');
  stream.play(6_000);
  await untilSettled(recorder);
  // The store takes its time, and the camera has not heard yet.
  const finished = recorder.finish('show');
  stream.play(3_000);
  const index = await finished;
  stream.play(3_000);
  hls.end('show');
  assert.ok(index && index.segments.length > 0);
  assert.equal(recorder.index('show'), null);
  assert.equal(await recorder.finish('show'), null);
  assert.deepEqual(readIndex(store.kept.get(indexKey('show'))!.toString()).index, index);
  assert.deepEqual(readdirSync(folder), []);
  const report = await checkRecording(index, reader(store.kept));
  assert.deepEqual(report.faults, []);
  assert.equal(await recorder.finish('never'), null);
  assert.equal(recorder.stats().streams, 0);
});

test('[M51] cut at any byte, at most what was being written is gone, and it goes on behind', async (t) => {
  const chance = createChance(20_261);
  const folder = newFolder(t);
  const store = createStore();
  const first = stage(join(folder, 'spool'), store);
  first.stream.begin('one');
  first.stream.play(6_000);
  // The store stays behind: several segments are in the spool.
  await untilSettled(first.recorder);
  store.isDown = true;
  first.stream.play(5_500);
  await new Promise((done) => setTimeout(done, 200));
  await first.recorder.stop();
  store.isDown = false;
  const before = new Map(store.kept);
  for (let round = 0; round < 60; round += 1) {
    const copy = join(folder, `round-${round}`);
    await cp(join(folder, 'spool'), copy, { recursive: true });
    const files = readdirSync(join(copy, 'show')).sort();
    // What a crash cuts is what was written last: the segment in progress, or the index.
    const name = chance.is(0.5) ? files.at(-2)! : 'index.jsonl';
    const path = join(copy, 'show', name);
    const size = statSync(path).size;
    const cut = chance.whole(0, size);
    truncateSync(path, cut);
    const expectedMs = 11_500 - lostMs(path, name, cut, size);
    const own = createStore();
    for (const [key, bytes] of before) own.kept.set(key, bytes);
    const later = stage(copy, own, startMs + 60_000);
    assert.deepEqual(await later.recorder.recover(), ['show']);
    later.stream.begin('two');
    later.stream.play(2_000);
    later.hls.end('show');
    const index = await later.recorder.finish('show');
    const report = await checkRecording(index!, reader(own.kept));
    assert.deepEqual(report.faults, [], `round ${round}: ${name} cut at ${cut} of ${size}`);
    if (name !== 'index.jsonl') assert.ok(report.durationMs >= expectedMs, `${name} at ${cut}: ${report.durationMs}`);
    assert.ok(report.durationMs >= 2_000);
    assert.equal(readdirSync(copy).length, 0, 'the spool is empty');
  }

  /** How much a cut may cost at most: what lies behind it, and the part that it goes through. */
  function lostMs(_path: string, name: string, cut: number, size: number): number {
    return name === 'index.jsonl' ? 12_000 : Math.ceil(((size - cut) / size) * 2_200) + 2_000 + 400;
  }
});

test('[M51] killed at any moment, what was kept plays, and it goes on', async (t) => {
  const chance = createChance(7);
  const folder = newFolder(t);
  const program = join(import.meta.dirname, '../../../tests/support/recording-process.ts');
  let before = 0;
  for (let round = 0; round < 6; round += 1) {
    const child = spawn(process.execPath, [program, folder, String(startMs + round * 100_000_000)], { stdio: 'pipe' });
    let told = '';
    child.stdout.on('data', (text: Buffer) => (told += text.toString()));
    const errors: Buffer[] = [];
    child.stderr.on('data', (text: Buffer) => errors.push(text));
    const own = () => Number(told.split('\n').at(-2) ?? 0) - Number(told.split('\n')[0]);
    for (let tries = 0; own() < 6 && tries < 1_000; tries += 1) await new Promise((done) => setTimeout(done, 10));
    await new Promise((done) => setTimeout(done, chance.whole(0, 60)));
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.equal(Buffer.concat(errors).toString(), '');
    const kept = Number(told.split('\n').at(-2));
    assert.ok(kept > before, 'something was kept');
    before = kept;
  }
  const recorder = createRecorder({
    folder: join(folder, 'spool'), log,
    store: { put: async (key, bytes) => {
      await mkdir(join(folder, 'blobs', key, '..'), { recursive: true });
      writeFileSync(join(folder, 'blobs', key), bytes);
    } },
  });
  await recorder.recover();
  const index = await recorder.finish('show');
  const report = await checkRecording(index!, async (sequence) => (
    readFileSync(join(folder, 'blobs', segmentKey('show', sequence)))
  ));
  assert.deepEqual(report.faults, []);
  assert.ok(index!.segments.length >= before);
  assert.equal(index!.maps.length, 6);
});

test('[M52] a store that is away delays nothing and loses nothing', async (t) => {
  const store = createStore();
  const { recorder, hls, stream } = stage(newFolder(t), store);
  store.isDown = true;
  stream.begin('one');
  stream.play(20_000);
  await new Promise((done) => setTimeout(done, 100));
  assert.equal(recorder.stats().trouble, 'the store is away');
  assert.equal(recorder.index('show')!.segments.length, 0);
  store.isDown = false;
  hls.end('show');
  const index = await recorder.finish('show');
  assert.equal(durationOf(index!), 20_000);
  assert.deepEqual((await checkRecording(index!, reader(store.kept))).faults, []);
});

test('[M52] a disk that takes nothing costs what came meanwhile, and that is known', {
  skip: process.getuid?.() === 0 && 'root writes everywhere',
}, async (t) => {
  const folder = newFolder(t);
  const store = createStore();
  const { recorder, hls, stream } = stage(folder, store);
  stream.begin('one');
  stream.play(4_000);
  await untilSettled(recorder);
  await chmod(join(folder, 'show'), 0o500);
  stream.play(4_000);
  await new Promise((done) => setTimeout(done, 100));
  await chmod(join(folder, 'show'), 0o700);
  stream.play(4_000);
  hls.end('show');
  const index = await recorder.finish('show');
  assert.equal(durationOf(index!), 12_000);
  assert.ok(index!.segments.some(({ isLost }) => isLost));
});

test('[M53] what the disk does not take in time is lost by whole segments, and known', async (t) => {
  const store = createStore();
  const folder = newFolder(t);
  const recorder = createRecorder({ folder, store, log });
  const hls = createHls({ now: () => startMs, recorder });
  const stream = drawStream({
    streamId: 'show', startedAtMs: startMs, send: hls.onMediaEvent, pictureBytes: 60_000,
  });
  stream.begin('one');
  // At once: nothing can be written in between.
  stream.play(20_000);
  await untilSettled(recorder);
  stream.play(2_000);
  hls.end('show');
  const index = await recorder.finish('show');
  const lost = index!.segments.filter(({ isLost }) => isLost);
  assert.ok(lost.length > 0 && lost.length < index!.segments.length);
  assert.equal(durationOf(index!), 22_000);
  const report = await checkRecording(index!, reader(store.kept));
  assert.deepEqual(report.faults, []);
  assert.equal(report.gaps.filter(({ why }) => why === 'lost').length, lost.length);
  assert.equal(stretchesOf(index!).length, 1, 'places stay where they were');
  assert.match(writeReplay(index!, { isOver: true }), /#EXT-X-GAP\n#EXTINF/);
});

test('[M57] a recording has an end, and where there is no room nothing is written', async (t) => {
  const store = createStore();
  let hasRoom = true;
  const recorder = createRecorder({
    folder: newFolder(t), store, log, limitMsOf: async () => 10_000, hasRoom: () => hasRoom,
  });
  const hls = createHls({ now: () => startMs, recorder });
  const stream = drawStream({ streamId: 'show', startedAtMs: startMs, send: hls.onMediaEvent });
  stream.begin('one');
  stream.play(4_000);
  hasRoom = false;
  stream.play(3_000);
  hasRoom = true;
  await untilKept(recorder, 3);
  const bytes = [...store.kept.values()].reduce((sum, { length }) => sum + length, 0);
  stream.play(60_000);
  hls.end('show');
  const index = (await recorder.finish('show'))!;
  assert.equal(durationOf(index), 10_000);
  assert.deepEqual(index.segments.map(({ isLost }) => isLost), [false, true, true, true, false]);
  assert.ok([...store.kept.values()].reduce((sum, { length }) => sum + length, 0) < bytes * 3);
  assert.deepEqual((await checkRecording(index, reader(store.kept))).faults, []);
});

test('[M58] a stop in the middle of finishing keeps what the store has not taken for the next process', async (t) => {
  const folder = newFolder(t);
  const store = createStore();
  const { recorder, hls, stream } = stage(folder, store);
  stream.begin('one');
  stream.play(4_000);
  await untilSettled(recorder);
  store.isDown = true;
  stream.play(4_000);
  hls.end('show');
  const finishing = assert.rejects(recorder.finish('show'), /stopped/);
  await new Promise((done) => setTimeout(done, 100));
  // It comes back just too late.
  store.isDown = false;
  await recorder.stop();
  await finishing;
  const next = createRecorder({ folder, store, log });
  assert.deepEqual(await next.recover(), ['show']);
  const index = (await next.finish('show'))!;
  assert.equal(durationOf(index), 8_000);
  assert.deepEqual((await checkRecording(index, reader(store.kept))).faults, []);
});

test('[M59] a line of the index that a full disk cut short costs no other, also after a crash', async (t) => {
  const disk = mountSmallDisk(8);
  if ('why' in disk) return t.skip(disk.why);
  const store = createStore();
  const { recorder, hls, stream } = stage(disk.folder, store);
  try {
    stream.begin('one');
    stream.play(5_000);
    await untilKept(recorder, 2);
    disk.fill();
    // So many lines that one of them does not fit into the last page.
    stream.play(80_000);
    await new Promise((done) => setTimeout(done, 300));
    disk.clear();
    stream.play(4_000);
    await untilKept(recorder, 43);
    // The index grows while it is looked at.
    await untilSettled(recorder);
    const before = recorder.index('show')!;
    assert.ok(durationOf(before) >= 86_000, `${durationOf(before)}`);
    // As after kill -9: nothing was finished.
    const next = createRecorder({ folder: disk.folder, store, log });
    await next.recover();
    assert.deepEqual(next.index('show')!.segments, before.segments);
    await next.stop();
  } finally {
    hls.end('show');
    await recorder.stop();
    disk.remove();
  }
});

test('[M60] what is left of a recording and cannot be read is put aside, not deleted', async (t) => {
  const folder = newFolder(t);
  const store = createStore();
  const { recorder, stream } = stage(folder, store);
  stream.begin('one');
  stream.play(3_000);
  await untilSettled(recorder);
  await recorder.stop();
  // No file can be read like this, by nobody.
  const index = join(folder, 'show', 'index.jsonl');
  await rm(index);
  await mkdir(index);
  const next = createRecorder({ folder, store, log });
  assert.deepEqual(await next.recover(), []);
  assert.equal(await next.finish('show'), null);
  assert.ok(next.stats().trouble !== null);
  const [aside, ...others] = readdirSync(folder);
  assert.match(aside!, /^show\.unread-\w+$/);
  assert.deepEqual(others, []);
  assert.ok(readdirSync(join(folder, aside!)).some((name) => name.endsWith('.m4s')));
  assert.deepEqual(await createRecorder({ folder, store, log }).recover(), [], 'and left alone from then on');
});

test('[M54] the playlist grows while the show runs and is whole when it is over, for two readers', async (t) => {
  const store = createStore();
  const { recorder, hls, stream } = stage(newFolder(t), store);
  stream.begin('one');
  stream.play(7_000);
  await untilSettled(recorder);
  const running = writeReplay(recorder.index('show')!, { isOver: false });
  stream.begin('one', 2);
  stream.play(5_000);
  hls.end('show');
  const index = (await recorder.finish('show'))!;
  const over = writeReplay(index, { isOver: true });
  assert.ok(over.replace('VOD', 'EVENT').startsWith(running), 'nothing of it changes');
  for (const [text, type, isOver] of [[running, 'EVENT', false], [over, 'VOD', true]] as const) {
    const strict = HLS.parse(text) as HLS.types.MediaPlaylist;
    assert.equal(strict.playlistType, type);
    assert.equal(strict.endlist, isOver);
    const parser = new Parser();
    parser.push(text);
    parser.end();
    assert.equal(parser.manifest.segments.length, strict.segments.length);
  }
  assert.equal(over.match(/#EXT-X-DISCONTINUITY\n/g)?.length, 1);
  const master = HLS.parse(writeReplayMultivariant(index)!) as HLS.types.MasterPlaylist;
  assert.deepEqual(master.variants.map(({ uri, codecs, resolution }) => [uri, codecs, resolution?.height]), [
    ['media.m3u8', 'avc1.42e01f,opus', 1280],
  ]);
  assert.equal(writeReplayMultivariant({ maps: [], segments: [] }), null);
});

test('[M55] the check finds what is missing, cut, changed, or does not go on', async (t) => {
  const store = createStore();
  const { recorder, hls, stream } = stage(newFolder(t), store);
  stream.begin('one');
  stream.play(12_000);
  hls.end('show');
  const index = (await recorder.finish('show'))!;
  const [one, two, three, four] = index.segments.map(({ sequence }) => sequence) as [number, number, number, number];
  const faultsWith = async (change: (kept: Map<string, Buffer>, index: RecordingIndex) => void) => {
    const kept = new Map([...store.kept].map(([key, bytes]) => [key, Buffer.from(bytes)]));
    const own = structuredClone(index);
    change(kept, own);
    return (await checkRecording(own, reader(kept))).faults;
  };
  const key = (sequence: number) => segmentKey('show', sequence);
  assert.deepEqual(await faultsWith(() => {}), []);
  assert.deepEqual(await faultsWith((kept) => void kept.delete(key(two))), [{ sequence: two, fault: 'missing' }]);
  assert.deepEqual(await faultsWith((kept) => void kept.set(key(two), kept.get(key(two))!.subarray(0, 500))), [
    { sequence: two, fault: 'length' },
  ]);
  assert.deepEqual(await faultsWith((kept) => void kept.get(key(three))!.fill(0xff, 0, 4)), [
    { sequence: three, fault: 'broken' },
  ]);
  // The length of the first picture's NAL unit.
  const data = store.kept.get(key(one))!;
  assert.deepEqual(await faultsWith((kept) => void kept.get(key(one))!.writeUInt32BE(99, data.indexOf('mdat') + 4)), [
    { sequence: one, fault: 'broken' },
  ]);
  const missed = await faultsWith((_kept, own) => void own.segments.splice(2, 1));
  // For the picture alone it could have been a stall.
  assert.deepEqual(missed, [{ sequence: four, fault: 'sound-time' }]);
});

test('[M218] a check goes on where another process came to, and finds the same', async (t) => {
  const store = createStore();
  const { recorder, hls, stream } = stage(newFolder(t), store);
  stream.begin('one');
  stream.play(12_000);
  hls.end('show');
  const index = (await recorder.finish('show'))!;
  index.segments.splice(2, 1);
  const once = await checkRecording(index, reader(store.kept));
  assert.equal(once.faults.length, 1);
  let check = beginCheck(index);
  let parts = 0;
  for (; !isChecked(index, check); parts += 1) {
    const away = checkOn(index, check, async () => { throw new Error('the store is away'); }, () => true);
    await assert.rejects(away, /away/);
    const kept = JSON.parse(JSON.stringify(check)) as typeof check;
    check = await checkOn(index, kept, reader(store.kept), () => false);
  }
  assert.equal(parts, index.segments.length);
  assert.deepEqual(check.report, once);
});

test('[M56] a moment of the day has one place', () => {
  const stretches = [
    { fromMs: 0, startedAtMs: 1_000, durationMs: 500 }, { fromMs: 500, startedAtMs: 9_000, durationMs: 1_000 },
  ];
  const places = [0, 1_000, 1_499, 1_500, 5_000, 9_000, 9_250, 99_000].map((atMs) => placeOf(stretches, atMs));
  assert.deepEqual(places, [0, 0, 499, 500, 500, 500, 750, 1_500]);
  assert.equal(placeOf([], 5), 0);
});

test('[M51] an index is read up to its first broken line, fragments up to the first that is not whole', () => {
  const line = (sequence: number) => writeEntry({ segment: {
    sequence, map: 'm', startedAtMs: 0, durationMs: 1, bytes: 1, isIndependent: true, isLost: false,
  } });
  const whole = line(1) + line(2);
  const changed = line(3).replace('"bytes":1', '"bytes":2');
  for (const end of ['', line(3).slice(0, -1), changed, 'nonsense\n', '00000000 {}\n']) {
    const { index, bytes } = readIndex(whole + end);
    assert.deepEqual([index.segments.length, bytes], [2, whole.length], JSON.stringify(end));
  }
  assert.equal(wholeFragments(Buffer.alloc(0)), 0);
  assert.equal(wholeFragments(Buffer.alloc(300)), 0);
  assert.equal(wholeFragments(Buffer.alloc(300, 0xff)), 0);
});
