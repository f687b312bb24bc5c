/** The room client: which events are new, what it says when some are missing, how long it waits before coming back. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientMessage, RoomEvent, ServerMessage } from '@nacre/contract/realtime';
import { backoffMs, createRealtime, newEvents, type Realtime } from './realtime.svelte.ts';

const room = 'show/1';
const epoch = 'e1';
const likes = (...totals: number[]): RoomEvent[] => totals.map((total) => ({ type: 'likes', total }));
const events = (...totals: number[]): ServerMessage => (
  { type: 'events', room, epoch, offset: totals.at(-1) ?? 0, events: likes(...totals) }
);

/** The browser's end of a connection, with the server's end for the test to play. */
interface FakeSocket {
  readyState: number;
  send: (text: string) => void;
  close: () => void;
  onmessage?: (event: { data: string }) => void;
  joins: () => ClientMessage[];
  tell: (...messages: ServerMessage[]) => void;
  welcome: () => void;
  joined: (offset: number, caughtUp: boolean) => void;
}

const opened: FakeSocket[] = [];

function openSocket(): FakeSocket {
  const sent: ClientMessage[] = [];
  const show = { state: 'live' as const, onScreenProductId: null, likes: 0 };
  const talk = { slowSeconds: 0, isQuiet: false };
  const snapshot = { show, viewers: 1, levels: [], livePrices: [], coupons: [], bag: [], talk, chat: [] };
  const socket: FakeSocket = {
    readyState: 1,
    send: (text) => void sent.push(JSON.parse(text) as ClientMessage),
    close: () => void (socket.readyState = 3),
    joins: () => sent.filter(({ type }) => type === 'join'),
    tell(...messages) {
      for (const message of messages) socket.onmessage?.({ data: JSON.stringify(message) });
    },
    welcome: () => socket.tell({ type: 'welcome', version: 1, personId: null, serverTime: '2026-11-25T12:00:00.000Z' }),
    joined: (offset, caughtUp) => socket.tell({
      type: 'joined', room, position: { epoch, offset }, caughtUp, snapshot: caughtUp ? null : snapshot,
    }),
  };
  opened.push(socket);
  return socket;
}

interface Page {
  realtime: Realtime;
  /** Totals in the order heard; `snapshot` and `reload` where they came. */
  heard: Array<number | string>;
  socket(): FakeSocket;
  /** Ends a reload under way. */
  reloaded(): Promise<void>;
}

/** A page that has joined the room at offset 2. */
function open(): Page {
  const realtime = createRealtime();
  const heard: Array<number | string> = [];
  const reloading = Promise.withResolvers<void>();
  const page: Page = {
    realtime, heard,
    socket: () => opened.at(-1) ?? assert.fail('no socket'),
    async reloaded() {
      reloading.resolve();
      await sleep(0);
    },
  };
  realtime.join(room, {
    snapshot: () => heard.push('snapshot'),
    events: (fresh) => heard.push(...fresh.map((event) => (event.type === 'likes' ? event.total : -1))),
    reload: () => {
      heard.push('reload');
      return reloading.promise;
    },
  });
  page.socket().welcome();
  page.socket().joined(2, false);
  assert.deepEqual(page.socket().joins(), [{ type: 'join', room }]);
  return page;
}

const pages: Page[] = [];
const browser = globalThis as unknown as Record<string, unknown>;
const own = new Map(['WebSocket', 'location', 'addEventListener', 'removeEventListener', '$state'].map((name) => (
  [name, browser[name]]
)));
before(() => Object.assign(globalThis, {
  // What a function returns is what `new` of it gives.
  WebSocket: Object.assign(function WebSocket() { return openSocket(); }, { OPEN: 1 }),
  location: { href: 'http://localhost:3000/shows/1' },
  addEventListener: () => {}, removeEventListener: () => {},
  // Svelte's compiler replaces it; here a plain variable does.
  $state: <T>(value: T) => value,
}));
beforeEach(() => {
  for (const { realtime } of pages.splice(0)) realtime.stop();
});
after(() => {
  for (const { realtime } of pages) realtime.stop();
  Object.assign(globalThis, Object.fromEntries(own));
});
const openPage = (): Page => {
  const page = open();
  pages.push(page);
  return page;
};

test('[W9] events reach the page once each and in order, or the page asks for what is missing', () => {
  assert.deepEqual(newEvents(['a', 'b'], 2, 0), ['a', 'b'], 'the next ones');
  assert.deepEqual(newEvents(['b', 'c'], 3, 2), ['c'], 'of an overlap only the new one');
  assert.deepEqual(newEvents(['a'], 1, 4), [], 'old news is no news');
  assert.equal(newEvents(['e'], 5, 3), null, 'one is missing between');
});

test('[W9] a hole makes the page ask once, from where it is; what comes then it hears once each', () => {
  const { heard, socket } = openPage();
  socket().tell(events(3), events(5), events(6));
  assert.deepEqual(heard, ['snapshot', 3]);
  assert.deepEqual(socket().joins().slice(1), [{ type: 'join', room, position: { epoch, offset: 3 } }]);
  socket().joined(6, true);
  socket().tell(events(4, 5, 6), events(6, 7));
  assert.deepEqual(heard, ['snapshot', 3, 4, 5, 6, 7]);
  socket().tell({ type: 'events', room, epoch: 'another life', offset: 8, events: likes(8) });
  assert.deepEqual(socket().joins().at(-1), { type: 'join', room, position: { epoch, offset: 7 } });
  assert.equal(heard.at(-1), 7, 'of another epoch nothing is heard');
});

test('[W9] a page that comes back asks from where it was', () => {
  const { heard, socket, realtime } = openPage();
  socket().tell(events(3));
  const before = socket();
  realtime.reconnect();
  assert.notEqual(socket(), before);
  before.tell(events(4));
  socket().welcome();
  assert.deepEqual(socket().joins(), [{ type: 'join', room, position: { epoch, offset: 3 } }]);
  socket().joined(5, true);
  socket().tell(events(4, 5));
  assert.deepEqual(heard, ['snapshot', 3, 4, 5]);
});

test('[W9] what cannot be caught up with is loaded anew, and the room joined from there', async () => {
  const { heard, socket, reloaded } = openPage();
  socket().tell(events(9));
  socket().tell({ type: 'reload', room }, { type: 'reload', room }, events(10));
  assert.deepEqual(heard, ['snapshot', 'reload']);
  assert.equal(socket().joins().length, 2, 'not before it is loaded');
  await reloaded();
  assert.deepEqual(socket().joins().slice(2), [{ type: 'join', room }]);
  socket().joined(10, false);
  socket().tell(events(11));
  assert.deepEqual(heard, ['snapshot', 'reload', 'snapshot', 11]);
});

test('[W230] whoever shows what is told to a person hears of each connection that stands', () => {
  const { realtime, socket } = openPage();
  let opened = 0;
  const leave = realtime.onOpen(() => (opened += 1));
  realtime.reconnect();
  assert.equal(opened, 0, 'it stands when the server says so');
  socket().welcome();
  assert.equal(opened, 1);
  leave();
  realtime.reconnect();
  socket().welcome();
  assert.equal(opened, 1);
});

test('[W10] pauses grow, stay under a ceiling, and differ from page to page', () => {
  assert.ok(backoffMs(0, () => 0) >= 250 && backoffMs(0, () => 1) <= 500);
  assert.ok(backoffMs(3, () => 0.5) > backoffMs(0, () => 0.5));
  assert.ok(backoffMs(1000, () => 1) <= 15_000);
  assert.notEqual(backoffMs(2, () => 0.1), backoffMs(2, () => 0.9));
});
