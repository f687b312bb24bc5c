/** What the verbs of moderation share: deps, and how a measure begins and ends. */
import type { Actor, PersonActor } from '../http/actor.ts';
import type { PersonalEvent } from '@nacre/contract/realtime';
import type { MeasureKind, ModerationReason, ReportedLine, ReportKind } from '@nacre/contract/moderation';
import { Refusal } from '../lib/refusal.ts';
import { afterCommit, type Tx } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import { TALK_KEY, type InForce } from './in-force.ts';
import * as store from './store.ts';
import type { MeasureRow } from './store.ts';
import { measureView, type Refs } from './view.ts';

export interface ShopName {
  id: string;
  slug: string;
  name: string;
}

/** What is reported, as it is now. */
export interface Thing {
  title: string;
  author: { personId: string; name: string } | null;
  /** Around a message, itself included. */
  lines: ReportedLine[];
  shop: ShopName;
  show: { id: string; title: string } | null;
}

export interface ModerationDeps {
  platform: Platform;
  /** Names of people; ids of nobody are missing. */
  namesOf(personIds: readonly string[]): Promise<Map<string, string>>;
  shops: {
    /** @throws Refusal as `Shops.assertMay` */
    assertMay(personId: string, shopId: string, right: 'talk.moderate' | 'shop.change'): Promise<void>;
    isMember(personId: string, shopId: string): Promise<boolean>;
    /** Those of the people who work in the shop. */
    membersAmong(personIds: readonly string[], shopId: string): Promise<Set<string>>;
    refs(ids: readonly string[]): Promise<Map<string, ShopName>>;
    /** Shops for which the person answers: whose measures they read and appeal. */
    answersFor(personId: string): Promise<string[]>;
  };
  shows: {
    /** @throws Refusal `shows.not_found` */
    brief(actor: Actor, showId: string): Promise<{
      shopId: string; isOpen: boolean; isMember: boolean; mayModerate: boolean;
    }>;
    titles(ids: readonly string[]): Promise<Map<string, string>>;
    /** Ids of the shop's shows that are not over. */
    openOf(shopId: string): Promise<string[]>;
    /** Ends a running show and cuts its picture; cancels a planned one. Nothing where it is over. */
    stop(showId: string): Promise<void>;
    /** Ends all running shows of the shop. */
    stopAllOf(shopId: string): Promise<void>;
    /** Out of the rooms and the picture of the shop's running shows. Names as `viewerOf` gives them. */
    putOut(shopId: string, names: readonly string[]): Promise<void>;
  };
  talk: {
    /** A message of the show, also a removed one. */
    find(showId: string, messageId: string): Promise<{ personId: string; text: string } | null>;
    remove(tx: Tx, messageId: string, byPersonId: string): Promise<void>;
    restore(tx: Tx, messageId: string): Promise<void>;
    /** When these were said, removed ones too; ids of nothing are missing. */
    saidAt(messageIds: readonly string[]): Promise<Map<string, Date>>;
  };
  /** Null for what is not there, or not for this actor. */
  thing(actor: Actor, kind: ReportKind, id: string): Promise<Thing | null>;
  people: {
    /** Guests that the person's open browsers are when they sign out. */
    guestsOf(personId: string): string[];
    tell(personId: string, event: PersonalEvent): void;
  };
}

export interface Parts extends ModerationDeps {
  inForce: InForce;
}

export interface Decider {
  personId: string;
  name: string;
  as: 'shop' | 'operator';
}

export function deciderOf(actor: PersonActor, as: Decider['as']): Decider {
  return { personId: actor.personId, name: actor.name, as };
}

export interface NewMeasure {
  kind: MeasureKind;
  person: { id: string; name: string } | null;
  shopId: string | null;
  showId: string | null;
  messageId: string | null;
  text: string | null;
  reason: ModerationReason;
  words: string;
  until: Date | null;
}

/** `other` says nothing by itself. @throws Refusal `moderation.words_needed` */
export function readWords(reason: ModerationReason, words: string): string {
  const text = words.trim();
  if (reason === 'other' && text === '') throw new Refusal('moderation.words_needed');
  return text;
}

