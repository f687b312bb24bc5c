/** The room without sockets: the same messages by server-sent events and POST. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { ClientMessage, RoomEvent, ServerMessage } from '@nacre/contract/realtime';
import { createApp } from '../http/app.ts';
import { createGuests } from '../http/guest.ts';
import { createMemoryBus } from '../platform/bus.ts';
import { newId } from '../platform/ids.ts';
import { createLog } from '../platform/log.ts';
import { createRealtime } from './realtime.ts';

const room = 'show/00000000-0000-7000-8000-000000000001';
const PATIENCE_MS = 10_000;
const log = createLog('silent', false);
const bus = createMemoryBus({ log });
const guests = createGuests({ secret: 'only for tests' });
const open = new Set([room]);
const banned = new Set<string>();
const realtime = createRealtime({
  platform: { bus, log, newId, clock: { now: () => new Date() } },
  guests,
  findPerson: async () => null,
  mayJoin: async (asked, actor) => open.has(asked) && !(actor.kind === 'guest' && banned.has(actor.guestId)),
  snapshot: async () => null,
  limits: { viewersEveryMs: 50 },
});
const app = await createApp({ log, guests, findPerson: async () => null, trustProxy: false });
await app.register(realtime.routes);
const url = await app.listen({ port: 0, host: '127.0.0.1' });
after(async () => {
  await realtime.stop();
  await app.close();
  await bus.stop();
});

interface Stream {
  messages: ServerMessage[];
  /** The code of `event: close`, once it has come. */
  closed: Promise<number>;
  say(message: unknown, cookie?: string): Promise<number>;
  until(isSo: (messages: ServerMessage[]) => boolean): Promise<void>;
  cut(): void;
}

const newCookie = (): string => guests.create(false).setCookie.split(';')[0] ?? '';

