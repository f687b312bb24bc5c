/** A real show, cut in the middle by kill -9, seen again: by FFmpeg, who reads the replay as any player would. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import test, { after, before } from 'node:test';
import { promisify } from 'node:util';
import type { OfficeRecording, Replay } from '@nacre/contract/replays';
import { decodeWithFfmpeg } from '../support/ffmpeg.ts';
import { createClient, goLive, openMarket, startNacre, until, type Market, type Nacre } from '../support/nacre.ts';

const run = promisify(execFile);
const PATIENCE_MS = 30_000;
let nacre: Nacre;
let market: Market;
before(async () => {
  nacre = await startNacre();
  market = await openMarket(nacre.url);
});
after(() => nacre?.remove());

test('[RE1] [RE3] seen again within 5 s of the end, also what was before the server was killed', async (t) => {
  const showId = market.show.id;
  const live = await goLive(nacre.url, market);
  t.after(() => live.stop());
  const client = createClient(nacre.url);
  const replay = () => client.must<Replay>(200, 'GET', `/api/shows/${showId}/replay`);
  await until('some seconds of it', PATIENCE_MS, async () => (await replay()).durationMs >= 6_000);
  await nacre.kill();
  await nacre.startAgain();
  await until('it goes on', PATIENCE_MS, async () => (await replay()).stretches.length === 2);
  await market.owner.must(200, 'PUT', `/api/office/shows/${showId}/on-screen`, { productId: market.product.id });
  await until('some seconds more', PATIENCE_MS, async () => (await replay()).stretches[1]!.durationMs >= 4_000);

  const endedMs = performance.now();
  await market.owner.must(200, 'POST', `/api/office/shows/${showId}/end`);
  await until('the replay', PATIENCE_MS, async () => (await replay()).state === 'ready');
  const readyMs = performance.now() - endedMs;
  t.diagnostic(`ready ${Math.round(readyMs)} ms after the end`);
  assert.ok(readyMs < 5_000, `${readyMs} ms`);
  const { stretches, chapters, durationMs } = await replay();
  assert.equal(stretches.length, 2);
  assert.ok(durationMs >= 10_000);
  assert.ok(chapters[0]!.fromMs >= stretches[1]!.fromMs && chapters[0]!.toMs === durationMs, JSON.stringify(chapters));

  const reported = () => (
    market.owner.must<OfficeRecording>(200, 'GET', `/api/office/shows/${showId}/recording`)
  );
  await until('the report', PATIENCE_MS, async () => (await reported()).report !== null);
  const { report } = await reported();
  assert.deepEqual([report!.faults, report!.gaps.length, report!.gaps[0]?.why], [[], 1, 'interrupted']);

  // Each stretch as one file: FFmpeg's own reader of HLS does not change the init segment at a discontinuity.
  const text = async (name: string) => (await fetch(`${nacre.url}/replay/${showId}/${name}`)).text();
  const bytes = async (name: string) => Buffer.from(
    await (await fetch(`${nacre.url}/replay/${showId}/${name}`)).arrayBuffer(),
  );
  let pictures = 0;
  for (const stretch of (await text('media.m3u8')).split('#EXT-X-MAP:').slice(1)) {
    const names = [/URI="([^"]+)"/.exec(stretch)![1]!, ...stretch.match(/^\d+\.m4s$/gm)!];
    const file = Buffer.concat(await Promise.all(names.map(bytes)));
    const decoded = await decodeWithFfmpeg(file);
    if (decoded === null) return t.skip('ffmpeg is not here: apt-get install ffmpeg');
    assert.equal(decoded.errors, '');
    pictures += decoded.pictures;
  }
  assert.equal(pictures, report!.pictures);
  const { stdout } = await run('ffprobe', [
    '-v', 'error', '-select_streams', 'v', '-show_entries', 'packet=dts', '-of', 'csv=p=0',
    `${nacre.url}/replay/${showId}/index.m3u8`,
  ]);
  const times = stdout.trim().split('\n').map(Number);
  // FFmpeg does not join the two timelines of a discontinuity, as players do.
  const steps = times.filter((dts, at) => at > 0 && dts <= times[at - 1]!);
  assert.equal(steps.length, 1, 'within a stretch time only grows');
});
