/** The room over real sockets. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLOSE, type RoomEvent, type ServerMessage } from '@nacre/contract/realtime';
import { WebSocket } from 'ws';
import { createRoomServer, isType, type RoomClient, type RoomServer } from '../../../tests/support/rooms.ts';
import type { RealtimeLimits } from './limits.ts';

/** Stopped at the end also when its test fails: an open server would keep the file from ending. */
const servers: RoomServer[] = [];
async function newServer(limits: Partial<RealtimeLimits> = {}): Promise<RoomServer> {
  const made = await createRoomServer(limits);
  servers.push(made);
  return made;
}
after(() => Promise.all(servers.map((made) => made.stop())));
const server = await newServer({ viewersEveryMs: 50, snapshotReuseMs: 0 });

let rooms = 0;
function newRoom(kind: 'show' | 'studio' = 'show'): string {
  rooms += 1;
  return `${kind}/00000000-0000-7000-8000-${String(rooms).padStart(12, '0')}`;
}
const NEW_YEAR = '2026-01-01T00:00:00Z';
const chat = (text: string): RoomEvent => ({
  type: 'chat',
  message: { id: text, clientId: text, personId: 'p', name: 'Mei', isHost: false, text, sentAt: NEW_YEAR },
});
const likes = (total: number): RoomEvent => ({ type: 'likes', total });
const texts = (events: RoomEvent[]) => events.flatMap((event) => (event.type === 'chat' ? event.message.text : []));
const heard = (client: RoomClient, room: string, text: string) =>
  client.untilTrue(() => texts(client.events(room)).includes(text), `“${text}”`);
const isEvents = isType('events');

/** For what no message tells. */
async function eventually(isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500 && !isSo(); tries += 1) await sleep(10);
  assert.ok(isSo());
}

test('[R1] events come in the order in which they were published, with offsets that have no holes', async () => {
  const room = newRoom();
  const client = await server.connect();
  const joined = await client.join(room);
  assert.equal(joined.type, 'joined');
  assert.deepEqual(joined.type === 'joined' && [joined.position.offset, joined.caughtUp], [0, false]);
  const said: string[] = [];
  for (let index = 0; index < 60; index += 1) {
    said.push(`message ${index}`);
    server.realtime.publish(room, chat(`message ${index}`));
    if (index % 7 === 0) await sleep(20);
  }
  await heard(client, room, 'message 59');
  assert.deepEqual(texts(client.events(room)), said);
  let offset = 0;
  for (const message of client.messages.filter(isEvents)) {
    assert.equal(message.offset - message.events.length, offset);
    offset = message.offset;
  }
  await client.close();
});

test('[R2] what happens within a tick comes in one frame, the important first', async () => {
  const room = newRoom();
  const client = await server.connect();
  await client.join(room);
  // The count of viewers comes by itself; wait until it has.
  await client.until(isEvents);
  const before = client.messages.filter(isEvents).length;
  server.realtime.publish(room, chat('one'));
  server.realtime.publish(room, chat('two'));
  server.realtime.publish(room, { type: 'price', productId: 'p', variantId: 'v', priceMinor: 5 });
  await heard(client, room, 'two');
  await sleep(120);
  const frames = client.messages.filter(isEvents).slice(before);
  assert.equal(frames.length, 1);
  assert.deepEqual(frames[0]?.events.map((event) => event.type), ['price', 'chat', 'chat']);
  await client.close();
});

