/**
 * Writes the playlists of one stream (draft-pantos-hls-rfc8216bis-20). Pure text of what the packager holds.
 *
 * Names: parts `<number>.part.m4s`, segments `<sequence>.m4s`, init segments `<name>.mp4`, beside the playlist.
 */
import { partTargetMs, targetDurationSeconds, type HlsSegment, type Packager } from './packager.ts';

/** §4.4.3.8: at least twice the part target; three leave room for a jittery network. */
const partHoldBackSeconds = (3 * partTargetMs) / 1_000;
/** §4.4.3.8: at least three target durations. */
const holdBackSeconds = 3 * targetDurationSeconds;
/** §4.4.3.8: at least six target durations. */
const canSkipUntilSeconds = 6 * targetDurationSeconds;
/** §6.2.2: no part further from the end than three target durations; who joins begins within the last two segments. */
const segmentsWithParts = 3;
/** Before a segment was measured: what a phone sends at most. */
const assumedBitsPerSecond = 3_000_000;

const seconds = (ms: number): string => (ms / 1_000).toFixed(5);

/** Where another rendition of the same show has come to (§4.4.5.4), for players that change over to it. */
export interface RenditionReport {
  /** Of its playlist, relative to this one. */
  uri: string;
  lastSequence: number;
  /** Counted from 0. */
  lastPart: number;
}

/** @param options.skip as a delta update (§6.2.5.1): what has been in playlists for long is replaced by a count. */
export function writePlaylist(
  packager: Packager, options: { skip: boolean; isEnded: boolean; reports: readonly RenditionReport[] },
): string {
  const { segments } = packager;
  const totalMs = segments.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const skipped = options.skip ? countSkipped(segments, totalMs) : 0;
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:9',
    `#EXT-X-TARGETDURATION:${targetDurationSeconds}`,
    `#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=${canSkipUntilSeconds},`
      + `PART-HOLD-BACK=${partHoldBackSeconds},HOLD-BACK=${holdBackSeconds}`,
    `#EXT-X-PART-INF:PART-TARGET=${seconds(partTargetMs)}`,
    `#EXT-X-MEDIA-SEQUENCE:${segments[0]?.sequence ?? 0}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${packager.discontinuitySequence}`,
  ];
  if (segments.every((segment) => segment.parts[0]?.isIndependent !== false)) {
    lines.splice(2, 0, '#EXT-X-INDEPENDENT-SEGMENTS');
  }
  if (skipped > 0) lines.push(`#EXT-X-SKIP:SKIPPED-SEGMENTS=${skipped}`);
  let map: string | null = null;
  for (const [index, segment] of segments.entries()) {
    // The first that is not skipped names its map again: not every reader (Shaka Player) remembers which it was.
    if (index < skipped) continue;
    if (segment.isDiscontinuous) lines.push('#EXT-X-DISCONTINUITY');
    if (segment.map.name !== map) lines.push(`#EXT-X-MAP:URI="${segment.map.name}.mp4"`);
    map = segment.map.name;
    lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(segment.startedAtMs).toISOString()}`);
    if (index >= segments.length - segmentsWithParts) lines.push(...partLines(segment));
    if (segment.isComplete) lines.push(`#EXTINF:${seconds(segment.durationMs)},`, `${segment.sequence}.m4s`);
  }
  if (options.isEnded) lines.push('#EXT-X-ENDLIST');
  // What comes next has a map that is not known yet: a hint would be taken for more of the same (by Shaka Player), and
  // nothing at all for the last segment's going on (by hls.js).
  else if (packager.state === 'cut') lines.push('#EXT-X-DISCONTINUITY');
  else if (packager.state === 'goes-on') {
    lines.push(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${packager.nextPart}.part.m4s"`);
  }
  for (const { uri, lastSequence, lastPart } of options.isEnded ? [] : options.reports) {
    lines.push(`#EXT-X-RENDITION-REPORT:URI="${uri}",LAST-MSN=${lastSequence},LAST-PART=${lastPart}`);
  }
  return `${lines.join('\n')}\n`;
}

function partLines(segment: HlsSegment): string[] {
  return segment.parts.map(({ number, durationMs, isIndependent }) => (
    `#EXT-X-PART:DURATION=${seconds(durationMs)},URI="${number}.part.m4s"${isIndependent ? ',INDEPENDENT=YES' : ''}`
  ));
}

/**
 * Segments further from the end than the skip boundary. Not over a discontinuity: readers that count them anew in every
 * playlist (Shaka Player) would lose count.
 */
function countSkipped(segments: readonly HlsSegment[], totalMs: number): number {
  let fromEndMs = totalMs;
  let count = 0;
  for (const { durationMs, isDiscontinuous } of segments) {
    // The whole segment lies before the boundary.
    if (isDiscontinuous || fromEndMs - durationMs < canSkipUntilSeconds * 1_000) break;
    fromEndMs -= durationMs;
    count += 1;
  }
  return count;
}

/** One of the ways in which a show can be had. */
export interface HlsVariant {
  /** Of its media playlist, beside the multivariant one. */
  uri: string;
  mime: string;
  /** Of the largest segment, and of all, in bits per second. */
  peakBps: number;
  averageBps: number;
  /** In pixels; 0 where there are no pictures, or before the first. */
  width: number;
  height: number;
}

export function variantOf(packager: Packager, uri: string): HlsVariant {
  const segments = packager.segments.filter(({ isComplete }) => isComplete);
  const rates = segments.map(bitsPerSecond);
  const newest = packager.segments.at(-1);
  const init = newest?.map.init;
  return {
    uri,
    mime: init?.mime ?? '',
    peakBps: Math.max(0, ...rates) || assumedBitsPerSecond,
    averageBps: rates.reduce((sum, rate) => sum + rate, 0) / rates.length || assumedBitsPerSecond,
    width: init?.width ?? 0,
    height: init?.height ?? 0,
  };
}

/** The multivariant playlist. The first is what players begin with. */
export function writeMultivariant(variants: readonly HlsVariant[]): string {
  const lines = variants.flatMap(({ uri, mime, peakBps, averageBps, width, height }) => {
    const attributes = [
      `BANDWIDTH=${Math.ceil(peakBps)}`,
      `AVERAGE-BANDWIDTH=${Math.ceil(averageBps)}`,
      `CODECS="${/codecs="([^"]*)"/.exec(mime)?.[1] ?? ''}"`,
      ...(width > 0 ? [`RESOLUTION=${width}x${height}`] : []),
      ...(mime.startsWith('video/') ? ['CLOSED-CAPTIONS=NONE'] : []),
    ];
    return [`#EXT-X-STREAM-INF:${attributes.join(',')}`, uri];
  });
  return `${['#EXTM3U', '#EXT-X-INDEPENDENT-SEGMENTS', ...lines].join('\n')}\n`;
}

function bitsPerSecond(segment: HlsSegment): number {
  const bytes = segment.parts.reduce((sum, { data }) => sum + data.length, 0);
  return (bytes * 8_000) / segment.durationMs;
}
