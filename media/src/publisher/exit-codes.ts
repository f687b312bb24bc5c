/** How the publisher's process ends, for those who start it. Apart from `main.ts`, which runs when it is imported. */

/** The server refused the stream key: another try needs another key. */
export const EXIT_KEY_REFUSED = 3;
