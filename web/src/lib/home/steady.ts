/** Lists that renew themselves without moving what somebody is about to tap. */

/**
 * Pure. While the list is held, what is there keeps its place (with what is new about it), what has gone stays, and
 * what is new comes at the end; else the fresh list as it is.
 */
export function steady<T extends { id: string }>(shown: readonly T[], fresh: readonly T[], held: boolean): T[] {
  if (!held) return [...fresh];
  const now = new Map(fresh.map((item) => [item.id, item]));
  const there = new Set(shown.map(({ id }) => id));
  return [...shown.map((item) => now.get(item.id) ?? item), ...fresh.filter(({ id }) => !there.has(id))];
}

// A thumb that has just scrolled is about to tap. Shorter moves things under it, longer keeps old things in front.
const touchedForMs = 15_000;

/** Whether somebody points at the element, has the focus in it, or has touched it a moment ago. */
export function createHold() {
  let touchedMs = Number.NEGATIVE_INFINITY;
  return {
    touched() {
      touchedMs = performance.now();
    },
    isHeld(element: Element | undefined): boolean {
      if (element === undefined) return false;
      const isNear = element.matches(':hover') || element.contains(document.activeElement);
      return isNear || performance.now() - touchedMs < touchedForMs;
    },
  };
}
