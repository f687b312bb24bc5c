/** Measures, reports and appeals as they cross the wire. Pure. */
import {
  APPEAL_DAYS, type Appeal, type LoggedDecision, type Measure, type MeasureKind, type ModerationReason,
  type OfficeMeasure, type Report, type ReportAction, type ReportCase, type ReportedLine, type ReportKind,
} from '@nacre/contract/moderation';
import { isInForce } from './in-force.ts';
import type { AppealRow, DecisionRow, MeasureRow, ReportRow } from './store.ts';

const DAY_MS = 24 * 3600 * 1000;

export interface Refs {
  shops: ReadonlyMap<string, { slug: string; name: string }>;
  titles: ReadonlyMap<string, string>;
  appeals: ReadonlyMap<string, AppealRow>;
  /** Of shows of the shops that the measures are about: those that are not over. */
  openShowIds: ReadonlySet<string>;
  /** When messages were said, by their ids. */
  saidAt: ReadonlyMap<string, Date>;
  at: Date;
}

export function appealUntil(row: Pick<MeasureRow, 'created_at'>): Date {
  return new Date(row.created_at.getTime() + APPEAL_DAYS * DAY_MS);
}

export function appealView(row: AppealRow): Appeal {
  return {
    id: row.id, words: row.words, madeAt: row.created_at.toISOString(), state: row.state as Appeal['state'],
    answer: row.answer, decidedAt: row.decided_at?.toISOString() ?? null,
  };
}

export function measureView(row: MeasureRow, refs: Refs): Measure {
  const shop = row.shop_id === null ? undefined : refs.shops.get(row.shop_id);
  const appeal = refs.appeals.get(row.id);
  return {
    id: row.id,
    kind: row.kind as MeasureKind,
    decidedBy: row.decided_as as Measure['decidedBy'],
    reason: row.reason as ModerationReason,
    words: row.words,
    shop: shop === undefined ? null : { slug: shop.slug, name: shop.name },
    show: row.show_id === null ? null : { id: row.show_id, title: refs.titles.get(row.show_id) ?? '' },
    text: row.text,
    at: row.created_at.toISOString(),
    until: row.until?.toISOString() ?? null,
    liftedAt: row.lifted_at?.toISOString() ?? null,
    isInForce: holds(row, refs),
    appeal: appeal === undefined ? null : appealView(appeal),
    appealUntil: appealUntil(row).toISOString(),
  };
}

function holds(row: MeasureRow, { at, openShowIds }: Refs): boolean {
  if (row.kind === 'end') return false;
  const isOver = row.kind === 'mute' && !openShowIds.has(row.show_id ?? '');
  return isInForce(row, at) && !isOver;
}

export function officeView(row: MeasureRow, refs: Refs, names: ReadonlyMap<string, string>): OfficeMeasure {
  const isShops = row.decided_as === 'shop' && row.decided_by !== null;
  return {
    ...measureView(row, refs),
    personId: row.person_id,
    name: row.name,
    by: isShops ? names.get(row.decided_by ?? '') ?? '' : '',
    saidAt: refs.saidAt.get(row.message_id ?? '')?.toISOString() ?? null,
  };
}

export function reportView(row: ReportRow): Report {
  return {
    id: row.id, kind: row.kind as ReportKind, title: row.title, reason: row.reason as ModerationReason,
    words: row.words, madeAt: row.created_at.toISOString(), shopActedAt: row.shop_acted_at?.toISOString() ?? null,
    decidedAt: row.decided_at?.toISOString() ?? null, action: row.action as ReportAction | null, answer: row.answer,
  };
}

export function caseView(row: ReportRow): ReportCase {
  return {
    ...reportView(row),
    thingId: row.thing_id,
    reporter: row.reporter_name,
    author: row.author_id === null ? null : { personId: row.author_id, name: row.author_name ?? '' },
    shop: { id: row.shop_id, slug: row.shop_slug, name: row.shop_name },
    show: row.show_id === null ? null : { id: row.show_id, title: row.show_title ?? '' },
    lines: row.lines as ReportedLine[],
    isUrgent: row.is_urgent,
  };
}

export function decisionView(row: DecisionRow): LoggedDecision {
  return {
    id: row.id, at: row.at.toISOString(), by: row.name, as: row.decided_as as LoggedDecision['as'], what: row.what,
    kind: row.kind, subject: row.subject, reason: row.reason as ModerationReason | null, words: row.words,
  };
}
