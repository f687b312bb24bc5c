/** Rows of clips, and of replays that somebody began, in the table of `http/authorisation.db.test.ts`. */
import { row, type Row, type Stage } from './account-rows.ts';
import { everybody, hidden, hiddenLeaders, leaders, people, runners } from './who-gets-in.ts';

const hiddenClip = Object.fromEntries(
  Object.entries(hidden).map(([who, code]) => [who, code === 'in' ? code : 'recordings.no_clip']),
) as typeof hidden;

/** The same one each time: a show has one of each product. */
async function newClip({ api, shop, show: { id: showId }, product }: Stage): Promise<string> {
  const { pool } = api.platform.database;
  await pool.query(
    `insert into recording (show_id, shop_id, state, duration_ms, bytes, stretches, finished_at, keep_until)
     values ($1, $2, 'ready', 20000, 0, '[]', now(), now() + interval '1 day') on conflict do nothing`,
    [showId, shop.id],
  );
  const { rows: [clip] } = await pool.query<{ id: string }>(
    `insert into clip (id, show_id, product_id, from_ms, to_ms, created_at) values ($1, $2, $3, 0, 10000, now())
     on conflict (show_id, product_id) do update set to_ms = 10000 returning id`,
    [api.platform.newId(), showId, product.id],
  );
  return clip!.id;
}

export const CLIP_ROWS: Record<string, Row> = {
  getClip: row(everybody, async (stage) => ({ path: `/api/clips/${await newClip(stage)}` }), { hidden: hiddenClip }),
  putPoster: row(
    { ...runners, owner: 'recordings.not_shown', manager: 'recordings.not_shown', host: 'recordings.not_shown' },
    ({ api, show, product }) => ({
      path: `/api/office/shows/${show.id}/posters/${product.id}`, method: 'PUT',
      body: { imageId: api.platform.newId() },
    }),
  ),
  listClipsOfShow: row(everybody, ({ show }) => ({ path: `/api/shows/${show.id}/clips` }), { hidden }),
  listClips: row(everybody, ({ product }) => ({ path: `/api/products/${product.id}/clips` })),
  makeClips: row(leaders, ({ show }) => ({ path: `/api/office/shows/${show.id}/clips`, method: 'POST' }), {
    hidden: hiddenLeaders,
  }),
  listWatching: row(people, () => ({ path: '/api/me/watching' })),
  forgetWatched: row(people, ({ show }) => ({ path: `/api/me/watching/${show.id}`, method: 'DELETE' })),
  listReplayTiles: row(everybody, ({ show }) => ({ path: `/api/replays?showIds=${show.id}` })),
  // Its bytes are not there: everybody reads that.
  getClipVideo: row(
    Object.fromEntries(Object.keys(everybody).map((who) => [who, 'recordings.no_clip'])) as typeof everybody,
    async (stage) => ({ path: `/api/clips/${await newClip(stage)}/video.mp4` }),
  ),
  // Its bytes are not there: who gets in reads that.
  getClipFile: row(
    { ...runners, owner: 'recordings.no_clip', manager: 'recordings.no_clip', host: 'recordings.no_clip' },
    async (stage) => ({ path: `/api/office/clips/${await newClip(stage)}/file` }),
  ),
};
