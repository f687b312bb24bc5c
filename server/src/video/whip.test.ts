import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as immediate } from 'node:timers/promises';
import type { TestContext } from 'node:test';
import fastify from 'fastify';
import { PublishRefusal } from '@nacre/media/hooks';
import type { MediaEvent, MediaSupervisor, PublishRefusalCode, StreamDownReason } from '@nacre/media/hooks';
import { Refusal } from '../lib/refusal.ts';
import { createVideo } from './video.ts';

const offer = 'v=0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n';

/** The media process as seen from here: it lives behind a pipe, so this is a process boundary. */
function fakeMedia() {
  const published: { streamId: string; offerSdp: string }[] = [];
  const removed: string[] = [];
  const patched: string[] = [];
  let refuse: PublishRefusalCode | null = null;
  let emit: (event: MediaEvent) => void = () => undefined;
  const supervisor: MediaSupervisor = {
    ready: async () => ({ udpPort: 1 }),
    async publish(request) {
      if (refuse) throw new PublishRefusal(refuse, `because ${refuse}`);
      published.push(request);
      return { sessionId: `s${published.length}`, answerSdp: `answer ${published.length}` };
    },
    async patch(sessionId, fragment) {
      patched.push(fragment);
      return sessionId.startsWith('s');
    },
    async remove(sessionId) {
      removed.push(sessionId);
      return true;
    },
    replace: (streamId) => void removed.push(`those of ${streamId}`),
    stats: async () => null,
    pid: () => null,
    stop: async () => undefined,
  };
  return {
    published,
    removed,
    patched,
    refuse: (code: PublishRefusalCode | null) => {
      refuse = code;
    },
    init: (sessionId: string) =>
      emit({
        type: 'init', layer: 'full',
        streamId: 'show-1',
        sessionId,
        generation: 1,
        mime: 'video/mp4',
        width: 1,
        height: 1,
        hasVideo: true,
        hasAudio: false,
        initSegment: Buffer.alloc(1),
      }),
    down: (sessionId: string, reason: StreamDownReason) =>
      emit({ type: 'down', streamId: 'show-1', sessionId, reason }),
    start(onEvent: (event: MediaEvent) => void) {
      emit = onEvent;
      return supervisor;
    },
  };
}

async function stage(t: TestContext, turn: { urls: string[]; secret: string } | null = null) {
  const media = fakeMedia();
  const news: string[] = [];
  const logged: string[] = [];
  let suspended = false;
  const note = (fields: object, text: string) => void logged.push(JSON.stringify(fields) + text);
  const video = createVideo({
    startMedia: media.start,
    async authorizeStreamKey(key) {
      if (suspended) throw new Refusal('moderation.suspended');
      return { good: { showId: 'show-1' }, other: { showId: 'show-2' } }[key] ?? null;
    },
    mayWatch: async (showId) => (showId === 'show-1' ? [] : null),
    hasBans: async () => false,
    isPublic: async (showId) => showId === 'show-1',
    onDelay: () => {},
    onEncoderProblem: () => {},
    onPictureUp: (showId) => void news.push(`up ${showId}`),
    onPictureDown: (showId, reason) => void news.push(`down ${showId} ${reason}`),
    log: { info: note, warn: note, error: note },
    now: Date.now,
    turn,
  });
  const log = new Writable({ write: (chunk, _encoding, done) => (logged.push(String(chunk)), done()) });
  const app = fastify({ logger: { stream: log, level: 'trace' } });
  await app.register(video.routes);
  t.after(async () => {
    await video.stop();
    await app.close();
  });
  const post = (headers: Record<string, string> = {}, payload = offer) =>
    app.inject({
      method: 'POST',
      url: '/whip',
      headers: { authorization: 'Bearer good', 'content-type': 'application/sdp', ...headers },
      payload,
    });
  const patch = (payload: string, headers: Record<string, string> = {}, url = '/whip/s1') =>
    app.inject({
      method: 'PATCH',
      url,
      headers: { authorization: 'Bearer good', 'content-type': 'application/trickle-ice-sdpfrag', ...headers },
      payload,
    });
  const look = (key = 'good', url = '/whip/s1') => app.inject({ url, headers: { authorization: `Bearer ${key}` } });
  const remove = (key = 'good', url = '/whip/s1') =>
    app.inject({ method: 'DELETE', url, headers: { authorization: `Bearer ${key}` } });
  const suspend = () => (suspended = true);
  return { app, media, news, logged, video, post, patch, look, remove, suspend };
}

