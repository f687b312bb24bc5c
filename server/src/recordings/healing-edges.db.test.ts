import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packPart, type RecordingHoles } from '@nacre/contract/healing';
import { encodePublished } from '@nacre/contract/publish';
import type { OfficeRecording, Replay } from '@nacre/contract/replays';
import { keptParts, type KeptPart } from '../../../tests/support/kept-parts.ts';
import { openRecordings } from '../../../tests/support/recordings-api.ts';
import type { DrawnStream } from '../../../tests/support/drawn-stream.ts';

const { api, recording, query, owner, shop, products } = await openRecordings(import.meta.url);
const office = (showId: string) => `/api/office/shows/${showId}/recording`;
const holesOf = async (showId: string) => (
  (await api.ask(`${office(showId)}/holes`, { cookie: owner.cookie })).json as unknown as RecordingHoles
);
const replayOf = async (showId: string, query = '') => (
  (await api.ask(`/api/shows/${showId}/replay${query}`)).json as unknown as Replay
);
const officeOf = async (showId: string) => (
  (await api.ask(office(showId), { cookie: owner.cookie })).json as unknown as OfficeRecording
);
const text = async (url: string) => (await api.app.inject({ url })).body;
async function send(showId: string, { startedAtMs, body }: KeptPart): Promise<unknown> {
  const answer = await api.app.inject({
    method: 'PUT', url: `${office(showId)}/parts/${Math.round(startedAtMs)}`, payload: body,
    headers: { cookie: owner.cookie, 'content-type': 'application/octet-stream' },
  });
  return answer.statusCode === 204 ? null : answer.json().code;
}
async function addAll(showId: string, parts: readonly KeptPart[]): Promise<void> {
  for (const part of parts) assert.equal(await send(showId, part), null);
  await api.ask(`${office(showId)}/heal`, { method: 'POST', cookie: owner.cookie });
  await recording.doJobs();
  await recording.doJobs();
}
/** Rounded: what is muxed anew is off by a part of a ms. */
const tens = (ms: number) => Math.round(ms / 10) * 10;
const shapeOf = ({ stretches }: Replay) => (
  stretches.map(({ fromMs, durationMs, isHealed, isReplacing }) => (
    [tens(fromMs), tens(durationMs), isHealed, isReplacing]
  ))
);

/** A show that is over, with what `draw` makes come; on air from `wentLiveMs` to `endedMs` after the first picture. */
async function show(draw: (stream: DrawnStream) => void, wentLiveMs: number, endedMs: number) {
  const { id: showId } = await api.newLiveShow(owner, shop.id, products);
  const startMs = api.platform.clock.now().getTime();
  const { stream, hls } = recording.record(showId, startMs);
  stream.begin('one');
  draw(stream);
  await api.shows.end(owner.id, showId);
  await query('update show set went_live_at = $2, ended_at = $3 where id = $1',
    [showId, new Date(startMs + wentLiveMs), new Date(startMs + endedMs)]);
  hls.end(showId);
  await api.platform.database.transaction((tx) => recording.recordings.noteChanged(tx, showId));
  await recording.doJobs();
  await recording.doJobs();
  return { showId, startMs };
}
const untilTold = ({ holes }: RecordingHoles, startMs: number) => (
  holes.map(({ from, to, isWeak }) => [Date.parse(from) - startMs, Date.parse(to) - startMs, isWeak])
);
/** Six seconds, ten of stills, six seconds. */
const weakly = (stream: DrawnStream): void => {
  stream.placed(80);
  stream.play(6_000);
  stream.play(10_000, 500);
  stream.play(6_000);
};

test('[RE80] what was filmed before the first picture and after the last is added, while the show was on', async () => {
  const { showId, startMs } = await show((stream) => stream.play(6_000), -4_000, 18_000);
  assert.deepEqual(untilTold(await holesOf(showId), startMs), [[-4_000, 0, false], [6_000, 18_000, false]]);
  const after = keptParts(startMs + 19_000, startMs + 19_100)[0]!;
  assert.equal(await send(showId, after), 'recordings.part_elsewhere', 'the show was over');
  await addAll(showId, keptParts(startMs - 5_000, startMs + 17_900));
  assert.deepEqual(shapeOf(await replayOf(showId)), [
    [0, 4_000, true, false], [4_000, 6_000, false, false], [10_000, 12_000, true, false],
  ]);
  const { report } = await officeOf(showId);
  assert.deepEqual([report!.gaps, report!.faults], [[], []]);
  assert.deepEqual((await holesOf(showId)).holes, []);
});

test('[RE80] of a host who stayed away it is ten minutes; a show that just ends misses nothing', async () => {
  const left = await show((stream) => stream.play(6_000), 0, 7_200_000);
  assert.deepEqual(untilTold(await holesOf(left.showId), left.startMs), [[6_000, 606_000, false]]);
  const late = keptParts(left.startMs + 700_000, left.startMs + 700_100)[0]!;
  assert.equal(await send(left.showId, late), 'recordings.part_elsewhere');
  const plain = await show((stream) => stream.play(6_000), -300, 6_600);
  assert.deepEqual(untilTold(await holesOf(plain.showId), plain.startMs), []);
});

