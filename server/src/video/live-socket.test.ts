import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { decodeLiveBinary, liveClose, liveSubprotocol } from '@nacre/contract/live';
import type { LiveFragment, LiveInit } from '@nacre/contract/live';
import { box } from '@nacre/media/fmp4/boxes';
import { createStreamHub, type StreamHub } from '@nacre/media/stream/hub';
import type { StreamHubLimits } from '@nacre/media/stream/hub';
import { createUpgrades } from '../http/upgrade.ts';
import { createDelays } from './delays.ts';
import { createLiveSocket } from './live-socket.ts';
import { liveWire } from './live-wire.ts';

const quiet = { error: () => undefined };

interface StageOptions {
  limits?: Partial<StreamHubLimits>;
  socketsPerAddress?: number;
  trustProxy?: string;
}

async function stage(t: TestContext, options: StageOptions = {}) {
  const hub = createStreamHub({ wire: liveWire, now: Date.now, limits: options.limits ?? {} });
  const banned = new Set<string>();
  const told: unknown[] = [];
  const delays = createDelays({
    now: Date.now, tellEveryMs: 50, tell: (showId, delay) => void told.push({ showId, ...delay }),
  });
  const socket = createLiveSocket({
    hub, delays, now: Date.now,
    async mayWatch(showId, request) {
      const name = String(request.headers['x-name'] ?? 'guest/unknown');
      const answer = showId !== 'open' || banned.has(name) ? null : [name];
      await new Promise((done) => setTimeout(done, Number(request.headers['x-slow-ms'] ?? 0)));
      return answer;
    },
  });
  const { limits: _limits, ...bounds } = options;
  const upgrades = createUpgrades({ log: quiet, ...bounds });
  upgrades.route('/live/:showId/socket', socket.upgrade);
  const server = createServer((_request, response) => response.end());
  upgrades.listenOn(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sockets: WebSocket[] = [];
  t.after(async () => {
    for (const opened of sockets) opened.terminate();
    hub.stop();
    delays.stop();
    await socket.stop();
    server.close();
  });
  const connect = (path = '/live/open/socket', headers: Record<string, string> = {}, protocol = liveSubprotocol) => {
    const opened = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocol, { headers });
    sockets.push(opened);
    return opened;
  };
  const refusal = (opened: WebSocket) =>
    new Promise<number>((resolve, reject) => {
      opened.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
      opened.on('open', () => reject(new Error('it was let in')));
      opened.on('error', () => undefined);
    });
  const base = { streamId: 'open', sessionId: 's', generation: 1 };
  const init = () =>
    hub.onMediaEvent({
      type: 'init', layer: 'full',
      ...base,
      mime: 'video/mp4; codecs="avc1.42e01f,opus"',
      width: 720,
      height: 1280,
      hasVideo: true,
      hasAudio: true,
      initSegment: box('free'),
    });
  const picture = (timeMs: number, isKey: boolean, data: Buffer = Buffer.from(`v${timeMs}`)) =>
    hub.onMediaEvent({
      type: 'fragment', layer: 'full',
      ...base,
      track: 'video',
      isKey,
      timeMs,
      durationMs: 40,
      arrivedAtMs: 1_700_000_000_000.5,
      data,
    });
  return { banned, told, hub, upgrades, socket, connect, refusal, init, picture, port };
}

/** Everything a viewer received, text parsed and binary decoded. */
function record(socket: WebSocket) {
  const texts: { type: string; [name: string]: unknown }[] = [];
  const binaries: (LiveInit | LiveFragment)[] = [];
  socket.on('message', (data, isBinary) => {
    const bytes = data as Buffer;
    if (!isBinary) return void texts.push(JSON.parse(bytes.toString()));
    const message = decodeLiveBinary(new Uint8Array(bytes).buffer);
    assert.ok(message, 'a binary message that the contract knows');
    binaries.push(message);
  });
  return { texts, binaries };
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 400 && !condition(); tries++) await new Promise((done) => setTimeout(done, 10));
  assert.ok(condition(), what);
}

