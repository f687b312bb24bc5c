/**
 * Reports and appeals: what people bring before the operator, and what becomes of it.
 *
 * Invariants: a person reports a thing once and appeals a measure once; each is decided once; what was reported stays
 * as it was; every decision is a line of the log, in the transaction that made it true.
 */
import type { Page, PageQuery } from '@nacre/contract/common';
import type {
  Appeal, AppealCase, AppealDecision, CaseQuery, LoggedDecision, Measure, Report, ReportCase, ReportCreate,
  ReportDecision, ShopReport, ShowEnd,
} from '@nacre/contract/moderation';
import type { PersonActor } from '../http/actor.ts';
import { PAGE_LIMIT_DEFAULT, pageOf, readCursor } from '../lib/cursor.ts';
import { Refusal } from '../lib/refusal.ts';
import type { Tx } from '../platform/database.ts';
import {
  deciderOf, liftMeasure, logDecision, measureViews, readWords, refsOf, takeMeasure, type Decider, type NewMeasure,
  type Parts,
} from './parts.ts';
import * as store from './store.ts';
import type { ReportRow } from './store.ts';
import { appealUntil, appealView, caseView, decisionView, officeView, reportView } from './view.ts';

/** Of one person in a day. Fewer stops who cares, more lets one person bury the queue. */
const REPORTS_PER_DAY = 20;
/** Of the queue and of one's own list; what is decided leaves the queue. */
const SHOWN = 100;
const DAY_MS = 24 * 3600 * 1000;

export interface Cases {
  /**
   * @throws Refusal `moderation.thing_not_found`, `moderation.reported_already`, `moderation.too_many_reports`,
   * `moderation.words_needed`
   */
  report(actor: PersonActor, input: ReportCreate): Promise<Report>;
  /** Newest first, 100 at most. */
  myReports(personId: string): Promise<Report[]>;
  /** Open ones about messages, for the shop's moderators. 100 at most. */
  shopReports(personId: string, shopId: string): Promise<ShopReport[]>;
  /**
   * Once per measure, within six months.
   * @throws Refusal `moderation.not_found`, `moderation.appealed_already`, `moderation.appeal_over`
   */
  appeal(actor: PersonActor, measureId: string, words: string): Promise<Appeal>;

  // ---- the operator; others: `accounts.operator_only`

  /** Open ones: what is about somebody's safety first, then the newest, 100 at most. */
  reports(actor: PersonActor, query: CaseQuery): Promise<Page<ReportCase>>;
  /** @throws Refusal `moderation.not_found`, `moderation.decided_already`, `moderation.not_possible` */
  decideReport(actor: PersonActor, reportId: string, decision: ReportDecision): Promise<ReportCase>;
  /**
   * Ends a show that runs, or calls off a planned one, without a report: a measure that the shop reads. A repeat gives
   * the same measure.
   * @throws Refusal `shows.not_found`, `shows.wrong_state` for one that is over, `moderation.words_needed`
   */
  endShow(actor: PersonActor, showId: string, why: ShowEnd): Promise<Measure>;
  appeals(actor: PersonActor, query: CaseQuery): Promise<Page<AppealCase>>;
  /** Granting lifts the measure. @throws Refusal `moderation.not_found`, `moderation.decided_already` */
  decideAppeal(actor: PersonActor, appealId: string, decision: AppealDecision): Promise<Appeal>;
  /** The log, newest first. */
  decisions(actor: PersonActor, query: PageQuery): Promise<Page<LoggedDecision>>;
}

export function createCases(parts: Parts): Cases {
  const { db } = parts.platform.database;
  return {
    report: (actor, input) => report(parts, actor, input),
    myReports: async (personId) => (await store.reportsBy(db, personId, SHOWN)).map(reportView),
    async shopReports(personId, shopId) {
      await parts.shops.assertMay(personId, shopId, 'talk.moderate');
      const rows = await store.openReports(db, SHOWN, shopId);
      const team = await parts.shops.membersAmong(rows.flatMap((row) => row.author_id ?? []), shopId);
      return rows.map((row) => (
        { ...caseView(row), reporter: '', isOfTeam: row.author_id !== null && team.has(row.author_id) }));
    },
    appeal: (actor, measureId, words) => appeal(parts, actor, measureId, words),
    async reports(actor, query) {
      assertOperator(actor);
      if (query.state !== 'decided') {
        return { items: (await store.openReports(db, SHOWN, null)).map(caseView), next: null };
      }
      const limit = query.limit ?? PAGE_LIMIT_DEFAULT;
      const rows = await store.decidedReports(db, readCursor(query.cursor), limit + 1);
      return pageOf(rows, limit, (row) => ({ at: row.decided_at ?? row.created_at, id: row.id }), caseView);
    },
    decideReport: (actor, reportId, decision) => decideReport(parts, actor, reportId, decision),
    endShow: (actor, showId, why) => endShow(parts, actor, showId, why),
    appeals: (actor, query) => appeals(parts, actor, query),
    decideAppeal: (actor, appealId, decision) => decideAppeal(parts, actor, appealId, decision),
    async decisions(actor, query) {
      assertOperator(actor);
      const limit = query.limit ?? PAGE_LIMIT_DEFAULT;
      const rows = await store.decisions(db, readCursor(query.cursor), limit + 1);
      return pageOf(rows, limit, (row) => ({ at: row.at, id: row.id }), decisionView);
    },
  };
}

