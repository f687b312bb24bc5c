/**
 * What an encoder by RTMP costs the main process, at 2 Mbit/s and 30 pictures a second with B-frames and AAC: the share
 * of a core for each. FFmpeg sends, in processes of its own, which are not counted. The limit is the same bytes, read
 * from the sockets by Node and dropped.
 *
 * Usage: node bench/rtmp-cost.ts [--json] [--rounds N] [--publishers N] [--seconds N]
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createPublisherRegistry } from '@nacre/media/publishing/registry';
import { createRtmpProtocol } from '@nacre/media/rtmp/protocol';
import { createRtmpPublishers } from '@nacre/media/rtmp/rtmp-publishers';
import { createRtmpListener } from '../server/src/video/rtmp-listener.ts';
import { runFfmpeg } from '../tests/support/rtmp-stage.ts';
import { median, round, say } from './figures.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false }, rounds: { type: 'string', default: '3' },
    publishers: { type: 'string', default: '10' }, seconds: { type: 'string', default: '8' },
  },
});
const [rounds, publishers, seconds] = [values.rounds, values.publishers, values.seconds].map(Number) as
  [number, number, number];
/** Connections, first pictures and compilation of the code are over by then. */
const settleMs = 4_000;

interface Receiver {
  port: number;
  fragments(): number;
  stop(): Promise<unknown>;
}

async function receiveOurs(): Promise<Receiver> {
  let fragments = 0;
  const log = { error: (_fields: object, text: string) => say(text) };
  const registry = createPublisherRegistry({
    onEvent: ({ type }) => void (type === 'fragment' && (fragments += 1)), takeOver: () => undefined, log,
  });
  const listener = createRtmpListener({
    publishers: createRtmpPublishers({ registry, silenceMs: 4_000 }), now: Date.now, log,
    onProblem: (_showId, problem) => void (problem && say(problem.code)),
    authorizeStreamKey: async (showId) => ({ showId }),
  });
  const port = await listener.listen(0, '127.0.0.1');
  return {
    port, fragments: () => fragments,
    stop() {
      const stopped = listener.stop();
      registry.stop();
      return stopped;
    },
  };
}

/** Answers until media may come, and reads on without a look. */
async function receiveBare(): Promise<Receiver> {
  const server = createServer({ noDelay: true }, (socket) => {
    let isOpen = true;
    const protocol = createRtmpProtocol({
      send: (bytes) => void socket.write(bytes), admits: () => true,
      onMedia: () => undefined, onGoodbye: () => undefined,
      onPublish() {
        protocol.accept();
        isOpen = false;
      },
    });
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => void (isOpen && protocol.take(bytes)));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return { port, fragments: () => 0, stop: () => new Promise((done) => server.close(done)) };
}

/** Percent of a core for each publisher. */
async function measure(clip: string, receiver: Receiver): Promise<number> {
  const senders: ChildProcess[] = [];
  for (let at = 0; at < publishers; at += 1) {
    senders.push(spawn('ffmpeg', ['-nostdin', '-v', 'error', '-re', '-stream_loop', '-1', '-i', clip, '-c', 'copy',
      '-f', 'flv', `rtmp://127.0.0.1:${receiver.port}/live/show-${at}`], { stdio: ['ignore', 'ignore', 'inherit'] }));
  }
  await sleep(settleMs);
  const [from, fromMs] = [process.cpuUsage(), performance.now()];
  await sleep(seconds * 1_000);
  const { user, system } = process.cpuUsage(from);
  const tookMs = performance.now() - fromMs;
  for (const sender of senders) sender.kill('SIGKILL');
  await receiver.stop();
  return (user + system) / 10 / tookMs / publishers;
}

const folder = mkdtempSync(join(tmpdir(), 'nacre-rtmp-cost-'));
const clip = join(folder, 'clip.flv');
const made = await runFfmpeg(['-f', 'lavfi', '-i', 'testsrc2=s=720x1280:r=30', '-f', 'lavfi', '-i', 'sine=r=48000',
  '-t', '8', '-vf', 'noise=alls=20:allf=t', '-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '60',
  '-b:v', '2000k', '-maxrate', '2000k', '-bufsize', '2000k', '-pix_fmt', 'yuv420p', '-c:a', 'aac', clip]);
if (made?.code !== 0) throw new Error(made === null ? 'ffmpeg is not here' : made.words);
const [ours, bare]: [number[], number[]] = [[], []];
for (let index = 1; index <= rounds; index += 1) {
  bare.push(await measure(clip, await receiveBare()));
  const receiver = await receiveOurs();
  ours.push(await measure(clip, receiver));
  say(`round ${index}: ours ${ours.at(-1)!.toFixed(2)} % of a core each (${receiver.fragments()} fragments), `
    + `bare reading ${bare.at(-1)!.toFixed(2)} %`);
}
rmSync(folder, { recursive: true });
const [our, limit] = [round(median(ours), 3), round(median(bare), 3)];
const figures = { publishers, ours: our, limit, ratio: round(our / limit) };
say(`an encoder by RTMP: ${our} % of a core for each of ${publishers}; limit ${limit} %, ratio ${figures.ratio}`);
if (values.json) console.log(JSON.stringify(figures));
