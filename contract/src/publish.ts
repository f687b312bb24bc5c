/**
 * The publisher's socket: `GET /live/publish`, upgraded to a WebSocket. The way onto the air where a network lets no
 * UDP through and WHIP (RFC 9725) cannot connect. Protocol version 1.
 *
 * The browser encodes (WebCodecs) and the socket carries whole pictures and sound packets. Nothing is lost or out of
 * order on the way, so there are no repairs; what the line cannot carry the publisher must not encode at all.
 *
 * Publisher → server, text (JSON): `hello` first and once, with the stream key; then `ping` each `publishPingEveryMs`.
 * Server → publisher, text (JSON): `welcome` or `refused` for the `hello`, `pong` for each `ping`, `key` when a key
 * picture is needed. Nothing binary may be sent before `welcome`.
 * Publisher → server, binary, big-endian:
 *
 *     PICTURE  u8 kind=1 | f64 capturedMs | one access unit, H.264 Annex B, parameter sets before each key picture
 *     SOUND    u8 kind=2 | f64 capturedMs | one Opus packet (RFC 6716)
 *     RECORDED u8 kind=3 | f64 capturedMs | the next piece of a recording, cut anywhere: fragmented MP4 with H.264, and
 *              AAC-LC or Opus
 *
 * RECORDED is for browsers that encode nothing else (MediaRecorder). Its `capturedMs` is when the recording began, and
 * the same in all its pieces; the first of another one begins with `ftyp`. A session has the one kind or the others.
 *
 * `capturedMs` and `ping`s are on one clock of the publisher's, which may start anywhere and must run like a clock.
 *
 * The key travels in a message since a browser can set no header on a WebSocket, and an address ends up in logs.
 */

/** Offered and selected in `Sec-WebSocket-Protocol`; a client that offers other names only is refused with 400. */
export const publishSubprotocol = 'nacre.publish.1';

export const publishProtocolVersion = 1;

export const publishPath = '/live/publish';

export const publishLimits = {
  /** A key picture of 720 × 1280 at full bitrate has 100 KB. Less refuses sharp pictures, more lets one fill memory. */
  messageBytes: 1024 * 1024,
  textBytes: 1024,
  /** RFC 6716 §3.4: 1275 bytes a frame, of which browsers put one into a packet. */
  soundBytes: 1500,
  /**
   * On average, and in one go: what waited on a line that stood still for some seconds comes all at once. Browsers send
   * 30 pictures and 50 sounds.
   */
  messagesPerSecond: 200,
  messagesAtOnce: 1_200,
  bytesPerSecond: 1_250_000,
  bytesAtOnce: 6 * 1024 * 1024,
  /** From the socket's opening to `hello`. Less cuts slow mobile lines, more keeps places for who says nothing. */
  helloWithinMs: 5_000,
  /** Without a message for so long the publisher is lost, as with WHIP. */
  silenceMs: 4_000,
} as const;

/**
 * A publisher sends `ping` so often, and after so many bytes: no sooner is it noticed that a line broke down, on which
 * all that is sent meanwhile waits. Oftener costs weak lines more than its 6 kbit/s.
 */
export const publishPingEveryMs = 200;
export const publishPingEveryBytes = 24 * 1024;

/** Close codes (RFC 6455 §7.4; 4000 and up are ours). A `refused` says more where there is more to say. */
export const publishClose = {
  /** The publisher ends its session, or the server ended it: the show is over or its key was rotated. */
  ended: 1000,
  /** The server stops: come back soon. */
  goingAway: 1001,
  /** Broke this protocol: trying again would do the same. */
  policy: 1008,
  /** As many publishers as the server takes: come back after a pause. */
  full: 1013,
  /** The key opens no show, or its shop may not go live. */
  refused: 4001,
  /** Nothing came for `silenceMs`: come back at once. */
  lost: 4008,
  /** Another publisher took the show over, by whichever way. */
  replaced: 4010,
} as const;

export type PublishServerMessage =
  | { type: 'welcome'; version: number; sessionId: string }
  /** Followed by a close. `code` is one of `refusals.ts`. */
  | { type: 'refused'; code: string; title: string }
  | {
      type: 'pong';
      /** The ping's own. */
      sentMs: number;
      /** Of binary messages, since the beginning: what the line has really carried. */
      receivedBytes: number;
    }
  | { type: 'key' };

export type PublisherMessage =
  | {
      type: 'hello';
      key: string;
      /** Whether sound will come. Where it pauses the server makes silence. */
      hasSound: boolean;
    }
  | {
      type: 'ping';
      /** On the publisher's clock as it leaves. */
      sentMs: number;
      /** Of the last ping whose `pong` came: how long it took there and back. */
      before?: { sentMs: number; roundTripMs: number };
    };

export interface PublishedMedia {
  kind: 'picture' | 'sound';
  capturedMs: number;
  bytes: Uint8Array;
}

/** Of a recording. `capturedMs`: when it began. */
export interface PublishedPiece {
  kind: 'recorded';
  capturedMs: number;
  bytes: Uint8Array;
}

const kindPicture = 1;
const kindSound = 2;
const kindRecorded = 3;
const kinds = { picture: kindPicture, sound: kindSound, recorded: kindRecorded } as const;
const headerBytes = 9;
const keyCharacters = 256;

export function encodePublished(media: PublishedMedia | PublishedPiece): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(headerBytes + media.bytes.length);
  const view = new DataView(message.buffer);
  view.setUint8(0, kinds[media.kind]);
  view.setFloat64(1, media.capturedMs);
  message.set(media.bytes, headerBytes);
  return message;
}

/** Reads a binary message without copying; null when it is none of this version. Never throws. */
export function decodePublished(message: Uint8Array): PublishedMedia | PublishedPiece | null {
  if (message.length <= headerBytes || message.length > publishLimits.messageBytes) return null;
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const capturedMs = view.getFloat64(1);
  if (!isTime(capturedMs)) return null;
  const bytes = message.subarray(headerBytes);
  if (view.getUint8(0) === kindPicture) return { kind: 'picture', capturedMs, bytes };
  if (view.getUint8(0) === kindRecorded) return { kind: 'recorded', capturedMs, bytes };
  if (view.getUint8(0) !== kindSound || bytes.length > publishLimits.soundBytes) return null;
  return { kind: 'sound', capturedMs, bytes };
}

/** Reads what a publisher said; null when it is nothing that this protocol knows. Never throws. */
export function parsePublisherMessage(text: string): PublisherMessage | null {
  if (text.length > publishLimits.textBytes) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(value)) return null;
  if (value.type === 'hello') {
    const { key, hasSound } = value;
    if (typeof key !== 'string' || key === '' || key.length > keyCharacters) return null;
    return typeof hasSound === 'boolean' ? { type: 'hello', key, hasSound } : null;
  }
  if (value.type !== 'ping' || !isTime(value.sentMs)) return null;
  const { sentMs, before } = value;
  if (before === undefined) return { type: 'ping', sentMs };
  if (!isRecord(before) || !isTime(before.sentMs) || !isTime(before.roundTripMs)) return null;
  return { type: 'ping', sentMs, before: { sentMs: before.sentMs, roundTripMs: before.roundTripMs } };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Milliseconds that leave room to count on exactly; 30 years are enough for any clock. */
function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < 1e12 * 2;
}
