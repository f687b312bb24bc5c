/**
 * The playlists of a recording (RFC 8216; EXT-X-GAP of draft-pantos-hls-rfc8216bis): all of it once the show is over,
 * up to now while it runs. Pure.
 */
import { aacBitrate, withAacCodec } from '../aac/aac-init.ts';
import { targetDurationSeconds } from '../hls/packager.ts';
import type { RecordedMap, RecordedSegment, RecordingIndex } from './recording-index.ts';

/** As it was recorded, or with what is Opus made AAC. */
export type ReplaySound = 'as-recorded' | 'aac';

const seconds = (ms: number): string => (ms / 1_000).toFixed(3);

/** `isOver`: nothing is added any more; otherwise it only grows (EXT-X-PLAYLIST-TYPE:EVENT). */
export function writeReplay({ segments }: RecordingIndex, { isOver }: { isOver: boolean }): string {
  const longestMs = segments.reduce((longest, { durationMs }) => Math.max(longest, durationMs), 0);
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:8',
    `#EXT-X-PLAYLIST-TYPE:${isOver ? 'VOD' : 'EVENT'}`,
    `#EXT-X-TARGETDURATION:${Math.max(targetDurationSeconds, Math.round(longestMs / 1_000))}`,
    // A place of its own: the sequence numbers of the live playlist begin elsewhere.
    '#EXT-X-MEDIA-SEQUENCE:0',
  ];
  let map: string | null = null;
  for (const segment of segments) {
    if (map !== null && segment.map !== map) lines.push('#EXT-X-DISCONTINUITY');
    if (segment.map !== map) lines.push(`#EXT-X-MAP:URI="${segment.map}.mp4"`);
    map = segment.map;
    lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(segment.startedAtMs).toISOString()}`);
    if (segment.isLost) lines.push('#EXT-X-GAP');
    lines.push(`#EXTINF:${seconds(segment.durationMs)},`, `${segment.sequence}.m4s`);
  }
  if (isOver) lines.push('#EXT-X-ENDLIST');
  return `${lines.join('\n')}\n`;
}

/**
 * The multivariant playlist; null while there is nothing to play.
 * @param uri of the media playlist
 * @param sound `aac`: the same with AAC in place of Opus, below `aac/`. What has no Opus in it needs none.
 */
export function writeReplayMultivariant(
  index: RecordingIndex, uri = 'media.m3u8', sound: ReplaySound = 'as-recorded',
): string | null {
  const kept = index.segments.filter(({ isLost, durationMs }) => !isLost && durationMs > 0);
  const map = largestOf(index.maps);
  if (kept.length === 0 || map === null) return null;
  const isMade = sound === 'aac' && index.maps.some(({ mime }) => /opus/i.test(mime));
  const madeBps = isMade ? aacBitrate : 0;
  const codecs = /codecs="([^"]*)"/.exec(isMade ? withAacCodec(map.mime) : map.mime)?.[1] ?? '';
  const totalMs = kept.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const average = (kept.reduce((sum, { bytes }) => sum + bytes, 0) * 8_000) / totalMs;
  const stream = [
    `BANDWIDTH=${Math.ceil(Math.max(...kept.map(bitsPerSecond)) + madeBps)}`,
    `AVERAGE-BANDWIDTH=${Math.ceil(average + madeBps)}`,
    `CODECS="${codecs}"`,
    `RESOLUTION=${map.width}x${map.height}`,
    'CLOSED-CAPTIONS=NONE',
  ];
  return `#EXTM3U\n#EXT-X-STREAM-INF:${stream.join(',')}\n${isMade ? 'aac/' : ''}${uri}\n`;
}

const bitsPerSecond = ({ bytes, durationMs }: RecordedSegment): number => (bytes * 8_000) / durationMs;

/** The phone may have been turned: what is named is what needs most. */
function largestOf(maps: readonly RecordedMap[]): RecordedMap | null {
  return maps.reduce<RecordedMap | null>((largest, map) => (
    largest === null || map.width * map.height > largest.width * largest.height ? map : largest
  ), null);
}
