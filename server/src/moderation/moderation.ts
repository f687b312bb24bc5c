/**
 * Keeping the talk in order: measures against people and shops, word lists, reports, appeals. Rules: README.md.
 *
 * Invariants: no measure without reason, decider and log line; it holds from its commit until it is lifted or over, for
 * everybody who asks; whom it concerns can read it. Reports and appeals: cases.ts.
 */
import type { Page } from '@nacre/contract/common';
import type {
  Measure, MeasureCreate, MeasureQuery, ModerationReason, OfficeMeasure, RemovalQuery,
} from '@nacre/contract/moderation';
import { namesOf, type Actor, type PersonActor } from '../http/actor.ts';
import { PAGE_LIMIT_DEFAULT, pageOf, readCursor } from '../lib/cursor.ts';
import { Refusal } from '../lib/refusal.ts';
import type { Tx } from '../platform/database.ts';
import { createCases, type Cases } from './cases.ts';
import { createInForce, forceOf, isInForce, muteKey } from './in-force.ts';
import {
  deciderOf, liftMeasure, measureViews, readWords, refsOf, takeMeasure, type ModerationDeps, type Parts,
} from './parts.ts';
import * as store from './store.ts';
import type { MeasureRow } from './store.ts';
import { officeView } from './view.ts';
import { readWordList } from './words.ts';

export type { ModerationDeps, Thing } from './parts.ts';

/** In force in one shop. All are held in memory; more than this is an attack that a pause of the talk ends. */
const IN_FORCE_MAX = 2_000;
/** Of one person's own list. */
const OWN_MAX = 100;
const MINUTE_MS = 60_000;

export interface Moderation extends Cases {
  // ---- questions on the way of every message and join: answered from memory

  /** A person by account and browser, a guest by browser. */
  isBanned(shopId: string, actor: Actor): Promise<boolean>;
  /** Whether anybody is banned from the shop's shows now. */
  hasBans(shopId: string): Promise<boolean>;
  isSuspended(shopId: string): Promise<boolean>;
  /** An operator ended the show, and that stands. */
  isStopped(showId: string): Promise<boolean>;
  /** @throws Refusal `moderation.banned`, `moderation.muted` with `details.measureId`, `.reason`, `.until` */
  assertMayTalk(actor: Actor, show: { id: string; shopId: string }): Promise<void>;
  /** @throws Refusal `moderation.banned` likewise */
  assertNotBanned(shopId: string, actor: Actor): Promise<void>;
  /** @throws Refusal `chat.word` */
  assertWords(shopId: string, text: string): Promise<void>;
  /** The measure in force that keeps the actor out, else the one that keeps them from writing; null for none. */
  standingOf(actor: Actor, show: { id: string; shopId: string }): Promise<Measure | null>;

  // ---- the shop; `actor` must have `talk.moderate` there

  /**
   * Mutes in this show, or bans from all of the shop's.
   * @throws Refusal `shows.not_found`, `shops.not_allowed`, `shops.not_a_member`, `moderation.on_team`,
   * `moderation.not_found` (the person or the message), `moderation.too_many`, `moderation.words_needed`
   */
  take(actor: PersonActor, showId: string, input: MeasureCreate): Promise<OfficeMeasure>;
  /** A message was removed by somebody other than its author; in the same transaction. */
  noteRemoval(tx: Tx, actor: PersonActor, of: {
    shopId: string; showId: string; message: { id: string; personId: string; name: string; text: string };
    why: RemovalQuery;
  }): Promise<void>;
  /** Who may moderate dealt with a message that was gone already: the shop has acted on its reports. */
  noteDealtWith(tx: Tx, messageId: string): Promise<void>;
  /** Newest first. */
  list(personId: string, shopId: string, query: MeasureQuery): Promise<Page<OfficeMeasure>>;
  /**
   * One of the shop's own; a repeat changes nothing. Operators lift any.
   * @throws Refusal `moderation.not_found`, and as `assertMay`
   */
  lift(actor: PersonActor, measureId: string): Promise<void>;
  words(personId: string, shopId: string): Promise<string[]>;
  /** Whether a message would be refused for its words. */
  testWords(personId: string, shopId: string, text: string): Promise<boolean>;
  /** @throws Refusal `moderation.word_list` */
  setWords(personId: string, shopId: string, words: readonly string[]): Promise<string[]>;

  /** Against the person, and against shops for which they answer. Newest first, 100 at most. */
  mine(personId: string): Promise<Measure[]>;
  stop(): void;
}

