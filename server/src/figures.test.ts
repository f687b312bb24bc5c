/** What /metrics says while the media process is there, away, and back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MediaStats } from '@nacre/media/hooks';
import { addFigures } from './figures.ts';
import { createLog } from './platform/log.ts';
import { createMetrics } from './platform/metrics.ts';

const running: MediaStats = {
  pid: 1, uptimeMs: 1_000, restarts: 2, cpuUs: 3_000_000, rssBytes: 80_000_000,
  eventLoopDelayMs: { p50: 1, p99: 4, max: 9 }, pipeQueuedBytes: 0, fragmentsDropped: 0, udpPort: 1, sessions: [],
};
const hub = {
  streams: 1, viewers: 2, packetsWritten: 9, eased: 0, bytesWritten: 500, skips: 1, closedTooSlow: 0, turnedAway: 0,
};
/** Of the media process. */
const growing = ['media_restarts_total', 'media_cpu_seconds_total'];

test('[P70] what grows does not fall while the media process restarts; what is now, does', async () => {
  const metrics = createMetrics({ log: createLog('silent', false) });
  let media: MediaStats | null = running;
  addFigures(metrics, {
    realtime: { stats: () => ({ connections: 3, rooms: 2, thinned: 7 }) },
    video: { stats: async () => ({ hub, media, publishersHere: 2 }) },
    recorder: {
      stats: () => ({
        streams: 1, segmentsKept: 8, segmentsLost: 2, bytesKept: 900, waiting: 3, trouble: 'no space left on device',
      }),
    },
    replayAac: { stats: () => ({ made: 6, refused: 5, waiting: 0 }) },
    outbox: { backlog: async () => ({ facts: 4, failing: 1, oldestSeconds: 61.5 }) },
    pool: { totalCount: 5, waitingCount: 0 },
  });
  const figures = async () => {
    const text = await metrics.text();
    return (name: string) => Number(new RegExp(`^nacre_${name} (.+)$`, 'm').exec(text)?.[1]);
  };
  const before = await figures();
  assert.equal(before('publishers'), 2, 'those by socket count too');
  assert.deepEqual(
    [...growing, 'media_resident_memory_bytes', 'room_events_thinned_total', 'video_sent_bytes_total', 'outbox_facts',
      'outbox_failing_facts', 'outbox_oldest_seconds', 'recorded_segments_total', 'recorded_segments_lost_total',
      'recorded_segments_waiting', 'recorder_in_trouble',
      'replay_aac_segments_total', 'replay_aac_refused_total'].map(before),
    [2, 3, 80_000_000, 7, 500, 4, 1, 61.5, 8, 2, 3, 1, 6, 5],
  );
  media = null;
  const away = await figures();
  assert.deepEqual([...growing, 'media_resident_memory_bytes'].map(away), [2, 3, 0]);
  media = { ...running, restarts: 3, cpuUs: 500_000 };
  const back = await figures();
  assert.deepEqual(growing.map(back), [3, 0.5]);

  // Those of the process itself are named and typed by prom-client.
  const types = [...(await metrics.text()).matchAll(/^# TYPE nacre_(?!nodejs|process)(\w+) (\w+)$/gm)];
  assert.ok(types.length > 15);
  for (const [, name, type] of types) if (name?.endsWith('_total')) assert.equal(type, 'counter', name);
});