test('[R6] a page that comes back gets exactly what it missed', async () => {
  const room = newRoom();
  const stays = await server.connect();
  await stays.join(room);
  const leaves = await server.connect();
  await leaves.join(room);
  server.realtime.publish(room, chat('before'));
  await heard(leaves, room, 'before');
  const last = leaves.messages.filter(isEvents).at(-1);
  assert.ok(last);
  leaves.webSocket.terminate();
  await leaves.closed;
  for (const text of ['missed 1', 'missed 2', 'missed 3']) {
    server.realtime.publish(room, chat(text));
    await heard(stays, room, text);
  }
  const back = await server.connect();
  const joined = await back.join(room, { epoch: last.epoch, offset: last.offset });
  assert.equal(joined.type, 'joined');
  assert.ok(joined.type === 'joined' && joined.caughtUp && joined.snapshot === null);
  server.realtime.publish(room, chat('after'));
  await heard(back, room, 'after');
  assert.deepEqual(texts(back.events(room)), ['missed 1', 'missed 2', 'missed 3', 'after']);
  const caughtUp = back.messages.find(isEvents);
  assert.equal(caughtUp?.offset, last.offset + (caughtUp?.events.length ?? 0));
  await Promise.all([stays.close(), back.close()]);
});

test('[R7] another epoch, a position from the future, or a history that is gone: reload, and no member', async () => {
  const small = await newServer({ historyEvents: 3 });
  const room = newRoom();
  const client = await small.connect();
  const joined = await client.join(room);
  assert.ok(joined.type === 'joined');
  for (let index = 1; index <= 5; index += 1) {
    small.realtime.publish(room, chat(`m${index}`));
    await heard(client, room, `m${index}`);
  }
  const page = await small.connect();
  assert.equal((await page.join(room, { epoch: joined.position.epoch, offset: 0 })).type, 'reload');
  assert.equal((await page.join(room, { epoch: joined.position.epoch, offset: 999_999 })).type, 'reload');
  assert.equal((await page.join(room, { epoch: 'of another life', offset: 1 })).type, 'reload');
  small.realtime.publish(room, chat('m6'));
  await heard(client, room, 'm6');
  assert.deepEqual(page.events(room), []);
  await small.stop();
});

test('[R8] what happens while the snapshot is read is not missed, and joiners share it', async () => {
  const own = await newServer({ snapshotReuseMs: 5_000, viewersEveryMs: 60_000 });
  const room = newRoom();
  const first = await own.connect();
  await first.join(room);
  let release: (() => void) | undefined;
  own.snapshot = async () => {
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    return {
      show: { state: 'live', onScreenProductId: null, likes: 7 }, viewers: 1, levels: [], livePrices: [], coupons: [],
      bag: [],
      talk: { slowSeconds: 0, isQuiet: false }, chat: [],
    };
  };
  own.snapshotsTaken = 0;
  const other = newRoom();
  const joiners = await Promise.all([own.connect(), own.connect(), own.connect()]);
  const joins = joiners.map((joiner) => joiner.join(other));
  while (release === undefined) await sleep(5);
  own.realtime.publish(other, chat('meanwhile'));
  await sleep(120);
  release();
  for (const answer of await Promise.all(joins)) {
    assert.ok(answer.type === 'joined' && answer.snapshot?.show.likes === 7 && answer.position.offset === 0);
  }
  for (const joiner of joiners) await heard(joiner, other, 'meanwhile');
  assert.equal(own.snapshotsTaken, 1);
  await own.stop();
});

test('[R9] an unknown room, a room that is not open, and no room at all are refused', async () => {
  const open = newRoom();
  const shut = newRoom();
  server.mayJoin = async (room) => room === open;
  const client = await server.connect();
  for (const room of [shut, 'show/nothing-like-it', 'no room', '../etc', 'show/', `show/${'x'.repeat(50)}`]) {
    const answer = await client.join(room);
    assert.deepEqual(answer, { type: 'refused', room, code: 'realtime.room' });
  }
  assert.equal((await client.join(open)).type, 'joined');
  server.realtime.publish(shut, chat('secret'));
  server.realtime.publish(open, chat('open'));
  await heard(client, open, 'open');
  assert.deepEqual(client.events(shut), []);
  server.mayJoin = async () => true;
  await client.close();
});

test('[R9] who loses the right is put out and hears nothing more', async () => {
  const room = newRoom();
  const member = await server.connect({ person: 'member' });
  const stranger = await server.connect();
  await Promise.all([member.join(room), stranger.join(room)]);
  server.mayJoin = async (_room, actor) => actor.kind === 'person';
  await server.realtime.recheck(room);
  server.mayJoin = async () => true;
  server.realtime.publish(room, chat('for members'));
  await heard(member, room, 'for members');
  await stranger.until(isType('refused'));
  assert.deepEqual(texts(stranger.events(room)), []);
  assert.equal(server.realtime.viewers(room), 1);
  await Promise.all([member.close(), stranger.close()]);
});

