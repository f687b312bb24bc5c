/**
 * Reads a recording through and says whether it is whole: every picture can be decoded in order, sound and picture
 * follow themselves, and nothing is missing but what is known to be.
 */
import { pictureTimescale } from '../fmp4/init-segment.ts';
import { readFragments, type ReadFragment } from '../fmp4/fragment-reader.ts';
import { durationOf, stretchesOf, type RecordedSegment, type RecordingIndex } from './recording-index.ts';

export type RecordingFault =
  /** Its bytes are not there, or not as many as there were. */
  | 'missing' | 'length'
  /** They are no fragments, or a picture's NAL units (ISO/IEC 14496-15) do not add up. */
  | 'broken'
  /** Decoding would have to start here and cannot. */
  | 'no-key'
  /** Picture or sound does not begin where it ended before. */
  | 'picture-time' | 'sound-time';

export interface RecordingReport {
  durationMs: number;
  bytes: number;
  segments: number;
  pictures: number;
  keyPictures: number;
  soundFrames: number;
  /** Breaks that are known: interruptions of the show, and what could not be kept. The first 200. */
  gaps: Array<{ atMs: number; missingMs: number; why: 'interrupted' | 'lost' }>;
  /** The first 200. */
  faults: Array<{ sequence: number; fault: RecordingFault }>;
}

const listedMost = 200;
/** A stall of the picture may leave a gap that is longer (rule M10); sound is filled up. */
const stallMs = 1_000;

export async function checkRecording(
  index: RecordingIndex, read: (sequence: number) => Promise<Buffer | null>,
): Promise<RecordingReport> {
  const report: RecordingReport = {
    durationMs: durationOf(index), bytes: 0, segments: 0, pictures: 0, keyPictures: 0, soundFrames: 0,
    gaps: gapsOf(index), faults: [],
  };
  const line = createTimeline();
  for (const segment of index.segments) {
    if (segment.isLost) {
      line.breakOff();
      continue;
    }
    report.segments += 1;
    report.bytes += segment.bytes;
    const faults = checkSegment(segment, await read(segment.sequence), line, report);
    if (faults.size > 0) line.breakOff();
    for (const fault of faults) {
      if (report.faults.length < listedMost) report.faults.push({ sequence: segment.sequence, fault });
    }
  }
  return report;
}

function checkSegment(
  segment: RecordedSegment, bytes: Buffer | null, line: Timeline, report: RecordingReport,
): Set<RecordingFault> {
  const faults = new Set<RecordingFault>();
  if (bytes === null) return faults.add('missing');
  if (bytes.length !== segment.bytes) return faults.add('length');
  let fragments: ReadFragment[];
  try {
    fragments = readFragments(bytes);
  } catch {
    return faults.add('broken');
  }
  for (const fragment of fragments) {
    const fault = line.add(segment.map, fragment);
    if (fault !== null) faults.add(fault);
    if (fragment.track === 'audio') {
      report.soundFrames += fragment.samples.length;
      continue;
    }
    report.pictures += fragment.samples.length;
    if (fragment.isKey) report.keyPictures += 1;
    if (!fragment.samples.every(({ data }) => hasWholeNals(data))) faults.add('broken');
  }
  return faults;
}

/** Four bytes of length before each. */
function hasWholeNals(sample: Buffer): boolean {
  let at = 0;
  while (at + 4 < sample.length) at += 4 + sample.readUInt32BE(at);
  return at === sample.length && at > 0;
}

interface Timeline {
  /** What is wrong with this fragment at this place. */
  add(map: string, fragment: ReadFragment): RecordingFault | null;
  /** What comes next stands alone. */
  breakOff(): void;
}

function createTimeline(): Timeline {
  let map: string | null = null;
  /** In ticks; null where anything may come. */
  let next: { video: number | null; audio: number | null } = { video: null, audio: null };
  let needsKey = true;
  const breakOff = (): void => {
    next = { video: null, audio: null };
    needsKey = true;
  };
  return {
    breakOff,
    add(ofMap, { track, isKey, decodeTime, ticks }) {
      if (ofMap !== map) breakOff();
      map = ofMap;
      const expected = next[track];
      next[track] = decodeTime + ticks;
      if (track === 'audio') return expected === null || expected === decodeTime ? null : 'sound-time';
      if (needsKey && !isKey) return 'no-key';
      needsKey = false;
      const isStall = expected !== null && decodeTime - expected > (stallMs * pictureTimescale) / 1_000;
      return expected === null || expected === decodeTime || isStall ? null : 'picture-time';
    },
  };
}

function gapsOf(index: RecordingIndex): RecordingReport['gaps'] {
  const gaps: RecordingReport['gaps'] = [];
  const stretches = stretchesOf(index);
  for (const [at, stretch] of stretches.entries()) {
    const before = stretches[at - 1];
    if (before === undefined) continue;
    const missingMs = Math.max(0, Math.round(stretch.startedAtMs - before.startedAtMs - before.durationMs));
    const isMended = stretch.isHealed || before.isHealed;
    if (isMended && missingMs < stallMs) continue;
    gaps.push({ atMs: Math.round(stretch.fromMs), missingMs, why: 'interrupted' });
  }
  let atMs = 0;
  for (const { isLost, durationMs } of index.segments) {
    if (isLost) gaps.push({ atMs: Math.round(atMs), missingMs: Math.round(durationMs), why: 'lost' });
    atMs += durationMs;
  }
  return gaps.sort((a, b) => a.atMs - b.atMs).slice(0, listedMost);
}
