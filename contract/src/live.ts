/**
 * The viewer's video socket: `GET /live/<showId>/socket`, upgraded to a WebSocket. Protocol version 1.
 *
 * One socket outlives publishers: a takeover, a return after a lost network or a new resolution arrives on it as a new
 * INIT; an interruption as a `state` notice. The picture travels as fragmented MP4 (ISO/IEC 14496-12) for Media
 * Source Extensions, so a viewer appends the bytes as they are.
 *
 * Server → viewer, text (JSON): `hello` first and once, `state` on joining and on each change in it, `pong` for each
 * `ping`.
 * Server → viewer, binary: INIT and FRAGMENT, laid out below; integers and floats are big-endian.
 * Viewer → server, text (JSON): `ping`, `pause`, `resume`, `rendition`. Nothing binary. At most
 * `liveLimits.viewerMessageBytes`.
 *
 *     INIT      u8 kind=1 | u8 flags | u16 mimeLength | u16 width | u16 height | u32 epoch | mime (ASCII) | bytes
 *     FRAGMENT  u8 kind=2 | u8 flags | u16 durationMs | f64 timeMs | f64 arrivedAtMs | bytes
 *
 * Renditions: `?rendition=…` at the opening, or a `rendition` message, asks for the small picture or the sound alone.
 * Each comes with an INIT of its own, in the epoch of the whole. From one size to the other the stream goes on: the
 * first FRAGMENT behind the INIT is a key picture that lies where the other size came to, within some tens of ms, and
 * may bring sound that came already. Sound alone can be begun with any FRAGMENT. Where what is asked for is not sent,
 * the whole comes. Who asks for the whole gets the small picture for a while when the line does not carry the whole.
 *
 * Delay: `arrivedAtMs` is when the first packet of that picture reached the server, on the server's clock. `ping` and
 * `pong` give the viewer that clock (the answer with the shortest round trip wins), so a viewer knows how old the
 * picture on its screen is, counted from the server. What lies before, from camera to server, is `uplinkMs` where the
 * server can measure it.
 *
 * No JSON schemas here: this file is in the first bytes that a viewer's page loads, and reading it must stay small.
 */

export const liveProtocolVersion = 1;

/** Offered and selected in `Sec-WebSocket-Protocol`; a client that offers other names only is refused with 400. */
export const liveSubprotocol = 'nacre.live.1';

export const liveLimits = {
  /** A viewer's message. Smaller would not hold a ping with a fractional time; larger lets strangers fill memory. */
  viewerMessageBytes: 256,
  /** Per viewer and second. Fewer would close honest viewers that come back from sleep; more costs CPU for nothing. */
  viewerMessagesPerSecond: 10,
} as const;

/** How viewers tell how far behind they are. */
export const liveDelay = {
  /** Longer is no delay but a clock that is wrong. */
  maxMs: 600_000,
  /** Without sockets, how often a page tells how far behind it is, by `POST /live/<showId>/delay`. */
  tellEveryMs: 10_000,
  /** What was told counts for so long: a page that hides says nothing. */
  holdsMs: 25_000,
} as const;

/** Close codes (RFC 6455 §7.4; 4000 and up are ours). After every other code a viewer comes back by itself. */
export const liveClose = {
  /** The show has ended: do not come back. */
  ended: 1000,
  /** The server stops: come back soon. */
  goingAway: 1001,
  /** The viewer broke this protocol (unknown or too many messages): do not come back at once. */
  policy: 1008,
  /** The line carries less than the picture needs and has for long: come back after a pause. */
  tooSlow: 4008,
} as const;

export type LiveState =
  /** Nobody has published yet. */
  | 'waiting'
  /** A picture is there or about to come. */
  | 'live'
  /** The publisher is gone, the show is not: stay on this socket. */
  | 'interrupted'
  /** Followed by close 1000. */
  | 'ended';

export type LiveServerMessage =
  | { type: 'hello'; version: number; /** Server's clock, Unix epoch, ms. */ now: number }
  | {
      type: 'state';
      state: LiveState;
      /**
       * From the camera to `arrivedAtMs`, in ms, as a mean: measured with browsers' help, never assumed. Null when
       * unknown, as with encoders that do not help.
       */
      uplinkMs: number | null;
    }
  | { type: 'pong'; /** The ping's own `sent`. */ sent: number; /** Server's clock, Unix epoch, ms. */ now: number };

export type LiveViewerMessage =
  | {
      type: 'ping';
      /** On any clock of the viewer's; comes back unchanged. */
      sent: number;
      /** How old the picture on the screen is, as the page measured it, in whole ms; left out while it is unknown. */
      delayMs?: number;
    }
  /** The page is hidden and silent: send no pictures. State notices go on. */
  | { type: 'pause' }
  /** Ends a pause: the current INIT and group of pictures are sent as on joining. */
  | { type: 'resume' }
  /** Another rendition: its INIT and what is needed to begin; of another size with its key picture. Ends a pause. */
  | { type: 'rendition'; rendition: LiveRendition };

export const liveRenditions = ['whole', 'small', 'sound'] as const;
export type LiveRendition = (typeof liveRenditions)[number];

