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

/** Where a reading through has come to: plain values, with which another process goes on. Bounded, some 20 KB. */
export interface RecordingCheck {
  /** So many of the index's segments were read. */
  at: number;
  report: RecordingReport;
  line: TimelineState;
}

export function beginCheck(index: RecordingIndex): RecordingCheck {
  const report: RecordingReport = {
    durationMs: durationOf(index), bytes: 0, segments: 0, pictures: 0, keyPictures: 0, soundFrames: 0,
    gaps: gapsOf(index), faults: [],
  };
  return { at: 0, report, line: { map: null, next: { video: null, audio: null }, needsKey: true } };
}

export const isChecked = (index: RecordingIndex, { at }: RecordingCheck): boolean => at >= index.segments.length;

/**
 * Reads on from there, a segment at least, while it may. Whatever `read` throws leaves `from` as it was.
 * @param index the same as at the beginning
 */
export async function checkOn(
  index: RecordingIndex, from: RecordingCheck, read: (sequence: number) => Promise<Buffer | null>,
  mayGoOn: () => boolean,
): Promise<RecordingCheck> {
  const check = structuredClone(from);
  const { report } = check;
  const line = createTimeline(check.line);
  do {
    const segment = index.segments[check.at];
    if (segment === undefined) break;
    check.at += 1;
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
  } while (mayGoOn());
  return check;
}

/** All of it at once. */
export async function checkRecording(
  index: RecordingIndex, read: (sequence: number) => Promise<Buffer | null>,
): Promise<RecordingReport> {
  return (await checkOn(index, beginCheck(index), read, () => true)).report;
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

interface TimelineState {
  map: string | null;
  /** In ticks; null where anything may come. */
  next: { video: number | null; audio: number | null };
  needsKey: boolean;
}

/** @param state is kept up to date */
function createTimeline(state: TimelineState): Timeline {
  const breakOff = (): void => {
    state.next = { video: null, audio: null };
    state.needsKey = true;
  };
  return {
    breakOff,
    add(ofMap, { track, isKey, decodeTime, ticks }) {
      if (ofMap !== state.map) breakOff();
      state.map = ofMap;
      const expected = state.next[track];
      state.next[track] = decodeTime + ticks;
      if (track === 'audio') return expected === null || expected === decodeTime ? null : 'sound-time';
      if (state.needsKey && !isKey) return 'no-key';
      state.needsKey = false;
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
