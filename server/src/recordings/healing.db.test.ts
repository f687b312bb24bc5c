import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecordingHoles } from '@nacre/contract/healing';
import type { OfficeRecording, Replay } from '@nacre/contract/replays';
import { clipMs, keptParts, type KeptPart } from '../../../tests/support/kept-parts.ts';
import { openRecordings } from '../../../tests/support/recordings-api.ts';
import { movesOf } from './healing.ts';

const { api, recording, query, owner, shop, products } = await openRecordings(import.meta.url);
const changed = (showId: string) => (
  api.platform.database.transaction((tx) => recording.recordings.noteChanged(tx, showId))
);
const office = (showId: string) => `/api/office/shows/${showId}/recording`;
const holesOf = async (showId: string) => (
  (await api.ask(`${office(showId)}/holes`, { cookie: owner.cookie })).json as unknown as RecordingHoles
);
const replayOf = async (showId: string) => (
  (await api.ask(`/api/shows/${showId}/replay`)).json as unknown as Replay
);
const officeOf = async (showId: string) => (
  (await api.ask(office(showId), { cookie: owner.cookie })).json as unknown as OfficeRecording
);
async function send(showId: string, startedAtMs: number | string, body: Buffer, cookie = owner.cookie) {
  const answer = await api.app.inject({
    method: 'PUT', url: `${office(showId)}/parts/${startedAtMs}`, payload: body,
    headers: { cookie, 'content-type': 'application/octet-stream' },
  });
  return [answer.statusCode, answer.statusCode === 204 ? null : answer.json().code as string];
}
const sendPart = (showId: string, { startedAtMs, body }: KeptPart) => send(showId, startedAtMs, body);
const heal = async (showId: string) => (
  (await api.ask(`${office(showId)}/heal`, { method: 'POST', cookie: owner.cookie })).status
);

/** Six seconds, nothing for nine, six seconds. */
async function interrupted() {
  const { id: showId } = await api.newLiveShow(owner, shop.id, products);
  const startMs = api.platform.clock.now().getTime();
  const { stream, hls } = recording.record(showId, startMs);
  stream.begin('one');
  stream.play(6_000);
  stream.end();
  stream.wait(9_000);
  stream.begin('two');
  stream.play(6_000);
  await changed(showId);
  await api.shows.end(owner.id, showId);
  hls.end(showId);
  await changed(showId);
  await recording.doJobs();
  return { showId, startMs };
}

test('[RE30] who runs the show is told what is missing in its replay, once it is over; nobody else is', async () => {
  const running = await api.newLiveShow(owner, shop.id, products);
  assert.deepEqual(await holesOf(running.id), { state: 'waiting', holes: [], parts: [], until: null });
  const { showId, startMs } = await interrupted();
  const told = await holesOf(showId);
  assert.equal(told.state, 'open');
  assert.deepEqual(told.holes.map(({ from, to }) => [Date.parse(from) - startMs, Date.parse(to) - startMs]),
    [[6_000, 15_000]]);
  const stranger = await api.newPerson('Sami');
  assert.equal((await api.ask(`${office(showId)}/holes`, { cookie: stranger.cookie })).status, 403);
  assert.equal((await send(showId, 1, Buffer.from('x'), stranger.cookie))[0], 403);
  assert.equal((await api.ask(`${office(showId)}/heal`, { method: 'POST', cookie: stranger.cookie })).status, 403);
});

test('[RE31] what the device kept fills the hole: one replay without a break, whole, and longer by it', async () => {
  const { showId, startMs } = await interrupted();
  await recording.doJobs();
  assert.equal((await officeOf(showId)).report!.gaps.length, 1);
  for (const part of keptParts(startMs + 4_500, startMs + 15_500)) {
    assert.deepEqual(await sendPart(showId, part), [204, null]);
    assert.deepEqual(await sendPart(showId, part), [204, null], 'a repeat');
  }
  assert.equal((await holesOf(showId)).parts.length, Math.ceil(11_000 / clipMs));
  assert.equal((await replayOf(showId)).durationMs, 12_000, 'nothing is changed before the host says so');
  assert.equal(await heal(showId), 204);
  assert.equal((await holesOf(showId)).state, 'healing');
  assert.equal(await heal(showId), 204, 'a repeat');
  await recording.doJobs();
  const replay = await replayOf(showId);
  assert.ok(Math.abs(replay.durationMs - 21_000) < 3, `${replay.durationMs}`);
  assert.deepEqual(replay.stretches.map(({ fromMs, isHealed }) => [Math.round(fromMs / 10) * 10, isHealed]),
    [[0, false], [6_000, true], [15_000, false]]);
  await recording.doJobs();
  const { report, healed } = await officeOf(showId);
  assert.deepEqual(healed, { parts: 1, durationMs: 9_000 });
  assert.deepEqual(report!.gaps, []);
  assert.deepEqual(report!.faults, []);
  const told = await holesOf(showId);
  assert.deepEqual([told.state, told.holes, told.parts], ['open', [], []]);
  const playlist = (await api.app.inject({ url: `/replay/${showId}/media.m3u8` })).body;
  assert.match(playlist, /healed-\d+-1\.mp4/);
  for (const [uri] of playlist.matchAll(/^\d+\.m4s$/gm)) {
    assert.equal((await api.app.inject({ url: `/replay/${showId}/${uri}` })).statusCode, 200, uri);
  }
});

