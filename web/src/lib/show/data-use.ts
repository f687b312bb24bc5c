/** What a show takes of a viewer's data, as the server measured it on the last half minute or so of its stream. */
import type { LiveRendition } from '@nacre/contract/live';

const bytesInAnHour = 3_600 / 8;

/** Bytes an hour of each rendition; null where it is not known, or not there. */
export async function bytesPerHour(showId: string): Promise<Record<LiveRendition, number | null>> {
  const text = await fetch(`/live/${showId}/index.m3u8`).then((answer) => (answer.ok ? answer.text() : ''), () => '');
  return readBytesPerHour(text);
}

/** From a multivariant playlist (RFC 8216 §4.3.4.2): what is offered without a size is the sound alone. */
export function readBytesPerHour(playlist: string): Record<LiveRendition, number | null> {
  const found: Record<LiveRendition, number | null> = { whole: null, sound: null };
  for (const [line, bps] of playlist.matchAll(/^#EXT-X-STREAM-INF:.*?AVERAGE-BANDWIDTH=(\d+).*$/gm)) {
    const rendition = line.includes('CODECS="avc') ? 'whole' : 'sound';
    found[rendition] ??= Number(bps) * bytesInAnHour;
  }
  return found;
}
