/** How much is listed of what somebody began to watch. Apart from the schemas: pages carry these numbers alone. */

/** Replays on one list of those to go on with. */
export const WATCHING_MOST = 6;
/** Shows that may be asked for at once: as many as a browser remembers for a guest. */
export const REPLAY_TILES_MOST = 24;
