/**
 * Who is in running shows and what happens there, summed per minute until it is written. Pure: no clock, no database.
 *
 * Invariants: a viewer counts once, however many tabs (presence sees to that); time watched is time in the room while
 * the show runs; time never goes back; what waits is bounded, and what is over the bounds is left out, not the server.
 */
import { AFTER, MINUTE_MS } from './minutes.ts';

/** Running shows that are followed. Fewer leaves some without figures, more is memory for nothing. */
const SHOWS_MAX = 2_000;
/** Viewers known by name, over all shows. Fewer leaves a rush out of time watched; each costs about 200 B. */
const VIEWERS_MAX = 200_000;
/** How long after the end what was under way (likes that waited to be written) still counts for its last minute. */
const GRACE_MS = 5_000;

export type Countable = 'chats' | 'explains' | 'likes' | 'cardsOpened' | 'sheetsOpened';

/** What a minute has grown by, and its heights as they stand. */
export interface MinuteChange {
  showId: string;
  minute: number;
  viewers: number;
  peakViewers: number;
  differentViewers: number;
  watchedMs: number;
  chats: number;
  explains: number;
  likes: number;
  cardsOpened: number;
  sheetsOpened: number;
}

/** A viewer has come, gone, or both. */
export interface VisitMove {
  showId: string;
  /** As `viewerOf` names it. */
  viewer: string;
  firstAtMs: number;
  /** Null: gone. */
  hereSinceMs: number | null;
  /** To be added. */
  watchedMs: number;
}

export interface Taken {
  minutes: MinuteChange[];
  moves: VisitMove[];
}

export interface Tracker {
  /** The show runs since `startMs`, with these viewers in its room now. A repeat changes nothing. */
  run(showId: string, startMs: number, nowMs: number, viewers: readonly string[]): void;
  /** It is over: whoever is there has seen it until now. */
  end(showId: string, nowMs: number): void;
  /** A viewer's first tab. Nothing for a show that does not run. */
  enter(showId: string, viewer: string, nowMs: number): void;
  /** A viewer's last tab is gone. */
  leave(showId: string, viewer: string, nowMs: number): void;
  count(showId: string, what: Countable, count: number, nowMs: number): void;
  /** What waits to be written, up to `most` moves; the rest stays for the next time. */
  take(nowMs: number, most: number): Taken;
  /** Could not be written: waits again. */
  giveBack(taken: Taken): void;
}

interface TrackedShow {
  showId: string;
  startMs: number;
  endMs: number | null;
  /** Who saw the end; null while it runs. */
  atTheEnd: number | null;
  /** Up to here time watched is summed. */
  atMs: number;
  minute: number;
  /** Since when each is here. */
  here: Map<string, number>;
  /** Here, but over what is known by name. */
  nameless: number;
  /** Gone again within this minute: who comes back is not another one. */
  left: Set<string>;
  peak: number;
  different: number;
  changes: Map<number, MinuteChange>;
  moves: Map<string, VisitMove>;
}

