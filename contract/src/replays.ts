/** What was kept of a show's picture: the replay, its chapters, and what the shop reads of the recording. */
import { Type, type Static } from 'typebox';
import { Id, Instant, Nullable } from './common.ts';
import { ShowTile } from './shows.ts';
import { REPLAY_TILES_MOST } from './watching.ts';

/**
 * `running`: the show goes on, and what it has been so far can be seen (seeking back); `ready`: it is over and can be
 * seen; `none`: nothing was recorded, or nothing yet; `removed`: there was one.
 */
export const REPLAY_STATES = ['running', 'ready', 'none', 'removed'] as const;

/** Why there is none any more: the shop took it away, or the time was over for which recordings are kept. */
export const REMOVAL_REASONS = ['shop', 'age'] as const;

/** A place in the recording, in ms from its beginning. */
const Place = Type.Integer({ minimum: 0 });

/** Time without a break: a moment of the day `startedAt` + x is the place `fromMs` + x, as long as x < `durationMs`. */
export const ReplayStretch = Type.Object({
  fromMs: Place, startedAt: Instant, durationMs: Type.Integer(),
  /** It came from the shop's own device after the show, and proves nothing. */
  isHealed: Type.Boolean(),
  /** And took the place of what went out. */
  isReplacing: Type.Boolean(),
});
export type ReplayStretch = Static<typeof ReplayStretch>;

/** A time that one product was on screen. `number` in the bag. */
export const ReplayChapter = Type.Object({
  productId: Id,
  number: Nullable(Type.Integer()),
  fromMs: Place,
  toMs: Place,
});
export type ReplayChapter = Static<typeof ReplayChapter>;

/**
 * To be played from `/replay/<showId>/index.m3u8` (HLS: VOD, or EVENT while the show runs; each segment with its
 * EXT-X-PROGRAM-DATE-TIME). Empty lists and 0 unless `running` or `ready`.
 *
 * Where what came from the shop's device took the place of what went out there are two of them: what went out is told
 * of when it is asked for, and is played from `aired.m3u8`. With it an order's moment is what the buyer saw.
 */
export const Replay = Type.Object({
  showId: Id,
  state: Type.Enum(REPLAY_STATES),
  /** There are two: some of what went out gave way. */
  isReplaced: Type.Boolean(),
  durationMs: Type.Integer(),
  /** In order. Between two of them the show was interrupted. */
  stretches: Type.Array(ReplayStretch),
  /** In order; they do not overlap. */
  chapters: Type.Array(ReplayChapter),
  /** Likes given in each minute since the show went live, its first minute first. */
  likesByMinute: Type.Array(Type.Integer()),
  /** Until when it is kept; null unless `ready`. */
  keptUntil: Nullable(Instant),
  /** Null unless `removed`. */
  removedWhy: Nullable(Type.Enum(REMOVAL_REASONS)),
});
export type Replay = Static<typeof Replay>;

/** Without `as`: with what was added afterwards. Where nothing gave way both are the same. */
export const ReplayQuery = Type.Object({ as: Type.Optional(Type.Literal('aired')) });
export type ReplayQuery = Static<typeof ReplayQuery>;

export const RECORDING_FAULTS = [
  'missing', 'length', 'broken', 'no-key', 'picture-time', 'sound-time',
] as const;

/** What was found when the recording was read through. */
export const RecordingReport = Type.Object({
  pictures: Type.Integer(),
  keyPictures: Type.Integer(),
  soundFrames: Type.Integer(),
  /** Breaks that are known: the show was interrupted, or something could not be kept. */
  gaps: Type.Array(Type.Object({
    atMs: Place, missingMs: Type.Integer(), why: Type.Union([Type.Literal('interrupted'), Type.Literal('lost')]),
  })),
  /** Empty: every picture can be shown, in order. `atMs`: where in the recording. */
  faults: Type.Array(Type.Object({ atMs: Place, fault: Type.Enum(RECORDING_FAULTS) })),
});
export type RecordingReport = Static<typeof RecordingReport>;

/** As the shop reads it. */
export const OfficeRecording = Type.Object({
  showId: Id,
  state: Type.Enum(REPLAY_STATES),
  durationMs: Type.Integer(),
  bytes: Type.Integer(),
  keptUntil: Nullable(Instant),
  /** What came from the shop's own device after the show. */
  healed: Type.Object({ parts: Type.Integer(), durationMs: Type.Integer() }),
  /** Null until it has been read through, some time after the show's end. */
  report: Nullable(RecordingReport),
  removedAt: Nullable(Instant),
  removedWhy: Nullable(Type.Enum(REMOVAL_REASONS)),
});
export type OfficeRecording = Static<typeof OfficeRecording>;

/** How far somebody has watched a replay. */
export const WatchedUntil = Type.Object({ positionMs: Place }, { additionalProperties: false });
export type WatchedUntil = Static<typeof WatchedUntil>;
/** Null: not at all, or to the end. */
export const WatchedUntilAnswer = Type.Object({ positionMs: Nullable(Place) });

/** A replay that somebody began and did not finish; its length is the tile's `replayMs`. */
export const Watching = Type.Object({ show: ShowTile, positionMs: Place });
export type Watching = Static<typeof Watching>;
export const WatchingQuery = Type.Object({ shopId: Type.Optional(Id) });
export type WatchingQuery = Static<typeof WatchingQuery>;
/** The latest first, `WATCHING_MOST` at most. */
export const WatchingAnswer = Type.Object({ items: Type.Array(Watching) });

export const ReplayTilesQuery = Type.Object({
  showIds: Type.Array(Id, { minItems: 1, maxItems: REPLAY_TILES_MOST }),
});
/** In the order asked for; shows without a replay for whoever asks are left out. */
export const ReplayTilesAnswer = Type.Object({ items: Type.Array(ShowTile) });
