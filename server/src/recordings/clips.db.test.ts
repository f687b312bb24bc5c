import assert from 'node:assert/strict';
import { test } from 'node:test';
import HLS from 'hls-parser';
import sharp from 'sharp';
import type { Clip, ClipTile, ShowClip } from '@nacre/contract/clips';
import { openRecordings } from '../../../tests/support/recordings-api.ts';
import { clipsOf } from './clips.ts';

const { api, recording, query, owner, shop, products } = await openRecordings(import.meta.url);
const [shown, flashed] = products;

/** A show of 24 s: one product from 3 s to 19 s, another for 3 s. */
async function ended(whileLive: (showId: string) => Promise<void> = async () => {}) {
  const show = await api.newLiveShow(owner, shop.id, products);
  await whileLive(show.id);
  const startMs = api.platform.clock.now().getTime();
  const { stream, hls } = recording.record(show.id, startMs);
  stream.begin('one');
  stream.play(24_000);
  await api.shows.end(owner.id, show.id);
  await query('delete from on_screen_interval where show_id = $1', [show.id]);
  for (const [product, from, to] of [[shown, 3_000, 19_000], [flashed, 19_000, 22_000]] as const) {
    await query(
      'insert into on_screen_interval (id, show_id, product_id, started_at, ended_at) values ($1, $2, $3, $4, $5)',
      [api.platform.newId(), show.id, product!.id, new Date(startMs + from), new Date(startMs + to)],
    );
  }
  hls.end(show.id);
  await api.platform.database.transaction((tx) => recording.recordings.noteChanged(tx, show.id));
  await recording.doJobs();
  return show.id;
}
const tilesOf = async (productId: string, cookie?: string) => (
  (await api.ask(`/api/products/${productId}/clips`, { ...(cookie && { cookie }) })).json as unknown as ClipTile[]
);
const clipOf = (id: string, cookie?: string) => api.ask(`/api/clips/${id}`, { ...(cookie && { cookie }) });
const get = (url: string, headers: Record<string, string> = {}) => api.app.inject({ url, headers });

test('[RE20] of each product on screen for 8 s the longest unbroken time is its clip, three minutes at most', () => {
  const segment = (sequence: number, more: object = {}) => ({
    sequence, map: 'a', startedAtMs: sequence * 2_000, durationMs: 2_000, bytes: 1, isIndependent: true, isLost: false,
    ...more,
  });
  const segments = Array.from({ length: 200 }, (_, sequence) => segment(sequence));
  segments[10] = segment(10, { isLost: true });
  const chapter = (productId: string, fromMs: number, toMs: number) => ({ productId, number: 1, fromMs, toMs });
  assert.deepEqual(clipsOf({ maps: [], segments }, [
    chapter('short', 0, 7_900),
    chapter('twice', 1_000, 9_500),
    // Lost from 20 s to 22 s: what follows is longer.
    chapter('broken', 11_000, 40_000),
    chapter('twice', 41_500, 52_500),
    chapter('long', 60_000, 399_000),
  ]), [
    { productId: 'twice', fromMs: 41_500, toMs: 52_500 },
    { productId: 'broken', fromMs: 22_000, toMs: 40_000 },
    { productId: 'long', fromMs: 60_000, toMs: 240_000 },
  ]);
});

