/**
 * What a page sees of the live player. `createPlayer(options)` in `player.ts` makes one.
 *
 * The player shows the picture of one show in a `<video>` element of the page, keeps itself near the live edge, comes
 * back by itself after any loss, and tells the page what to say. It draws nothing and holds no text.
 */

import type { LiveRendition } from '@nacre/contract/live';

export type PlayerState =
  /** Opening the socket, or the first picture is on its way. */
  | 'connecting'
  | 'playing'
  /** Connected; nobody publishes yet (`reason: 'not-started'`), the publisher was lost (`'interrupted'`). */
  | 'waiting'
  /** The browser refused to play even without sound; one tap must call `resume()`. */
  | 'blocked'
  /** This browser has no Media Source Extensions, or cannot show H.264. Final. */
  | 'unsupported'
  /** The show is over. Final. */
  | 'ended'
  /**
   * No picture for now: `'offline'` and `'unreachable'` mend themselves, the player goes on trying; `'not-open'` is
   * final: the show is not open to this viewer or does not exist.
   */
  | 'error';

export type PlayerReason =
  | 'not-started'
  | 'interrupted'
  | 'offline'
  | 'unreachable'
  | 'not-open'
  | 'no-mse'
  | 'no-codec'
  | null;

export interface PlayerView {
  state: PlayerState;
  reason: PlayerReason;
  /** True while no sound comes out, by the viewer's wish or because the browser wants a tap first. */
  muted: boolean;
  /** Whether the publisher sends sound at all. */
  hasSound: boolean;
  /**
   * What comes now: the whole where nothing else is sent, the small picture while the line does not carry the whole.
   */
  rendition: LiveRendition;
  /** Of the picture, in pixels; 0 before the first one. */
  width: number;
  height: number;
  /**
   * Age of the picture on the screen in ms, counted from its arrival at the server, plus the way from the camera where
   * the server knows it. Null until measured. Refreshed about once a second.
   */
  delayMs: number | null;
}

export interface PlayerStats {
  /** How the picture comes: by the socket, or by HLS where no socket gets through, or there is no MSE or no Opus. */
  transport: 'socket' | 'hls';
  /** From `createPlayer` to the first picture on the screen, in ms; null before. */
  firstPictureMs: number | null;
  delayMs: number | null;
  /** Of `delayMs`, what lies before the server; null while it is unknown and not in it. */
  uplinkMs: number | null;
  /** What lies decoded or undecoded ahead of the screen, in ms. */
  bufferedMs: number;
  playbackRate: number;
  /** Since `createPlayer`; without what the browser's own HLS fetches, which pages are not told. */
  receivedBytes: number;
  /** Pictures shown and dropped, by the browser's count. */
  pictures: number;
  picturesDropped: number;
  /** Times that the player jumped to the live edge because it was far behind or stuck. */
  jumps: number;
  /** Times that the picture stood still because the buffer ran dry. */
  stalls: number;
  reconnects: number;
  /** Messages thrown away because the browser took them too slowly. */
  droppedMessages: number;
  /** Last round trip to the server, in ms; null before the first. */
  roundTripMs: number | null;
}

export interface PlayerOptions {
  /** `playsinline` and `disableRemotePlayback` are set by the player; size and style are the page's. */
  video: HTMLVideoElement;
  /** `/live/<showId>/socket`, or an absolute http(s) or ws(s) URL. */
  url: string;
  /**
   * Try to start with sound. Browsers allow that only after a tap on this page; otherwise it starts muted
   * (`muted: true` in the view) and `unmute()` from a tap turns sound on. Default false.
   */
  sound?: boolean;
  /** What to keep buffered ahead of the screen, in ms. Less stalls on an ordinary line, more is felt in talk. */
  targetMs?: number;
  /** The whole by default. */
  rendition?: LiveRendition;
}

export interface Player {
  view(): PlayerView;
  /** Calls back at once and on each change; returns the way out. Fits Svelte's store contract. */
  subscribe(listener: (view: PlayerView) => void): () => void;
  /** Call it from a tap. Resolves to whether sound is on now. */
  unmute(): Promise<boolean>;
  mute(): void;
  /** Call it from a tap when `blocked`. */
  resume(): Promise<void>;
  /** Another rendition from now on. */
  choose(rendition: LiveRendition): void;
  stats(): PlayerStats;
  /** Closes the socket and lets go of the element. Idempotent. */
  destroy(): void;
}

export type CreatePlayer = (options: PlayerOptions) => Player;