export function createModeration(deps: ModerationDeps): Moderation {
  const { database, bus, clock } = deps.platform;
  const { db } = database;
  const inForce = createInForce({
    bus,
    async loadShop(shopId) {
      const openShowIds = await deps.shows.openOf(shopId);
      const [rows, words] = await Promise.all([
        store.openOfShop(db, shopId, openShowIds, clock.now()), store.wordsOf(db, shopId),
      ]);
      return forceOf(rows, words);
    },
    loadTalk: async () => new Map((await store.openTalk(db, clock.now())).map((row) => [row.person_id ?? '', row])),
  });
  const parts: Parts = { ...deps, inForce };
  return {
    ...createCases(parts),
    ...createQuestions(parts),
    take: (actor, showId, input) => take(parts, actor, showId, input),
    noteRemoval: (tx, actor, of) => noteRemoval(parts, tx, actor, of),
    noteDealtWith: (tx, messageId) => store.markShopActed(tx, messageId, parts.platform.clock.now()),
    list: (personId, shopId, query) => list(parts, personId, shopId, query),
    lift: (actor, measureId) => lift(parts, actor, measureId),
    async words(personId, shopId) {
      await deps.shops.assertMay(personId, shopId, 'shop.change');
      return store.wordsOf(db, shopId);
    },
    async testWords(personId, shopId, text) {
      await deps.shops.assertMay(personId, shopId, 'shop.change');
      return (await inForce.ofShop(shopId)).hasWord(text);
    },
    setWords: (personId, shopId, words) => setWords(parts, personId, shopId, words),
    async mine(personId) {
      const shopIds = await deps.shops.answersFor(personId);
      return measureViews(parts, await store.measuresAgainst(db, personId, shopIds, OWN_MAX));
    },
    stop: inForce.stop,
  };
}

function refuse(code: 'moderation.banned' | 'moderation.muted', row: MeasureRow): Refusal {
  const until = row.until?.toISOString() ?? null;
  return new Refusal(code, {
    details: { measureId: row.id, kind: row.kind, reason: row.reason, words: row.words, until },
  });
}

type Questions = Pick<
  Moderation,
  'isBanned' | 'hasBans' | 'isSuspended' | 'isStopped' | 'assertMayTalk' | 'assertNotBanned' | 'assertWords'
  | 'standingOf'
>;

function createQuestions(parts: Parts): Questions {
  const { inForce, platform: { clock } } = parts;
  const holding = (row: MeasureRow | null | undefined): MeasureRow | null => (
    row && isInForce(row, clock.now()) ? row : null
  );

  async function banOf(shopId: string, actor: Actor): Promise<MeasureRow | null> {
    const { bans } = await inForce.ofShop(shopId);
    if (bans.size === 0) return null;
    for (const name of namesOf(actor)) {
      const ban = holding(bans.get(name));
      if (ban !== null) return ban;
    }
    return null;
  }

  async function silenceOf(actor: Actor, show: { id: string; shopId: string }): Promise<MeasureRow | null> {
    if (actor.kind === 'guest') return null;
    const [{ mutes }, talk] = await Promise.all([inForce.ofShop(show.shopId), inForce.ofTalk()]);
    return holding(talk.get(actor.personId)) ?? holding(mutes.get(muteKey(show.id, actor.personId)));
  }

  async function assertNotBanned(shopId: string, actor: Actor): Promise<void> {
    const ban = await banOf(shopId, actor);
    if (ban !== null) throw refuse('moderation.banned', ban);
  }

  return {
    assertNotBanned,
    isBanned: async (shopId, actor) => (await banOf(shopId, actor)) !== null,
    hasBans: async (shopId) => [...(await inForce.ofShop(shopId)).bans.values()].some((row) => holding(row) !== null),
    isStopped: async (showId) => (await store.endOf(parts.platform.database.db, showId))?.lifted_at === null,
    isSuspended: async (shopId) => holding((await inForce.ofShop(shopId)).live) !== null,
    async assertMayTalk(actor, show) {
      await assertNotBanned(show.shopId, actor);
      const silence = await silenceOf(actor, show);
      if (silence !== null) throw refuse('moderation.muted', silence);
    },
    async assertWords(shopId, text) {
      if ((await inForce.ofShop(shopId)).hasWord(text)) throw new Refusal('chat.word');
    },
    async standingOf(actor, show) {
      const row = (await banOf(show.shopId, actor)) ?? (await silenceOf(actor, show));
      if (row === null) return null;
      // Whoever shares the browser with a banned person is not told what that person wrote.
      const isTheirs = actor.kind === 'person' && actor.personId === row.person_id;
      const [view] = await measureViews(parts, [isTheirs ? row : { ...row, text: null, words: '' }]);
      return view ?? null;
    },
  };
}