async function connect(cookie = newCookie(), version = '1'): Promise<Stream> {
  const abort = new AbortController();
  const response = await fetch(`${url}/realtime/events?v=${version}`, { headers: { cookie }, signal: abort.signal });
  if (response.status !== 200) throw Object.assign(new Error('refused'), { status: response.status });
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  const messages: ServerMessage[] = [];
  const closed = Promise.withResolvers<number>();
  void (async () => {
    let rest = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const blocks = (rest + chunk).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1] ?? '';
        if (block.startsWith('event: close')) closed.resolve(Number(data));
        else messages.push(JSON.parse(data) as ServerMessage);
      }
    }
  })().catch(() => undefined);
  const stream: Stream = {
    messages,
    closed: closed.promise,
    async say(message, as = cookie) {
      const welcome = messages[0];
      const line = welcome?.type === 'welcome' ? welcome.line : '';
      const answer = await fetch(`${url}/realtime/messages/${line}`, {
        method: 'POST', body: JSON.stringify(message), headers: { 'content-type': 'application/json', cookie: as },
      });
      return answer.status;
    },
    async until(isSo) {
      const endMs = performance.now() + PATIENCE_MS;
      while (!isSo(messages)) {
        assert.ok(performance.now() < endMs, `in vain; heard ${JSON.stringify(messages.slice(-3))}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    cut: () => abort.abort(),
  };
  await stream.until((heard) => heard[0]?.type === 'welcome');
  return stream;
}

const join: ClientMessage = { type: 'join', room };
const likes = (total: number): RoomEvent => ({ type: 'likes', total });
const totals = (messages: ServerMessage[]): number[] => messages.flatMap((message) => (
  message.type === 'events' ? message.events.flatMap((event) => (event.type === 'likes' ? event.total : [])) : []
));

test('[R21] a page joins by POST and hears everything in order; cut off, it gets what it missed', async () => {
  const cookie = newCookie();
  const stays = await connect(cookie);
  assert.equal(await stays.say(join), 204);
  await stays.until((heard) => heard.some(({ type }) => type === 'joined'));
  realtime.publish(room, likes(1));
  await stays.until((heard) => totals(heard).includes(1));
  const last = stays.messages.findLast((message) => message.type === 'events');
  assert.ok(last?.type === 'events');
  const watcher = await connect();
  await watcher.say(join);
  stays.cut();
  realtime.publish(room, likes(2));
  await watcher.until((heard) => totals(heard).includes(2));
  const back = await connect(cookie);
  await back.say({ ...join, position: { epoch: last.epoch, offset: last.offset } });
  await back.until((heard) => totals(heard).includes(2));
  assert.deepEqual(totals(back.messages), [2]);
  back.cut();
  watcher.cut();
});

test('[R21] its viewer counts once, and no more when the stream is cut', async () => {
  const one = await connect();
  await one.say(join);
  await one.until(() => realtime.viewers(room) === 1);
  const two = await connect();
  await two.say(join);
  await two.until(() => realtime.viewers(room) === 2);
  two.cut();
  await one.until(() => realtime.viewers(room) === 1);
  one.cut();
  await one.until(() => realtime.viewers(room) === 0);
});

test('[R21] only the same viewer speaks on a line, and an unknown line is gone', async () => {
  const stream = await connect();
  assert.equal(await stream.say(join, newCookie()), 404);
  assert.equal(await stream.say({ type: 'dance' }), 204);
  await stream.until((heard) => heard.some((message) => message.type === 'refused'));
  stream.cut();
  const answer = await fetch(`${url}/realtime/messages/unknown`, {
    method: 'POST', body: '{"type":"ping"}', headers: { 'content-type': 'application/json' },
  });
  assert.deepEqual([answer.status, ((await answer.json()) as { code: string }).code], [404, 'realtime.line_gone']);
});

test('[R21] rooms that are not open, floods, too much and other versions are refused as on a socket', async () => {
  const stream = await connect();
  await stream.say({ type: 'join', room: 'show/00000000-0000-7000-8000-00000000dead' });
  await stream.until((heard) => heard.some((told) => told.type === 'refused' && told.code === 'realtime.room'));
  assert.equal(await stream.say({ type: 'join', room: 'x'.repeat(2_000) }), 413);
  const pings = await Promise.all(Array.from({ length: 60 }, () => stream.say({ type: 'ping' })));
  assert.ok(pings.includes(204));
  assert.equal(await stream.closed, 4001);
  assert.equal(await (await connect(newCookie(), '99')).closed, 4000);
});

test('[R21] who loses the right to a room is put out, as on a socket', async () => {
  const stream = await connect();
  await stream.say(join);
  await stream.until((heard) => heard.some(({ type }) => type === 'joined'));
  open.delete(room);
  await realtime.recheck(room);
  await stream.until((heard) => heard.some((message) => message.type === 'refused'));
  open.add(room);
  stream.cut();
});

test('[R25] [R21] a banned viewer is put out on an event stream too, hears nothing more, and cannot come back',
  async () => {
    const cookie = newCookie();
    const guestId = cookie.split('=')[1]?.split('.')[0] ?? '';
    const [named, other] = [await connect(cookie), await connect()];
    for (const stream of [named, other]) {
      await stream.say(join);
      await stream.until((heard) => heard.some(({ type }) => type === 'joined'));
    }
    banned.add(guestId);
    await realtime.putOut(room, [`guest/${guestId}`]);
    await named.until((heard) => heard.some((told) => told.type === 'refused' && told.room === room));
    realtime.publish(room, likes(77));
    await other.until((heard) => totals(heard).includes(77));
    await named.say(join);
    await named.until((heard) => heard.filter(({ type }) => type === 'refused').length === 2);
    assert.equal(totals(named.messages).includes(77), false);
    assert.equal(other.messages.some(({ type }) => type === 'refused'), false);
    await other.until(() => realtime.viewers(room) === 1);
    named.cut();
    other.cut();
  });