test('[V7] who may not watch gets no socket, nor do other paths and pages of other sites', async (t) => {
  const { connect, refusal, upgrades } = await stage(t);
  assert.equal(await refusal(connect('/live/closed/socket')), 404);
  assert.equal(await refusal(connect('/live/open/other')), 404);
  assert.equal(await refusal(connect('/live/a%2Fb/socket')), 404);
  assert.equal(await refusal(connect('/live/open/socket', { origin: 'https://evil.example' })), 403);
  assert.equal(await refusal(connect('/live/open/socket', { origin: 'null' })), 403);
  assert.equal(await refusal(connect('/live/open/socket', {}, 'other.protocol')), 400);
  await until(() => upgrades.open() === 0, 'refused sockets are gone');
});

test('[V13] one address holds so many sockets and no more', async (t) => {
  const { connect, refusal } = await stage(t, { socketsPerAddress: 2 });
  const first = connect();
  await Promise.all([once(first, 'open'), once(connect(), 'open')]);
  assert.equal(await refusal(connect()), 429);
  first.close();
  await once(first, 'close');
  await new Promise((done) => setTimeout(done, 20));
  await once(connect(), 'open');
});

test('[V13] behind a trusted proxy each client counts by itself, and the host is the one it asked', async (t) => {
  const trusting = await stage(t, { socketsPerAddress: 1, trustProxy: 'loopback' });
  const from = (address: string) => ({
    'x-forwarded-for': address,
    'x-forwarded-host': 'market.example',
    origin: 'https://market.example',
  });
  const path = '/live/open/socket';
  await once(trusting.connect(path, from('192.0.2.1')), 'open');
  await once(trusting.connect(path, from('192.0.2.2')), 'open');
  assert.equal(await trusting.refusal(trusting.connect(path, from('192.0.2.1'))), 429);
  await once(trusting.connect(path, from('2001:db8::1')), 'open');
  assert.equal(await trusting.refusal(trusting.connect(path, from('2001:db8::2'))), 429, 'one network');
  const wary = await stage(t);
  assert.equal(await wary.refusal(wary.connect(path, from('192.0.2.1'))), 403, 'what a stranger says is not believed');
});

test('[V13] a full stream is refused before the socket opens', async (t) => {
  const { connect, refusal } = await stage(t, { limits: { viewersPerStream: 1 } });
  await once(connect(), 'open');
  assert.equal(await refusal(connect()), 503);
});

test('[V8] a viewer gets hello, state, init and pictures as the contract lays them out', async (t) => {
  const { connect, init, picture, port } = await stage(t);
  init();
  picture(0, true);
  picture(40, false, Buffer.alloc(70_000, 7));
  const socket = connect('/live/open/socket', { origin: `http://127.0.0.1:${port}` });
  const { texts, binaries } = record(socket);
  await until(() => binaries.length === 3, 'init and two pictures');
  assert.equal(socket.protocol, liveSubprotocol);
  assert.deepEqual(texts.map((text) => text.type), ['hello', 'state']);
  assert.equal(texts[0]?.version, 1);
  assert.equal(texts[1]?.state, 'live');
  const [first, key, large] = binaries as [LiveInit, LiveFragment, LiveFragment];
  assert.equal(first.mime, 'video/mp4; codecs="avc1.42e01f,opus"');
  assert.deepEqual([first.width, first.height, first.hasVideo, first.hasAudio], [720, 1280, true, true]);
  assert.deepEqual(Buffer.from(first.bytes), box('free'));
  assert.deepEqual([key.isKey, key.hasVideo, key.hasAudio, key.timeMs, key.durationMs], [true, true, false, 0, 40]);
  assert.equal(key.arrivedAtMs, 1_700_000_000_000.5);
  assert.equal(Buffer.from(key.bytes).toString(), 'v0');
  assert.deepEqual([large.isKey, large.bytes.length], [false, 70_000]);
});

