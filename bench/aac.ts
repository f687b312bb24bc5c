/**
 * What AAC sound costs the server: the share of a core for each show that is made with it, and how many a core carries;
 * and of replays, what one segment takes.
 *
 * The demo show's Opus, in real time, through the same worker thread as in the server. The limit is FFmpeg's native
 * code doing the same work, without pauses.
 *
 * Usage: node bench/aac.ts [--json] [--rounds N] [--shows N] [--seconds N]
 */
import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { makeSegmentSound, type SoundRun } from '@nacre/media/aac/segment-sound';
import { createTranscoder } from '@nacre/media/aac/transcoder';
import { loadClip } from '@nacre/media/publisher/clip';
import { demoClip } from '../tests/support/publisher-stage.ts';
import { median, round } from './figures.ts';

const aimPercent = 10;
const frameTicks = 960;
const frameMs = 20;
/** Threads start and their code is compiled within this. */
const settleMs = 3_000;

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    shows: { type: 'string', default: '6' },
    seconds: { type: 'string', default: '10' },
  },
});
const shows = Number(options.shows);

/** Per cent of a core for each show. */
async function measure(sounds: readonly Buffer[]): Promise<number> {
  const transcoder = createTranscoder();
  let packets = 0;
  const lines = Array.from({ length: shows }, () => transcoder.open({
    onPacket: () => void (packets += 1),
    onFailed: (reason) => { throw new Error(reason); },
  }));
  const startMs = performance.now();
  let frame = 0;
  const feedUntil = async (endMs: number): Promise<void> => {
    for (; frame * frameMs < endMs; frame += 1) {
      const data = sounds[frame % sounds.length]!;
      for (const line of lines) line.sound(frame * frameTicks, [{ data, duration: frameTicks }]);
      await sleep(Math.max(0, startMs + frame * frameMs - performance.now()));
    }
  };
  await feedUntil(settleMs);
  for (let waitedMs = settleMs; packets < (frame - 4) * shows * 0.9; waitedMs += 500) await feedUntil(waitedMs + 500);
  const [before, beforeMs] = [process.cpuUsage(), performance.now()];
  await feedUntil(frame * frameMs + Number(options.seconds) * 1_000);
  const { user, system } = process.cpuUsage(before);
  const percent = ((user + system) / 10 / (performance.now() - beforeMs)) / shows;
  await transcoder.stop();
  if (packets < shows * Number(options.seconds) * 40) throw new Error(`only ${packets} packets came`);
  return percent;
}

const segmentFrames = 100;
const segments = 15;

/** Of a replay's segments of 2 s, one after the other behind the first: ms each, of the clock and of the processor. */
async function measureSegments(sounds: readonly Buffer[]) {
  const transcoder = createTranscoder({ lingerMs: 60_000 });
  const runOf = (first: number, count: number): SoundRun => ({
    from: first * frameTicks, to: (first + count) * frameTicks,
    frames: Array.from({ length: count }, (_, at) => (
      { data: sounds[(first + at) % sounds.length]!, duration: frameTicks }
    )),
  });
  // As `leadTicks` wants of the sound before.
  const make = (at: number) => makeSegmentSound(
    transcoder, runOf((at + 1) * segmentFrames, segmentFrames), [runOf((at + 1) * segmentFrames - 22, 22)],
    runOf((at + 2) * segmentFrames, segmentFrames),
  );
  const beforeBytes = process.memoryUsage.rss();
  let startMs = performance.now();
  await make(0);
  const firstMs = performance.now() - startMs;
  const cpu = process.cpuUsage();
  startMs = performance.now();
  for (let at = 1; at <= segments; at += 1) await make(at);
  const eachMs = (performance.now() - startMs) / segments;
  const { user, system } = process.cpuUsage(cpu);
  const megabytes = (process.memoryUsage.rss() - beforeBytes) / 1e6;
  await transcoder.stop();
  return { firstMs, eachMs, cpuMs: (user + system) / 1_000 / segments, megabytes };
}

/** The same by FFmpeg; null where it is not installed. */
function measureNative(seconds: number): number | null {
  const args = ['-hide_banner', '-benchmark', '-stream_loop', '-1', '-i', demoClip, '-t', '60', '-vn', '-c:a', 'aac',
    '-b:a', '96k', '-f', 'null', '-'];
  const done = spawnSync('ffmpeg', args, { encoding: 'utf8' });
  if (done.status !== 0) return null;
  const [, user, system] = /utime=([\d.]+)s stime=([\d.]+)s/.exec(done.stderr) ?? [];
  return ((Number(user) + Number(system)) / seconds) * 100;
}

const clip = await loadClip(demoClip);
const sounds = clip.sounds.map(({ data }) => data);
const replay = await measureSegments(sounds);
const rounds: number[] = [];
for (let at = 0; at < Number(options.rounds); at += 1) rounds.push(await measure(sounds));
const ours = round(median(rounds));
const native = measureNative(60);
const limit = native === null || Number.isNaN(native) ? aimPercent : round(native);
const ratio = round(ours / limit);
console.log(`aac: ${ours} % of a core per show (aim ${aimPercent} %), ${Math.floor(100 / ours)} shows per core`);
console.log(`limit: ${limit} % ${native === null ? 'is the aim' : 'by FFmpeg’s native code'}; ratio ${ratio}`);
const { firstMs, eachMs, cpuMs, megabytes } = replay;
console.log(`a replay's segment of 2 s: ${Math.round(eachMs)} ms, ${Math.round(cpuMs)} ms of processor time; the first `
  + `${Math.round(firstMs)} ms; ${Math.round(megabytes)} MB while it goes on`);
if (options.json) {
  const details = {
    aimPercent, shows, replaySegmentMs: round(eachMs), replaySegmentCpuMs: round(cpuMs),
    roundsPercent: rounds.map((value) => round(value)),
    limitIs: 'ffmpeg -c:a aac of the same sound',
  };
  console.log(JSON.stringify({ goal: 'aac', ours, limit, ratio, unit: '% of a core per show', details }));
}
process.exit(0);
