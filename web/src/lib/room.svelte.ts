/**
 * One show's room as its page sees it: its state, its goods (goods.svelte.ts), the talk, the counts. Starts from what
 * the server rendered, then follows the room's events. The studio uses the same.
 *
 * Nothing here is text for people: the page puts sentences to it.
 */
import type { ChatMessage } from '@nacre/contract/chat';
import type { TalkSetting } from '@nacre/contract/moderation';
import type { RoomEvent } from '@nacre/contract/realtime';
import type { Show, ShowState } from '@nacre/contract/shows';
import { untrack } from 'svelte';
import { createGoods, type GoodsNotice } from './goods.svelte.ts';
import type { RoomHandlers, Snapshot } from './realtime.svelte.ts';

/** One line of the talk: a message, or that somebody came or bought. */
export type TalkLine =
  | { kind: 'message'; id: string; message: ChatMessage }
  | { kind: 'came'; id: string; name: string }
  | { kind: 'bought'; id: string; name: string; number: number | null };

/** A message of one's own that the server has not shown yet. */
export interface OwnLine {
  clientId: string;
  text: string;
  state: 'sending' | 'sent' | 'failed';
  /** Set when failed. */
  error: unknown;
}

/** What a screen reader is told at once; everything else stays silent. */
export type Notice =
  | GoodsNotice
  | { kind: 'state'; from: ShowState; to: ShowState }
  | { kind: 'talk'; from: TalkSetting; to: TalkSetting };

export interface RoomOptions {
  /** Sends one chat message; throws when it was not taken. */
  sendChat: (clientId: string, text: string) => Promise<ChatMessage>;
  /** Sends gathered likes. */
  sendLikes: (count: number) => Promise<void>;
  /** Loads the show anew: the room's history does not reach back, or its bag is not the page's. */
  loadShow: () => Promise<Show>;
  onNotice?: (notice: Notice) => void;
  /** Events that only some pages care for (the studio's orders and interest). */
  onEvent?: (event: RoomEvent) => void;
}

// Older lines scroll out of reach anyway; keeping all of a long show would fill a phone's memory.
const talkLimit = 120;
// The API takes 50 at once and a person taps at most about ten times a second.
const likesAtOnce = 50;
// More often costs a request per tap; later and the heart feels unheard.
const likesEveryMs = 1000;

