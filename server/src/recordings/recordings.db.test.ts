import assert from 'node:assert/strict';
import { test } from 'node:test';
import HLS from 'hls-parser';
import type { OfficeRecording, Replay, Watching } from '@nacre/contract/replays';
import type { ShowTile } from '@nacre/contract/shows';
import { REPLAY_TILES_MOST, WATCHING_MOST } from '@nacre/contract/watching';
import type { PersonActor } from '../http/actor.ts';
import { openRecordings } from '../../../tests/support/recordings-api.ts';
import { chaptersOf } from './recordings.ts';
import { writeReport } from './store.ts';

const { api, recording, query, owner, shop, products } = await openRecordings(import.meta.url);
const nowMs = () => api.platform.clock.now().getTime();
const changed = (showId: string) => (
  api.platform.database.transaction((tx) => recording.recordings.noteChanged(tx, showId))
);
const replayOf = async (showId: string, cookie?: string) => (
  (await api.ask(`/api/shows/${showId}/replay`, { ...(cookie && { cookie }) })).json as unknown as Replay
);
const file = (path: string, headers: Record<string, string> = {}) => api.app.inject({ url: path, headers });

async function recorded(forMs = 6_000) {
  const show = await api.newLiveShow(owner, shop.id, products);
  const startMs = nowMs();
  const { stream, hls } = recording.record(show.id, startMs);
  stream.begin('one');
  stream.play(forMs);
  return { showId: show.id, startMs, stream, hls };
}

async function ended(forMs = 6_000) {
  const one = await recorded(forMs);
  await api.shows.end(owner.id, one.showId);
  one.hls.end(one.showId);
  await changed(one.showId);
  await recording.doJobs();
  return one;
}

test('[RE1] [RE2] seen again while it runs, and all of it when it is over', async () => {
  const unseen = await api.newLiveShow(owner, shop.id, products);
  assert.equal((await replayOf(unseen.id)).state, 'none', 'nobody has published yet');
  await api.shows.end(owner.id, unseen.id);
  const { showId, startMs, stream, hls } = await recorded();
  await recording.settled(showId, 2);
  const running = await replayOf(showId);
  assert.deepEqual([running.state, running.durationMs], ['running', 4_000]);
  const grows = HLS.parse((await file(`/replay/${showId}/media.m3u8`)).body) as HLS.types.MediaPlaylist;
  assert.deepEqual([grows.playlistType, grows.endlist], ['EVENT', false]);
  await changed(showId);
  assert.deepEqual(recording.due, [], 'it goes on');
  stream.play(1_000);
  await api.shows.end(owner.id, showId);
  hls.end(showId);
  await changed(showId);
  await changed(showId);
  await recording.doJobs();
  assert.ok(recording.ended.includes(showId), 'nobody publishes it any more');
  const over = await replayOf(showId);
  assert.deepEqual([over.state, over.durationMs, over.likesByMinute], ['ready', 7_000, [3, 0, 1]]);
  assert.deepEqual(over.stretches, [
    { fromMs: 0, startedAt: new Date(startMs).toISOString(), durationMs: 7_000, isHealed: false, isReplacing: false },
  ]);
  const index = await file(`/replay/${showId}/index.m3u8`);
  assert.equal(index.headers['cache-control'], 'public, max-age=300');
  assert.match(index.body, /media\.m3u8/);
  const media = HLS.parse((await file(`/replay/${showId}/media.m3u8`)).body) as HLS.types.MediaPlaylist;
  assert.deepEqual([media.playlistType, media.endlist], ['VOD', true]);
  let bytes = 0;
  for (const { uri, map } of media.segments) {
    assert.equal((await file(`/replay/${showId}/${map!.uri}`)).body, 'init one 1');
    const segment = await file(`/replay/${showId}/${uri}`);
    assert.equal(segment.headers['cache-control'], 'public, max-age=86400');
    assert.equal(segment.headers['content-type'], 'video/mp4');
    bytes += segment.rawPayload.length;
  }
  const office = (await api.ask(`/api/office/shows/${showId}/recording`, { cookie: owner.cookie }))
    .json as unknown as OfficeRecording;
  assert.equal(office.bytes, bytes);
  const packed = await file(`/replay/${showId}/media.m3u8`, { 'accept-encoding': 'gzip, br' });
  assert.deepEqual([packed.headers['content-encoding'], packed.headers['vary']], ['gzip', 'accept-encoding']);
  for (const name of ['1.m4s', '../secrets.mp4', 'x.mp4', 'index.jsonl', '%2e%2e%2findex.jsonl']) {
    assert.equal((await file(`/replay/${showId}/${name}`)).statusCode, 404, name);
  }
});

