/**
 * The talk in a show's room. Rules: README.md.
 *
 * Invariants: a message that is kept is clean text of 1–200 characters; sent twice it is there once; everybody in the
 * room hears of it after the commit, in one order; a removed one is given to nobody any more.
 */
import type { ChatBody, ChatMessage } from '@nacre/contract/chat';
import { CHAT_TEXT_MAX } from '@nacre/contract/chat';
import type { Page, PageQuery } from '@nacre/contract/common';
import { SLOW_MODES, type RemovalQuery, type Standing, type TalkSetting } from '@nacre/contract/moderation';
import type { Actor, PersonActor } from '../http/actor.ts';
import { PAGE_LIMIT_DEFAULT, pageOf, readCursor } from '../lib/cursor.ts';
import { Refusal } from '../lib/refusal.ts';
import { afterCommit, type Tx } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import { showRoom, type Channel } from '../realtime/channel.ts';
import type { Shows } from '../shows/shows.ts';
import { SAID_TOPIC, type Said } from './events.ts';
import type { Moderation } from '../moderation/moderation.ts';
import { createPace, type Pace } from './pace.ts';
import { createSettings, FREE_TALK, type Settings } from './setting.ts';
import * as store from './store.ts';
import type { ChatRow, TalkPart } from './store.ts';
import { cleanText, lengthOf, sameness } from './text.ts';

/** What somebody who comes in sees of the talk. Fewer is an empty room, more is bytes before the first picture. */
const RECENT = 50;

export interface ChatDeps {
  platform: Platform;
  channel: Pick<Channel, 'publish'>;
  shows: Pick<Shows, 'brief'>;
  moderation: Pick<
    Moderation, 'assertMayTalk' | 'assertNotBanned' | 'assertWords' | 'noteDealtWith' | 'noteRemoval' | 'standingOf'
  >;
}

export interface Chat {
  /**
   * Says something in a running show. The same clientId again gives the message that it made, whatever the text.
   * @throws Refusal `shows.not_found`, `chat.closed`, `chat.empty`, `chat.too_long` with `details.length`,
   * `chat.too_fast`, `chat.slow` with `details.seconds`, `chat.quiet`, `chat.word`, `moderation.muted`,
   * `moderation.banned`
   */
  send(actor: PersonActor, showId: string, body: ChatBody): Promise<ChatMessage>;
  /**
   * Takes a message away for everybody: the author's own, or any by who may moderate the shop's shows; the latter is a
   * measure, with its reason. A repeat changes nothing.
   * @throws Refusal `shows.not_found`, `chat.not_found` (also when it is not the actor's to remove),
   * `shops.not_allowed`
   */
  remove(actor: PersonActor, showId: string, messageId: string, why?: RemovalQuery): Promise<void>;
  /** Slow mode and quiet. @throws Refusal `shows.not_found`, `shops.not_allowed`, `shops.not_a_member` */
  hold(actor: PersonActor, showId: string, setting: TalkSetting): Promise<TalkSetting>;
  /** @throws Refusal `shows.not_found` */
  standing(actor: Actor, showId: string): Promise<Standing>;
  /** How the talk is held. Who may know is the caller's to know. */
  settingOf(showId: string): Promise<TalkSetting>;
  /** For moderation: messages as they were said, with the lines around, and taking them away or back. */
  forModeration: ForModeration;
  /** Newest first. @throws Refusal `shows.not_found`, `moderation.banned` */
  list(actor: Actor, showId: string, query: PageQuery): Promise<Page<ChatMessage>>;
  /** From that moment on, oldest first, for a replay; all of it or what asks something. @throws Refusal as `list` */
  since(actor: Actor, showId: string, part: TalkPart): Promise<ChatMessage[]>;
  /** The last messages, oldest first. Who may read them is the caller's to know. */
  recent(showId: string): Promise<ChatMessage[]>;
}

export interface ForModeration {
  find(messageId: string): Promise<ChatRow | null>;
  around(message: ChatRow): Promise<ChatRow[]>;
  remove(tx: Tx, messageId: string, byPersonId: string): Promise<void>;
  restore(tx: Tx, messageId: string): Promise<void>;
  saidAt(messageIds: readonly string[]): Promise<Map<string, Date>>;
}