async function take(parts: Parts, actor: PersonActor, showId: string, input: MeasureCreate): Promise<OfficeMeasure> {
  const { database, clock } = parts.platform;
  const show = await parts.shows.brief(actor, showId);
  if (!show.mayModerate) throw new Refusal(show.isMember ? 'shops.not_allowed' : 'shops.not_a_member');
  const words = readWords(input.reason, input.words);
  const name = (await parts.namesOf([input.personId])).get(input.personId);
  const { messageId } = input;
  const message = messageId === undefined ? null : await parts.talk.find(showId, messageId);
  const isOthers = message !== null && message.personId !== input.personId;
  if (name === undefined || isOthers || (messageId !== undefined && message === null)) {
    throw new Refusal('moderation.not_found');
  }
  if (await parts.shops.isMember(input.personId, show.shopId)) throw new Refusal('moderation.on_team');
  const until = input.minutes === null ? null : new Date(clock.now().getTime() + input.minutes * MINUTE_MS);
  const openShowIds = await parts.shows.openOf(show.shopId);
  const row = await database.transaction(async (tx) => {
    await store.lockFor(tx, show.shopId);
    const open = await store.openOfShop(tx, show.shopId, openShowIds, clock.now());
    const before = open.filter((other) => other.kind === input.kind && other.person_id === input.personId
      && other.decided_as === 'shop' && (input.kind === 'ban' || other.show_id === showId));
    if (open.length - before.length >= IN_FORCE_MAX) throw new Refusal('moderation.too_many');
    const by = deciderOf(actor, 'shop');
    // The new one takes the place of the one before.
    for (const { id } of before) await liftMeasure(parts, tx, by, id, '');
    if (messageId !== undefined) await store.markShopActed(tx, messageId, clock.now());
    return takeMeasure(parts, tx, by, {
      kind: input.kind, person: { id: input.personId, name }, shopId: show.shopId, showId,
      messageId: messageId ?? null, text: message?.text ?? null, reason: input.reason, words, until,
    });
  });
  const [view] = await officeViews(parts, [row]);
  if (view === undefined) throw new Error('a measure without a view');
  return view;
}

async function noteRemoval(
  parts: Parts, tx: Tx, actor: PersonActor, of: Parameters<Moderation['noteRemoval']>[2],
): Promise<void> {
  const { message, why } = of;
  const reason: ModerationReason = why.reason ?? 'other';
  await takeMeasure(parts, tx, deciderOf(actor, 'shop'), {
    kind: 'removal', person: { id: message.personId, name: message.name }, shopId: of.shopId, showId: of.showId,
    messageId: message.id, text: message.text, reason, words: why.words?.trim() ?? '', until: null,
  });
  await store.markShopActed(tx, message.id, parts.platform.clock.now());
}

async function officeViews(parts: Parts, rows: readonly MeasureRow[]): Promise<OfficeMeasure[]> {
  const [refs, names] = await Promise.all([
    refsOf(parts, rows), parts.namesOf(rows.flatMap((row) => row.decided_by ?? [])),
  ]);
  return rows.map((row) => officeView(row, refs, names));
}

async function list(
  parts: Parts, personId: string, shopId: string, query: MeasureQuery,
): Promise<Page<OfficeMeasure>> {
  await parts.shops.assertMay(personId, shopId, 'talk.moderate');
  const { database, clock } = parts.platform;
  const limit = query.limit ?? PAGE_LIMIT_DEFAULT;
  const inForce = query.inForce === true ? { at: clock.now(), openShowIds: await parts.shows.openOf(shopId) } : null;
  const of = { shopId, showId: query.showId, inForce };
  const rows = await store.measuresOf(database.db, of, readCursor(query.cursor), limit + 1);
  const views = new Map((await officeViews(parts, rows)).map((view) => [view.id, view]));
  return pageOf(rows, limit, (row) => ({ at: row.created_at, id: row.id }), (row) => {
    const view = views.get(row.id);
    if (view === undefined) throw new Error(`measure ${row.id} has no view`);
    return view;
  });
}

async function lift(parts: Parts, actor: PersonActor, measureId: string): Promise<void> {
  const { database } = parts.platform;
  const row = await store.measureById(database.db, measureId);
  if (row === undefined) throw new Refusal('moderation.not_found');
  if (!actor.isOperator) {
    // What the operator decided is not the shop's to lift, and no stranger's to know of.
    if (row.shop_id === null || row.decided_as === 'operator') throw new Refusal('moderation.not_found');
    await parts.shops.assertMay(actor.personId, row.shop_id, 'talk.moderate');
  }
  const by = deciderOf(actor, actor.isOperator ? 'operator' : 'shop');
  await database.transaction((tx) => liftMeasure(parts, tx, by, measureId, ''));
}

async function setWords(
  parts: Parts, personId: string, shopId: string, words: readonly string[],
): Promise<string[]> {
  await parts.shops.assertMay(personId, shopId, 'shop.change');
  const kept = readWordList(words);
  if (kept === null) throw new Refusal('moderation.word_list');
  const { database, clock } = parts.platform;
  await database.transaction((tx) => store.writeWords(tx, shopId, kept, clock.now()));
  parts.inForce.changed(shopId);
  return kept;
}

