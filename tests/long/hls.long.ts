/** Half a minute of a real show's HLS, read by a parser and by FFmpeg. */
import { test } from 'node:test';
import { proveHls } from '../support/hls-proof.ts';
import { publishClip, until } from '../support/nacre.ts';
import { stageKeyOf, startVideoStage } from '../support/video-stage.ts';

const SECONDS = 30;

test('[M28] for half a minute every playlist reads well, and FFmpeg reads without an error', async (t) => {
  const stage = await startVideoStage({ openShows: ['show'] });
  t.after(() => stage.stop());
  const publisher = publishClip(stage.url, stageKeyOf('show'));
  t.after(() => publisher.stop());
  const base = `${stage.url}/live/show`;
  await until('there is a playlist', 20_000, async () => (await fetch(`${base}/index.m3u8`)).ok);
  for (const said of await proveHls(base, SECONDS)) t.diagnostic(said);
});