/** Lines before and after a reported message that are kept with it. */
const AROUND = 3;

interface Parts extends ChatDeps {
  pace: Pace;
  settings: Settings;
}

export function createChat(deps: ChatDeps): Chat {
  const { db } = deps.platform.database;
  const settings = createSettings({
    bus: deps.platform.bus,
    async load(showId) {
      const row = await store.settingOf(db, showId);
      return row === undefined ? FREE_TALK : { slowSeconds: row.slow_seconds, isQuiet: row.is_quiet };
    },
  });
  const parts: Parts = { ...deps, pace: createPace({ clock: deps.platform.clock }), settings };
  return {
    send: (actor, showId, body) => send(parts, actor, showId, body),
    remove: (actor, showId, messageId, why = {}) => remove(parts, actor, showId, messageId, why),
    hold: (actor, showId, setting) => hold(parts, actor, showId, setting),
    standing: (actor, showId) => standing(parts, actor, showId),
    settingOf: settings.of,
    forModeration: {
      find: (messageId) => store.messageById(db, messageId),
      around: (message) => store.around(db, message, AROUND),
      remove: async (tx, messageId, personId) => void (await takeAway(parts, tx, messageId, personId)),
      restore: store.restore,
      saidAt: (messageIds) => store.saidAt(db, messageIds),
    },
    async list(actor, showId, query) {
      const show = await deps.shows.brief(actor, showId);
      await deps.moderation.assertNotBanned(show.shopId, actor);
      const limit = query.limit ?? PAGE_LIMIT_DEFAULT;
      const rows = await store.messagesBefore(db, showId, readCursor(query.cursor), limit + 1);
      return pageOf(rows, limit, (row) => ({ at: row.sent_at, id: row.id }), viewOf);
    },
    async since(actor, showId, part) {
      const show = await deps.shows.brief(actor, showId);
      await deps.moderation.assertNotBanned(show.shopId, actor);
      return (await store.messagesFrom(db, showId, part)).map(viewOf);
    },
    recent: async (showId) => (await store.messagesBefore(db, showId, null, RECENT)).map(viewOf).reverse(),
  };
}

function viewOf(row: ChatRow): ChatMessage {
  return {
    id: row.id,
    clientId: row.client_id,
    personId: row.person_id,
    name: row.name,
    isHost: row.is_host,
    text: row.text,
    sentAt: row.sent_at.toISOString(),
  };
}

async function send(parts: Parts, actor: PersonActor, showId: string, body: ChatBody): Promise<ChatMessage> {
  const { database } = parts.platform;
  const show = await parts.shows.brief(actor, showId);
  const before = await store.findByClientId(database.db, actor.personId, body.clientId);
  if (before !== null) return sentBefore(before, showId);
  if (!show.isRunning) throw new Refusal('chat.closed');
  const isExempt = show.mayRun || show.mayModerate;
  await parts.moderation.assertMayTalk(actor, show);
  if (!isExempt) await assertHeld(parts, actor, showId);
  const text = cleanText(body.text);
  const length = lengthOf(text);
  if (length === 0) throw new Refusal('chat.empty');
  if (length > CHAT_TEXT_MAX) throw new Refusal('chat.too_long', { details: { length, most: CHAT_TEXT_MAX } });
  if (!isExempt) await parts.moderation.assertWords(show.shopId, text);
  const who = { personId: actor.personId, showId, isHost: isExempt };
  const retryAfterSeconds = parts.pace.admit(who, sameness(text));
  if (retryAfterSeconds !== null) throw new Refusal('chat.too_fast', { retryAfterSeconds });
  return keep(parts, actor, { showId, clientId: body.clientId, text, isHost: show.mayRun });
}

/** @throws Refusal `chat.quiet`, `chat.slow` */
async function assertHeld(parts: Parts, actor: PersonActor, showId: string): Promise<void> {
  const { slowSeconds, isQuiet } = await parts.settings.of(showId);
  if (isQuiet) throw new Refusal('chat.quiet');
  const seconds = parts.pace.slowWait({ personId: actor.personId, showId }, slowSeconds);
  if (seconds !== null) throw new Refusal('chat.slow', { details: { seconds }, retryAfterSeconds: seconds });
}

