/** Low-Latency HLS over HTTP: who gets it, and what caches are told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { createAacRenditions } from '@nacre/media/aac/renditions';
import { createHlsLadder } from '@nacre/media/hls/ladder';
import { createApp, type App } from '../http/app.ts';
import { createGuests } from '../http/guest.ts';
import { createLog } from '../platform/log.ts';
import { createHlsRoutes, type HlsRoutes } from './hls-routes.ts';

interface Stage {
  app: App;
  routes: HlsRoutes;
  /** Shows that everybody may watch. */
  open: Set<string>;
  /** Shows from which somebody is banned. */
  banned: Set<string>;
  /** How often the shows were asked. */
  asked(): number;
  play(forMs: number): void;
  down(): void;
  end(): void;
}

async function stage(hasAudio = false): Promise<Stage> {
  const hls = createHlsLadder({ now: Date.now, waitMs: 200 });
  const open = new Set(['show']);
  const banned = new Set<string>();
  let asked = 0;
  const aac = createAacRenditions({ hls, now: Date.now, log: createLog('silent', false) });
  const routes = createHlsRoutes({
    hls,
    aac,
    isPublic: async (showId) => {
      asked += 1;
      return open.has(showId);
    },
    mayWatch: async (_showId, request) => (request.headers.cookie?.includes('member') === true ? [] : null),
    hasBans: async (showId) => banned.has(showId),
  });
  const app = await createApp({
    log: createLog('silent', false), guests: createGuests({ secret: 'only for tests' }), findPerson: async () => null,
    trustProxy: false,
  });
  await app.register(routes.routes);
  const ids = { streamId: 'show', sessionId: '1', generation: 1 };
  hls.onMediaEvent({
    type: 'init', layer: 'full', ...ids, mime: `video/mp4; codecs="avc1.42e01f${hasAudio ? ',opus' : ''}"`,
    width: 720, height: 1280, hasVideo: true, hasAudio, initSegment: Buffer.alloc(0),
  });
  let timeMs = 0;
  return {
    app, routes, open, banned,
    asked: () => asked,
    play(forMs) {
      for (const endMs = timeMs + forMs; timeMs < endMs; timeMs += 40) {
        hls.onMediaEvent({
          type: 'fragment', layer: 'full', ...ids, track: 'video', isKey: timeMs % 2_000 === 0, timeMs, durationMs: 40,
          arrivedAtMs: Date.now(), data: Buffer.alloc(64, 'picture'),
        });
        if (hasAudio) {
          hls.onMediaEvent({
            type: 'fragment', layer: 'full', ...ids, track: 'audio', isKey: true, timeMs, durationMs: 40,
            arrivedAtMs: Date.now(), data: Buffer.alloc(64, 'sound'),
          });
        }
      }
    },
    down: () => hls.onMediaEvent({ type: 'down', streamId: 'show', sessionId: '1', reason: 'lost' }),
    end: () => hls.end('show'),
  };
}

test('[V19] a public show may be kept by caches, and sets no cookie', async () => {
  const { app, play } = await stage();
  play(4_400);
  const index = await app.inject('/live/show/index.m3u8');
  assert.equal(index.statusCode, 200);
  assert.match(index.body, /\nmedia\.m3u8\n$/);
  const media = await app.inject('/live/show/media.m3u8');
  assert.equal(media.headers['content-type'], 'application/vnd.apple.mpegurl');
  assert.equal(media.headers['cache-control'], 'public, max-age=1');
  const sequence = Number(/MEDIA-SEQUENCE:(\d+)/.exec(media.body)?.[1]);
  const waited = await app.inject(`/live/show/media.m3u8?_HLS_msn=${sequence}&_HLS_part=0`);
  assert.equal(waited.headers['cache-control'], 'public, max-age=18');
  const part = /URI="(\d+\.part\.m4s)"/.exec(media.body)?.[1];
  const init = /MAP:URI="([^"]+)"/.exec(media.body)?.[1];
  for (const name of [part, `${sequence}.m4s`, init]) {
    const file = await app.inject(`/live/show/${name}`);
    assert.equal(file.statusCode, 200, name);
    assert.equal(file.headers['content-type'], 'video/mp4');
    assert.equal(file.headers['cache-control'], 'public, max-age=3600');
    assert.equal(file.headers['access-control-allow-origin'], '*');
    assert.equal(file.headers['set-cookie'], undefined);
  }
  assert.equal(index.headers['set-cookie'], undefined);
});