/** @throws Refusal `accounts.operator_only` */
function assertOperator(actor: PersonActor): void {
  if (!actor.isOperator) throw new Refusal('accounts.operator_only');
}

async function report(parts: Parts, actor: PersonActor, input: ReportCreate): Promise<Report> {
  const { database, clock, newId } = parts.platform;
  const words = readWords(input.reason, input.words);
  const thing = await parts.thing(actor, input.kind, input.id);
  if (thing === null) throw new Refusal('moderation.thing_not_found');
  const at = clock.now();
  const row: ReportRow = {
    id: newId(), reporter_id: actor.personId, reporter_name: actor.name, kind: input.kind, thing_id: input.id,
    title: thing.title, author_id: thing.author?.personId ?? null, author_name: thing.author?.name ?? null,
    lines: thing.lines, shop_id: thing.shop.id, shop_slug: thing.shop.slug, shop_name: thing.shop.name,
    show_id: thing.show?.id ?? null, show_title: thing.show?.title ?? null, reason: input.reason, words,
    is_urgent: input.reason === 'danger', created_at: at, shop_acted_at: null, decided_at: null, action: null,
    answer: '',
  };
  await database.transaction(async (tx) => {
    await store.lockFor(tx, actor.personId);
    const since = new Date(at.getTime() - DAY_MS);
    const isNew = await store.insertReport(tx, { ...row, lines: JSON.stringify(thing.lines) });
    if (!isNew) throw new Refusal('moderation.reported_already');
    if ((await store.countReportsSince(tx, actor.personId, since)) > REPORTS_PER_DAY) {
      throw new Refusal('moderation.too_many_reports');
    }
  });
  return reportView(row);
}

async function appeal(parts: Parts, actor: PersonActor, measureId: string, words: string): Promise<Appeal> {
  const { database, clock, newId } = parts.platform;
  const measure = await store.measureById(database.db, measureId);
  if (measure === undefined || !(await concerns(parts, actor.personId, measure))) {
    throw new Refusal('moderation.not_found');
  }
  const at = clock.now();
  if (at > appealUntil(measure)) throw new Refusal('moderation.appeal_over');
  const row: store.AppealRow = {
    id: newId(), measure_id: measureId, person_id: actor.personId, name: actor.name, words: words.trim(),
    created_at: at, state: 'open', answer: '', decided_at: null,
  };
  const isNew = await database.transaction((tx) => store.insertAppeal(tx, row));
  if (!isNew) throw new Refusal('moderation.appealed_already');
  return appealView(row);
}

async function concerns(parts: Parts, personId: string, measure: store.MeasureRow): Promise<boolean> {
  if (measure.person_id !== null) return measure.person_id === personId;
  return (await parts.shops.answersFor(personId)).includes(measure.shop_id ?? '');
}

/** The measure that a decision takes; null for none. @throws Refusal `moderation.not_possible` */
function measureOf(row: ReportRow, decision: ReportDecision, words: string, at: Date): NewMeasure | null {
  const until = decision.days === null ? null : new Date(at.getTime() + decision.days * DAY_MS);
  const common = { messageId: null, text: null, reason: decision.reason, words };
  const author = row.author_id === null ? null : { id: row.author_id, name: row.author_name ?? '' };
  const isMessage = row.kind === 'message' && author !== null;
  switch (decision.action) {
    case 'nothing':
      return null;
    case 'removal':
      if (!isMessage) throw new Refusal('moderation.not_possible');
      return {
        ...common, kind: 'removal', person: author, shopId: row.shop_id, showId: row.show_id,
        messageId: row.thing_id, text: row.title, until: null,
      };
    case 'talk':
      if (!isMessage) throw new Refusal('moderation.not_possible');
      return {
        ...common, kind: 'talk', person: author, shopId: row.shop_id, showId: row.show_id,
        messageId: row.thing_id, text: row.title, until,
      };
    case 'end':
      if (row.show_id === null) throw new Refusal('moderation.not_possible');
      return { ...common, kind: 'end', person: null, shopId: row.shop_id, showId: row.show_id, until: null };
    case 'live':
      return { ...common, kind: 'live', person: null, shopId: row.shop_id, showId: null, until };
  }
}

