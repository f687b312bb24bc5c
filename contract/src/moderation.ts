/** Keeping the talk in order: measures with their reasons, reports to the operator, appeals. */
import { Type, type Static } from 'typebox';
import { Id, Instant, Nullable, PageQuery } from './common.ts';

/** Why something is reported or a measure taken. The first that fits; `other` needs words. */
export const MODERATION_REASONS = [
  'spam', 'abuse', 'hate', 'sexual', 'danger', 'fraud', 'illegal', 'privacy', 'other',
] as const;
export const ModerationReason = Type.Enum(MODERATION_REASONS);
export type ModerationReason = (typeof MODERATION_REASONS)[number];

/** Characters of the words that go with a reason. */
export const MODERATION_WORDS_MAX = 500;
/** Characters of an appeal. */
export const APPEAL_WORDS_MAX = 1000;
/** Days after a measure in which it can be appealed: six months (DSA, Article 20). */
export const APPEAL_DAYS = 183;

/** Entries of a shop's word list, and characters of one. */
export const WORD_LIST_MAX = 500;
export const WORD_MAX = 40;

/** Seconds between two messages of one viewer; 0 is off. */
export const SLOW_MODES = [0, 5, 15, 30, 60] as const;

const Words = Type.String({ maxLength: MODERATION_WORDS_MAX });

/** How the talk of a show is held. Hosts and moderators are exempt from both. */
export const TalkSetting = Type.Object(
  {
    slowSeconds: Type.Integer({ minimum: 0, maximum: 60, description: 'One of 0 (off), 5, 15, 30, 60' }),
    /** Nobody but hosts and moderators may write. */
    isQuiet: Type.Boolean(),
  },
  { additionalProperties: false },
);
export type TalkSetting = Static<typeof TalkSetting>;

/**
 * `removal` of a message; `mute` in one show; `ban` from all shows of a shop; `talk`: no talk anywhere; `live`: a shop
 * may not go live; `end`: a show was ended. The last three are the operator's.
 */
export const MEASURE_KINDS = ['removal', 'mute', 'ban', 'talk', 'live', 'end'] as const;
export const MeasureKind = Type.Enum(MEASURE_KINDS);
export type MeasureKind = (typeof MEASURE_KINDS)[number];

export const Appeal = Type.Object({
  id: Id,
  words: Type.String(),
  madeAt: Instant,
  state: Type.Enum(['open', 'granted', 'refused']),
  /** What the operator answered. */
  answer: Type.String(),
  decidedAt: Nullable(Instant),
});
export type Appeal = Static<typeof Appeal>;

/** A measure as the one whom it concerns reads it. */
export const Measure = Type.Object({
  id: Id,
  kind: MeasureKind,
  /** Never who in person. */
  decidedBy: Type.Enum(['shop', 'operator']),
  reason: ModerationReason,
  words: Type.String(),
  shop: Nullable(Type.Object({ slug: Type.String(), name: Type.String() })),
  show: Nullable(Type.Object({ id: Id, title: Type.String() })),
  /** The message that it is about, as it was. */
  text: Nullable(Type.String()),
  at: Instant,
  /** Null: a mute until the show ends, anything else for good. */
  until: Nullable(Instant),
  liftedAt: Nullable(Instant),
  /** It holds now: not lifted, not over, and of a mute without a time its show neither. An `end` has happened. */
  isInForce: Type.Boolean(),
  appeal: Nullable(Appeal),
  appealUntil: Instant,
});
export type Measure = Static<typeof Measure>;

/** A measure as the shop's moderators have it. */
export const OfficeMeasure = Type.Object({
  ...Measure.properties,
  personId: Nullable(Id),
  /** Of whom it concerns, as they were called then. */
  name: Type.String(),
  /** Name of whoever decided; of an operator nothing. */
  by: Type.String(),
  /** When the message was said that it is about: the moment of its show's video. */
  saidAt: Nullable(Instant),
});
export type OfficeMeasure = Static<typeof OfficeMeasure>;

export const MeasureCreate = Type.Object(
  {
    kind: Type.Enum(['mute', 'ban']),
    personId: Id,
    /** The message that gave rise to it, of this show; its text is kept. */
    messageId: Type.Optional(Id),
    reason: ModerationReason,
    words: Words,
    /** Null: a mute until the show ends, a ban for good. */
    minutes: Nullable(Type.Integer({ minimum: 1, maximum: 525_600 })),
  },
  { additionalProperties: false },
);
export type MeasureCreate = Static<typeof MeasureCreate>;

/** Why a message is removed; without it the reason is `other`. */
export const RemovalQuery = Type.Object(
  { reason: Type.Optional(ModerationReason), words: Type.Optional(Words) },
  { additionalProperties: false },
);
export type RemovalQuery = Static<typeof RemovalQuery>;

export const MeasureQuery = Type.Object(
  { ...PageQuery.properties, showId: Type.Optional(Id), inForce: Type.Optional(Type.Boolean()) },
  { additionalProperties: false },
);
export type MeasureQuery = Static<typeof MeasureQuery>;

/** What the one who asks may do in the talk of a show. */
export const Standing = Type.Object({
  mayModerate: Type.Boolean(),
  /** The measure that keeps them from writing (mute, talk) or from the room (ban); null when there is none. */
  measure: Nullable(Measure),
  talk: TalkSetting,
});
export type Standing = Static<typeof Standing>;

