/** Replays for browsers that take no Opus: the same pictures with AAC, made when they are asked for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import HLS from 'hls-parser';
import { soundOf } from '@nacre/media/aac/segment-sound';
import { readFragments } from '@nacre/media/fmp4/fragment-reader';
import { loadClip } from '@nacre/media/publisher/clip';
import { demoClip } from '../../../tests/support/publisher-stage.ts';
import { keptParts } from '../../../tests/support/kept-parts.ts';
import { openRecordings } from '../../../tests/support/recordings-api.ts';
import { initOf } from '../../../tests/support/drawn-stream.ts';

const { api, recording, owner, shop, products } = await openRecordings(import.meta.url);
const sounds = (await loadClip(demoClip)).sounds.map(({ data }) => data);
const nowMs = () => api.platform.clock.now().getTime();
const file = (path: string, headers: Record<string, string> = {}) => api.app.inject({ url: path, headers });
const bytesOf = async (path: string) => {
  const { statusCode, rawPayload } = await file(path);
  assert.equal(statusCode, 200, path);
  return rawPayload;
};

async function recorded(forMs = 6_000, drawn: { mime?: string } = {}) {
  const show = await api.newLiveShow(owner, shop.id, products);
  const { stream, hls } = recording.record(show.id, nowMs(), { sounds, initSegment: initOf('opus'), ...drawn });
  stream.begin('one');
  stream.play(forMs);
  return { showId: show.id, stream, hls, at: `/replay/${show.id}` };
}

type Recorded = Awaited<ReturnType<typeof recorded>>;
async function end({ showId, hls }: Recorded): Promise<void> {
  await api.shows.end(owner.id, showId);
  hls.end(showId);
  await api.platform.database.transaction((tx) => recording.recordings.noteChanged(tx, showId));
  await recording.doJobs();
}

async function ended(forMs = 6_000): Promise<Recorded> {
  const one = await recorded(forMs);
  await end(one);
  return one;
}

const namesIn = (playlist: string): string[] => playlist.match(/^\d+\.m4s$/gm) ?? [];
const picturesOf = (segment: Buffer) => (
  readFragments(segment).flatMap(({ track, data }) => (track === 'video' ? [data.toString('base64')] : []))
);

test('[RE60] who takes no Opus is offered the same replay with AAC: the same pictures, the same places', async () => {
  const { at } = await ended();
  const index = await file(`${at}/index.m3u8?audio=aac`);
  assert.equal(index.headers['cache-control'], 'public, max-age=300');
  assert.match(index.body, /CODECS="avc1\.42e01f,mp4a\.40\.2"[^\n]*\naac\/media\.m3u8\n/);
  assert.match((await file(`${at}/index.m3u8`)).body, /CODECS="avc1\.42e01f,opus"[^\n]*\nmedia\.m3u8\n/);
  const text = (await file(`${at}/aac/media.m3u8`)).body;
  assert.equal(text, (await file(`${at}/media.m3u8`)).body);
  const { segments, endlist } = HLS.parse(text) as HLS.types.MediaPlaylist;
  assert.deepEqual([endlist, segments.length], [true, 3]);
  const init = await bytesOf(`${at}/aac/${segments[0]!.map!.uri}`);
  assert.ok(init.includes('mp4a') && !init.includes('Opus'));
  let soundTo = 0;
  for (const { uri } of segments) {
    const [made, asRecorded] = [await bytesOf(`${at}/aac/${uri}`), await bytesOf(`${at}/${uri}`)];
    assert.deepEqual(picturesOf(made), picturesOf(asRecorded));
    const sound = soundOf(readFragments(made))!;
    assert.equal(sound.from, soundTo, 'sound follows itself');
    assert.ok(sound.frames.every(({ duration, data }) => duration === 1_024 && data.length > 4));
    soundTo = sound.to;
  }
  assert.ok(Math.abs(soundTo - 6 * 48_000) < 1_024);
  const part = (await file(`${at}/aac/2000-4000.m3u8`)).body;
  assert.deepEqual(namesIn(part), namesIn(text).slice(1, 2));
});

test('[RE61] made once for all who ask at the same time, kept for who asks next, stored nowhere', async () => {
  const { showId, at } = await ended();
  const [first, second] = namesIn((await file(`${at}/aac/media.m3u8`)).body);
  const puts: string[] = [];
  const put = recording.blobs.put;
  recording.blobs.put = async (key, bytes) => {
    puts.push(key);
    await put(key, bytes);
  };
  const before = recording.replayAac.stats().made;
  const many = await Promise.all(Array.from({ length: 8 }, () => bytesOf(`${at}/aac/${second}`)));
  assert.ok(many.every((bytes) => bytes.equals(many[0]!)));
  await bytesOf(`${at}/aac/${first}`);
  assert.ok((await bytesOf(`${at}/aac/${second}`)).equals(many[0]!));
  assert.equal(recording.replayAac.stats().made, before + 2);
  recording.blobs.put = put;
  assert.deepEqual(puts, []);
  const fresh = recording.freshAac();
  assert.ok((await fresh.segment(showId, Number.parseInt(second!, 10)))!.equals(many[0]!), 'by another process too');
  await fresh.stop();
});

test('[RE61] so many wait and no more: others are told when to come back', async () => {
  const { at } = await ended(80_000);
  const names = namesIn((await file(`${at}/aac/media.m3u8`)).body);
  assert.equal(names.length, 40);
  const answers = await Promise.all(names.map((name) => file(`${at}/aac/${name}`)));
  const busy = answers.filter(({ statusCode }) => statusCode === 503);
  assert.ok(busy.length >= 9 && busy.length < 40, `${busy.length} of 40`);
  assert.ok(answers.every(({ statusCode }) => statusCode === 200 || statusCode === 503));
  for (const { headers } of busy) {
    assert.deepEqual([headers['retry-after'], headers['cache-control']], ['2', 'no-store']);
  }
  const [again] = answers.flatMap(({ statusCode }, nth) => (statusCode === 503 ? [names[nth]!] : []));
  await bytesOf(`${at}/aac/${again}`);
});

test('[RE62] while the show runs a segment is offered once the next one is there, and stays as it is', async () => {
  const one = await recorded();
  const { at, stream, showId } = one;
  await recording.settled(showId, 2);
  const running = (await file(`${at}/media.m3u8`)).body;
  const [first, second] = namesIn(running);
  assert.deepEqual(namesIn((await file(`${at}/aac/media.m3u8`)).body), [first]);
  assert.match((await file(`${at}/index.m3u8?audio=aac`)).body, /aac\/media/);
  assert.equal((await file(`${at}/aac/${second}`)).statusCode, 404);
  const early = await bytesOf(`${at}/aac/${first}`);
  stream.play(4_000);
  await recording.settled(showId, 4);
  const middle = await bytesOf(`${at}/aac/${second}`);
  await end(one);
  const fresh = recording.freshAac();
  const again = async (name: string) => (await fresh.segment(showId, Number.parseInt(name, 10)))!;
  assert.ok((await again(first!)).equals(early));
  assert.ok((await again(second!)).equals(middle));
  await fresh.stop();
});

test('[RE63] who may not see the replay gets none of it with AAC either; caches keep what all may see', async () => {
  const { showId, at } = await ended();
  const [name] = namesIn((await file(`${at}/aac/media.m3u8`)).body);
  const map = /URI="([^"]+)"/.exec((await file(`${at}/media.m3u8`)).body)![1]!;
  for (const path of [name, map]) {
    const open = await file(`${at}/aac/${path}`);
    assert.equal(open.headers['cache-control'], 'public, max-age=86400');
    assert.equal(open.headers['content-type'], 'video/mp4');
  }
  for (const wrong of [
    '1.m4s', `${'9'.repeat(15)}.m4s`, '-1.m4s', 'x.mp4', '../secrets.mp4', 'index.jsonl', 'aac', '5-1.m3u8',
  ]) {
    assert.equal((await file(`${at}/aac/${wrong}`)).statusCode, 404, wrong);
  }
  const stranger = await api.newPerson('Noor');
  await api.platform.database.pool.query('update show set visibility = $1 where id = $2', ['private', showId]);
  recording.access.forget(showId);
  for (const path of ['index.m3u8?audio=aac', 'aac/media.m3u8', `aac/${name}`, `aac/${map}`, 'aac/2000-4000.m3u8']) {
    const refused = await file(`${at}/${path}`, { cookie: stranger.cookie });
    assert.deepEqual([refused.statusCode, refused.headers['cache-control']], [404, 'no-store'], path);
    assert.equal(refused.json().code, 'shows.not_found');
    const own = await file(`${at}/${path}`, { cookie: owner.cookie });
    assert.deepEqual([own.statusCode, own.headers['cache-control']], [200, 'private, no-store'], path);
  }
  await recording.recordings.remove({ kind: 'person', personId: owner.id, name: owner.name } as never, showId);
  await recording.doJobs();
  for (const path of [`aac/${name}`, `aac/${map}`, 'aac/media.m3u8']) {
    assert.equal((await file(`${at}/${path}`, { cookie: owner.cookie })).statusCode, 404, path);
  }
});

test('[RE64] a turned phone and another publisher come through, and what came with AAC stays as it is', async () => {
  const one = await recorded(4_000);
  const { at, stream, showId } = one;
  stream.begin('one', 2);
  stream.play(3_000);
  stream.end();
  stream.wait(9_000);
  stream.begin('two');
  stream.play(4_000);
  await end(one);
  const text = (await file(`${at}/aac/media.m3u8`)).body;
  assert.equal((text.match(/#EXT-X-DISCONTINUITY\n/g) ?? []).length, 2);
  const runs = await Promise.all(namesIn(text).map(async (name) => (
    soundOf(readFragments(await bytesOf(`${at}/aac/${name}`)))!
  )));
  // The same publisher’s sound goes on over the turn; another’s begins anew.
  const breaks = runs.slice(1).flatMap(({ from }, nth) => (from === runs[nth]!.to ? [] : [from]));
  assert.deepEqual(breaks, [0]);

  const asItIs = await recorded(4_000, { mime: 'video/mp4; codecs="avc1.42e01f,mp4a.40.2"' });
  await end(asItIs);
  assert.match((await file(`${asItIs.at}/index.m3u8?audio=aac`)).body, /mp4a\.40\.2"[^\n]*\nmedia\.m3u8\n/);
  const [name] = namesIn((await file(`${asItIs.at}/media.m3u8`)).body);
  assert.ok((await bytesOf(`${asItIs.at}/aac/${name}`)).equals(await bytesOf(`${asItIs.at}/${name}`)));
  assert.equal((await file(`/replay/${showId}/aac/${name}`)).statusCode, 200);
});

/** Adds what the host's device kept of this time, and waits until it is in the replay. */
async function heal(showId: string, fromMs: number, toMs: number): Promise<void> {
  const office = `/api/office/shows/${showId}/recording`;
  for (const { startedAtMs, body } of keptParts(fromMs, toMs)) {
    const { statusCode } = await api.app.inject({
      method: 'PUT', url: `${office}/parts/${startedAtMs}`, payload: body,
      headers: { cookie: owner.cookie, 'content-type': 'application/octet-stream' },
    });
    assert.equal(statusCode, 204);
  }
  assert.equal((await api.ask(`${office}/heal`, { method: 'POST', cookie: owner.cookie })).status, 204);
  await recording.doJobs();
}