test('[R9] who loses the right while coming in is put out as well, and so is who cannot be asked about', async () => {
  const own = await newServer({ snapshotReuseMs: 0 });
  own.snapshot = async () => {
    await sleep(60);
    return null;
  };
  for (const later of [async () => false, async () => Promise.reject(new Error('the database is away'))]) {
    const room = newRoom();
    own.mayJoin = async () => true;
    const client = await own.connect();
    client.say({ type: 'join', room });
    await sleep(20);
    own.mayJoin = later;
    await own.realtime.recheck(room);
    await client.until(isType('refused'));
    assert.equal(own.realtime.viewers(room), 0);
    await client.close();
  }
});

test('[R10] malformed, binary and unknown messages are refused; the socket stays and nobody else hears', async () => {
  const room = newRoom();
  const client = await server.connect();
  const other = await server.connect();
  await Promise.all([client.join(room), other.join(room)]);
  const bad: Array<string | Buffer> = [
    '{', 'null', '[]', '"join"', '', '{"type":"publish","room":"x","event":{}}', '{"type":"join"}',
    JSON.stringify({ type: 'join', room: 7 }), JSON.stringify({ type: 'join', room: 'r'.repeat(61) }),
    JSON.stringify({ type: 'join', room, position: { epoch: 'e', offset: -1 } }),
    JSON.stringify({ type: 'ping', more: 1 }), Buffer.from([1, 2, 3]),
  ];
  for (const message of bad) client.webSocket.send(message);
  await client.untilTrue(() => client.messages.filter(isType('refused')).length === bad.length, 'all refusals');
  assert.ok(client.messages.filter(isType('refused')).every((refused) => refused.code === 'request.invalid'));
  client.say({ type: 'ping' });
  await client.until(isType('pong'));
  assert.deepEqual(other.events(room).filter((event) => event.type !== 'viewers'), []);
  await Promise.all([client.close(), other.close()]);
});

test('[R11] a socket that floods is closed with 4001 and the others go on', async () => {
  const own = await newServer({ closeLingerMs: 300 });
  const room = newRoom();
  const calm = await own.connect();
  await calm.join(room);
  const flooding = await own.connect();
  await flooding.join(room);
  for (let index = 0; index < 5_000; index += 1) flooding.say({ type: 'ping' });
  assert.equal(await flooding.closed, CLOSE.flood);
  assert.ok(flooding.messages.filter(isType('pong')).length <= 40);
  own.realtime.publish(room, chat('still here'));
  await heard(calm, room, 'still here');
  assert.equal(calm.webSocket.readyState, WebSocket.OPEN);
  await own.stop();
});

test('[R11] a too large message closes with 4001, an oversized frame with 1009', async () => {
  const own = await newServer({ closeLingerMs: 300 });
  const large = await own.connect();
  large.webSocket.send(JSON.stringify({ type: 'join', room: 'x'.repeat(2_000) }));
  assert.equal(await large.closed, CLOSE.flood);
  const huge = await own.connect();
  huge.webSocket.send('x'.repeat(100_000));
  assert.equal(await huge.closed, 1009);
  await own.stop();
});

test('[R12] a reader that is too slow is closed with 4002 and the others go on', async () => {
  const own = await newServer({ queuedBytes: 512 * 1024, closeLingerMs: 8_000 });
  const room = newRoom();
  const slow = await own.connect();
  const quick = await own.connect();
  await Promise.all([slow.join(room), quick.join(room)]);
  slow.webSocket.pause();
  // More than the kernel holds for a reader; then the server's own queue grows over its bound. The quick one has heard
  // each round before the next begins.
  for (let round = 0; round < 60; round += 1) {
    const texts = Array.from({ length: 12 }, (_, line) => `${round} ${line} ${'x'.repeat(20_000)}`);
    for (const text of texts) own.realtime.publish(room, chat(text));
    await heard(quick, room, texts.at(-1) ?? '');
  }
  slow.webSocket.resume();
  assert.equal(await slow.closed, CLOSE.tooSlow);
  await eventually(() => own.realtime.stats().connections === 1);
  own.realtime.publish(room, chat('go on'));
  await heard(quick, room, 'go on');
  await own.stop();
});