test('[RE20] [RE21] after the show its clips are there, with product, place and picture', async () => {
  const showId = await ended();
  assert.deepEqual(await tilesOf(flashed!.id), []);
  const [tile] = await tilesOf(shown!.id);
  assert.equal(tile!.durationMs, 16_000);
  const clip = (await clipOf(tile!.id)).json as unknown as Clip;
  assert.deepEqual(
    [clip.showId, clip.product.id, clip.fromMs, clip.toMs, clip.mayDownload], [showId, shown!.id, 3_000, 19_000, false],
  );
  assert.equal(((await clipOf(tile!.id, owner.cookie)).json as unknown as Clip).mayDownload, true);
  const answer = await get(`/replay/${showId}/3000-19000.m3u8`);
  const playlist = HLS.parse(answer.body) as HLS.types.MediaPlaylist;
  assert.deepEqual([playlist.playlistType, playlist.endlist, playlist.segments.length], ['VOD', true, 9]);
  assert.equal(answer.headers['cache-control'], 'public, max-age=300');
  for (const name of ['19000-3000', '0-999999999', '500000-510000', '1-1']) {
    assert.equal((await get(`/replay/${showId}/${name}.m3u8`)).statusCode, 404, name);
  }
  // Finished again, nothing is twice.
  await recording.recordings.finish(showId);
  assert.equal((await tilesOf(shown!.id)).length, 1);
  assert.equal((await clipOf('nonsense')).status, 400);
  assert.equal((await clipOf(api.platform.newId())).status, 404);
});

test('[RE22] no clip for who may not see the replay, of one that was taken away, or of what is not sold', async () => {
  const showId = await ended();
  const [tile] = await tilesOf(shown!.id);
  const stranger = await api.newPerson('Noor');
  await query('update show set visibility = $1 where id = $2', ['private', showId]);
  recording.access.forget(showId);
  const refused = await clipOf(tile!.id, stranger.cookie);
  assert.deepEqual([refused.status, refused.json['code']], [404, 'recordings.no_clip']);
  assert.equal((await get(`/replay/${showId}/3000-19000.m3u8`, { cookie: stranger.cookie })).statusCode, 404);
  assert.equal((await api.ask(`/api/office/clips/${tile!.id}/file`, { cookie: stranger.cookie })).status, 404);
  assert.equal((await clipOf(tile!.id, owner.cookie)).status, 200);
  assert.ok((await tilesOf(shown!.id, owner.cookie)).every(({ id }) => id !== tile!.id), 'no public list names it');

  await query('update show set visibility = $1 where id = $2', ['public', showId]);
  await query('update product set state = $1 where id = $2', ['archived', shown!.id]);
  assert.equal((await clipOf(tile!.id, owner.cookie)).status, 404);
  await query('update product set state = $1 where id = $2', ['active', shown!.id]);
  assert.equal((await clipOf(tile!.id)).status, 200);
  await api.ask(`/api/office/shows/${showId}/recording`, { method: 'DELETE', cookie: owner.cookie });
  assert.equal((await clipOf(tile!.id, owner.cookie)).status, 404);
  assert.equal((await get(`/replay/${showId}/3000-19000.m3u8`)).statusCode, 404);
});

/** A picture that was uploaded. */
async function newImage(): Promise<string> {
  const bytes = await sharp({ create: { width: 540, height: 960, channels: 3, background: '#a33' } }).jpeg().toBuffer();
  return ((await api.upload(bytes, owner.cookie)).json as { id: string }).id;
}

test('[RE24] the first picture of what was on screen is its clip’s; of what was not none is taken', async () => {
  const [first, second] = [await newImage(), await newImage()];
  const put = (showId: string, productId: string, imageId: string) => api.ask(
    `/api/office/shows/${showId}/posters/${productId}`, { method: 'PUT', cookie: owner.cookie, body: { imageId } },
  );
  const code = async (answer: ReturnType<typeof put>) => (await answer).json['code'] ?? (await answer).status;
  const showId = await ended(async (id) => {
    await api.shows.putOnScreen(owner.id, id, shown!.id);
    assert.equal(await code(put(id, flashed!.id, first)), 'recordings.not_shown');
    assert.equal(await code(put(id, shown!.id, api.platform.newId())), 'images.unknown');
    assert.equal(await code(put(id, 'nonsense', first)), 'request.invalid');
    assert.equal(await code(put(id, shown!.id, first)), 204);
    assert.equal(await code(put(id, shown!.id, second)), 204);
  });
  assert.equal(await code(put(showId, shown!.id, second)), 'shows.wrong_state');
  const tile = (await tilesOf(shown!.id)).find(({ poster }) => poster?.id === first);
  assert.ok(tile);
  assert.equal(((await clipOf(tile.id)).json as unknown as Clip).poster?.id, first);
});