test('[RE3] another process takes up what was left, also of a show that was over', async () => {
  const { showId, stream } = await recorded();
  await recording.settled(showId, 2);
  await api.shows.end(owner.id, showId);
  // Nothing of the end was noted: as if the process had been killed.
  await recording.startAgain();
  await recording.doJobs();
  const { state, durationMs } = await replayOf(showId);
  assert.equal(state, 'ready');
  assert.ok(durationMs >= 5_600, `${durationMs}`);
  stream.end();
  // And one that was killed between the index and the row.
  const other = await ended();
  await query('delete from recording where show_id = $1', [other.showId]);
  await recording.recordings.finish(other.showId);
  assert.equal((await replayOf(other.showId)).state, 'ready');
});

test('[RE4] a private show’s replay is for its members, and no cache keeps it; who is kept out gets none', async () => {
  const { showId } = await ended();
  const stranger = await api.newPerson('Noor');
  assert.equal((await file(`/replay/${showId}/index.m3u8`, { cookie: stranger.cookie })).statusCode, 200);
  await query('update show set visibility = $1 where id = $2', ['private', showId]);
  recording.access.forget(showId);
  for (const name of ['index.m3u8', 'media.m3u8', '1.m4s']) {
    const refused = await file(`/replay/${showId}/${name}`, { cookie: stranger.cookie });
    assert.deepEqual([refused.statusCode, refused.headers['cache-control']], [404, 'no-store'], name);
    assert.equal(refused.json().code, 'shows.not_found');
  }
  const own = await file(`/replay/${showId}/index.m3u8`, { cookie: owner.cookie });
  assert.deepEqual([own.statusCode, own.headers['cache-control']], [200, 'private, no-store']);
  assert.equal((await api.ask(`/api/shows/${showId}/replay`, { cookie: stranger.cookie })).status, 404);

  const open = await ended();
  await api.moderation.take({ kind: 'person', personId: owner.id, name: owner.name } as PersonActor, open.showId, {
    kind: 'ban', personId: stranger.id, reason: 'spam', words: '', minutes: null,
  });
  recording.access.forget(open.showId);
  const asked = await Promise.all([stranger, owner].map(async ({ cookie }) => (
    (await file(`/replay/${open.showId}/index.m3u8`, { cookie })).statusCode
  )));
  assert.deepEqual(asked, [404, 200]);
});

test('[MO21] a show that an operator ended is seen again by its shop and operators, until it is lifted', async () => {
  const { showId } = await ended();
  const [stranger, operator] = [await api.newPerson('Ada'), await api.newPerson('Olga')];
  await api.accounts.makeOperator(operator.email);
  const { rows: [measure] } = await query(`
    insert into moderation_measure
      (id, kind, decided_as, name, guest_ids, shop_id, show_id, reason, words, created_at)
    values (gen_random_uuid(), 'end', 'operator', '', '{}', $1, $2, 'fraud', '', now()) returning id`,
  [shop.id, showId]);
  const seen = async () => {
    recording.access.forget(showId);
    return Promise.all([stranger, owner, operator].map(async ({ cookie }) => [
      (await file(`/replay/${showId}/index.m3u8`, { cookie })).statusCode, (await replayOf(showId, cookie)).state,
    ].join(' ')));
  };
  assert.deepEqual(await seen(), ['404 none', '200 ready', '200 ready']);
  await query('update moderation_measure set lifted_at = now() where id = $1', [measure!['id']]);
  assert.deepEqual(await seen(), ['200 ready', '200 ready', '200 ready']);
});