export function createRoom(initial: Show, options: RoomOptions) {
  let state = $state<ShowState>(initial.state);
  const goods = createGoods(initial, {
    loadBag: async () => (await options.loadShow()).bag,
    onNotice: (notice) => options.onNotice?.(notice),
  });
  /** Until the room is joined nothing is known of it; whoever writes too soon is told by the server. */
  let held = $state.raw<TalkSetting>({ slowSeconds: 0, isQuiet: false });
  let viewers = $state(initial.viewers);
  let likesTold = $state(initial.likes);
  let likesUnsent = $state(0);
  let talk = $state.raw<TalkLine[]>([]);
  let historyEnd: string | undefined;
  let own = $state<OwnLine[]>([]);
  const removedIds = $state<Record<string, true>>({});
  let lineCount = 0;
  let likesTimer: ReturnType<typeof setTimeout> | undefined;

  function addLine(line: TalkLine): void {
    if (line.kind === 'message') {
      own = own.filter((mine) => mine.clientId !== line.message.clientId);
      if (talk.some((known) => known.id === line.id)) return;
    }
    talk = [...talk, line].slice(-talkLimit);
  }

  function addMessage(message: ChatMessage): void {
    addLine({ kind: 'message', id: message.id, message });
  }

  function setState(next: ShowState): void {
    if (next === state) return;
    const from = state;
    state = next;
    options.onNotice?.({ kind: 'state', from, to: next });
  }

  function take(event: RoomEvent): void {
    goods.take(event);
    switch (event.type) {
      case 'show':
        setState(event.state);
        break;
      case 'talk': {
        const from = held;
        held = event.talk;
        options.onNotice?.({ kind: 'talk', from, to: held });
        break;
      }
      case 'chat':
        addMessage(event.message);
        break;
      case 'chat-removed':
        removedIds[event.messageId] = true;
        break;
      case 'bought':
        addLine({ kind: 'bought', id: `b${++lineCount}`, name: event.name, number: event.number });
        break;
      case 'came':
        addLine({ kind: 'came', id: `c${++lineCount}`, name: event.name });
        break;
      case 'likes':
        likesTold = Math.max(likesTold, event.total);
        break;
      case 'viewers':
        viewers = event.count;
        break;
    }
    options.onEvent?.(event);
  }

  function takeSnapshot(snapshot: Snapshot): void {
    setState(snapshot.show.state);
    goods.join(snapshot);
    held = snapshot.talk;
    likesTold = Math.max(likesTold, snapshot.show.likes);
    viewers = snapshot.viewers;
    const known = new Set(snapshot.chat.map((message) => message.id));
    const other = talk.filter((line) => line.kind === 'message' && !known.has(line.id));
    talk = [];
    // What is known only here is older than the snapshot's window or already gone; messages keep their order by time.
    for (const line of other) if (line.kind === 'message' && isOlder(line.message, snapshot.chat)) addLine(line);
    snapshot.chat.forEach(addMessage);
    historyEnd = talk.at(-1)?.id;
  }

  async function reload(): Promise<void> {
    const show = await options.loadShow();
    setState(show.state);
    goods.load(show);
    likesTold = Math.max(likesTold, show.likes);
    viewers = show.viewers;
  }

  async function sendOwn(line: OwnLine): Promise<void> {
    line.state = 'sending';
    try {
      const message = await options.sendChat(line.clientId, line.text);
      line.state = 'sent';
      addMessage(message);
    } catch (error) {
      line.state = 'failed';
      line.error = error;
    }
  }

  async function flushLikes(): Promise<void> {
    likesTimer = undefined;
    const count = Math.min(likesUnsent, likesAtOnce);
    if (count === 0) return;
    try {
      await options.sendLikes(count);
      likesTold += count;
    } catch {
      // A like that was not taken is no news to anybody: it leaves the count again.
    }
    likesUnsent -= count;
    if (likesUnsent > 0) likesTimer = setTimeout(flushLikes, likesEveryMs);
  }

  const handlers: RoomHandlers = {
    snapshot: (snapshot) => untrack(() => takeSnapshot(snapshot)),
    events: (events) => untrack(() => events.forEach(take)),
    reload,
  };

  return {
    handlers,
    get state() {
      return state;
    },
    get bag() {
      return goods.bag;
    },
    get onScreen() {
      return goods.onScreen;
    },
    get coupons() { return goods.coupons; },
    get viewers() {
      return viewers;
    },
    get likes() {
      return likesTold + likesUnsent;
    },
    /** Id of the last line that was there before the page came, or came back; not reactive. */
    get historyEnd() {
      return historyEnd;
    },
    get talk() {
      return talk;
    },
    /** Slow mode and quiet. */
    get held() {
      return held;
    },
    get own() {
      return own;
    },
    isRemoved: (messageId: string) => removedIds[messageId] === true,
    wasMinor: goods.wasMinor,
    liveOf: goods.liveOf,
    livePieces: goods.livePieces,
    onShelf: goods.onShelf,
    /** Shows the message at once as being sent; what comes of it shows in `own`. */
    say(text: string): void {
      const line: OwnLine = { clientId: crypto.randomUUID(), text, state: 'sending', error: null };
      own.push(line);
      const kept = own.at(-1);
      if (kept) void sendOwn(kept);
    },
    retry(clientId: string): void {
      const line = own.find((entry) => entry.clientId === clientId);
      if (line) void sendOwn(line);
    },
    /** Takes back a line that was not sent, and gives its words. */
    withdraw(clientId: string): string {
      const line = own.find((entry) => entry.clientId === clientId);
      own = own.filter((entry) => entry !== line);
      return line?.text ?? '';
    },
    like(): void {
      likesUnsent += 1;
      likesTimer ??= setTimeout(flushLikes, likesEveryMs);
    },
    learn: goods.learn, isAsked: goods.isAsked, setAsked: goods.setAsked,
    stop(): void {
      goods.stop();
      clearTimeout(likesTimer);
    },
  };
}

export type Room = ReturnType<typeof createRoom>;

function isOlder(message: ChatMessage, others: readonly ChatMessage[]): boolean {
  const first = others[0];
  return first === undefined || message.sentAt < first.sentAt;
}