test('[V19] what is wrong or not there is said so, and kept for a moment at most', async () => {
  const { app, play } = await stage();
  play(4_400);
  const status = async (path: string) => (await app.inject(`/live/show/${path}`)).statusCode;
  assert.equal(await status('7.m4s'), 404);
  assert.equal(await status('anything'), 404);
  assert.equal(await status('media.m3u8?_HLS_msn=abc'), 400);
  assert.equal(await status('media.m3u8?_HLS_part=1'), 400);
  assert.equal(await status('media.m3u8?_HLS_msn=999999999999'), 400);
  const sequence = Number(/MEDIA-SEQUENCE:(\d+)/.exec((await app.inject('/live/show/media.m3u8')).body)?.[1]);
  const late = await app.inject(`/live/show/media.m3u8?_HLS_msn=${sequence + 3}`);
  assert.deepEqual([late.statusCode, late.headers['cache-control']], [503, 'no-store']);
});

test('[V21] playlists come packed to who takes that, the same for everybody', async () => {
  const { app, play } = await stage();
  play(4_400);
  const read = (encoding?: string) => app.inject({
    url: '/live/show/media.m3u8', headers: encoding === undefined ? {} : { 'accept-encoding': encoding },
  });
  const plain = await read();
  const packed = await read('br, gzip;q=0.8');
  assert.equal(packed.headers['content-encoding'], 'gzip');
  assert.equal(gunzipSync(packed.rawPayload).toString(), plain.body);
  assert.deepEqual([plain, packed].map(({ headers }) => headers['vary']), ['accept-encoding', 'accept-encoding']);
  for (const encoding of ['identity', 'gzip;q=0', 'br']) {
    assert.equal((await read(encoding)).headers['content-encoding'], undefined, encoding);
  }
});

test('[V22] past the framework the answers are the same, for shows that all may watch and no others', async () => {
  const { app, play, open, banned, routes } = await stage();
  play(4_400);
  const list = (await app.inject('/live/show/media.m3u8')).body;
  const part = /URI="(\d+\.part\.m4s)"/.exec(list)?.[1] ?? '';
  const paths = ['index.m3u8', 'media.m3u8', 'media.m3u8?_HLS_msn=abc', part, '7.m4s', 'aac/1.m4s'];
  const fast = async (path: string, encoding?: string) => {
    const [name = '', query] = path.split('?');
    return (await routes.fastPath(`/live/show/${name}`, query === undefined ? '' : `?${query}`, encoding)) ?? null;
  };
  for (const path of paths) {
    const slow = await app.inject(`/live/show/${path}`);
    const answer = await fast(path);
    assert.equal(answer?.status, slow.statusCode, `${path} ${slow.body}`);
    assert.ok(answer?.body.equals(slow.rawPayload), path);
    for (const [name, value] of Object.entries(answer?.headers ?? {})) assert.equal(slow.headers[name], value, name);
  }
  assert.equal((await fast('media.m3u8', 'gzip'))?.headers['content-encoding'], 'gzip');
  const others = ['/live/show/socket', '/live/show/delay', '/live/show/a/b.m4s', '/live/sh%6Fw/index.m3u8', '/page'];
  for (const path of others) {
    assert.equal(routes.fastPath(path, '', undefined), null, path);
  }
  banned.add('show');
  routes.forget('show');
  assert.equal(await fast('media.m3u8'), null);
  banned.clear();
  routes.forget('show');
  const sequence = Number(/MEDIA-SEQUENCE:(\d+)/.exec(list)?.[1]);
  const waiting = fast(`media.m3u8?_HLS_msn=${sequence + 2}&_HLS_part=3`);
  await new Promise((resolve) => setTimeout(resolve, 20));
  open.clear();
  routes.forget('show');
  play(2_000);
  assert.equal(await waiting, null);
});

test('[V19] a private show is for its members, and for no cache', async () => {
  const { app, play, open, routes } = await stage();
  play(4_400);
  assert.equal((await app.inject('/live/show/media.m3u8')).statusCode, 200);
  open.delete('show');
  routes.forget('show');
  const stranger = await app.inject('/live/show/media.m3u8');
  assert.deepEqual([stranger.statusCode, stranger.json().code], [404, 'shows.not_found']);
  assert.equal(stranger.headers['cache-control'], 'no-store');
  const member = await app.inject({ url: '/live/show/media.m3u8', headers: { cookie: 'member=1' } });
  assert.deepEqual([member.statusCode, member.headers['cache-control']], [200, 'private, no-store']);
  assert.equal(member.headers['access-control-allow-origin'], undefined);
});