test('[RE5] what was on screen is a chapter at its place', () => {
  const at = (ms: number) => new Date(1_000_000 + ms);
  const stretches = [
    { fromMs: 0, startedAtMs: 1_000_000, durationMs: 60_000 },
    { fromMs: 60_000, startedAtMs: 1_100_000, durationMs: 40_000 },
  ];
  const chapters = chaptersOf([
    { productId: 'a', number: 1, startedAt: at(-5_000), endedAt: at(20_000) },
    { productId: 'a', number: 1, startedAt: at(20_200), endedAt: at(30_000) },
    // Across the interruption, from 60 to 100 s.
    { productId: 'b', number: 2, startedAt: at(50_000), endedAt: at(110_000) },
    { productId: 'c', number: 3, startedAt: at(110_000), endedAt: at(110_300) },
    { productId: 'a', number: 1, startedAt: at(120_000), endedAt: null },
  ], stretches, 100_000);
  assert.deepEqual(chapters, [
    { productId: 'a', number: 1, fromMs: 0, toMs: 30_000 },
    { productId: 'b', number: 2, fromMs: 50_000, toMs: 70_000 },
    { productId: 'a', number: 1, fromMs: 80_000, toMs: 100_000 },
  ]);
});

test('[RE6] [RE10] it is read through, and the shop is told what was found', async () => {
  const { showId } = await ended();
  const office = async () => (
    (await api.ask(`/api/office/shows/${showId}/recording`, { cookie: owner.cookie }))
      .json as unknown as OfficeRecording
  );
  assert.equal((await office()).report, null);
  await recording.doJobs();
  assert.deepEqual((await office()).report, { pictures: 150, keyPictures: 3, soundFrames: 300, gaps: [], faults: [] });
  const stranger = await api.newPerson('Sami');
  assert.equal((await api.ask(`/api/office/shows/${showId}/recording`, { cookie: stranger.cookie })).status, 403);
  const broken = await ended();
  const { segments } = HLS.parse((await file(`/replay/${broken.showId}/media.m3u8`)).body) as HLS.types.MediaPlaylist;
  await recording.blobs.remove(`recordings/${broken.showId}/${segments[1]!.uri}`);
  await recording.doJobs();
  const { json } = await api.ask(`/api/office/shows/${broken.showId}/recording`, { cookie: owner.cookie });
  assert.deepEqual((json as unknown as OfficeRecording).report?.faults, [{ atMs: 2_000, fault: 'missing' }]);
});

test('[RE59] what takes longer than a job may is read through by several', async (t) => {
  const { showId } = await ended(20_000);
  const inRow = async () => (
    (await query('select bytes, report from recording where show_id = $1', [showId])).rows[0]!
  );
  const read: string[] = [];
  recording.beforeRead((key) => {
    if (!key.endsWith('.m4s')) return;
    read.push(key);
    api.clock.advance(3_000);
  });
  t.after(() => recording.beforeRead(() => undefined));
  let jobs = 0;
  for (; recording.due.length > 0; jobs += 1) {
    assert.equal((await inRow())['report'], null);
    await recording.doJobs();
  }
  assert.ok(jobs > 1, `${jobs} jobs`);
  assert.deepEqual((await inRow())['report'], {
    pictures: 500, keyPictures: 10, soundFrames: 1_000, gaps: [], faults: [],
  });
  // The next eight are on their way when a job ends.
  assert.equal(new Set(read).size, 10);
  assert.ok(read.length <= 10 + (jobs - 1) * 8, `${read.length} reads by ${jobs} jobs`);
  // It was healed meanwhile: another recording, with a job of its own.
  const { db } = api.platform.database;
  await query('update recording set report = null where show_id = $1', [showId]);
  const bytes = Number((await inRow())['bytes']);
  await writeReport(db, showId, { faults: [] }, bytes - 1);
  assert.equal((await inRow())['report'], null);
});