export const WordList = Type.Object(
  // Length and number are the module's rule, with its own refusal; these only bound the body.
  { words: Type.Array(Type.String({ maxLength: 200 }), { maxItems: 1000 }) },
  { additionalProperties: false },
);
export type WordList = Static<typeof WordList>;

/** A sentence held against the shop's list. */
export const WordTest = Type.Object({ text: Type.String({ maxLength: 1000 }) }, { additionalProperties: false });
export type WordTest = Static<typeof WordTest>;

export const WordTestResult = Type.Object({ isRefused: Type.Boolean() });
export type WordTestResult = Static<typeof WordTestResult>;

// ---- reports ------------------------------------------------------------------------------------------------------

export const REPORT_KINDS = ['message', 'show', 'product', 'shop'] as const;
export const ReportKind = Type.Enum(REPORT_KINDS);
export type ReportKind = (typeof REPORT_KINDS)[number];

export const ReportCreate = Type.Object(
  { kind: ReportKind, id: Id, reason: ModerationReason, words: Words },
  { additionalProperties: false },
);
export type ReportCreate = Static<typeof ReportCreate>;

/** What an operator can do about a report. */
export const REPORT_ACTIONS = ['nothing', 'removal', 'end', 'talk', 'live'] as const;
export const ReportAction = Type.Enum(REPORT_ACTIONS);
export type ReportAction = (typeof REPORT_ACTIONS)[number];

/** A report as the one who made it reads it. */
export const Report = Type.Object({
  id: Id,
  kind: ReportKind,
  /** What was reported, as it was: the message's text, the title, the shop's name. */
  title: Type.String(),
  reason: ModerationReason,
  words: Type.String(),
  madeAt: Instant,
  /** The shop removed the message before the operator decided. */
  shopActedAt: Nullable(Instant),
  decidedAt: Nullable(Instant),
  action: Nullable(ReportAction),
  answer: Type.String(),
});
export type Report = Static<typeof Report>;

/** A line of the talk around a reported message. */
export const ReportedLine = Type.Object({
  name: Type.String(), text: Type.String(), sentAt: Instant, isReported: Type.Boolean(),
});
export type ReportedLine = Static<typeof ReportedLine>;

/** A report as the operator has it. */
export const ReportCase = Type.Object({
  ...Report.properties,
  /** Of what was reported. */
  thingId: Id,
  reporter: Type.String(),
  /** Of whoever wrote the message. */
  author: Nullable(Type.Object({ personId: Id, name: Type.String() })),
  shop: Type.Object({ id: Id, slug: Type.String(), name: Type.String() }),
  show: Nullable(Type.Object({ id: Id, title: Type.String() })),
  lines: Type.Array(ReportedLine),
  /** About somebody's safety: stands first. */
  isUrgent: Type.Boolean(),
});
export type ReportCase = Static<typeof ReportCase>;

/** A report as the shop's moderators have it. `reporter` is empty: who reported is the operator's to know. */
export const ShopReport = Type.Object({
  ...ReportCase.properties,
  /** The author works in the shop now: their message can be removed, they can be neither muted nor banned. */
  isOfTeam: Type.Boolean(),
});
export type ShopReport = Static<typeof ShopReport>;

export const CaseQuery = Type.Object(
  { ...PageQuery.properties, state: Type.Optional(Type.Enum(['open', 'decided'])) },
  { additionalProperties: false },
);
export type CaseQuery = Static<typeof CaseQuery>;

export const ReportDecision = Type.Object(
  {
    action: ReportAction,
    reason: ModerationReason,
    /** Told to the reporter and to whom the measure concerns. */
    words: Words,
    /** Of `talk` and `live`; null for good. */
    days: Nullable(Type.Integer({ minimum: 1, maximum: 3650 })),
  },
  { additionalProperties: false },
);
export type ReportDecision = Static<typeof ReportDecision>;

/** Why an operator ends a show that nobody has reported. */
export const ShowEnd = Type.Object({ reason: ModerationReason, words: Words }, { additionalProperties: false });
export type ShowEnd = Static<typeof ShowEnd>;

// ---- appeals and the log ------------------------------------------------------------------------------------------

export const AppealCreate = Type.Object(
  { words: Type.String({ minLength: 1, maxLength: APPEAL_WORDS_MAX, pattern: '\\S' }) },
  { additionalProperties: false },
);
export type AppealCreate = Static<typeof AppealCreate>;

export const AppealCase = Type.Object({ id: Id, appeal: Appeal, appellant: Type.String(), measure: OfficeMeasure });
export type AppealCase = Static<typeof AppealCase>;

export const AppealDecision = Type.Object(
  { grant: Type.Boolean(), words: Words },
  { additionalProperties: false },
);
export type AppealDecision = Static<typeof AppealDecision>;

/** One line of the log, which is never changed. */
export const LoggedDecision = Type.Object({
  id: Id,
  at: Instant,
  by: Type.String(),
  as: Type.Enum(['shop', 'operator']),
  /** `measure`, `lifted`, `report-decided`, `appeal-granted`, `appeal-refused`. */
  what: Type.String(),
  kind: Nullable(Type.String({ description: 'Kind of the measure, or the action on a report' })),
  subject: Type.String(),
  reason: Nullable(ModerationReason),
  words: Type.String(),
});
export type LoggedDecision = Static<typeof LoggedDecision>;