test('[V1] without a key, or with a wrong one, nothing is published and the answer says how to sign', async (t) => {
  const { app, media, post } = await stage(t);
  const headers = { 'content-type': 'application/sdp' };
  const none = await app.inject({ method: 'POST', url: '/whip', headers, payload: offer });
  assert.equal(none.statusCode, 401);
  assert.equal(none.headers['www-authenticate'], 'Bearer realm="nacre"');
  assert.equal(none.json().code, 'video.key_missing');
  for (const key of ['wrong', 'x'.repeat(5_000)]) {
    const wrong = await post({ authorization: `Bearer ${key}` });
    assert.equal(wrong.statusCode, 401);
    assert.match(String(wrong.headers['www-authenticate']), /^Bearer .*error="invalid_token"/);
    assert.match(String(wrong.headers['content-type']), /^application\/problem\+json/);
  }
  assert.equal((await post({ authorization: 'Basic good' })).statusCode, 401);
  assert.equal(media.published.length, 0);
});

test('[V1] a key is refused before the body is read, and never logged', async (t) => {
  const { post, logged } = await stage(t);
  assert.equal((await post({ authorization: 'Bearer secret-1' }, 'x'.repeat(100_000))).statusCode, 401);
  await post({ authorization: 'Bearer good' });
  assert.ok(logged.length > 0);
  assert.doesNotMatch(logged.join(''), /secret-1|Bearer good/);
});

test('[V2] an accepted offer is answered with 201, its session, its tag and the SDP', async (t) => {
  const { media, post } = await stage(t);
  const answer = await post({ 'content-type': 'application/sdp; charset=utf-8' });
  assert.equal(answer.statusCode, 201);
  assert.equal(answer.headers.location, '/whip/s1');
  assert.equal(answer.headers.etag, '"s1"');
  assert.equal(answer.headers['accept-patch'], 'application/trickle-ice-sdpfrag');
  assert.match(String(answer.headers['content-type']), /^application\/sdp/);
  assert.equal(answer.body, 'answer 1');
  assert.deepEqual(media.published, [{ streamId: 'show-1', offerSdp: offer }]);
});

test('[V3] other bodies and offers that cannot be used are refused in words', async (t) => {
  const { media, post } = await stage(t);
  const json = await post({ 'content-type': 'application/json' }, '{}');
  assert.equal(json.statusCode, 415);
  assert.equal(json.headers['accept-post'], 'application/sdp');
  assert.equal((await post({ 'content-type': 'application/trickle-ice-sdpfrag' })).statusCode, 415);
  assert.equal((await post({}, 'x'.repeat(64 * 1024 + 1))).statusCode, 413);
  const expected = [
    ['no_h264', 422, 'video.codec'],
    ['no_opus', 422, 'video.codec'],
    ['not_sending', 422, 'video.offer_unusable'],
    ['too_many_tracks', 422, 'video.offer_unusable'],
    ['offer_malformed', 400, 'request.invalid'],
  ] as const;
  for (const [code, status, problem] of expected) {
    media.refuse(code);
    const refused = await post();
    assert.equal(refused.statusCode, status, code);
    assert.equal(refused.json().code, problem);
    assert.equal(refused.json().detail, `because ${code}`);
  }
});

test('[V4] a media process that is down or full is 503, with the time to come back', async (t) => {
  const { media, post } = await stage(t);
  for (const [code, problem] of [['unavailable', 'video.down'], ['too_many_publishers', 'video.full']] as const) {
    media.refuse(code);
    const refused = await post();
    assert.equal(refused.statusCode, 503);
    assert.equal(refused.json().code, problem);
    assert.ok(Number(refused.headers['retry-after']) >= 1);
  }
});

