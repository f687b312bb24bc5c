/**
 * What a page of the office shows while it loads, when it has, and when it could not: the first load may fail with a
 * way on; a later one that fails keeps what is shown.
 */
export interface Resource<T> {
  /** Null until the first load has succeeded. */
  readonly data: T | null;
  readonly loading: boolean;
  /** Of the last load; null when it succeeded. */
  readonly error: unknown;
  load: () => Promise<void>;
  /** Puts in what an action has answered. */
  set: (data: T) => void;
}

/** An answer that was overtaken by a later `load` or `set` is dropped. */
export function createResource<T>(fetchData: () => Promise<T>): Resource<T> {
  let data = $state.raw<T | null>(null);
  let loading = $state(true);
  let error = $state.raw<unknown>(null);
  let turn = 0;

  return {
    get data() {
      return data;
    },
    get loading() {
      return loading;
    },
    get error() {
      return error;
    },
    async load() {
      const mine = ++turn;
      loading = true;
      try {
        const answer = await fetchData();
        if (mine !== turn) return;
        data = answer;
        error = null;
      } catch (problem) {
        if (mine === turn) error = problem;
      } finally {
        if (mine === turn) loading = false;
      }
    },
    set(next) {
      turn += 1;
      data = next;
      error = null;
      loading = false;
    },
  };
}