export const isLiveRendition = (value: unknown): value is LiveRendition => (
  liveRenditions.includes(value as LiveRendition)
);

const kindInit = 1;
const kindFragment = 2;
const initHeaderBytes = 12;
const fragmentHeaderBytes = 20;

const flagVideo = 1;
const flagAudio = 2;
/** FRAGMENT only: decoding can start here. */
const flagKey = 4;
/** INIT only: of two sizes of the picture the smaller. */
const flagSmall = 8;

export interface LiveInit {
  kind: 'init';
  mime: string;
  width: number;
  height: number;
  hasVideo: boolean;
  hasAudio: boolean;
  /** The picture is the smaller of two that the publisher sends. */
  isSmall: boolean;
  /** Grows with each publisher's session of this stream; within one epoch the timeline goes on, across it restarts. */
  epoch: number;
  bytes: Uint8Array<ArrayBuffer>;
}

export interface LiveFragment {
  kind: 'fragment';
  hasVideo: boolean;
  hasAudio: boolean;
  isKey: boolean;
  /** Of the first picture in it (of the first sound frame, when there is no picture), on the epoch's timeline. */
  timeMs: number;
  durationMs: number;
  arrivedAtMs: number;
  /** One or more `moof`+`mdat` pairs. */
  bytes: Uint8Array<ArrayBuffer>;
}

/** The bytes before an INIT's own; `mime` is ASCII. */
export function encodeLiveInitHeader(init: Omit<LiveInit, 'kind' | 'bytes'>): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(initHeaderBytes + init.mime.length);
  const view = new DataView(header.buffer);
  view.setUint8(0, kindInit);
  const tracks = (init.hasVideo ? flagVideo : 0) | (init.hasAudio ? flagAudio : 0);
  view.setUint8(1, tracks | (init.isSmall ? flagSmall : 0));
  view.setUint16(2, init.mime.length);
  view.setUint16(4, init.width);
  view.setUint16(6, init.height);
  view.setUint32(8, init.epoch);
  for (let at = 0; at < init.mime.length; at++) header[initHeaderBytes + at] = init.mime.charCodeAt(at);
  return header;
}

/** The bytes before a FRAGMENT's own. */
export function encodeLiveFragmentHeader(fragment: Omit<LiveFragment, 'kind' | 'bytes'>): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(fragmentHeaderBytes);
  const view = new DataView(header.buffer);
  view.setUint8(0, kindFragment);
  const tracks = (fragment.hasVideo ? flagVideo : 0) | (fragment.hasAudio ? flagAudio : 0);
  view.setUint8(1, tracks | (fragment.isKey ? flagKey : 0));
  view.setUint16(2, Math.min(0xffff, Math.round(fragment.durationMs)));
  view.setFloat64(4, fragment.timeMs);
  view.setFloat64(12, fragment.arrivedAtMs);
  return header;
}

/** Reads a binary message without copying; null when it is none of this version. */
export function decodeLiveBinary(message: ArrayBuffer): LiveInit | LiveFragment | null {
  if (message.byteLength < initHeaderBytes) return null;
  const view = new DataView(message);
  const flags = view.getUint8(1);
  const tracks = { hasVideo: (flags & flagVideo) !== 0, hasAudio: (flags & flagAudio) !== 0 };
  if (view.getUint8(0) === kindInit) {
    const start = initHeaderBytes + view.getUint16(2);
    if (start > message.byteLength) return null;
    return {
      kind: 'init',
      ...tracks,
      isSmall: (flags & flagSmall) !== 0,
      mime: String.fromCharCode(...new Uint8Array(message, initHeaderBytes, start - initHeaderBytes)),
      width: view.getUint16(4),
      height: view.getUint16(6),
      epoch: view.getUint32(8),
      bytes: new Uint8Array(message, start),
    };
  }
  if (view.getUint8(0) !== kindFragment || message.byteLength < fragmentHeaderBytes) return null;
  return {
    kind: 'fragment',
    ...tracks,
    isKey: (flags & flagKey) !== 0,
    durationMs: view.getUint16(2),
    timeMs: view.getFloat64(4),
    arrivedAtMs: view.getFloat64(12),
    bytes: new Uint8Array(message, fragmentHeaderBytes),
  };
}

/** Reads what a viewer sent; null when it is nothing that this protocol knows. */
export function parseLiveViewerMessage(text: string): LiveViewerMessage | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || !('type' in value)) return null;
  if (value.type === 'pause' || value.type === 'resume') return { type: value.type };
  if (value.type === 'rendition') {
    return 'rendition' in value && isLiveRendition(value.rendition)
      ? { type: 'rendition', rendition: value.rendition } : null;
  }
  if (value.type !== 'ping' || !('sent' in value)) return null;
  if (typeof value.sent !== 'number' || !Number.isFinite(value.sent)) return null;
  if (!('delayMs' in value)) return { type: 'ping', sent: value.sent };
  return isDelay(value.delayMs) ? { type: 'ping', sent: value.sent, delayMs: value.delayMs } : null;
}

function isDelay(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= liveDelay.maxMs;
}