test('[V5] a session ends by DELETE with a key of its show, and only so', async (t) => {
  const { media, post, remove, app } = await stage(t);
  await post();
  assert.equal((await app.inject({ method: 'DELETE', url: '/whip/s1' })).statusCode, 401);
  assert.equal((await remove('other')).statusCode, 404, 'a key of another show does not find it');
  assert.deepEqual(media.removed, []);
  assert.equal((await remove()).statusCode, 200);
  assert.deepEqual(media.removed, ['s1']);
  media.down('s1', 'closed');
  assert.equal((await remove()).statusCode, 404);
});

test('[V5] trickle ICE is taken with the tag of its connection, and answered without one', async (t) => {
  const { media, post, patch } = await stage(t);
  const tag = String((await post()).headers.etag);
  const trickle = 'a=ice-ufrag:abcd\r\na=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\n';
  const taken = await patch(trickle, { 'if-match': tag });
  assert.equal(taken.statusCode, 204);
  assert.equal(taken.headers.etag, undefined);
  assert.equal((await patch(trickle, { 'if-match': `"older", ${tag}` })).statusCode, 204, 'one of several');
  const untagged = await patch(trickle);
  assert.equal(untagged.statusCode, 428);
  assert.equal(untagged.json().code, 'video.tag_missing');
  assert.equal((await patch(trickle, { 'if-match': '"s0"' })).statusCode, 412);
  assert.equal((await patch(trickle, { 'if-match': `W/${tag}` })).statusCode, 412, 'a weak tag matches nothing');
  assert.equal((await patch('nonsense', { 'if-match': tag })).statusCode, 400);
  assert.equal((await patch(trickle, { 'if-match': tag, 'content-type': 'application/sdp' })).statusCode, 415);
  assert.equal((await patch(trickle, { 'if-match': tag }, '/whip/unknown')).statusCode, 404);
  assert.deepEqual(media.patched, [trickle, trickle]);
});

test('[V5] an ICE restart is refused, and the session stays', async (t) => {
  const { media, post, patch, look } = await stage(t);
  const tag = String((await post()).headers.etag);
  const restart = 'a=ice-ufrag:new1\r\na=ice-pwd:x\r\n';
  for (const wanted of ['*', '"*"', tag]) {
    const refused = await patch(restart, { 'if-match': wanted });
    assert.equal(refused.statusCode, 422);
    assert.equal(refused.json().code, 'video.ice_restart');
  }
  assert.deepEqual([media.patched, media.removed], [[], []]);
  assert.equal((await look()).statusCode, 204);
});

test('[V5] asking for a session tells whether it is there, to its own key only, and nothing else', async (t) => {
  const { app, post, look } = await stage(t);
  await post();
  for (const method of ['GET', 'HEAD'] as const) {
    const there = await app.inject({ method, url: '/whip/s1', headers: { authorization: 'Bearer good' } });
    assert.deepEqual([there.statusCode, there.body], [204, '']);
    assert.equal((await app.inject({ method, url: '/whip' })).statusCode, 204, 'the endpoint too, without a key');
  }
  assert.equal((await look('good', '/whip/s9')).statusCode, 404);
  assert.equal((await look('other')).statusCode, 404);
  assert.equal((await app.inject({ url: '/whip/s1' })).statusCode, 401);
});

test('[V5] other methods are 405 and say what is allowed; pages of other sites may ask', async (t) => {
  const { app } = await stage(t);
  for (const [url, allow, methods] of [
    ['/whip', 'GET, HEAD, OPTIONS, POST', ['PUT', 'DELETE', 'PATCH']],
    ['/whip/s1', 'GET, HEAD, OPTIONS, PATCH, DELETE', ['PUT', 'POST']],
  ] as const) {
    for (const method of methods) {
      const refused = await app.inject({ method, url });
      assert.equal(refused.statusCode, 405, `${method} ${url}`);
      assert.equal(refused.headers.allow, allow);
    }
    const asked = await app.inject({ method: 'OPTIONS', url, headers: { origin: 'https://encoder.example' } });
    assert.equal(asked.statusCode, 204);
    assert.equal(asked.headers['access-control-allow-origin'], '*');
    for (const header of ['Authorization', 'Content-Type', 'If-Match']) {
      assert.match(String(asked.headers['access-control-allow-headers']), new RegExp(header));
    }
  }
});