test('[V8] a ping is answered with the server\'s clock', async (t) => {
  const { connect } = await stage(t);
  const socket = connect();
  const { texts } = record(socket);
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'ping', sent: 12.25 }));
  await until(() => texts.some((text) => text.type === 'pong'), 'a pong');
  const pong = texts.find((text) => text.type === 'pong');
  assert.equal(pong?.sent, 12.25);
  assert.ok(Math.abs(Number(pong?.now) - Date.now()) < 1_000);
});

test('[V13] nonsense, binary, oversized and too many messages close a viewer, and only that one', async (t) => {
  const { connect, hub } = await stage(t);
  const calm = connect();
  await once(calm, 'open');
  const closedBy = async (send: (socket: WebSocket) => void) => {
    const socket = connect();
    await once(socket, 'open');
    send(socket);
    const [code] = (await once(socket, 'close', { signal: AbortSignal.timeout(5_000) })) as [number];
    return code;
  };
  const ping = JSON.stringify({ type: 'ping', sent: 1 });
  assert.equal(await closedBy((socket) => socket.send('{"type":"shout"}')), liveClose.policy);
  assert.equal(await closedBy((socket) => socket.send('not json')), liveClose.policy);
  assert.equal(await closedBy((socket) => socket.send(Buffer.from(ping))), liveClose.policy);
  assert.equal(await closedBy((socket) => socket.send('x'.repeat(1_000))), 1009);
  assert.equal(await closedBy((socket) => { for (let n = 0; n < 30; n++) socket.send(ping); }), liveClose.policy);
  await until(() => hub.viewers('open') === 1, 'the calm one stays');
  assert.equal(calm.readyState, calm.OPEN);
});

test('[V9] a socket that is not read skips whole groups, and the others get everything', async (t) => {
  const limits = { skipAboveBytes: 100_000, resumeBelowBytes: 20_000 };
  const { connect, hub, init, picture } = await stage(t, { limits });
  init();
  const slow = connect();
  const quick = connect();
  const [fromSlow, fromQuick] = [record(slow), record(quick)];
  await Promise.all([once(slow, 'open'), once(quick, 'open')]);
  await until(() => hub.viewers('open') === 2, 'both watch');
  slow.pause();
  const sent = 300;
  for (let n = 0; n < sent; n++) {
    picture(n * 40, n % 10 === 0, Buffer.alloc(100_000));
    if (n % 5 === 0) await new Promise((done) => setTimeout(done, 2));
  }
  slow.resume();
  await until(() => hub.stats().skips > 0, 'the slow one skipped');
  await new Promise((done) => setTimeout(done, 300));
  const freshKey = sent * 40;
  picture(freshKey, true);
  picture(freshKey + 40, false);
  const last = ({ binaries }: typeof fromSlow) => (binaries.at(-1) as LiveFragment).timeMs;
  const atEdge = (of: typeof fromSlow) => last(of) === freshKey + 40;
  await until(() => atEdge(fromQuick) && atEdge(fromSlow), 'both are at the edge again');
  const pictures = (of: typeof fromSlow) => of.binaries.filter((message) => message.kind === 'fragment');
  assert.equal(pictures(fromQuick).length, sent + 2);
  assert.ok(pictures(fromSlow).length < sent, 'it missed some');
  pictures(fromSlow).reduce((before, next) => {
    if (next.timeMs !== before.timeMs + 40) assert.ok(next.isKey, 'after a gap it begins with a key picture');
    return next;
  });
});

test('[V12] the end and a stopping server are told by the close code', async (t) => {
  const { connect, hub, socket } = await stage(t);
  const first = connect();
  const heard = record(first);
  await once(first, 'open');
  await until(() => hub.viewers('open') === 1, 'it watches');
  hub.end('open');
  assert.equal(((await once(first, 'close')) as [number])[0], liveClose.ended);
  assert.equal(heard.texts.at(-1)?.state, 'ended');
  const second = connect();
  await once(second, 'open');
  await until(() => hub.viewers('open') === 1, 'it watches');
  hub.stop();
  const closed = once(second, 'close') as Promise<[number]>;
  await socket.stop();
  assert.equal((await closed)[0], liveClose.goingAway);
});