async function decideReport(
  parts: Parts, actor: PersonActor, reportId: string, decision: ReportDecision,
): Promise<ReportCase> {
  assertOperator(actor);
  const { database, clock } = parts.platform;
  const words = decision.action === 'nothing' ? decision.words.trim() : readWords(decision.reason, decision.words);
  const decided = await database.transaction(async (tx) => {
    const row = await store.lockReport(tx, reportId);
    if (row === undefined) throw new Refusal('moderation.not_found');
    if (row.decided_at !== null) throw new Refusal('moderation.decided_already');
    const at = clock.now();
    const by = deciderOf(actor, 'operator');
    const made = measureOf(row, decision, words, at);
    const measure = made === null ? null : await act(parts, tx, by, made);
    const after = await store.decideReport(tx, reportId, { action: decision.action, answer: words, decided_at: at });
    await logDecision(parts, tx, by, {
      what: 'report-decided', kind: decision.action, subject: row.thing_id, reason: decision.reason, words,
      shop_id: row.shop_id, measure_id: measure, report_id: reportId,
    });
    return after;
  });
  // After the commit, and again at a repeat of the show's own: a show that is over stays so.
  if (decision.action === 'end' && decided.show_id !== null) await parts.shows.stop(decided.show_id);
  if (decision.action === 'live') await parts.shows.stopAllOf(decided.shop_id);
  return caseView(decided);
}

async function endShow(parts: Parts, actor: PersonActor, showId: string, why: ShowEnd): Promise<Measure> {
  assertOperator(actor);
  const words = readWords(why.reason, why.words);
  const { shopId, isOpen } = await parts.shows.brief(actor, showId);
  const row = await parts.platform.database.transaction(async (tx) => {
    await store.lockFor(tx, showId);
    const before = await store.endOf(tx, showId);
    if (before !== undefined) return before;
    if (!isOpen) throw new Refusal('shows.wrong_state');
    return takeMeasure(parts, tx, deciderOf(actor, 'operator'), {
      kind: 'end', person: null, shopId, showId, messageId: null, text: null, reason: why.reason, words, until: null,
    });
  });
  // Also at a repeat: the first time may have been cut short between the commit and this.
  await parts.shows.stop(showId);
  const [view] = await measureViews(parts, [row]);
  if (view === undefined) throw new Error('a measure without a view');
  return view;
}

/** @returns the measure's id; of a message that is removed already, null */
async function act(parts: Parts, tx: Tx, by: Decider, made: NewMeasure): Promise<string | null> {
  if (made.kind === 'removal' && made.messageId !== null) {
    if ((await store.removalOf(tx, made.messageId)) !== undefined) return null;
    await parts.talk.remove(tx, made.messageId, by.personId);
  }
  return (await takeMeasure(parts, tx, by, made)).id;
}

async function appeals(parts: Parts, actor: PersonActor, query: CaseQuery): Promise<Page<AppealCase>> {
  assertOperator(actor);
  const { database } = parts.platform;
  const limit = query.limit ?? PAGE_LIMIT_DEFAULT;
  const rows = await store.appeals(database.db, query.state !== 'decided', readCursor(query.cursor), limit + 1);
  const measures = await store.measuresById(database.db, rows.map((row) => row.measure_id));
  const all = [...measures.values()];
  const [refs, names] = await Promise.all([
    refsOf(parts, all), parts.namesOf(all.flatMap((measure) => measure.decided_by ?? [])),
  ]);
  return pageOf(rows, limit, (row) => ({ at: row.created_at, id: row.id }), (row) => {
    const measure = measures.get(row.measure_id);
    if (measure === undefined) throw new Error(`appeal ${row.id} has no measure`);
    return {
      id: row.id, appeal: appealView(row), appellant: row.name,
      measure: officeView(measure, refs, names),
    };
  });
}

async function decideAppeal(
  parts: Parts, actor: PersonActor, appealId: string, decision: AppealDecision,
): Promise<Appeal> {
  assertOperator(actor);
  const { database, clock } = parts.platform;
  const words = decision.words.trim();
  const decided = await database.transaction(async (tx) => {
    const at = clock.now();
    const state = decision.grant ? 'granted' : 'refused';
    const row = await store.decideAppeal(tx, appealId, { state, answer: words, decided_at: at });
    if (row === undefined) return null;
    const by = deciderOf(actor, 'operator');
    if (decision.grant) await liftMeasure(parts, tx, by, row.measure_id, words);
    await logDecision(parts, tx, by, {
      what: `appeal-${state}`, kind: null, subject: row.person_id, reason: null, words, measure_id: row.measure_id,
      appeal_id: row.id,
    });
    return row;
  });
  if (decided !== null) return appealView(decided);
  const isThere = (await store.appealById(database.db, appealId)) !== undefined;
  throw new Refusal(isThere ? 'moderation.decided_already' : 'moderation.not_found');
}
