/** What accounts say over the bus after a commit: at most once, to every process. */

/** Bus topic `accounts.signed-out`. `sessionId` null: everywhere. Sockets of the session are to be closed. */
export interface SignedOut {
  personId: string;
  sessionId: string | null;
}

/** Bus topic `accounts.changed`: name, language, time zone or rights of a person are others now. */
export interface PersonChanged {
  personId: string;
}

export const SIGNED_OUT_TOPIC = 'accounts.signed-out';
export const PERSON_CHANGED_TOPIC = 'accounts.changed';