test('[R13] viewers are counted per person and guest, not per tab', async () => {
  const room = newRoom();
  const guest = server.guestCookie();
  const tabs = await Promise.all([
    server.connect({ person: 'mei' }), server.connect({ person: 'mei' }), server.connect({ guest }),
    server.connect({ guest }), server.connect({ guest: server.guestCookie() }),
  ]);
  const told: number[] = [];
  const end = server.realtime.onViewers((where, count) => {
    if (where === room) told.push(count);
  });
  for (const tab of tabs) await tab.join(room);
  assert.equal(server.realtime.viewers(room), 3);
  const [first] = tabs;
  assert.ok(first);
  await first.untilTrue(() => first.events(room).some((event) => event.type === 'viewers' && event.count === 3), '3');
  const host = await server.connect({ person: 'host' });
  await host.join(room);
  await host.join(room.replace('show', 'studio'));
  assert.equal(server.realtime.viewers(room), 3);
  await tabs[1]?.close();
  await tabs[4]?.close();
  await first.untilTrue(() => first.events(room).some((event) => event.type === 'viewers' && event.count === 2), '2');
  first.say({ type: 'leave', room });
  await eventually(() => server.realtime.viewers(room) === 1);
  assert.ok(told.includes(3));
  end();
  await Promise.all([...tabs, host].map((client) => client.close()));
});

test('[R14] signing out closes that session’s sockets, or all, with 4003', async () => {
  const [a, b, other] = await Promise.all([
    server.connect({ person: 'lin', session: 'a' }), server.connect({ person: 'lin', session: 'b' }),
    server.connect({ person: 'tao', session: 'a' }),
  ]);
  server.bus.publish('accounts.signed-out', { personId: 'lin', sessionId: 'a' });
  assert.equal(await a.closed, CLOSE.signedOut);
  assert.equal(b.webSocket.readyState, WebSocket.OPEN);
  server.bus.publish('accounts.signed-out', { personId: 'lin', sessionId: null });
  assert.equal(await b.closed, CLOSE.signedOut);
  assert.equal(other.webSocket.readyState, WebSocket.OPEN);
  await other.close();
});

test('[R14] a socket that is just opening while its person signs out is closed too', async () => {
  const opening = new WebSocket(server.url, { headers: { 'x-person': 'lin', 'x-session': 'a', 'x-slow-ms': '100' } });
  const closed = new Promise<number>((resolve) => opening.once('close', resolve));
  await sleep(50);
  server.bus.publish('accounts.signed-out', { personId: 'lin', sessionId: 'a' });
  assert.equal(await closed, CLOSE.signedOut);
});

test('[R15] an own event reaches every socket of the person and nobody else', async () => {
  const mine = await Promise.all([server.connect({ person: 'buyer' }), server.connect({ person: 'buyer' })]);
  const other = await server.connect({ person: 'somebody' });
  const event = { type: 'own-order', order: { id: 'o1' } } as unknown as Parameters<typeof server.realtime.tell>[1];
  server.realtime.tell('buyer', event);
  for (const client of mine) assert.deepEqual((await client.until(isType('own'))).event, event);
  other.say({ type: 'ping' });
  await other.until(isType('pong'));
  assert.equal(other.messages.some(isType('own')), false);
  await Promise.all([...mine, other].map((client) => client.close()));
});

