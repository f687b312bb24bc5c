/** Follows a real show's HLS for some seconds as foreign readers do: two parsers, playlist by playlist, and FFmpeg. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import HLS from 'hls-parser';
import { Parser } from 'm3u8-parser';

interface Place {
  /** Media sequence number of the segment that grows, and how many of its parts are there. */
  sequence: number;
  part: number;
}

/**
 * @param base the folder of the playlists, `http://…/live/<show>`
 * @returns what is worth saying
 */
export async function proveHls(base: string, seconds: number): Promise<string[]> {
  const ffmpeg = readWithFfmpeg(`${base}/index.m3u8`, seconds);
  assert.ok(HLS.parse(await (await fetch(`${base}/index.m3u8`)).text()).isMasterPlaylist);
  let place: Place | null = null;
  let reads = 0;
  const untilMs = performance.now() + seconds * 1_000;
  while (performance.now() < untilMs) {
    const query: string = place === null ? '' : `?_HLS_msn=${place.sequence}&_HLS_part=${place.part}`;
    const response: Response = await fetch(`${base}/media.m3u8${query}`);
    assert.equal(response.status, 200);
    const text = await response.text();
    const next = placeAfter(HLS.parse(text) as HLS.types.MediaPlaylist);
    const second = new Parser();
    second.push(text);
    second.end();
    assert.ok(second.manifest.segments.length > 0);
    if (place !== null) assert.ok(rank(next) > rank(place), 'it goes on');
    place = next;
    reads += 1;
  }
  // One for each part of a third of a second, less what a busy machine merges.
  assert.ok(reads > seconds, `${reads} playlists`);
  const read = await ffmpeg;
  if (read !== null) assert.deepEqual(read, { status: 0, errors: '' });
  return [`${reads} playlists in ${seconds} s`, ...(read === null ? ['ffmpeg is not here'] : [])];
}

const rank = ({ sequence, part }: Place): number => sequence * 1_000 + part;

export function placeAfter({ segments, mediaSequenceBase = 0 }: HLS.types.MediaPlaylist): Place {
  const whole = segments.filter(({ uri }) => uri).length;
  const growing = segments.find(({ uri }) => !uri);
  return { sequence: mediaSequenceBase + whole, part: growing?.parts.filter(({ hint }) => !hint).length ?? 0 };
}

/** Null where there is no FFmpeg. */
function readWithFfmpeg(url: string, seconds: number): Promise<{ status: number | null; errors: string } | null> {
  const args = ['-v', 'error', '-xerror', '-i', url, '-t', String(seconds), '-f', 'null', '-'];
  const child = spawn('ffmpeg', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => { errors += chunk; });
  return new Promise((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', (status) => resolve({ status, errors }));
  });
}
