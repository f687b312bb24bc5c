/** What the player knows while it runs: one element, and everything that turns around it. */
import type { LiveRendition } from '@nacre/contract/live';
import type { PlayerView } from './face.ts';
import type { Fallback } from './hls-fallback.ts';
import type { LiveLine } from './live-line.ts';
import type { MediaFeed } from './media-feed.ts';
import { createServerClock, type ServerClock } from './server-clock.ts';
import { createSteering, type Steering } from './steering.ts';

export interface Core {
  video: HTMLVideoElement;
  bornMs: number;
  clock: ServerClock;
  steering: Steering;
  listeners: Set<(view: PlayerView) => void>;
  view: PlayerView;
  line: LiveLine | null;
  feed: MediaFeed | null;
  /** Plays while no socket gets through; 'loading' until its code is there. */
  fallback: Fallback | 'loading' | null;
  targetMs: number;
  hlsUrl: string;
  /** What was asked for; what comes is in `view`. */
  rendition: LiveRendition;
  ticker: ReturnType<typeof setInterval> | undefined;
  /** The playhead was put near the edge; before that the buffer only fills. */
  positioned: boolean;
  positionedMs: number;
  startJumpsLeft: number;
  firstAppendMs: number | null;
  firstPictureMs: number | null;
  /** Null while the server does not know it. */
  uplinkMs: number | null;
  /** Times in a row that the browser gave up on what it got. */
  repairs: number;
  lastTime: number;
  lastMoveMs: number;
  lastTickMs: number;
  lastMeasureMs: number;
  hiddenSinceMs: number | null;
  /** The browser has enough for now (a managed media source). */
  unwantedSinceMs: number | null;
  /** The server was asked to send nothing. */
  paused: boolean;
  counts: { receivedBytes: number; jumps: number; stalls: number; dropped: number };
  isOver: boolean;
}

export function createCore(
  { video, sound, targetMs, rendition }:
    { video: HTMLVideoElement; sound: boolean; targetMs: number; rendition: LiveRendition },
): Core {
  const bornMs = performance.now();
  return {
    video,
    bornMs,
    clock: createServerClock(),
    steering: createSteering(targetMs / 1000),
    listeners: new Set(),
    view: {
      state: 'connecting', reason: null, muted: !sound, hasSound: false, rendition, width: 0, height: 0, delayMs: null,
    },
    line: null,
    feed: null,
    fallback: null,
    targetMs,
    hlsUrl: '',
    rendition,
    ticker: undefined,
    positioned: false,
    positionedMs: 0,
    startJumpsLeft: 0,
    firstAppendMs: null,
    firstPictureMs: null,
    uplinkMs: null,
    repairs: 0,
    lastTime: -1,
    lastMoveMs: bornMs,
    lastTickMs: bornMs,
    lastMeasureMs: 0,
    hiddenSinceMs: null,
    unwantedSinceMs: null,
    paused: false,
    counts: { receivedBytes: 0, jumps: 0, stalls: 0, dropped: 0 },
    isOver: false,
  };
}
