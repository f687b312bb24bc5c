/**
 * Fills holes of a recording with what the publisher's device kept: pictures and sound with the time at which they
 * were captured, muxed and cut as if they had come over the network then. Pure.
 *
 * A hole begins anywhere in the stream that was kept, decoding only at a key picture. What lies between that picture
 * and the hole is in the recording already: it is put in front for a tick each (1/90 ms), decoded and not seen.
 *
 * A recording's times are those at which its first picture came, a device's those of capture: what was kept is put
 * later by the way of the pictures before the hole (rtp/uplink.ts), to where it would have come to lie.
 */
import { parseSps } from '../fmp4/avc.ts';
import { createMuxer } from '../fmp4/muxer.ts';
import { opusSound } from '../fmp4/sound.ts';
import { createPackager, type HlsSegment } from '../hls/packager.ts';
import { nalType } from '../rtp/h264.ts';
import { opusClockRate, opusTicks } from '../rtp/opus.ts';
import { parseAnnexB } from '../socket/annex-b.ts';
import { breakMs, type RecordedMap, type RecordedSegment, type RecordingIndex } from './recording-index.ts';

const ticksPerMs = 90;
const soundTicksPerMs = opusClockRate / 1_000;
/** Later than this before the first picture, or after the last, nothing is missing: a show may be left on its own. */
const edgeMostMs = 10 * 60_000;

/** A part of a recording to be filled with what was kept. Unix epoch, ms. */
export interface Hole {
  fromMs: number;
  toMs: number;
  /** What was captured at a moment lies so much later in the recording; 0 where unknown. */
  placedMs: number;
}

/** When the show was on; null where it is not known. Unix epoch, ms. */
export interface ShowTimes {
  wentLiveMs: number | null;
  endedMs: number | null;
}

export interface KeptMedia {
  kind: 'picture' | 'sound';
  /** Unix epoch, ms. */
  capturedMs: number;
  /** A picture in H.264 annex B, or an Opus packet. */
  bytes: Uint8Array;
}

/**
 * The breaks of a second and more, in order; what is lost is a break, and so is what the show has before the first
 * picture and after the last, ten minutes at most.
 */
export function holesOf(
  index: RecordingIndex, { wentLiveMs, endedMs }: ShowTimes = { wentLiveMs: null, endedMs: null },
): Hole[] {
  const kept = index.segments.filter(({ isLost }) => !isLost);
  const [first] = kept;
  if (first === undefined) return [];
  const holes: Hole[] = [];
  const add = (fromMs: number, toMs: number): void => {
    if (toMs - fromMs >= breakMs) holes.push({ fromMs, toMs, placedMs: placedBefore(index, toMs) });
  };
  if (wentLiveMs !== null) add(Math.max(wentLiveMs, first.startedAtMs - edgeMostMs), first.startedAtMs);
  let edgeMs = first.startedAtMs;
  for (const { startedAtMs, durationMs } of kept) {
    add(edgeMs, startedAtMs);
    edgeMs = Math.max(edgeMs, startedAtMs + durationMs);
  }
  if (endedMs !== null) add(edgeMs, Math.min(endedMs, edgeMs + edgeMostMs));
  return holes;
}

/** As of what lies before the moment, else of what lies behind; what was healed is not asked. */
export function placedBefore({ segments }: RecordingIndex, atMs: number): number {
  const known = segments.filter(({ placedMs, isHealed }) => placedMs !== undefined && !isHealed);
  return (known.findLast(({ startedAtMs }) => startedAtMs < atMs) ?? known[0])?.placedMs ?? 0;
}

export const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** When its first picture and its last were captured; null when it is none, or does not begin with a key picture. */
export function spanOf(media: readonly KeptMedia[]): { fromMs: number; toMs: number } | null {
  let firstMs: number | null = null;
  let lastMs = -Infinity;
  for (const { kind, capturedMs, bytes } of media) {
    if (kind === 'sound') {
      if (opusTicks(bytes) === null) return null;
      continue;
    }
    const picture = parseAnnexB(asBuffer(bytes));
    if (picture === null || capturedMs <= lastMs) return null;
    const sps = picture.nals.find(({ type }) => type === nalType.sps);
    const canStart = picture.isKey && sps !== undefined && parseSps(sps.chunks[0]!) !== null;
    if (firstMs === null && !canStart) return null;
    firstMs ??= capturedMs;
    lastMs = capturedMs;
  }
  return firstMs === null ? null : { fromMs: firstMs, toMs: lastMs };
}

export interface Healer {
  /** What was kept, part by part, in order of time; a part begins with a key picture. */
  add(media: readonly KeptMedia[]): void;
  /** Nothing more comes for the hole. */
  end(): void;
}

export interface HealerDeps {
  onMap(map: RecordedMap, initSegment: Buffer): void;
  onSegment(segment: RecordedSegment, data: Buffer): void;
}

/**
 * A healed segment's number is the moment of its first picture in ms, far above those of segments that came live: these
 * count seconds. So the same parts make the same names, and a repeat replaces what it wrote before.
 */
const numberOf = (atMs: number): number => Math.round(atMs);