test('[RE32] places of viewers and clips are the same pictures afterwards, also when it is done twice', async () => {
  const { showId, startMs } = await interrupted();
  const viewer = await api.newPerson('Ada');
  const note = (positionMs: number) => api.ask(`/api/me/watching/${showId}`, {
    method: 'PUT', body: { positionMs } as never, cookie: viewer.cookie,
  });
  await query(
    'insert into watch_position (person_id, show_id, position_ms, watched_at) values ($1, $2, 8000, now())',
    [viewer.id, showId],
  );
  await query(`insert into clip (id, show_id, product_id, from_ms, to_ms, created_at)
    select gen_random_uuid(), $1, p.id, 6500, 11500, now() from product p where p.shop_id = $2 limit 1`,
  [showId, shop.id]);
  for (const part of keptParts(startMs + 4_500, startMs + 15_500)) await sendPart(showId, part);
  await heal(showId);
  const jobs = [...recording.due];
  await recording.doJobs();
  for (const { showId: id } of jobs) await recording.healing.work(id);
  const { rows: [place] } = await query('select position_ms from watch_position where show_id = $1', [showId]);
  const { rows: [clip] } = await query('select from_ms, to_ms from clip where show_id = $1', [showId]);
  const near = (ms: unknown, expected: number) => assert.ok(Math.abs(Number(ms) - expected) <= 2, `${ms}`);
  near(place!['position_ms'], 17_000);
  near(clip!['from_ms'], 15_500);
  near(clip!['to_ms'], 20_500);
  assert.equal((await note(1_000)).status, 204);
});

test('[RE33] outside of a hole, of another show, too late, too large, and what is no part is refused', async () => {
  const { showId, startMs } = await interrupted();
  const part = keptParts(startMs + 4_500, startMs + 5_000)[0]!;
  const early = keptParts(startMs - 60_000, startMs - 59_000)[0]!;
  assert.deepEqual(await sendPart(showId, early), [409, 'recordings.part_elsewhere']);
  const unusable = [422, 'recordings.part_unusable'];
  assert.deepEqual(await send(showId, part.startedAtMs + 5, part.body), unusable, 'another time');
  assert.deepEqual(await send(showId, part.startedAtMs, part.body.subarray(0, -1)), unusable, 'cut');
  assert.deepEqual(await send(showId, part.startedAtMs, Buffer.alloc(1_000, 7)), unusable, 'garbage');
  assert.deepEqual(await send(showId, part.startedAtMs, Buffer.alloc(5 * 1024 * 1024)), [413, 'request.too_large']);
  assert.equal((await send(showId, 'now', part.body))[0], 400);
  assert.equal((await send('not-a-show', part.startedAtMs, part.body))[0], 400);
  const whole = await interrupted();
  assert.deepEqual(await send(whole.showId, early.startedAtMs, early.body), [409, 'recordings.part_elsewhere']);
  recording.fillDisk(true);
  assert.deepEqual(await sendPart(showId, part), [409, 'recordings.parts_full']);
  recording.fillDisk(false);
  assert.deepEqual(await sendPart(showId, part), [204, null]);
  const overlapping = keptParts(startMs + 6_500, startMs + 7_000)[0]!;
  assert.deepEqual(await sendPart(showId, overlapping), [409, 'recordings.part_elsewhere'], 'another device');
  await query(`update recording set finished_at = finished_at - interval '8 days' where show_id = $1`, [showId]);
  assert.deepEqual(await sendPart(showId, part), [409, 'recordings.not_healable'], 'too late');
  assert.equal((await holesOf(showId)).state, 'closed');
  assert.equal(await heal(showId), 409);
});

