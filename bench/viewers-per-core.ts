/**
 * How many viewers of a 2 Mbit/s show one core serves, by socket and by Low-Latency HLS, every byte checked.
 *
 * Counted is the processor time of the serving process alone (publisher, media process and viewers have their own). The
 * limit is a C program that writes the same sizes as often to as many sockets and does nothing else; it takes no
 * requests, which HLS has to. It needs a C compiler.
 *
 * Usage: node bench/viewers-per-core.ts [--json] [--viewers N] [--hls-viewers N] [--seconds N]
 */
import { fork, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startPublisher } from '@nacre/media/publisher/publisher';
import { loadPaddedClip } from '../tests/support/padded-clip.ts';
import { stageKeyOf, startVideoStage } from '../tests/support/video-stage.ts';
import { round, say } from './figures.ts';
import type { CrowdReading } from './viewers-per-core-crowd.ts';

const aimRatio = 0.5;
const bitrateBps = 2_000_000;
const showId = 'show';
const self = fileURLToPath(import.meta.url);
const crowdProgram = join(import.meta.dirname, 'viewers-per-core-crowd.ts');
const patienceMs = 30_000;
/** Joining brings a whole group of pictures at once; until that is through nothing is counted. */
const settleMs = 3_000;

interface Sample {
  viewers: number;
  /** Of the serving process, for each second that each viewer watched. */
  usPerViewerSecond: number;
  megabitsPerViewer: number;
  recording: [number, number][];
}

/** The serving process: the real routes, sockets and hub. */
async function serve(): Promise<void> {
  const stage = await startVideoStage({ openShows: [showId] });
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpuUs: user + system });
  });
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  process.send?.({ url: stage.url });
}

async function ask<T>(child: ChildProcess): Promise<T> {
  const answer = once(child, 'message');
  child.send('read');
  return (await answer)[0] as T;
}

async function crowd<T>(
  kind: string, address: string, count: number, work: (child: ChildProcess) => Promise<T>,
): Promise<T> {
  const child = fork(crowdProgram, [kind, address, String(count)]);
  try {
    for (let waitedMs = 0; (await ask<CrowdReading>(child)).joined < count; waitedMs += 100) {
      if (waitedMs > patienceMs) throw new Error(`not all ${count} viewers by ${kind} came`);
      await sleep(100);
    }
    return await work(child);
  } finally {
    child.kill('SIGKILL');
  }
}

/** What serving them costs, or an error when one of them missed something. */
function measure(server: ChildProcess, kind: 'socket' | 'hls', address: string, count: number, ms: number) {
  return crowd(kind, address, count, async (child): Promise<Sample> => {
    await sleep(settleMs);
    const before = await ask<CrowdReading>(child);
    const cpuBefore = await ask<{ cpuUs: number }>(server);
    const startMs = performance.now();
    await sleep(ms);
    const { cpuUs } = await ask<{ cpuUs: number }>(server);
    const tookMs = performance.now() - startMs;
    const after = await ask<CrowdReading>(child);
    if (after.wrong.length > 0) throw new Error(`by ${kind}: ${after.wrong.join('; ')}`);
    const pictures = (after.pictures - before.pictures) / count;
    if (pictures < (tookMs / 1000) * 20) throw new Error(`by ${kind}: ${pictures} pictures each in ${tookMs} ms`);
    return {
      viewers: count,
      usPerViewerSecond: ((cpuUs - cpuBefore.cpuUs) * 1000) / tookMs / count,
      megabitsPerViewer: ((after.bytes - before.bytes) * 8) / 1000 / tookMs / count,
      recording: after.recording.map(([atMs, bytes]) => [atMs - (after.recording[0]?.[0] ?? 0), bytes]),
    };
  });
}

/** The same writes by the C program, in µs for each second of each viewer. */
async function measureBare(program: string, { recording, viewers }: Sample): Promise<number> {
  const seconds = (recording.at(-1)?.[0] ?? 0) / 1000;
  const child = spawn(program, [String(viewers)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.stdin.end(recording.map(([atMs, bytes]) => `${atMs} ${bytes}\n`).join(''));
  const port = (await lines.next()).value as string;
  return crowd('bare', `http://127.0.0.1:${port}`, viewers, async () => {
    const [cpuUs] = String((await lines.next()).value).split(' ').map(Number);
    if (!cpuUs) throw new Error('the C program did not get through');
    return cpuUs / seconds / viewers;
  });
}

/** The C program's path; null where there is no compiler. */
function compileBare(folder: string): string | null {
  const program = join(folder, 'bare-write');
  const source = join(import.meta.dirname, 'bare-write.c');
  return spawnSync('cc', ['-O2', '-o', program, source], { stdio: 'ignore' }).status === 0 ? program : null;
}

async function run(): Promise<void> {
  const bounded = (text: string, least: number, most: number): number => (
    Math.min(most, Math.max(least, Number(text) || least))
  );
  const ms = bounded(options.seconds, 2, 60) * 1000;
  const folder = mkdtempSync(join(tmpdir(), 'nacre-viewers-'));
  const bare = compileBare(folder);
  if (bare === null) say('There is no C compiler here: no limit is measured.');
  const server = fork(self, ['--as', 'server']);
  const [{ url }] = (await once(server, 'message')) as [{ url: string }];
  const clip = await loadPaddedClip(bitrateBps);
  const publisher = startPublisher({ url: `${url}/whip`, key: stageKeyOf(showId), clip, log: say });
  const results: Record<string, object> = {};
  try {
    const base = `${url}/live/${showId}`;
    for (let waitedMs = 0; !(await fetch(`${base}/index.m3u8`)).ok; waitedMs += 200) {
      if (waitedMs > patienceMs) throw new Error('there is no picture');
      await sleep(200);
    }
    for (const [kind, address, count] of [
      ['socket', `${base}/socket`, bounded(options.viewers, 1, 1000)],
      ['hls', base, bounded(options['hls-viewers'], 1, 500)],
    ] as const) {
      const sample = await measure(server, kind, address, count, ms);
      const limitUs = bare === null ? null : await measureBare(bare, sample);
      const ours = Math.round(1e6 / sample.usPerViewerSecond);
      const limit = limitUs === null ? null : Math.round(1e6 / limitUs);
      const ratio = limit === null ? null : round(ours / limit);
      const { viewers, megabitsPerViewer } = sample;
      results[kind] = { ours, limit, ratio, viewers, megabitsPerViewer: round(megabitsPerViewer) };
      say(`by ${kind}: ${ours} viewers per core, measured with ${viewers} at ${megabitsPerViewer.toFixed(2)} Mbit/s; `
        + `limit ${limit ?? '–'}, ratio ${ratio ?? '–'} (aim ${aimRatio})`);
    }
  } finally {
    await publisher.stop();
    server.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
  if (options.json) {
    const limitIs = 'a C program writing the same sizes as often';
    const details = { aimRatio, limitIs, ...results, cores: cpus().length };
    const { ours, limit, ratio } = results['socket'] as { ours: number; limit: number | null; ratio: number | null };
    const unit = 'viewers of 2 Mbit/s per core, by socket';
    process.stdout.write(`${JSON.stringify({ goal: 'viewers-per-core', ours, limit, ratio, unit, details })}\n`);
  }
  process.exit(0);
}

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    viewers: { type: 'string', default: '200' },
    'hls-viewers': { type: 'string', default: '240' },
    seconds: { type: 'string', default: '8' },
    as: { type: 'string' },
  },
});
if (options.as === 'server') await serve();
else await run();