test('[R16] another version is closed with 4000', async () => {
  for (const query of ['?v=2', '', '?v=']) {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/realtime${query}`);
    const code = await new Promise<number>((resolve) => socket.once('close', resolve));
    assert.equal(code, CLOSE.version, `for “${query}”`);
  }
});

test('[R17] a guest without a cookie gets one, and is the same viewer with it', async () => {
  const room = newRoom();
  const socket = new WebSocket(server.url);
  const cookies = await new Promise<string[]>((resolve, reject) => {
    socket.once('upgrade', (response) => resolve(response.headers['set-cookie'] ?? []));
    socket.once('error', reject);
  });
  assert.match(cookies[0] ?? '', /^nacre_guest=.+HttpOnly/);
  const guest = cookies[0]?.split(';')[0] ?? '';
  const tabs = await Promise.all([server.connect({ guest }), server.connect({ guest })]);
  for (const tab of tabs) await tab.join(room);
  assert.equal(server.realtime.viewers(room), 1);
  socket.close();
  await Promise.all(tabs.map((tab) => tab.close()));
});

test('[R18] more tabs of one viewer, and more rooms of one page, than allowed are refused', async () => {
  const own = await newServer({ connectionsPerViewer: 2, roomsPerConnection: 2 });
  const one = await own.connect({ person: 'p' });
  await own.connect({ person: 'p' });
  await assert.rejects(own.connect({ person: 'p' }), /429/);
  await own.connect({ person: 'another' });
  await one.join(newRoom());
  await one.join(newRoom());
  const third = newRoom();
  assert.deepEqual(await one.join(third), { type: 'refused', room: third, code: 'request.too_many' });
  await own.stop();
});

test('[R19] a stop closes everybody with 1001 and takes nobody more', async () => {
  const own = await newServer();
  const clients = await Promise.all([own.connect(), own.connect()]);
  const stopping = own.realtime.stop();
  for (const client of clients) assert.equal(await client.closed, 1001);
  await stopping;
  await assert.rejects(own.connect(), /503/);
  await own.stop();
});

test('[R20] a person who comes is announced once', async () => {
  const room = newRoom();
  const came: string[] = [];
  const end = server.realtime.onCame((where, actor) => {
    if (where === room) came.push(actor.kind === 'person' ? actor.name : 'guest');
  });
  const first = await server.connect({ person: 'wen' });
  await first.join(room);
  await first.close();
  const again = await server.connect({ person: 'wen' });
  await again.join(room);
  assert.deepEqual(came, ['Mei Lin']);
  end();
  await again.close();
});

test('[R1] a hundred light clients each hear every message of the room in order', async () => {
  const room = newRoom();
  const clients = await Promise.all(Array.from({ length: 100 }, () => server.connect()));
  await Promise.all(clients.map((client) => client.join(room)));
  const said = Array.from({ length: 200 }, (_, index) => `m${index}`);
  for (const [index, text] of said.entries()) {
    server.realtime.publish(room, chat(text));
    if (index % 10 === 9) await sleep(40);
  }
  await Promise.all(clients.map((client) => heard(client, room, 'm199')));
  for (const client of clients) assert.deepEqual(texts(client.events(room)), said);
  assert.equal(server.realtime.viewers(room), 100);
  await Promise.all(clients.map((client) => client.close()));
});

test('[R9] a page that leaves and one whose socket dies while joining hear and count no more', async () => {
  const room = newRoom();
  const own = await newServer({ snapshotReuseMs: 0 });
  own.snapshot = async () => {
    await sleep(50);
    return null;
  };
  const watcher = await own.connect();
  await watcher.join(room);
  const leaver = await own.connect();
  leaver.say({ type: 'join', room });
  leaver.say({ type: 'leave', room });
  const dying = await own.connect();
  dying.say({ type: 'join', room });
  await sleep(10);
  dying.webSocket.terminate();
  await sleep(150);
  own.realtime.publish(room, likes(1));
  await watcher.untilTrue(() => watcher.events(room).some((event) => event.type === 'likes'), 'likes');
  assert.equal(own.realtime.viewers(room), 1);
  assert.equal(leaver.messages.some((message: ServerMessage) => message.type === 'joined'), false);
  await own.stop();
});
