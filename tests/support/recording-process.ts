/** Records a made-up stream into the folder given, much faster than time, until it is killed; says how far it came. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createHls } from '@nacre/media/hls/hls';
import { createRecorder } from '@nacre/media/recording/recorder';
import { createDiskBlobs } from '../../server/src/platform/blobs.ts';
import { drawStream } from './drawn-stream.ts';

const [folder, startedAt] = process.argv.slice(2) as [string, string];
const silent = () => undefined;
const recorder = createRecorder({
  folder: `${folder}/spool`, store: createDiskBlobs({ folder: `${folder}/blobs` }),
  log: { info: silent, warn: silent, error: silent },
});
await recorder.recover();
const hls = createHls({ now: () => Number(startedAt), recorder });
const stream = drawStream({
  streamId: 'show', startedAtMs: Number(startedAt), send: hls.onMediaEvent, pictureBytes: 2_000,
});
stream.begin(startedAt);
for (;;) {
  stream.play(400);
  await sleep(5);
  const kept = recorder.index('show')?.segments.length ?? 0;
  process.stdout.write(`${kept}\n`);
}