test('[V17] viewers who are dismissed are closed to come back, and get nothing of what follows', async (t) => {
  const { connect, hub, init } = await stage(t);
  const waiting = connect();
  const heard = record(waiting);
  await once(waiting, 'open');
  await until(() => hub.viewers('open') === 1, 'it waits');
  hub.dismiss('open');
  init();
  assert.equal(((await once(waiting, 'close')) as [number])[0], liveClose.goingAway);
  assert.equal(heard.binaries.length, 0);
  assert.equal(hub.viewers('open'), 0);
});

test('[V46] who is put out by name loses the socket, also one just opening, and nobody else does', async (t) => {
  const { banned, connect, refusal, socket } = await stage(t);
  const [mei, lin] = [connect(undefined, { 'x-name': 'person/mei' }), connect(undefined, { 'x-name': 'person/lin' })];
  await Promise.all([once(mei, 'open'), once(lin, 'open')]);
  const opening = connect(undefined, { 'x-name': 'person/mei', 'x-slow-ms': '60' });
  await new Promise((done) => setTimeout(done, 20));
  banned.add('person/mei');
  socket.putOut('open', ['person/mei', 'guest/mei']);
  const [[code]] = await Promise.all([once(mei, 'close'), refusal(opening)]);
  assert.equal(code, 1001);
  assert.equal(lin.readyState, lin.OPEN);
});

test('[V54] what a viewer says of its delay counts until its socket closes; nonsense is a breach', async (t) => {
  const { connect, told } = await stage(t);
  const viewer = connect();
  await once(viewer, 'open');
  viewer.send(JSON.stringify({ type: 'ping', sent: 1, delayMs: 420 }));
  await until(() => told.length > 0, 'it is told');
  assert.deepEqual(told[0], { showId: 'open', medianMs: 420, measured: 1 });
  viewer.close();
  await until(() => (told.at(-1) as { measured: number }).measured === 0, 'it is over');
  for (const delayMs of [-1, 0.5, 1e9, '5', null]) {
    const liar = connect();
    await once(liar, 'open');
    liar.send(JSON.stringify({ type: 'ping', sent: 1, delayMs }));
    const [code] = await once(liar, 'close');
    assert.equal(code, liveClose.policy, String(delayMs));
  }
});

/** A publisher's session with sound, or without: its init, then so many pictures and sounds of 60 ms each. */
function publish(hub: StreamHub, sessionId: string, count: number, hasAudio = true): void {
  const base = { streamId: 'open', sessionId, generation: 1 };
  hub.onMediaEvent({ type: 'up', streamId: 'open', sessionId });
  hub.onMediaEvent({
    type: 'init', layer: 'full', ...base, mime: `video/mp4; codecs="avc1.42e01f${hasAudio ? ',opus' : ''}"`,
    width: 720, height: 1280, hasVideo: true, hasAudio, initSegment: Buffer.alloc(0),
  });
  for (let index = 0; index < count; index += 1) {
    const fragment = {
      type: 'fragment', layer: 'full', ...base, isKey: index % 10 === 0, timeMs: index * 60, durationMs: 60,
      arrivedAtMs: 1_700_000_000_000,
    } as const;
    if (hasAudio) hub.onMediaEvent({ ...fragment, track: 'audio', isKey: true, data: Buffer.from(`a${index};`) });
    hub.onMediaEvent({ ...fragment, track: 'video', data: Buffer.from(`v${index};`) });
  }
}

const mediaIn = (binaries: readonly (LiveInit | LiveFragment)[]): string[] => (
  binaries.flatMap((one) => (one.kind === 'init' ? [one.mime] : [Buffer.from(one.bytes).toString()]))
);