test('[RE81] stills give way to what the device kept, and are seen as they went out all the same', async () => {
  const { showId, startMs } = await show(weakly, 0, 22_000);
  const before = await replayOf(showId);
  assert.deepEqual([before.isReplaced, shapeOf(before)], [false, [[0, 22_000, false, false]]]);
  assert.deepEqual(untilTold(await holesOf(showId), startMs), [[5_920, 15_920, true]], 'by the device’s times');
  const wentOut = await text(`/replay/${showId}/media.m3u8`);
  const { bytes } = await officeOf(showId);
  await addAll(showId, keptParts(startMs + 4_500, startMs + 16_500));
  const replay = await replayOf(showId);
  assert.equal(replay.isReplaced, true);
  assert.deepEqual(shapeOf(replay), [
    [0, 6_000, false, false], [6_000, 10_000, true, true], [16_000, 6_000, false, false],
  ]);
  const { report, ...told } = await officeOf(showId);
  assert.deepEqual([report!.gaps, report!.faults], [[], []]);
  assert.ok(report!.pictures > 300 + 200, 'it moves');
  assert.deepEqual(told.healed.parts, 1);
  assert.ok(told.bytes > bytes, 'what gave way takes room too');
  const aired = await replayOf(showId, '?as=aired');
  assert.deepEqual([aired.isReplaced, aired.stretches], [true, before.stretches]);
  assert.equal(await text(`/replay/${showId}/aired-media.m3u8`), wentOut);
  assert.match(await text(`/replay/${showId}/aired.m3u8`), /^aired-media\.m3u8$/m);
  for (const name of ['media', 'aired-media']) {
    const playlist = await text(`/replay/${showId}/${name}.m3u8`);
    for (const [uri] of playlist.matchAll(/^\d+\.m4s$/gm)) {
      assert.equal((await api.app.inject({ url: `/replay/${showId}/${uri}` })).statusCode, 200, `${name} ${uri}`);
    }
  }
  assert.deepEqual((await holesOf(showId)).holes, []);
  assert.equal((await api.ask(`/api/shows/${showId}/replay?as=new`)).status, 400);
});

test('[RE81] where nothing gave way what went out is the replay itself', async () => {
  const { showId } = await show((stream) => stream.play(6_000), 0, 6_000);
  assert.deepEqual(await replayOf(showId, '?as=aired'), await replayOf(showId));
  assert.equal(await text(`/replay/${showId}/aired-media.m3u8`), await text(`/replay/${showId}/media.m3u8`));
});

test('[RE82] places stay, and a clip of which a part gave way is the longest that is left', async () => {
  const { showId, startMs } = await show(weakly, 0, 22_000);
  const viewer = await api.newPerson('Ada');
  await query(
    'insert into watch_position (person_id, show_id, position_ms, watched_at) values ($1, $2, 19000, now())',
    [viewer.id, showId],
  );
  await query(`insert into clip (id, show_id, product_id, from_ms, to_ms, created_at)
    select gen_random_uuid(), $1, p.id, 4500, 21000, now() from product p where p.shop_id = $2 limit 1`,
  [showId, shop.id]);
  await addAll(showId, keptParts(startMs + 4_500, startMs + 16_500));
  const { rows: [place] } = await query('select position_ms from watch_position where show_id = $1', [showId]);
  const { rows: [clip] } = await query('select from_ms, to_ms from clip where show_id = $1', [showId]);
  assert.ok(Math.abs(Number(place!['position_ms']) - 19_000) <= 2, `${place!['position_ms']}`);
  assert.deepEqual([tens(Number(clip!['from_ms'])), tens(Number(clip!['to_ms']))], [6_000, 16_000]);
});

test('[RE83] what covers no whole segment, or stands still too, changes nothing', async () => {
  const { showId, startMs } = await show(weakly, 0, 22_000);
  const before = await replayOf(showId);
  const [part] = keptParts(startMs + 6_500, startMs + 6_600);
  const media = part!.media.filter(({ capturedMs }) => capturedMs < startMs + 8_000);
  await addAll(showId, [{ ...part!, media, body: Buffer.from(packPart(media.map(encodePublished))) }]);
  assert.deepEqual(await replayOf(showId), before);
});

test('[RE84] taken away, what gave way goes too', async () => {
  const { showId, startMs } = await show(weakly, 0, 22_000);
  await addAll(showId, keptParts(startMs + 4_500, startMs + 16_500));
  const aired = await text(`/replay/${showId}/aired-media.m3u8`);
  const names = [...aired.matchAll(/^(\d+\.m4s)$/gm)].map(([name]) => name);
  assert.equal((await api.ask(office(showId), { method: 'DELETE', cookie: owner.cookie })).status, 204);
  await recording.doJobs();
  assert.ok(names.length > 8);
  for (const name of names) assert.equal(await recording.blobs.read(`recordings/${showId}/${name}`), null, name);
  const gone = await replayOf(showId, '?as=aired');
  assert.deepEqual([gone.state, gone.isReplaced], ['removed', false]);
});
