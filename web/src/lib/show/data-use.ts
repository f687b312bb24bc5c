/** What a show takes of a viewer's data, as the server measured it on the last half minute or so of its stream. */
import { isLiveRendition, type LiveRendition } from '@nacre/contract/live';

const bytesInAnHour = 3_600 / 8;

/** Bytes an hour of each rendition; null where it is not known, or not there. */
export async function bytesPerHour(showId: string): Promise<Record<LiveRendition, number | null>> {
  const text = await fetch(`/live/${showId}/index.m3u8`).then((answer) => (answer.ok ? answer.text() : ''), () => '');
  return readBytesPerHour(text);
}

/** From a multivariant playlist (RFC 8216 §4.3.4.2), whose media playlists lie where their rendition is named. */
export function readBytesPerHour(playlist: string): Record<LiveRendition, number | null> {
  const found: Record<LiveRendition, number | null> = { whole: null, small: null, sound: null };
  for (const [, bps, folder] of playlist.matchAll(/^#EXT-X-STREAM-INF:.*?AVERAGE-BANDWIDTH=(\d+).*\n(?:(\w+)\/)?/gm)) {
    found[isLiveRendition(folder) ? folder : 'whole'] ??= Number(bps) * bytesInAnHour;
  }
  return found;
}
