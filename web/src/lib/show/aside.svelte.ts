/** What the viewer has put aside in this show. A tap shows at once and falls back when it is refused. */
export function createAside(
  initial: readonly string[],
  /** Tells the server; throws when it was not taken. */
  save: (productId: string, isAside: boolean) => Promise<void>,
) {
  const marks = $state<Record<string, boolean>>(Object.fromEntries(initial.map((id) => [id, true])));
  /** Taps are told one after the other, so that the last one holds. */
  let last: Promise<unknown> = Promise.resolve();

  return {
    has: (productId: string) => marks[productId] === true,
    /** Also what was just taken back: its button must not go from under the finger. */
    knows: (productId: string) => productId in marks,
    /** Throws when it was refused. @returns whether it is aside now */
    async toggle(productId: string): Promise<boolean> {
      const isAside = !marks[productId];
      marks[productId] = isAside;
      const told = last.then(() => save(productId, isAside));
      last = told.catch(() => undefined);
      try {
        await told;
      } catch (error) {
        if (marks[productId] === isAside) marks[productId] = !isAside;
        throw error;
      }
      return isAside;
    },
    /** What the server knows of this viewer, who may be another now. */
    take(productIds: readonly string[]): void {
      for (const id of Object.keys(marks)) marks[id] = productIds.includes(id);
      for (const id of productIds) marks[id] = true;
    },
  };
}

export type Aside = ReturnType<typeof createAside>;
