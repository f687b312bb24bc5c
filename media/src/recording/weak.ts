/**
 * Where viewers saw little although all was there: the line was so weak that the host's page sent stills, or a picture
 * of half the size (web/src/lib/broadcast/weak-uplink.ts). What the device kept may take its place. Pure.
 *
 * Invariants: whole segments give way, and only where the device's copy covers them and shows more; what follows can be
 * decoded without them.
 */
import { parseSps } from '../fmp4/avc.ts';
import { nalType } from '../rtp/h264.ts';
import { parseAnnexB } from '../socket/annex-b.ts';
import { asBuffer, placedBefore, type Hole, type KeptMedia } from './healing.ts';
import { breakMs, type RecordedSegment, type RecordingIndex } from './recording-index.ts';

/** Stills come twice a second, what moves eight times at least. */
const stillsPerSecond = 3;
/** The shorter side, in pixels: half of what a phone films. Words on goods cannot be read. */
const smallSide = 400;
/** Of the largest in the recording: what a camera cannot do better, no copy of it can. */
const smallShare = 0.6;
/** Shorter is a hiccup; a replay with a seam for each would be the worse one. */
const weakMs = 5_000;
/** Beside a hole, where there is a seam in any case. Shorter is a last picture that stands for a second (M10). */
const weakAtHoleMs = 2_000;
/** How much later than the copy's last picture a segment may end: that picture stands a little longer. */
const standingMs = 300;

/** Time that the device filmed without a break. Unix epoch, ms: when the first and the last picture were captured. */
export interface KeptSpan {
  fromMs: number;
  toMs: number;
  /** The shorter one of the picture, in pixels. */
  side: number;
  pictures: number;
}

const endOf = ({ startedAtMs, durationMs }: RecordedSegment): number => startedAtMs + durationMs;

const isStill = ({ pictures, durationMs }: RecordedSegment): boolean => (
  pictures !== undefined && pictures * 1_000 <= stillsPerSecond * durationMs
);

/** Of each map, by its name. */
const sidesOf = ({ maps }: RecordingIndex): Map<string, number> => (
  new Map(maps.map(({ name, width, height }) => [name, Math.min(width, height)]))
);

/**
 * Runs in which viewers saw stills or a small picture, in order: of five seconds and more, beside a hole of
 * two.
 */
export function weakIn(index: RecordingIndex, holes: readonly Hole[]): Hole[] {
  const sides = sidesOf(index);
  const most = Math.min(smallSide, Math.max(0, ...sides.values()) * smallShare);
  const weak: Hole[] = [];
  let run: { fromMs: number; toMs: number; placedMs: number | undefined } | null = null;
  const close = (): void => {
    if (run !== null && run.toMs - run.fromMs >= (adjoins(run, holes) ? weakAtHoleMs : weakMs)) {
      weak.push({ ...run, placedMs: run.placedMs ?? placedBefore(index, run.fromMs) });
    }
    run = null;
  };
  for (const segment of index.segments) {
    const isSmall = (sides.get(segment.map) ?? Infinity) <= most;
    const isWeak = !segment.isLost && !segment.isHealed && (isStill(segment) || isSmall);
    if (run !== null && (!isWeak || Math.abs(segment.startedAtMs - run.toMs) > breakMs)) close();
    if (!isWeak) continue;
    run ??= { fromMs: segment.startedAtMs, toMs: 0, placedMs: undefined };
    run.toMs = endOf(segment);
    run.placedMs ??= segment.placedMs;
  }
  close();
  return weak;
}

const adjoins = (run: { fromMs: number; toMs: number }, holes: readonly Hole[]): boolean => (
  holes.some(({ fromMs, toMs }) => Math.abs(fromMs - run.toMs) < 1 || Math.abs(toMs - run.fromMs) < 1)
);

/** What was filmed without a break, part by part in order of time; each part begins with a key picture. */
export function addSpans(spans: KeptSpan[], media: readonly KeptMedia[]): void {
  for (const { kind, capturedMs, bytes } of media) {
    if (kind === 'sound') continue;
    const last = spans.at(-1);
    const sps = parseAnnexB(asBuffer(bytes))?.nals.find(({ type }) => type === nalType.sps);
    const size = sps === undefined ? null : parseSps(Buffer.concat(sps.chunks));
    const side = size === null ? null : Math.min(size.width, size.height);
    const goesOn = last !== undefined && capturedMs - last.toMs <= breakMs && (side ?? last.side) === last.side;
    if (goesOn) {
      last.toMs = capturedMs;
      last.pictures += 1;
    } else if (side !== null) spans.push({ fromMs: capturedMs, toMs: capturedMs, side, pictures: 1 });
  }
}

/** What of a weak run gives way to these spans: each from a segment's beginning to another's end. */
export function givingWay(index: RecordingIndex, weak: Hole, spans: readonly KeptSpan[]): Hole[] {
  const { segments } = index;
  const sides = sidesOf(index);
  return spans.flatMap((span): Hole[] => {
    if (span.pictures * 1_000 <= stillsPerSecond * (span.toMs - span.fromMs)) return [];
    const isBetter = (segment: RecordedSegment): boolean => {
      const side = sides.get(segment.map) ?? 0;
      return isStill(segment) ? span.side >= side : span.side > side;
    };
    const isCovered = (segment: RecordedSegment): boolean => (
      segment.startedAtMs > weak.fromMs - 1 && endOf(segment) < weak.toMs + 1
      && segment.startedAtMs >= span.fromMs + weak.placedMs
      && endOf(segment) <= span.toMs + weak.placedMs + standingMs && isBetter(segment)
    );
    const first = segments.findIndex(isCovered);
    if (first === -1) return [];
    let behind = first;
    while (behind < segments.length && isCovered(segments[behind]!)) behind += 1;
    while (behind > first && !canFollow(segments[behind - 1]!, segments[behind])) behind -= 1;
    if (behind === first) return [];
    return [{ fromMs: segments[first]!.startedAtMs, toMs: endOf(segments[behind - 1]!), placedMs: weak.placedMs }];
  });
}

/** Whether what follows is decoded without what is before it. */
const canFollow = (before: RecordedSegment, next: RecordedSegment | undefined): boolean => (
  next === undefined || next.map !== before.map || next.isIndependent
);
