/**
 * Who is here, and the sign-in sheet that any part of the page may ask for without leaving it. Provided by the root
 * layout; the person comes with the page's data, so that it is right in the first drawing.
 */
import type { Me, Person } from '@nacre/contract/accounts';
import { getContext, setContext } from 'svelte';

export interface Session {
  readonly person: Person | null;
  readonly shops: Me['shops'];
  /** Whether codes get to telephones from this server. */
  readonly offersPhone: boolean;
  /** True while the sign-in sheet is open. */
  readonly asking: boolean;
  /** Opens the sheet for a guest; true once signed in, false when closed. True at once for a person. */
  askSignIn: () => Promise<boolean>;
  /** For the sheet itself. */
  answer: (signedIn: boolean) => void;
}

const contextKey = Symbol('session');

export function provideSession(me: () => Me): Session {
  let waiting = $state.raw<((signedIn: boolean) => void)[] | null>(null);
  return setContext<Session>(contextKey, {
    get person() {
      return me().person;
    },
    get shops() {
      return me().shops;
    },
    get offersPhone() {
      return me().offersPhone;
    },
    get asking() {
      return waiting !== null;
    },
    askSignIn() {
      if (me().person) return Promise.resolve(true);
      return new Promise((resolve) => {
        waiting = [...(waiting ?? []), resolve];
      });
    },
    answer(signedIn) {
      const all = waiting ?? [];
      waiting = null;
      all.forEach((resolve) => resolve(signedIn));
    },
  });
}

export function useSession(): Session {
  return getContext<Session>(contextKey);
}