test('[RE7] taken away it is gone for everybody and for good, and that is kept', async () => {
  const running = await recorded();
  const removal = (showId: string, cookie: string) => (
    api.ask(`/api/office/shows/${showId}/recording`, { method: 'DELETE', cookie })
  );
  const refused = await removal(running.showId, owner.cookie);
  assert.deepEqual([refused.status, refused.json['code']], [409, 'recordings.running']);
  await api.shows.end(owner.id, running.showId);
  running.hls.end(running.showId);
  await changed(running.showId);
  await recording.doJobs();
  const { showId } = running;
  assert.equal((await removal(showId, (await api.newPerson('Tom')).cookie)).status, 403);
  const { segments } = HLS.parse((await file(`/replay/${showId}/media.m3u8`)).body) as HLS.types.MediaPlaylist;
  assert.equal((await removal(showId, owner.cookie)).status, 204);
  assert.equal((await removal(showId, owner.cookie)).status, 204, 'again');
  const { state, removedWhy, durationMs } = await replayOf(showId);
  assert.deepEqual([state, removedWhy, durationMs], ['removed', 'shop', 0]);
  assert.equal((await file(`/replay/${showId}/media.m3u8`)).statusCode, 404);
  assert.equal((await file(`/replay/${showId}/${segments[0]!.uri}`)).statusCode, 404, 'before its bytes are gone');
  await recording.doJobs();
  assert.equal(await recording.blobs.read(`recordings/${showId}/${segments[0]!.uri}`), null);
  assert.equal(await recording.blobs.read(`recordings/${showId}/index.jsonl`), null);
  const { rows } = await query('select removed_by from recording where show_id = $1', [showId]);
  assert.equal(rows[0]!['removed_by'], owner.id);
  // It was being read through meanwhile, and its bytes went away.
  const { rows: [{ bytes }] } = await query('select bytes from recording where show_id = $1', [showId]);
  await writeReport(api.platform.database.db, showId, { faults: [{ atMs: 0, fault: 'missing' }] }, Number(bytes));
  const office = (await api.ask(`/api/office/shows/${showId}/recording`, { cookie: owner.cookie }))
    .json as unknown as OfficeRecording;
  assert.deepEqual([office.state, office.report], ['removed', null]);
});

test('[RE8] what is too old goes by itself', async () => {
  const { showId } = await ended();
  assert.equal(await recording.recordings.sweep(), 0);
  await query(`update recording set keep_until = now() - interval '1 day' where show_id = $1`, [showId]);
  assert.equal(await recording.recordings.sweep(), 1);
  await recording.doJobs();
  const { state, removedWhy } = await replayOf(showId);
  assert.deepEqual([state, removedWhy], ['removed', 'age']);
});

test('[RE9] how far one has watched is one’s own, and its end is forgotten', async () => {
  const { showId } = await ended(30_000);
  const [one, other] = [await api.newPerson('Ada'), await api.newPerson('Li')];
  const note = async (cookie: string, positionMs: unknown) => (
    (await api.ask(`/api/me/watching/${showId}`, { method: 'PUT', body: { positionMs } as never, cookie })).status
  );
  const until = async (cookie: string) => (await api.ask(`/api/me/watching/${showId}`, { cookie })).json['positionMs'];
  assert.equal(await until(one.cookie), null);
  assert.equal(await note(one.cookie, 12_000), 204);
  assert.equal(await note(one.cookie, 14_000), 204);
  assert.deepEqual([await until(one.cookie), await until(other.cookie)], [14_000, null]);
  for (const nonsense of [-1, 1.5, 'far', null]) assert.equal(await note(one.cookie, nonsense), 400, String(nonsense));
  assert.equal(await note(one.cookie, 25_000), 204);
  assert.equal(await until(one.cookie), null);
  assert.equal((await api.ask(`/api/me/watching/${showId}`)).status, 401);
});

test('[RE71] a replay’s length stands with its show on every list, until it is taken away', async () => {
  const { showId } = await ended(30_000);
  const unseen = await api.newLiveShow(owner, shop.id, products);
  await api.shows.end(owner.id, unseen.id);
  const lengths = async (path: string, cookie?: string) => {
    const { json } = await api.ask(path, { ...(cookie && { cookie }) });
    const tiles = (json as unknown as { items: ShowTile[] }).items;
    return [showId, unseen.id].map((id) => tiles.find((tile) => tile.id === id)?.replayMs);
  };
  assert.deepEqual(await lengths(`/api/shows?state=ended&shopId=${shop.id}`), [30_000, null]);
  assert.deepEqual(await lengths(`/api/office/shops/${shop.id}/shows`, owner.cookie), [30_000, null]);
  assert.equal((await api.ask(`/api/shows/${showId}`)).json['replayMs'], 30_000);
  await api.ask(`/api/office/shows/${showId}/recording`, { method: 'DELETE', cookie: owner.cookie });
  assert.deepEqual(await lengths(`/api/shows?state=ended&shopId=${shop.id}`), [null, null]);
});