test('[RE34] killed between any two writes it is the old replay or the new one; the job does the rest', async () => {
  const { blobs } = recording;
  const put = blobs.put;
  for (const [kind, writes] of [['segment', 2], ['index', 99]] as const) {
    const { showId, startMs } = await interrupted();
    for (const part of keptParts(startMs + 4_500, startMs + 15_500)) await sendPart(showId, part);
    await heal(showId);
    recording.due.splice(0);
    let left: number = writes;
    blobs.put = async (key, bytes) => {
      if (key.endsWith('index.jsonl')) {
        await put.call(blobs, key, bytes);
        throw new Error('killed behind the index');
      }
      left -= 1;
      if (left < 0) throw new Error('killed');
      await put.call(blobs, key, bytes);
    };
    await assert.rejects(recording.healing.work(showId), /killed/, kind);
    blobs.put = put;
    assert.equal((await replayOf(showId)).durationMs, 12_000, kind);
    const playlist = (await api.app.inject({ url: `/replay/${showId}/media.m3u8` })).body;
    for (const [uri] of playlist.matchAll(/^\d+\.m4s$/gm)) {
      assert.equal((await api.app.inject({ url: `/replay/${showId}/${uri}` })).statusCode, 200, `${kind} ${uri}`);
    }
    await recording.healing.work(showId);
    await recording.doJobs();
    const { report, durationMs } = await officeOf(showId);
    assert.deepEqual([report!.gaps, report!.faults], [[], []], kind);
    assert.ok(Math.abs(durationMs - 21_000) < 3, `${kind} ${durationMs}`);
  }
});

test('[RE36] healing that was given up, as while the store was away for long, is begun anew by the sweep', async () => {
  const { showId, startMs } = await interrupted();
  for (const part of keptParts(startMs + 4_500, startMs + 15_500)) await sendPart(showId, part);
  await heal(showId);
  const isDue = () => recording.due.some((job) => job.showId === showId);
  recording.due.splice(0);
  await recording.healing.sweep();
  assert.equal(isDue(), false, 'its job may still be at it');
  await query(`update recording set healing_since = healing_since - interval '3 hours' where show_id = $1`, [showId]);
  await recording.healing.sweep();
  assert.ok(isDue());
  await recording.healing.sweep();
  assert.equal(recording.due.filter((job) => job.showId === showId).length, 1, 'once');
  await recording.doJobs();
  assert.ok(Math.abs((await replayOf(showId)).durationMs - 21_000) < 3);
});

test('[RE35] taken away, what was sent goes with it; what nobody had added goes after a week', async () => {
  const left = await interrupted();
  const late = keptParts(left.startMs + 4_500, left.startMs + 5_000)[0]!;
  const key = `recordings/${left.showId}/part-${late.startedAtMs}.bin`;
  const lies = async () => (await recording.blobs.read(key)) !== null;
  await sendPart(left.showId, late);
  await recording.healing.sweep();
  assert.ok(await lies());
  await query(`update recording set finished_at = finished_at - interval '8 days' where show_id = $1`, [left.showId]);
  await recording.healing.sweep();
  assert.equal(await lies(), false);
  assert.equal((await query('select 1 from recording_part where show_id = $1', [left.showId])).rows.length, 0);
  const { showId, startMs } = await interrupted();
  const part = keptParts(startMs + 4_500, startMs + 5_000)[0]!;
  await sendPart(showId, part);
  assert.equal((await api.ask(office(showId), { method: 'DELETE', cookie: owner.cookie })).status, 204);
  assert.deepEqual(await sendPart(showId, part), [409, 'recordings.not_healable']);
  await recording.doJobs();
  assert.equal(await recording.blobs.read(`recordings/${showId}/part-${part.startedAtMs}.bin`), null);
  assert.equal((await query('select 1 from recording_part where show_id = $1', [showId])).rows.length, 0);
});

test('[RE32] what was lost in the middle of a stretch and is healed moves only what lies behind', () => {
  const before = [{ fromMs: 0, startedAtMs: 1_000, durationMs: 10_000 }];
  const after = [
    { fromMs: 0, startedAtMs: 1_000, durationMs: 4_000 },
    { fromMs: 4_000, startedAtMs: 5_500, durationMs: 1_000, isHealed: true as const },
    { fromMs: 5_000, startedAtMs: 7_000, durationMs: 4_000 },
  ];
  assert.deepEqual(movesOf(before, after), [
    { fromMs: 4_500, toMs: 5_500, byMs: -500 }, { fromMs: 6_000, toMs: 10_000, byMs: -1_000 },
  ]);
  assert.deepEqual(movesOf(after, after), []);
});
