/** What the server tells about itself at /metrics. docs/operating/watch.md says which to look at. */
import type { MediaStats } from '@nacre/media/hooks';
import type { Modules } from './modules.ts';
import type { Metrics } from './platform/metrics.ts';
import type { Platform } from './platform/platform.ts';

const MICROSECONDS = 1e6;
const MILLISECONDS = 1e3;

export interface FiguresOf {
  realtime: Pick<Modules['realtime'], 'stats'>;
  video: Pick<Modules['video'], 'stats'>;
  recorder: Pick<Modules['recorder'], 'stats'>;
  replayAac: Pick<Modules['replayAac'], 'stats'>;
  outbox: Pick<Platform['outbox'], 'backlog'>;
  pool: Pick<Platform['database']['pool'], 'totalCount' | 'waitingCount'>;
}

export function addFigures(metrics: Metrics, of: FiguresOf): void {
  metrics.add({
    room_connections: 'Open sockets of rooms',
    rooms: 'Rooms in memory: with somebody in them, or left by the last one a short while ago',
    room_events_thinned_total: 'Chatter left out in floods since the start',
  }, async () => {
    const { connections, rooms, thinned } = of.realtime.stats();
    return { room_connections: connections, rooms, room_events_thinned_total: thinned };
  });

  addVideoFigures(metrics, of.video);

  metrics.add({
    recordings_open: 'Shows with a recording that is not finished',
    recorded_segments_total: 'Segments that were kept since the start',
    recorded_bytes_total: 'Bytes of them',
    recorded_segments_lost_total: 'Segments that could not be kept: the disk was full, or too slow',
    recorded_segments_waiting: 'Segments that wait for the store',
    recorder_in_trouble: '1 while what was tried last could not be kept; the log says why',
  }, async () => {
    const { streams, segmentsKept, segmentsLost, bytesKept, waiting, trouble } = of.recorder.stats();
    return {
      recordings_open: streams, recorded_segments_total: segmentsKept, recorded_bytes_total: bytesKept,
      recorded_segments_lost_total: segmentsLost, recorded_segments_waiting: waiting,
      recorder_in_trouble: trouble === null ? 0 : 1,
    };
  });

  metrics.add({
    replay_aac_segments_total: 'Segments of replays whose sound was made AAC since the start',
    replay_aac_refused_total: 'Requests for one that were told to come back: too many waited',
    replay_aac_waiting: 'Segments that wait for their turn',
  }, async () => {
    const { made, refused, waiting } = of.replayAac.stats();
    return { replay_aac_segments_total: made, replay_aac_refused_total: refused, replay_aac_waiting: waiting };
  });

  metrics.add({
    outbox_facts: 'Facts that wait for their reactions',
    outbox_failing_facts: 'Facts whose reaction failed before and is tried again',
    outbox_oldest_seconds: 'Age of the oldest fact that waits',
  }, async () => {
    const { facts, failing, oldestSeconds } = await of.outbox.backlog();
    return { outbox_facts: facts, outbox_failing_facts: failing, outbox_oldest_seconds: oldestSeconds };
  });

  metrics.add({
    database_connections: 'Connections of the pool',
    database_waiting_requests: 'Requests that wait for a connection',
  }, async () => ({
    database_connections: of.pool.totalCount,
    database_waiting_requests: of.pool.waitingCount,
  }));
}

function addVideoFigures(metrics: Metrics, video: FiguresOf['video']): void {
  /** What grows must not fall to 0 while the media process restarts: Prometheus would count it all again after it. */
  let last: MediaStats | null = null;
  metrics.add({
    live_streams: 'Shows with a picture now',
    video_viewers: 'Open video sockets',
    video_sent_bytes_total: 'Video written to viewers since the start',
    video_eased_total: 'Times that a slow viewer was taken to the small picture',
    video_skips_total: 'Times that a slow viewer was skipped to a key frame',
    media_restarts_total: 'Times that the media process ended by itself; while it restarts, as last known',
    media_cpu_seconds_total: 'Processor time of the media process since it started; while it restarts, as last known',
    media_resident_memory_bytes: 'Memory of the media process; 0 while it restarts',
    media_event_loop_delay_seconds: 'How late timers of the media process ran, 99th percentile since the last look',
    publishers: 'Open publishing sessions',
  }, async () => {
    const { hub, media, publishersHere } = await video.stats();
    last = media ?? last;
    return {
      live_streams: hub.streams,
      video_viewers: hub.viewers,
      video_sent_bytes_total: hub.bytesWritten,
      video_eased_total: hub.eased,
      video_skips_total: hub.skips,
      media_restarts_total: last?.restarts ?? 0,
      media_cpu_seconds_total: (last?.cpuUs ?? 0) / MICROSECONDS,
      media_resident_memory_bytes: media?.rssBytes ?? 0,
      media_event_loop_delay_seconds: (media?.eventLoopDelayMs.p99 ?? 0) / MILLISECONDS,
      publishers: (media?.sessions.length ?? 0) + publishersHere,
    };
  });
}
