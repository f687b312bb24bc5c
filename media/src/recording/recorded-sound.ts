/** AAC for segments of a recording (`aac/segment-sound.ts`): which sound goes on from which segment into the next. */
import {
  endOf, leadTicks, makeSegmentSound, type MadeSound, type SoundRun,
} from '../aac/segment-sound.ts';
import type { Transcoder } from '../aac/transcoder.ts';
import { airedOf, breakMs, type RecordedSegment, type RecordingIndex } from './recording-index.ts';

/** So many segments back at most: of 0.4 s that are wanted a turned phone may have made several. */
const backMost = 8;

/** Whether the sound of a segment with this map is made AAC; other sound, and none, stays as it is. */
export function isOpusSegment({ maps }: RecordingIndex, { map, isLost }: RecordedSegment): boolean {
  return !isLost && /opus/i.test(maps.find(({ name }) => name === map)?.mime ?? '');
}

const aired = new WeakMap<RecordingIndex, RecordingIndex>();

/**
 * Where a segment lies among those that went out with it, or were healed with it; null when there is none. What took
 * another's place later changes nothing for it: caches have its sound.
 */
export function soundPlaceOf(
  index: RecordingIndex, sequence: number,
): { index: RecordingIndex; at: number; segment: RecordedSegment } | null {
  const find = (line: RecordingIndex) => {
    const at = line.segments.findIndex((segment) => segment.sequence === sequence);
    return at === -1 ? null : { index: line, at, segment: line.segments[at]! };
  };
  const found = find(index);
  if (index.replaced === undefined || found?.segment.isHealed) return found;
  const before = aired.get(index) ?? airedOf(index);
  aired.set(index, before);
  return find(before);
}

/** What was healed beside it does not either. */
const goesOn = (last: RecordedSegment, next: RecordedSegment): boolean => (
  last.isHealed === next.isHealed && Math.abs(last.startedAtMs + last.durationMs - next.startedAtMs) <= breakMs
);

/**
 * The AAC of the segment at this place of the index, with the sound of its neighbours; null when it has no sound.
 * Only of one that another follows, or of a recording that is over: what comes behind would change it.
 * @param read sound of a segment; null when there is none. Throws what this throws.
 */
export async function makeRecordedSound(
  transcoder: Pick<Transcoder, 'open'>, index: RecordingIndex, at: number,
  read: (segment: RecordedSegment) => Promise<SoundRun | null>,
): Promise<MadeSound | null> {
  const { segments } = index;
  const segment = segments[at];
  const own = segment && (await read(segment));
  if (own === undefined || own === null) return null;
  const before: SoundRun[] = [];
  let soundFrom = own.from;
  for (let back = at - 1; back >= at - backMost && soundFrom > own.from - leadTicks; back -= 1) {
    const earlier = segments[back];
    if (earlier === undefined || !isOpusSegment(index, earlier) || !goesOn(earlier, segments[back + 1]!)) break;
    const run = await read(earlier);
    if (run === null) continue;
    if (run.to !== soundFrom) break;
    before.unshift(endOf(run, soundFrom - (own.from - leadTicks)));
    soundFrom = before[0]!.from;
  }
  const later = segments[at + 1];
  const isNext = later !== undefined && isOpusSegment(index, later) && goesOn(segments[at]!, later);
  const after = isNext ? await read(later) : null;
  return makeSegmentSound(transcoder, own, before, after?.from === own.to ? after : null);
}