export function createTracker(limits: { shows?: number; viewers?: number } = {}): Tracker {
  const showsMax = limits.shows ?? SHOWS_MAX;
  const viewersMax = limits.viewers ?? VIEWERS_MAX;
  const shows = new Map<string, TrackedShow>();
  /** Names held, over all shows: those here and those who moved. */
  let named = 0;

  function noteMove(show: TrackedShow, move: VisitMove): void {
    const waiting = show.moves.get(move.viewer);
    if (waiting === undefined) {
      if (named >= viewersMax * 2) return;
      named += 1;
      show.moves.set(move.viewer, move);
      return;
    }
    waiting.hereSinceMs = move.hereSinceMs;
    waiting.watchedMs += move.watchedMs;
    waiting.firstAtMs = Math.min(waiting.firstAtMs, move.firstAtMs);
  }

  function come(show: TrackedShow, viewer: string): void {
    if (show.here.has(viewer)) return;
    if (named >= viewersMax) show.nameless += 1;
    else {
      named += 1;
      show.here.set(viewer, show.atMs);
      noteMove(show, { showId: show.showId, viewer, firstAtMs: show.atMs, hereSinceMs: show.atMs, watchedMs: 0 });
    }
    if (!show.left.delete(viewer)) show.different += 1;
    show.peak = Math.max(show.peak, sizeOf(show));
    touch(show);
  }

  function go(show: TrackedShow, viewer: string): void {
    const sinceMs = show.here.get(viewer);
    if (sinceMs === undefined) {
      if (show.nameless === 0) return;
      show.nameless -= 1;
    } else {
      show.here.delete(viewer);
      named -= 1;
      noteMove(show, {
        showId: show.showId, viewer, firstAtMs: sinceMs, hereSinceMs: null, watchedMs: show.atMs - sinceMs,
      });
      if (show.left.size < viewersMax) show.left.add(viewer);
    }
    touch(show);
  }

  function followed(showId: string, nowMs: number): TrackedShow | null {
    const show = shows.get(showId);
    if (show === undefined) return null;
    if (show.endMs === null) advance(show, nowMs);
    return show;
  }

  return {
    run(showId, startMs, nowMs, viewers) {
      if (shows.has(showId) || shows.size >= showsMax) return;
      const atMs = Math.max(startMs, nowMs);
      const show: TrackedShow = {
        showId, startMs, endMs: null, atTheEnd: null, atMs, minute: minuteOf(startMs, atMs), here: new Map(),
        nameless: 0, left: new Set(), peak: 0, different: 0, changes: new Map(), moves: new Map(),
      };
      shows.set(showId, show);
      touch(show);
      for (const viewer of viewers) come(show, viewer);
    },
    end(showId, nowMs) {
      const show = followed(showId, nowMs);
      if (show === null || show.endMs !== null) return;
      // The last row keeps how many saw the end.
      show.atTheEnd = sizeOf(show);
      for (const viewer of show.here.keys()) go(show, viewer);
      show.left.clear();
      show.endMs = show.atMs;
    },
    enter(showId, viewer, nowMs) {
      const show = followed(showId, nowMs);
      if (show !== null && show.endMs === null) come(show, viewer);
    },
    leave(showId, viewer, nowMs) {
      const show = followed(showId, nowMs);
      if (show !== null && show.endMs === null) go(show, viewer);
    },
    count(showId, what, count, nowMs) {
      const show = followed(showId, nowMs);
      if (show !== null) changeOf(show)[what] += count;
    },
    take(nowMs, most) {
      const taken: Taken = { minutes: [], moves: [] };
      for (const show of shows.values()) {
        if (show.endMs === null) advance(show, nowMs);
        taken.minutes.push(...show.changes.values());
        show.changes = new Map();
        for (const [viewer, move] of show.moves) {
          if (taken.moves.length >= most) break;
          show.moves.delete(viewer);
          named -= 1;
          taken.moves.push(move);
        }
        if (show.endMs !== null && show.moves.size === 0 && nowMs - show.endMs > GRACE_MS) shows.delete(show.showId);
      }
      return taken;
    },
    giveBack(taken) {
      for (const change of taken.minutes) {
        const show = shows.get(change.showId);
        if (show !== undefined) mergeBack(show, change);
      }
      for (const move of taken.moves) {
        const show = shows.get(move.showId);
        if (show === undefined) continue;
        const later = show.moves.get(move.viewer);
        if (later === undefined) noteMove(show, move);
        else noteMove(show, { ...move, hereSinceMs: later.hereSinceMs });
      }
    },
  };
}

function minuteOf(startMs: number, atMs: number): number {
  return Math.min(AFTER, Math.floor((atMs - startMs) / MINUTE_MS));
}

function sizeOf(show: TrackedShow): number {
  return show.atTheEnd ?? show.here.size + show.nameless;
}

function changeOf(show: TrackedShow): MinuteChange {
  const known = show.changes.get(show.minute);
  if (known !== undefined) return known;
  const change: MinuteChange = {
    showId: show.showId, minute: show.minute, viewers: sizeOf(show), peakViewers: show.peak,
    differentViewers: show.different, watchedMs: 0, chats: 0, explains: 0, likes: 0, cardsOpened: 0, sheetsOpened: 0,
  };
  show.changes.set(show.minute, change);
  return change;
}

/** Brings the heights of the minute that runs up to date. */
function touch(show: TrackedShow): void {
  const change = changeOf(show);
  change.viewers = sizeOf(show);
  change.peakViewers = show.peak;
  change.differentViewers = show.different;
}

/** Sums time watched up to now and closes the minutes that have ended. A clock that went back stands still. */
function advance(show: TrackedShow, nowMs: number): void {
  const toMs = Math.max(show.atMs, nowMs);
  while (show.atMs < toMs) {
    const endsAtMs = show.minute >= AFTER ? toMs : Math.min(toMs, show.startMs + (show.minute + 1) * MINUTE_MS);
    const size = sizeOf(show);
    if (size > 0) {
      touch(show);
      changeOf(show).watchedMs += size * (endsAtMs - show.atMs);
    }
    show.atMs = endsAtMs;
    const minute = minuteOf(show.startMs, endsAtMs);
    if (minute === show.minute) continue;
    show.minute = minute;
    show.left.clear();
    show.peak = size;
    show.different = size;
    if (size > 0) touch(show);
  }
}

function mergeBack(show: TrackedShow, before: MinuteChange): void {
  const now = show.changes.get(before.minute);
  if (now === undefined) {
    show.changes.set(before.minute, before);
    return;
  }
  now.peakViewers = Math.max(now.peakViewers, before.peakViewers);
  now.differentViewers = Math.max(now.differentViewers, before.differentViewers);
  for (const key of ['watchedMs', 'chats', 'explains', 'likes', 'cardsOpened', 'sheetsOpened'] as const) {
    now[key] += before[key];
  }
}