/** Heals; what was there before has the same bytes afterwards, whoever makes them. @returns names of what was added */
async function healedBeside({ showId, at }: Recorded, fromMs: number, toMs: number): Promise<string[]> {
  const read = async () => namesIn((await file(`${at}/aac/media.m3u8`)).body);
  const names = await read();
  const before = await Promise.all(names.map((name) => bytesOf(`${at}/aac/${name}`)));
  await heal(showId, fromMs, toMs);
  const fresh = recording.freshAac();
  for (const [nth, name] of names.entries()) {
    const again = await fresh.segment(showId, Number.parseInt(name, 10));
    assert.ok(again!.equals(before[nth]!), name);
  }
  await fresh.stop();
  return (await read()).filter((name) => !names.includes(name));
}

test('[RE64] a hole that is healed later changes no segment beside it, and the healed part has AAC too', async () => {
  const startMs = nowMs();
  const one = await recorded(4_000);
  one.stream.end();
  one.stream.wait(3_000);
  one.stream.begin('two');
  one.stream.play(4_000);
  await end(one);
  const healed = await healedBeside(one, startMs + 3_500, startMs + 7_500);
  assert.ok(healed.length > 0);
  let soundTicks = 0;
  for (const name of healed) {
    const sound = soundOf(readFragments(await bytesOf(`${one.at}/aac/${name}`)))!;
    assert.ok(sound.frames.every(({ duration }) => duration === 1_024));
    soundTicks += sound.to - sound.from;
  }
  assert.ok(Math.abs(soundTicks / 48 - 3_000) < 100, `${soundTicks / 48} ms`);
});

test('[RE64] [RE81] what gave way to a copy has its AAC as before, in the playlist as it went out', async () => {
  const startMs = nowMs();
  const one = await recorded(4_000);
  // Stills: two a second.
  one.stream.play(6_000, 500);
  one.stream.play(4_000);
  await end(one);
  const asItWas = namesIn((await file(`${one.at}/aac/media.m3u8`)).body);
  const added = await healedBeside(one, startMs + 2_000, startMs + 14_000);
  assert.ok(added.length > 0, 'something gave way');
  const aired = (await file(`${one.at}/aired.m3u8?audio=aac`)).body;
  assert.match(aired, /mp4a\.40\.2"[^\n]*\naac\/aired-media\.m3u8\n/);
  assert.deepEqual(namesIn((await file(`${one.at}/aac/aired-media.m3u8`)).body), asItWas);
  assert.ok(namesIn((await file(`${one.at}/aac/media.m3u8`)).body).length > added.length);
});
