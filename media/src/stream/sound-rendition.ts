/**
 * A stream's sound as a stream of its own: the same fragments without the pictures, for who saves data. Nothing is made
 * anew, so it is in time with the whole and costs next to nothing.
 */
import { box, boxesOf, typeOf } from '../fmp4/boxes.ts';
import { pictureTrackId } from '../fmp4/init-segment.ts';
import type { MediaEvent, StreamInit } from '../hooks.ts';

/** What this event of a stream is to its sound alone; null for what is nothing to it. */
export function soundOf(event: MediaEvent): MediaEvent | null {
  if (event.type === 'fragment') return event.track === 'audio' ? event : null;
  if (event.type !== 'init') return event;
  return event.hasAudio ? { ...event, ...soundInit(event) } : null;
}

function soundInit({ mime, initSegment }: StreamInit): Partial<StreamInit> {
  return {
    mime: soundMime(mime), width: 0, height: 0, hasVideo: false, initSegment: withoutPicture(initSegment),
  };
}

/** @param mime of picture and sound, the sound last */
export function soundMime(mime: string): string {
  const codec = /codecs="[^"]*?,\s*([^",]+)"/.exec(mime)?.[1];
  if (codec === undefined) throw new RangeError(`no sound in ${mime}`);
  return `audio/mp4; codecs="${codec}"`;
}

/** Of the movie's boxes, those of the picture are left out (ISO/IEC 14496-12 §8.3, §8.8.3). */
function withoutPicture(initSegment: Buffer): Buffer {
  return Buffer.concat(boxesOf(initSegment).map((whole) => (
    typeOf(whole) === 'moov' ? box('moov', ...boxesOf(whole.subarray(8)).flatMap(soundPart)) : whole
  )));
}

function soundPart(whole: Buffer): Buffer[] {
  const inner = whole.subarray(8);
  if (typeOf(whole) === 'mvex') {
    return [box('mvex', ...boxesOf(inner).filter((trex) => trex.readUInt32BE(12) !== pictureTrackId))];
  }
  if (typeOf(whole) !== 'trak') return [whole];
  const [header] = boxesOf(inner);
  return header?.readUInt32BE(20) === pictureTrackId ? [] : [whole];
}