test('[V6] a publisher that was taken over learns it; one that was lost may come back', async (t) => {
  const { media, post, patch, look, remove } = await stage(t);
  await post();
  media.down('s1', 'replaced');
  const told = await look();
  assert.equal(told.statusCode, 410);
  assert.equal(told.json().code, 'video.replaced');
  assert.equal((await patch('a=end-of-candidates\r\n', { 'if-match': '"s1"' })).statusCode, 410);
  assert.equal((await remove()).statusCode, 410);
  await post();
  media.down('s2', 'crashed');
  assert.equal((await look('good', '/whip/s2')).statusCode, 404);
});

test('[V11] the picture is reported once up and once down, and a takeover is neither', async (t) => {
  const { media, news, post } = await stage(t);
  await post();
  media.init('s1');
  media.init('s1');
  media.down('s1', 'replaced');
  media.init('s2');
  media.down('s1', 'lost');
  assert.deepEqual(news, ['up show-1']);
  media.down('s2', 'replaced');
  media.down('s3', 'lost');
  await immediate();
  assert.deepEqual(news, ['up show-1', 'down show-1 lost'], 'who took over never came up');
  media.down('s4', 'lost');
  media.init('s5');
  await immediate();
  media.down('s5', 'crashed');
  await immediate();
  assert.deepEqual(news.slice(2), ['up show-1', 'down show-1 crashed']);
});

test('[V12] ending a show and rotating its key cut its publisher', async (t) => {
  const { media, post, video } = await stage(t);
  await post();
  await video.dropPublisher('show-2');
  assert.deepEqual(media.removed, []);
  await video.dropPublisher('show-1');
  assert.deepEqual(media.removed, ['s1']);
  media.down('s1', 'closed');
  await post();
  await video.endShow('show-1');
  assert.deepEqual(media.removed, ['s1', 's2']);
});

test('[V7] a plain request at the socket says whether there is something to watch', async (t) => {
  const { app } = await stage(t);
  assert.equal((await app.inject({ url: '/live/show-1/socket' })).statusCode, 426);
  assert.equal((await app.inject({ url: '/live/show-9/socket' })).statusCode, 404);
});

test('[V45] who publishes for a shop that may not go live is told so, and a key of a show that is over opens nothing',
  async (t) => {
    const { media, post, patch, suspend } = await stage(t);
    assert.equal((await post()).statusCode, 201);
    suspend();
    for (const answer of [await post(), await patch('a=candidate')]) {
      assert.equal(answer.statusCode, 403);
      assert.match(String(answer.headers['content-type']), /^application\/problem\+json/);
      assert.equal(answer.json().code, 'moderation.suspended');
      assert.match(answer.json().title, /does not let this shop go live/);
    }
    const over = await (await stage(t)).post({ authorization: 'Bearer of-a-show-that-is-over' });
    assert.deepEqual([over.statusCode, over.json().code], [401, 'video.key_wrong']);
    assert.equal(media.published.length, 1);
  });

test('[V81] TURN servers are told to who holds a key, with the answer and before it; to nobody else', async (t) => {
  const { app, post } = await stage(t, { urls: ['turn:turn.example.org:3478'], secret: 'north' });
  const told = /^<turn:turn\.example\.org:3478>; rel="ice-server"; username="\d+:show-1"; credential="[\w+/=]{28}"; /;
  assert.match(String((await post()).headers['link']), told);
  const ask = (headers: Record<string, string>) => app.inject({ method: 'OPTIONS', url: '/whip', headers });
  const asked = await ask({ authorization: 'Bearer good' });
  assert.equal(asked.statusCode, 204);
  assert.match(String(asked.headers['link']), told);
  assert.match(String(asked.headers['access-control-expose-headers']), /\bLink\b/);
  for (const authorization of ['', 'Bearer wrong', `Bearer ${'x'.repeat(300)}`]) {
    const refused = await ask({ authorization });
    assert.deepEqual([refused.statusCode, refused.headers['link']], [204, undefined]);
  }
  assert.equal((await post({ authorization: 'Bearer wrong' })).headers['link'], undefined);
});

test('[V81] without TURN nothing is told of it', async (t) => {
  const { post } = await stage(t);
  assert.equal((await post()).headers['link'], undefined);
});
