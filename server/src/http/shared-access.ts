/**
 * Who may fetch the bytes of a thing, asked some thousand times a second and mostly the same: whether it is open to
 * everybody is remembered for a moment, and only where somebody is kept out is each asked about.
 */
import type { IncomingMessage } from 'node:http';
import { LRUCache } from 'lru-cache';

/** What is closed is told at once (`forget`); this bounds what is remembered of things that just ended. */
const rememberMs = 1_000;
const rememberThings = 1_000;

/** Who may: everybody; everybody but some; nobody who is not asked about. */
type Openness = 'all' | 'each' | 'none';

export interface SharedAccess {
  /** `public`: caches may keep it; `private`: none may; null: this one may not, and it looks as if it did not exist. */
  of(id: string, request: IncomingMessage): Promise<'public' | 'private' | null>;
  /** Everybody may, and nobody is kept out. */
  isOpen(id: string): Promise<boolean>;
  /** Who may has changed. */
  forget(id: string): void;
}

export interface SharedAccessDeps {
  /** Whether the sender of this request (its cookies) may. */
  mayFetch(id: string, request: IncomingMessage): Promise<boolean>;
  /** Whether everybody may, now. */
  isPublic(id: string): Promise<boolean>;
  /** Whether somebody is kept out all the same, so that each has to be asked about. */
  hasBans(id: string): Promise<boolean>;
}

export function createSharedAccess(deps: SharedAccessDeps): SharedAccess {
  const openness = new LRUCache<string, Promise<Openness>>({ max: rememberThings, ttl: rememberMs });

  async function ask(id: string): Promise<Openness> {
    if (!(await deps.isPublic(id))) return 'none';
    return (await deps.hasBans(id)) ? 'each' : 'all';
  }

  function opennessOf(id: string): Promise<Openness> {
    const known = openness.get(id);
    if (known !== undefined) return known;
    const open = ask(id);
    openness.set(id, open);
    open.catch(() => openness.delete(id));
    return open;
  }

  return {
    isOpen: async (id) => (await opennessOf(id)) === 'all',
    forget: (id) => void openness.delete(id),
    async of(id, request) {
      const to = await opennessOf(id);
      if (to === 'all') return 'public';
      if (!(await deps.mayFetch(id, request))) return null;
      return to === 'each' ? 'public' : 'private';
    },
  };
}