/** One unbroken run of pictures inside a hole: a muxer and a packager of its own. */
function createRun(firstMs: number, deps: HealerDeps) {
  const name = (generation: number): string => `healed-${numberOf(firstMs)}-${generation}`;
  const packager = createPackager({
    startedAtMs: firstMs,
    onSegment: ({ map, startedAtMs, durationMs, parts }: HlsSegment) => {
      const data = Buffer.concat(parts.map((part) => part.data));
      deps.onSegment({
        sequence: numberOf(startedAtMs), map: name(map.init.generation), startedAtMs, durationMs, bytes: data.length,
        isIndependent: parts[0]?.isIndependent ?? false, isLost: false, isHealed: true,
      }, data);
    },
  });
  const stream = { streamId: '', sessionId: 'healed', layer: 'full' } as const;
  const muxer = createMuxer({
    sound: opusSound,
    soundMs: (timestamp, zero) => timestamp / soundTicksPerMs - zero / ticksPerMs,
    onInit({ generation, mime, info: { width, height }, initSegment }) {
      deps.onMap({ name: name(generation), mime, width, height, hasAudio: true }, initSegment);
      packager.begin({ ...stream, generation, mime, width, height, hasVideo: true, hasAudio: true, initSegment });
    },
    onFragment: ({ arrivedMs, ...fragment }) => (
      packager.add({ ...stream, ...fragment, arrivedAtMs: arrivedMs })
    ),
  });
  let lastTicks = -1;
  return {
    picture(bytes: Uint8Array, ticks: number): void {
      const parsed = parseAnnexB(asBuffer(bytes));
      if (parsed === null) return;
      const timestamp = Math.max(ticks, lastTicks + 1);
      lastTicks = timestamp;
      muxer.pictureStarts(timestamp);
      muxer.picture({ timestamp, isKey: parsed.isKey, nals: parsed.nals, arrivedMs: timestamp / ticksPerMs });
    },
    sound: (bytes: Uint8Array, atMs: number): void => (
      muxer.sound(asBuffer(bytes), Math.round(atMs * soundTicksPerMs), atMs)
    ),
    end(atMs: number | null): void {
      if (atMs !== null) muxer.pictureStarts(Math.round(atMs * ticksPerMs));
      muxer.flush();
      packager.finish();
    },
  };
}

export function createHealer({ fromMs, toMs, placedMs }: Hole, deps: HealerDeps): Healer {
  let run: ReturnType<typeof createRun> | null = null;
  let lastMs = -Infinity;
  /** From the last key picture before the hole on. */
  let lead: Uint8Array[] = [];

  const endRun = (atMs: number | null): void => {
    run?.end(atMs);
    run = null;
    lead = [];
  };
  const begin = (atMs: number): ReturnType<typeof createRun> => {
    const startTicks = lead.length === 0 ? Math.round(atMs * ticksPerMs) : Math.ceil(fromMs * ticksPerMs);
    const begun = createRun((startTicks - lead.length) / ticksPerMs, deps);
    for (const [at, bytes] of lead.entries()) begun.picture(bytes, startTicks - lead.length + at);
    lead = [];
    return begun;
  };
  const addPicture = (bytes: Uint8Array, atMs: number): void => {
    if (atMs >= toMs) return;
    if (atMs - lastMs > breakMs) endRun(null);
    lastMs = Math.max(lastMs, atMs);
    if (atMs < fromMs) {
      if (parseAnnexB(asBuffer(bytes))?.isKey) lead = [bytes];
      else if (lead.length > 0) lead.push(bytes);
      return;
    }
    run ??= begin(atMs);
    run.picture(bytes, Math.round(atMs * ticksPerMs));
  };

  return {
    add(media) {
      for (const { kind, capturedMs, bytes } of media) {
        const atMs = capturedMs + placedMs;
        if (kind === 'picture') addPicture(bytes, atMs);
        else if (atMs >= fromMs && atMs < toMs) run?.sound(bytes, atMs);
      }
    },
    end: () => endRun(toMs - lastMs <= breakMs ? toMs : null),
  };
}

/**
 * The index with what was healed in its place. What went out there is kept beside it; what was lost there is a break
 * where it was not healed.
 */
export function withHealed(index: RecordingIndex, hole: Hole, healed: RecordingIndex): RecordingIndex {
  const { maps, segments, replaced = [] } = index;
  if (healed.segments.length === 0) return index;
  // Times are fractions: what begins where the hole ends is behind it.
  const isInside = ({ startedAtMs }: RecordedSegment): boolean => (
    startedAtMs > hole.fromMs - 1 && startedAtMs < hole.toMs - 1
  );
  const kept = segments.filter((segment) => !isInside(segment));
  const given = segments.filter((segment) => isInside(segment) && !segment.isLost);
  const put = given.length === 0 ? healed.segments
    : healed.segments.map((segment): RecordedSegment => ({ ...segment, isReplacing: true }));
  const at = kept.findIndex(({ startedAtMs }) => startedAtMs >= hole.toMs - 1);
  const behind = at === -1 ? kept.length : at;
  return {
    maps: [...maps, ...healed.maps],
    segments: [...kept.slice(0, behind), ...put, ...kept.slice(behind)],
    ...(replaced.length + given.length > 0 && { replaced: [...replaced, ...given] }),
  };
}