test('[RE25] clips of a show are listed to who may see its replay, without what is not sold', async () => {
  const showId = await ended();
  const list = async (cookie?: string) => api.ask(`/api/shows/${showId}/clips`, { ...(cookie && { cookie }) });
  const clips = (await list()).json as unknown as ShowClip[];
  assert.deepEqual(
    clips.map(({ productId, durationMs, title }) => [productId, durationMs, title]),
    [[shown!.id, 16_000, shown!.title]],
  );
  await query('update product set state = $1 where id = $2', ['archived', shown!.id]);
  assert.deepEqual((await list()).json, []);
  await query('update product set state = $1 where id = $2', ['active', shown!.id]);
  await query('update show set visibility = $1 where id = $2', ['private', showId]);
  assert.equal((await list()).status, 404);
  assert.equal(((await list(owner.cookie)).json as unknown as ShowClip[]).length, 1);
});

test('[RE26] as a file for everybody: of public shows, two at a time', async () => {
  const showId = await ended();
  const { rows: [clip] } = await query('select id from clip where show_id = $1', [showId]);
  const file = () => get(`/api/clips/${clip.id}/video.mp4`);
  // Two stand before their init segment until the third was answered.
  const { read } = recording.blobs;
  const gate = Promise.withResolvers<void>();
  let standing = 0;
  recording.blobs.read = async (key) => {
    if (key.endsWith('.mp4')) {
      standing += 1;
      await gate.promise;
    }
    return read(key);
  };
  const two = [file(), file()];
  for (let tries = 0; standing < 2 && tries < 500; tries += 1) await new Promise((done) => setTimeout(done, 10));
  const busy = await file();
  assert.deepEqual([busy.statusCode, busy.headers['retry-after'], busy.json().code], [503, '5', 'server.busy']);
  recording.blobs.read = read;
  gate.resolve();
  // The stream is drawn, so no file comes of it: that both were tried counts (the files: tests/e2e/clip.e2e.ts).
  for (const answer of await Promise.all(two)) assert.notEqual(answer.statusCode, 503);
  assert.notEqual((await file()).statusCode, 503);
  await query('update show set visibility = $1 where id = $2', ['private', showId]);
  const gone = await get(`/api/clips/${clip.id}/video.mp4`);
  assert.deepEqual([gone.statusCode, gone.json().code], [404, 'recordings.no_clip']);
  assert.equal((await get(`/api/clips/${api.platform.newId()}/video.mp4`)).statusCode, 404);
});

test('[RE74] clips are made of a replay that has none, by who plans shows; those that are there stay', async () => {
  const showId = await ended();
  const make = async (cookie: string) => {
    const { status, json } = await api.ask(`/api/office/shows/${showId}/clips`, { method: 'POST', cookie });
    return status === 200 ? json['made'] : json['code'];
  };
  const listed = async () => (await api.ask(`/api/shows/${showId}/clips`)).json as unknown as ShowClip[];
  const before = await listed();
  assert.ok(before.length > 0);
  assert.equal(await make(owner.cookie), 0, 'all are there');
  assert.deepEqual(await listed(), before);
  await query('delete from clip where show_id = $1', [showId]);
  assert.equal(await make((await api.newPerson('Stranger')).cookie), 'shops.not_a_member');
  assert.deepEqual(
    (await Promise.all([make(owner.cookie), make(owner.cookie)])).toSorted(), [0, before.length], 'once',
  );
  const same = (clips: ShowClip[]) => clips.map(({ productId, durationMs }) => [productId, durationMs]);
  assert.deepEqual(same(await listed()), same(before));
  await api.ask(`/api/office/shows/${showId}/recording`, { method: 'DELETE', cookie: owner.cookie });
  assert.equal(await make(owner.cookie), 0, 'there is no replay any more');
});