test('[V110] the sound alone is had at the opening and later, and the whole again, on one socket', async (t) => {
  const { connect, hub } = await stage(t);
  publish(hub, '1', 12);
  const listener = connect('/live/open/socket?rendition=sound');
  const { binaries, texts } = record(listener);
  await until(() => binaries.length >= 4, 'init and half a second of sound');
  const [init, ...sounds] = binaries;
  assert.ok(init?.kind === 'init' && !init.hasVideo && init.hasAudio);
  assert.equal(init.mime, 'audio/mp4; codecs="opus"');
  assert.deepEqual(sounds.map((one) => one.kind === 'fragment' && [one.hasVideo, one.durationMs]), [
    [false, 180], [false, 180], [false, 180],
  ]);
  assert.doesNotMatch(mediaIn(binaries).join(), /v\d/);
  listener.send(JSON.stringify({ type: 'rendition', rendition: 'whole' }));
  await until(() => mediaIn(binaries).some((text) => text.includes('v11')), 'the picture');
  listener.send(JSON.stringify({ type: 'rendition', rendition: 'sound' }));
  await until(() => mediaIn(binaries).filter((text) => text.startsWith('audio/')).length === 2, 'the sound again');
  assert.ok(texts.filter(({ type }) => type === 'state').every(({ state }) => state === 'live'));
  assert.equal(hub.viewers('open'), 1);
});

test('[V110] of a show without sound the whole comes, also when the sound goes', async (t) => {
  const { connect, refusal, hub } = await stage(t);
  publish(hub, '1', 12);
  const listener = record(connect('/live/open/socket?rendition=sound'));
  await until(() => listener.binaries.length >= 4, 'the sound');
  publish(hub, '2', 12, false);
  await until(() => mediaIn(listener.binaries).some((text) => text.includes('v11')), 'the picture on the same socket');
  const { binaries } = record(connect('/live/open/socket?rendition=sound'));
  await until(() => mediaIn(binaries).some((text) => text.includes('v11')), 'the picture');
  assert.equal(await refusal(connect('/live/open/socket?rendition=smell')), 400);
  assert.equal(await refusal(connect('/live/closed/socket?rendition=sound')), 404);
});

test('[V130] the small picture is had at the opening and later, and the whole again, on one socket', async (t) => {
  const { connect, hub, init, picture } = await stage(t);
  init();
  const small = { streamId: 'open', sessionId: 's', generation: 1, layer: 'small' } as const;
  const smallKey = (timeMs: number) => hub.onMediaEvent({
    type: 'fragment', ...small, track: 'video', isKey: true, timeMs, durationMs: 40, arrivedAtMs: 1,
    data: Buffer.from(`s${timeMs}`),
  });
  hub.onMediaEvent({
    type: 'init', ...small, mime: 'video/mp4; codecs="avc1.42c015,opus"', width: 288, height: 512, hasVideo: true,
    hasAudio: true, initSegment: box('free'),
  });
  picture(0, true);
  smallKey(0);
  const viewer = connect('/live/open/socket?rendition=small');
  const { binaries, texts } = record(viewer);
  await until(() => binaries.length === 2, 'the small picture');
  viewer.send(JSON.stringify({ type: 'rendition', rendition: 'whole' }));
  viewer.send(JSON.stringify({ type: 'ping', sent: 1 }));
  await until(() => texts.some(({ type }) => type === 'pong'), 'it was heard');
  smallKey(40);
  picture(80, true);
  await until(() => binaries.length === 5, 'the whole');
  assert.deepEqual(binaries.map((one) => (
    one.kind === 'init' ? `${one.isSmall ? 'small' : 'whole'} ${one.width}` : Buffer.from(one.bytes).toString()
  )), ['small 288', 's0', 's40', 'whole 720', 'v80']);
  assert.equal(hub.viewers('open'), 1);
});
