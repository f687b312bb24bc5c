/**
 * The order of shows that are live, as docs/ranking.md publishes it. Pure: the same shows and the same turn give the
 * same order. It knows nothing of who asks, and nothing that could be paid for.
 */

/** Every third place is a newcomer's. Smaller hides what most came for, larger leaves a new shop unseen. */
export const NEWCOMER_PLACE = 3;
/** A shop is new while the highest counts of viewers of all its shows add up to less than this. */
export const NEWCOMER_VIEWERS = 100;

export interface LiveShow {
  id: string;
  viewers: number;
  wentLiveAt: Date;
  /** The host's picture is away at the moment. */
  isInterrupted: boolean;
  isNewcomer: boolean;
}

/** With a picture before without, then by viewers, then the latest begun. */
export function byWish(a: LiveShow, b: LiveShow): number {
  return Number(a.isInterrupted) - Number(b.isInterrupted)
    || b.viewers - a.viewers
    || b.wentLiveAt.getTime() - a.wentLiveAt.getTime()
    || (a.id < b.id ? 1 : -1);
}

/**
 * Every show once: by wish, but every third place goes to the next newcomer in turn that has no place yet.
 * @param turn any whole number from 0; which newcomer is the first in the circle
 */
export function rank<Show extends LiveShow>(shows: readonly Show[], turn: number): Show[] {
  const wished = shows.toSorted(byWish);
  const circle = shows.filter((show) => show.isNewcomer && !show.isInterrupted)
    .toSorted((a, b) => lot(a.id) - lot(b.id) || (a.id < b.id ? -1 : 1));
  const start = circle.length === 0 ? 0 : turn % circle.length;
  const queues = { wished, newcomers: [...circle.slice(start), ...circle.slice(0, start)] };
  const at = { wished: 0, newcomers: 0 };
  const placed = new Set<string>();
  const next = (queue: keyof typeof queues): Show | undefined => {
    while (placed.has(queues[queue][at[queue]]?.id ?? '')) at[queue] += 1;
    return queues[queue][at[queue]];
  };
  const ranked: Show[] = [];
  while (ranked.length < shows.length) {
    const isTheirs = (ranked.length + 1) % NEWCOMER_PLACE === 0;
    const show = (isTheirs ? next('newcomers') : undefined) ?? next('wished');
    if (show === undefined) throw new Error('a show stands twice in the list to be ranked');
    placed.add(show.id);
    ranked.push(show);
  }
  return ranked;
}

/** Ids tell when a show was made; in the circle that must not matter (FNV-1a, 32 bits). */
function lot(id: string): number {
  let hash = 0x811c9dc5;
  for (const sign of id) hash = Math.imul(hash ^ (sign.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash;
}