/** Takes a measure: kept, logged, and after the commit in force and told. */
export async function takeMeasure(parts: Parts, tx: Tx, by: Decider, made: NewMeasure): Promise<MeasureRow> {
  const { clock, newId } = parts.platform;
  const at = clock.now();
  const row = await store.insertMeasure(tx, {
    id: newId(), kind: made.kind, decided_as: by.as, decided_by: by.personId, person_id: made.person?.id ?? null,
    name: made.person?.name ?? '', guest_ids: made.kind === 'ban' ? parts.people.guestsOf(made.person?.id ?? '') : [],
    shop_id: made.shopId, show_id: made.showId, message_id: made.messageId, text: made.text, reason: made.reason,
    words: made.words, created_at: at, until: made.until, lifted_at: null,
  });
  await logMeasure(parts, tx, by, row, { what: 'measure', reason: row.reason, words: row.words });
  afterCommit(tx, () => noteChange(parts, row));
  return row;
}

/**
 * Ends a measure before its time; a removed message is back.
 * @returns false when it was lifted already
 */
export async function liftMeasure(parts: Parts, tx: Tx, by: Decider, id: string, words: string): Promise<boolean> {
  const row = await store.lift(tx, id, parts.platform.clock.now());
  if (row === undefined) return false;
  if (row.kind === 'removal' && row.message_id !== null) await parts.talk.restore(tx, row.message_id);
  await logMeasure(parts, tx, by, row, { what: 'lifted', reason: null, words });
  afterCommit(tx, () => noteChange(parts, row));
  return true;
}

function logMeasure(
  parts: Parts, tx: Tx, by: Decider, row: MeasureRow, line: Pick<Decision, 'what' | 'reason' | 'words'>,
): Promise<void> {
  return logDecision(parts, tx, by, {
    ...line, kind: row.kind, subject: row.person_id ?? row.shop_id ?? '', shop_id: row.shop_id, measure_id: row.id,
  });
}

/** What a line of the log says besides who and when; ids that are left out it has not. */
type Decision = Pick<store.DecisionRow, 'what' | 'kind' | 'subject' | 'reason' | 'words'>
  & Partial<Pick<store.DecisionRow, 'shop_id' | 'measure_id' | 'report_id' | 'appeal_id'>>;

/** Writes the line, in the transaction that makes it true. */
export async function logDecision(parts: Parts, tx: Tx, by: Decider, line: Decision): Promise<void> {
  const { clock, newId } = parts.platform;
  await store.insertDecision(tx, {
    id: newId(), at: clock.now(), person_id: by.personId, name: by.name, decided_as: by.as,
    shop_id: null, measure_id: null, report_id: null, appeal_id: null, ...line,
  });
}

function noteChange(parts: Parts, row: MeasureRow): void {
  parts.inForce.changed(row.kind === 'talk' ? TALK_KEY : row.shop_id ?? '');
  void tellAll(parts, row).catch((error: unknown) => {
    parts.platform.log.warn({ err: error, measureId: row.id }, 'a measure could not be told to whom it concerns');
  });
}

async function tellAll(parts: Parts, row: MeasureRow): Promise<void> {
  if (row.kind === 'ban' && row.lifted_at === null && row.shop_id !== null) {
    const names = [`person/${row.person_id}`, ...row.guest_ids.map((id) => `guest/${id}`)];
    await parts.shows.putOut(row.shop_id, names);
  }
  if (row.person_id === null) return;
  const [measure] = await measureViews(parts, [row]);
  if (measure !== undefined) parts.people.tell(row.person_id, { type: 'own-measure', measure });
}

export async function measureViews(parts: Parts, rows: readonly MeasureRow[]) {
  const refs = await refsOf(parts, rows);
  return rows.map((row) => measureView(row, refs));
}

export async function refsOf(parts: Parts, rows: readonly MeasureRow[]): Promise<Refs> {
  const some = <T>(values: readonly (T | null)[]) => [...new Set(values.filter((value) => value !== null))];
  const ofMutes = some(rows.map((row) => (row.kind === 'mute' && row.lifted_at === null ? row.shop_id : null)));
  const [shops, titles, appeals, saidAt, ...open] = await Promise.all([
    parts.shops.refs(some(rows.map((row) => row.shop_id))),
    parts.shows.titles(some(rows.map((row) => row.show_id))),
    store.appealsOf(parts.platform.database.db, rows.map((row) => row.id)),
    parts.talk.saidAt(some(rows.map((row) => row.message_id))),
    ...ofMutes.map((shopId) => parts.shows.openOf(shopId)),
  ]);
  return { shops, titles, appeals, saidAt, openShowIds: new Set(open.flat()), at: parts.platform.clock.now() };
}
