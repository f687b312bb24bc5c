/** The life of a show as a table, and what may be done in each state. Pure. */
import type { ShowPatch, ShowState } from '@nacre/contract/shows';

export type ShowStep =
  /** The host's picture arrives. */
  | 'picture-up'
  /** The host's picture is gone. */
  | 'picture-down'
  /** The server starts: whoever was live has no picture any more. */
  | 'server-started'
  /** The host did not come back within `AWAY_MAX_MS`. */
  | 'stayed-away'
  | 'end'
  | 'cancel';

/** A step that is missing is not possible. One that leads to the same state is a repeat and changes nothing. */
const STEPS: Record<ShowState, Partial<Record<ShowStep, ShowState>>> = {
  planned: { 'picture-up': 'live', cancel: 'cancelled' },
  live: { 'picture-up': 'live', 'picture-down': 'interrupted', 'server-started': 'interrupted', end: 'ended' },
  interrupted: {
    'picture-up': 'live', 'picture-down': 'interrupted', 'server-started': 'interrupted', 'stayed-away': 'ended',
    end: 'ended',
  },
  ended: { end: 'ended' },
  cancelled: { cancel: 'cancelled' },
};

/** The state after the step; null when it is not possible. */
export function nextState(state: ShowState, step: ShowStep): ShowState | null {
  return STEPS[state][step] ?? null;
}

/** The room is in full swing: talk, likes, questions, goods on screen. */
export function isRunning(state: ShowState): boolean {
  return state === 'live' || state === 'interrupted';
}

/** Running or still to come: may be published to, its bag may change. */
export function isOpen(state: ShowState): boolean {
  return state === 'planned' || isRunning(state);
}

const EDITABLE: Record<ShowState, ReadonlySet<keyof ShowPatch>> = {
  planned: new Set(['title', 'description', 'language', 'coverImageId', 'startsAt', 'visibility']),
  live: new Set(['title', 'description', 'language', 'coverImageId', 'visibility']),
  interrupted: new Set(['title', 'description', 'language', 'coverImageId', 'visibility']),
  ended: new Set(['title', 'description', 'language', 'coverImageId']),
  cancelled: new Set(),
};

/** Whether the patch is possible. Once people watch, a show can be opened to everybody but not closed. */
export function mayPatch(state: ShowState, patch: ShowPatch): boolean {
  const fields = (Object.keys(patch) as Array<keyof ShowPatch>).filter((field) => patch[field] !== undefined);
  if (fields.some((field) => !EDITABLE[state].has(field))) return false;
  return !(isRunning(state) && patch.visibility === 'private');
}
