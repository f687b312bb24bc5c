/**
 * What was typed and not saved, kept in this browser, so that a closed tab, a sign-in that ran out or an empty battery
 * costs nothing. One entry per person and form; thrown away when saved, discarded, or old.
 */

// Older than this nobody remembers having typed it, and the saved thing has moved on.
const keepMs = 7 * 24 * 3_600_000;
// A product with all its variants is about 20 KB; more is not a form.
const draftMaxLetters = 200_000;

export interface Draft<T> {
  /** Null when there is none, it is old, or it was made from another state of the thing (`basis`). */
  read: () => T | null;
  write: (value: T) => void;
  drop: () => void;
}

/** `basis` changes when the saved thing changes; a draft on another basis is not offered. */
export function createDraft<T>(personId: string, form: string, basis: string): Draft<T> {
  const key = `nacre-draft/${personId}/${form}`;
  const drop = (): void => {
    try {
      localStorage.removeItem(key);
    } catch {
      // No storage in this browser (private windows): then nothing was kept either.
    }
  };
  return {
    read() {
      try {
        const raw = localStorage.getItem(key);
        if (!raw) return null;
        const kept = JSON.parse(raw) as { at: number; basis: string; value: T };
        if (kept.basis === basis && Date.now() - kept.at < keepMs) return kept.value;
      } catch {
        // Unreadable: as good as none.
      }
      drop();
      return null;
    },
    write(value) {
      try {
        const raw = JSON.stringify({ at: Date.now(), basis, value });
        if (raw.length <= draftMaxLetters) localStorage.setItem(key, raw);
      } catch {
        // Storage is full or forbidden: the form itself still holds everything.
      }
    },
    drop,
  };
}
