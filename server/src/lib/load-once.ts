/** Values that are loaded when they are first asked for and kept until they are told to have changed. */
import { LRUCache } from 'lru-cache';

export interface LoadOnce<Value> {
  /** The same answer for all who ask; one that failed is asked for again the next time. */
  of(key: string): Promise<Value>;
  /** What is asked for from now on is loaded anew; an answer on its way is not kept. */
  forget(key: string): void;
}

/** @param max keys that are kept; those asked for longest ago go */
export function createLoadOnce<Value>(max: number, load: (key: string) => Promise<Value>): LoadOnce<Value> {
  const known = new LRUCache<string, Promise<Value>>({ max });
  return {
    of(key) {
      const found = known.get(key);
      if (found !== undefined) return found;
      const loading = load(key);
      known.set(key, loading);
      loading.catch(() => {
        if (known.get(key) === loading) known.delete(key);
      });
      return loading;
    },
    forget: (key) => void known.delete(key),
  };
}