async function hold(
  parts: Parts, actor: PersonActor, showId: string, setting: TalkSetting,
): Promise<TalkSetting> {
  const show = await parts.shows.brief(actor, showId);
  if (!show.mayModerate) throw new Refusal(show.isMember ? 'shops.not_allowed' : 'shops.not_a_member');
  const { slowSeconds, isQuiet } = setting;
  if (!SLOW_MODES.some((mode) => mode === slowSeconds)) {
    throw new Refusal('request.invalid', { details: { field: 'slowSeconds' } });
  }
  await parts.platform.database.transaction(async (tx) => {
    await store.writeSetting(tx, { show_id: showId, slow_seconds: slowSeconds, is_quiet: isQuiet });
    afterCommit(tx, () => {
      parts.settings.changed(showId);
      parts.channel.publish(showRoom(showId), { type: 'talk', talk: { slowSeconds, isQuiet } });
    });
  });
  return { slowSeconds, isQuiet };
}

async function standing(parts: Parts, actor: Actor, showId: string): Promise<Standing> {
  const show = await parts.shows.brief(actor, showId);
  const [measure, talk] = await Promise.all([
    parts.moderation.standingOf(actor, show), parts.settings.of(showId),
  ]);
  return { mayModerate: show.mayModerate, measure, talk };
}

async function keep(
  parts: Parts,
  actor: PersonActor,
  message: { showId: string; clientId: string; text: string; isHost: boolean },
): Promise<ChatMessage> {
  const { database, clock, newId } = parts.platform;
  const { showId, clientId, text, isHost } = message;
  return database.transaction(async (tx) => {
    const row: ChatRow = {
      id: newId(),
      show_id: showId,
      person_id: actor.personId,
      name: actor.name,
      client_id: clientId,
      text,
      is_host: isHost,
      sent_at: clock.now(),
      removed_at: null,
      removed_by: null,
    };
    if (await store.insertMessage(tx, row)) {
      const view = viewOf(row);
      afterCommit(tx, () => {
        parts.channel.publish(showRoom(showId), { type: 'chat', message: view });
        parts.platform.bus.publish(SAID_TOPIC, { showId } satisfies Said);
      });
      return view;
    }
    // The same message came twice at a time; the other one was first.
    const other = await store.findByClientId(tx, actor.personId, clientId);
    if (other === null) throw new Error(`message ${clientId} is neither new nor there`);
    return sentBefore(other, showId);
  });
}

/** @throws Refusal `request.invalid` when the id was used in another show */
function sentBefore(row: ChatRow, showId: string): ChatMessage {
  if (row.show_id !== showId) throw new Refusal('request.invalid', { details: { field: 'clientId' } });
  return viewOf(row);
}

async function remove(
  parts: Parts, actor: PersonActor, showId: string, messageId: string, why: RemovalQuery,
): Promise<void> {
  const { database } = parts.platform;
  const show = await parts.shows.brief(actor, showId);
  const message = await store.findMessage(database.db, showId, messageId);
  if (message === null) throw new Refusal('chat.not_found');
  if (message.person_id !== actor.personId && !show.mayModerate) {
    throw new Refusal(show.isMember ? 'shops.not_allowed' : 'chat.not_found');
  }
  await database.transaction(async (tx) => {
    const { person_id: personId, name, text } = message;
    const isTaken = await takeAway(parts, tx, messageId, actor.personId);
    if (personId === actor.personId) return;
    if (!isTaken) return parts.moderation.noteDealtWith(tx, messageId);
    await parts.moderation.noteRemoval(tx, actor, {
      shopId: show.shopId, showId, message: { id: messageId, personId, name, text }, why,
    });
  });
}

/** @returns whether it was there until now */
async function takeAway(parts: Parts, tx: Tx, messageId: string, personId: string): Promise<boolean> {
  const showId = await store.markRemoved(tx, messageId, personId, parts.platform.clock.now());
  if (showId === null) return false;
  afterCommit(tx, () => parts.channel.publish(showRoom(showId), { type: 'chat-removed', messageId }));
  return true;
}
