/** What chat says over the bus after a commit: at most once. */

/** Bus topic `chat.said`: a message was kept, the host's own included. */
export interface Said {
  showId: string;
}

export const SAID_TOPIC = 'chat.said';
