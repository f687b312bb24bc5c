/**
 * What the publisher's own device kept of a show, sent after it where the recording has a hole. The pictures are what
 * that device says they are: they never count as proof of anything.
 */
import { Type, type Static } from 'typebox';
import { Instant } from './common.ts';
import { decodePublished, type PublishedMedia } from './publish.ts';

export const healingLimits = {
  /** Of one part: fifteen seconds at 2 Mbit/s. More is memory, less is many requests. */
  partBytes: 4 * 1024 * 1024,
  /** From a part's first picture to its last. */
  partMs: 20_000,
  /** A shorter break is the network's, and nobody sees it. */
  holeMs: 1_000,
  /** After the show's end; later the device's copy is deleted, and the server takes nothing any more. */
  withinDays: 7,
  /** Parts of one show: an hour and a half of ten seconds each. */
  parts: 600,
} as const;

/**
 * One part's body, big-endian: for each picture or sound `u32 length | message`, where the message is one of
 * `publish.ts` and its `capturedMs` is the time of the server, Unix epoch. Begins with a key picture.
 */
export function packPart(messages: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const part = new Uint8Array(messages.reduce((bytes, { length }) => bytes + 4 + length, 0));
  const view = new DataView(part.buffer);
  let at = 0;
  for (const message of messages) {
    view.setUint32(at, message.length);
    part.set(message, at + 4);
    at += 4 + message.length;
  }
  return part;
}

/** Reads a part without copying; null when it is none. Never throws. */
export function readPart(part: Uint8Array): PublishedMedia[] | null {
  const view = new DataView(part.buffer, part.byteOffset, part.byteLength);
  const media: PublishedMedia[] = [];
  for (let at = 0; at < part.length;) {
    const end = at + 4 <= part.length ? at + 4 + view.getUint32(at) : Infinity;
    const message = end <= part.length ? decodePublished(part.subarray(at + 4, end)) : null;
    if (message === null || message.kind === 'recorded') return null;
    media.push(message);
    at = end;
  }
  return media;
}

/** `healing`: the parts are being put into the replay; `closed`: there is no replay, or it is too late. */
export const HEALING_STATES = ['waiting', 'open', 'healing', 'closed'] as const;

/** What is missing in a show's replay, and what of it came already. */
export const RecordingHoles = Type.Object({
  /** `waiting`: the show goes on, or its replay is not finished yet. */
  state: Type.Enum(HEALING_STATES),
  /**
   * By the times of capture: first what is missing, then what viewers saw as stills or as a small picture (`isWeak`),
   * each in order. Empty unless `open`.
   */
  holes: Type.Array(Type.Object({ from: Instant, to: Instant, isWeak: Type.Boolean() })),
  /** Beginnings of parts that came and are not in the replay yet, Unix epoch in ms. */
  parts: Type.Array(Type.Integer()),
  /** Until when parts are taken; null unless `open`. */
  until: Type.Union([Instant, Type.Null()]),
});
export type RecordingHoles = Static<typeof RecordingHoles>;