test('[V51] [V53] one sound is offered, AAC to who asks and may watch; its absence no cache keeps', async () => {
  const { app, open, play, down } = await stage(true);
  play(5_000);
  const read = async (url: string) => (await app.inject({ url: `/live/show/${url}` }));
  const codecs = async (url: string) =>
    [...(await read(url)).body.matchAll(/CODECS="([^"]*)"/g)].map(([, name]) => name);
  for (const url of ['index.m3u8', 'index.m3u8?audio=opus']) {
    assert.deepEqual(await codecs(url), ['avc1.42e01f,opus', 'opus']);
  }
  assert.deepEqual(await codecs('index.m3u8?audio=aac'), ['avc1.42e01f,mp4a.40.2', 'mp4a.40.2']);
  assert.match((await read('index.m3u8?audio=aac')).body, /\naac\/media\.m3u8\n/);
  assert.equal((await read('aac/1.m4s')).json().code, 'video.no_picture');
  down();
  const away = await read('aac/media.m3u8');
  assert.deepEqual(
    [away.statusCode, away.headers['cache-control'], away.headers['retry-after']], [503, 'no-store', '1'],
  );
  open.clear();
  await new Promise((done) => setTimeout(done, 1_100));
  for (const url of ['aac/media.m3u8', 'aac/1.m4s']) assert.equal((await read(url)).json().code, 'shows.not_found');
  await app.close();
});

test('[V111] the sound alone is below a folder of its own, for who may watch', async () => {
  const { app, open, play, routes } = await stage(true);
  play(5_000);
  const read = (name: string) => app.inject(`/live/show/${name}`);
  const uris = async (query: string) => (await read(`index.m3u8${query}`)).body.match(/^[^#]\S+$/gm);
  assert.deepEqual(await uris(''), ['media.m3u8', 'sound/media.m3u8']);
  assert.deepEqual(await uris('?audio=aac'), ['aac/media.m3u8', 'aac/sound/media.m3u8']);
  const list = await read('sound/media.m3u8');
  assert.equal(list.headers['cache-control'], 'public, max-age=1');
  assert.doesNotMatch(list.body, /picture/);
  const part = /URI="(\d+\.part\.m4s)"/.exec(list.body)?.[1];
  assert.equal((await read(`sound/${part}`)).statusCode, 200);
  assert.ok(await routes.fastPath(`/live/show/sound/${part}`, '', undefined));
  open.clear();
  routes.forget('show');
  for (const name of ['sound/media.m3u8', `sound/${part}`]) {
    assert.equal((await read(name)).json().code, 'shows.not_found');
  }
});

test('[V19] a show that ends says so to who waits, and is gone for who comes later', async () => {
  const { app, play, open, routes, end } = await stage();
  play(4_400);
  const sequence = Number(/MEDIA-SEQUENCE:(\d+)/.exec((await app.inject('/live/show/media.m3u8')).body)?.[1]);
  const waiting = app.inject(`/live/show/media.m3u8?_HLS_msn=${sequence + 2}&_HLS_part=3`);
  await new Promise((resolve) => setTimeout(resolve, 20));
  open.delete('show');
  routes.forget('show');
  end();
  assert.match((await waiting).body, /#EXT-X-ENDLIST/);
  assert.equal((await app.inject('/live/show/media.m3u8')).statusCode, 404);
});

test('[V19] a thousand requests of a second ask for the show once', async () => {
  const { app, play, asked } = await stage();
  play(4_400);
  await Promise.all(Array.from({ length: 1_000 }, () => app.inject('/live/show/media.m3u8')));
  assert.ok(asked() <= 3, `${asked()} times`);
});

test('[V46] while somebody is banned, each who asks for a public show is looked at', async () => {
  const { app, play, banned, routes } = await stage();
  play(4_400);
  assert.equal((await app.inject('/live/show/media.m3u8')).statusCode, 200);
  banned.add('show');
  routes.forget('show');
  const refused = await app.inject('/live/show/media.m3u8');
  assert.deepEqual([refused.statusCode, refused.headers['cache-control']], [404, 'no-store']);
  const other = await app.inject({ url: '/live/show/media.m3u8', headers: { cookie: 'member=1' } });
  assert.deepEqual([other.statusCode, String(other.headers['cache-control']).startsWith('public')], [200, true]);
});