test('[RE72] what a person began is listed for them alone, the latest first, as long as it can be seen', async () => {
  const [ada, li] = [await api.newPerson('Ada'), await api.newPerson('Li')];
  const shows: string[] = [];
  for (let index = 0; index < WATCHING_MOST + 2; index += 1) shows.push((await ended(30_000)).showId);
  for (const [index, showId] of shows.entries()) {
    const body = { positionMs: 1_000 * (index + 1) } as never;
    await api.ask(`/api/me/watching/${showId}`, { method: 'PUT', body, cookie: ada.cookie });
  }
  const listed = async (cookie: string, query = '') => {
    const { json } = await api.ask(`/api/me/watching${query}`, { cookie });
    return (json as unknown as { items: Watching[] }).items.map(({ show, positionMs }) => (
      [shows.indexOf(show.id), positionMs, show.replayMs]
    ));
  };
  const line = (index: number) => [index, 1_000 * (index + 1), 30_000];
  assert.deepEqual(await listed(ada.cookie), [7, 6, 5, 4, 3, 2].map(line));
  assert.deepEqual(await listed(li.cookie), []);
  assert.equal((await api.ask('/api/me/watching')).status, 401);
  // Watched to its end; taken off; gone private; taken away by the shop; kept out of: none can be gone on with.
  await api.ask(`/api/me/watching/${shows[7]}`, {
    method: 'PUT', body: { positionMs: 29_000 } as never, cookie: ada.cookie,
  });
  for (let times = 0; times < 2; times += 1) {
    assert.equal((await api.ask(`/api/me/watching/${shows[6]}`, { method: 'DELETE', cookie: ada.cookie })).status, 204);
  }
  await query('update show set visibility = $1 where id = $2', ['private', shows[5]]);
  await api.ask(`/api/office/shows/${shows[4]}/recording`, { method: 'DELETE', cookie: owner.cookie });
  assert.deepEqual(await listed(ada.cookie), [3, 2, 1, 0].map(line));
  const other = await api.newMarket(1);
  assert.deepEqual(await listed(ada.cookie, `?shopId=${other.shop.id}`), []);
  assert.deepEqual(await listed(ada.cookie, `?shopId=${shop.id}`), [3, 2, 1, 0].map(line));
  await api.moderation.take({ kind: 'person', personId: owner.id, name: owner.name } as PersonActor, shows[3]!, {
    kind: 'ban', personId: ada.id, reason: 'spam', words: '', minutes: null,
  });
  assert.deepEqual(await listed(ada.cookie), []);
});

test('[RE73] of shows that a guest’s browser names it is told which can be seen again, no more', async () => {
  const [one, two, hidden, gone] = [await ended(), await ended(), await ended(), await ended()].map(
    ({ showId }) => showId,
  );
  const planned = await api.newShow(owner, shop.id);
  await query('update show set visibility = $1 where id = $2', ['private', hidden]);
  await api.ask(`/api/office/shows/${gone}/recording`, { method: 'DELETE', cookie: owner.cookie });
  const asked = async (...ids: Array<string | undefined>) => (
    api.ask(`/api/replays?${ids.map((id) => `showIds=${id}`).join('&')}`)
  );
  const { json } = await asked(two, hidden, gone, planned.id, crypto.randomUUID(), one, two);
  assert.deepEqual((json as unknown as { items: ShowTile[] }).items.map(({ id }) => id), [two, one]);
  assert.equal((await asked(one)).status, 200, 'one alone');
  const many = Array.from({ length: REPLAY_TILES_MOST + 1 }, () => crypto.randomUUID());
  assert.deepEqual(
    [(await asked()).status, (await asked('nonsense')).status, (await asked(...many)).status], [400, 400, 400],
  );
});
