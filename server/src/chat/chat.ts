/**
 * The talk in a show's room. Rules: README.md.
 *
 * Invariants: a message that is kept is clean text of 1–200 characters; sent twice it is there once; everybody in the
 * room hears of it after the commit, in one order; a removed one is given to nobody any more.
 */
import type { ChatBody, ChatMessage } from '@nacre/contract/chat';
import { CHAT_TEXT_MAX } from '@nacre/contract/chat';
import type { Page, PageQuery } from '@nacre/contract/common';
import type { Actor, PersonActor } from '../http/actor.ts';
import { PAGE_LIMIT_DEFAULT, pageOf, readCursor } from '../lib/cursor.ts';
import { Refusal } from '../lib/refusal.ts';
import { afterCommit } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import { showRoom, type Channel } from '../realtime/channel.ts';
import type { Shows } from '../shows/shows.ts';
import { SAID_TOPIC, type Said } from './events.ts';
import { createPace, type Pace } from './pace.ts';
import * as store from './store.ts';
import type { ChatRow } from './store.ts';
import { cleanText, lengthOf, sameness } from './text.ts';

/** What somebody who comes in sees of the talk. Fewer is an empty room, more is bytes before the first picture. */
const RECENT = 50;

export interface ChatDeps {
  platform: Platform;
  channel: Pick<Channel, 'publish'>;
  shows: Pick<Shows, 'brief'>;
}

export interface Chat {
  /**
   * Says something in a running show. The same clientId again gives the message that it made, whatever the text.
   * @throws Refusal `shows.not_found`, `chat.closed`, `chat.empty`, `chat.too_long` with `details.length`,
   * `chat.too_fast`
   */
  send(actor: PersonActor, showId: string, body: ChatBody): Promise<ChatMessage>;
  /**
   * Takes a message away for everybody: the author's own, or any by who may run the shop's shows. A repeat
   * changes nothing.
   * @throws Refusal `shows.not_found`, `chat.not_found` (also when it is not the actor's to remove),
   * `shops.not_allowed`
   */
  remove(actor: PersonActor, showId: string, messageId: string): Promise<void>;
  /** Newest first. @throws Refusal `shows.not_found` */
  list(actor: Actor, showId: string, query: PageQuery): Promise<Page<ChatMessage>>;
  /** The last messages, oldest first. Who may read them is the caller's to know. */
  recent(showId: string): Promise<ChatMessage[]>;
}

interface Parts extends ChatDeps {
  pace: Pace;
}

export function createChat(deps: ChatDeps): Chat {
  const parts: Parts = { ...deps, pace: createPace({ clock: deps.platform.clock }) };
  const { db } = deps.platform.database;
  return {
    send: (actor, showId, body) => send(parts, actor, showId, body),
    remove: (actor, showId, messageId) => remove(parts, actor, showId, messageId),
    async list(actor, showId, query) {
      await deps.shows.brief(actor, showId);
      const limit = query.limit ?? PAGE_LIMIT_DEFAULT;
      const rows = await store.messagesBefore(db, showId, readCursor(query.cursor), limit + 1);
      return pageOf(rows, limit, (row) => ({ at: row.sent_at, id: row.id }), viewOf);
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
  const text = cleanText(body.text);
  const length = lengthOf(text);
  if (length === 0) throw new Refusal('chat.empty');
  if (length > CHAT_TEXT_MAX) throw new Refusal('chat.too_long', { details: { length, most: CHAT_TEXT_MAX } });
  const who = { personId: actor.personId, showId, isHost: show.mayRun };
  const retryAfterSeconds = parts.pace.admit(who, sameness(text));
  if (retryAfterSeconds !== null) throw new Refusal('chat.too_fast', { retryAfterSeconds });
  return keep(parts, actor, { showId, clientId: body.clientId, text, isHost: show.mayRun });
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

async function remove(parts: Parts, actor: PersonActor, showId: string, messageId: string): Promise<void> {
  const { database, clock } = parts.platform;
  const show = await parts.shows.brief(actor, showId);
  const message = await store.findMessage(database.db, showId, messageId);
  if (message === null) throw new Refusal('chat.not_found');
  if (message.person_id !== actor.personId && !show.mayRun) {
    throw new Refusal(show.isMember ? 'shops.not_allowed' : 'chat.not_found');
  }
  await database.transaction(async (tx) => {
    if (!(await store.markRemoved(tx, messageId, actor.personId, clock.now()))) return;
    afterCommit(tx, () => parts.channel.publish(showRoom(showId), { type: 'chat-removed', messageId }));
  });
}
