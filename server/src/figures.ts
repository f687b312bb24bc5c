/** What the server tells about itself at /metrics. */
import type { Modules } from './modules.ts';
import type { Database } from './platform/database.ts';
import type { Metrics } from './platform/metrics.ts';

const MICROSECONDS = 1e6;
const MILLISECONDS = 1e3;

export function addModuleFigures(metrics: Metrics, modules: Modules, database: Database): void {
  metrics.add({
    room_connections: 'Open sockets of rooms',
    rooms: 'Rooms with somebody in them',
    room_events_thinned_total: 'Chatter left out in floods since the start',
  }, async () => {
    const { connections, rooms, thinned } = modules.realtime.stats();
    return { room_connections: connections, rooms, room_events_thinned_total: thinned };
  });

  metrics.add({
    live_streams: 'Shows with a picture now',
    video_viewers: 'Open video sockets',
    video_sent_bytes_total: 'Video written to viewers since the start',
    video_skips_total: 'Times that a slow viewer was skipped to a key frame',
    media_restarts_total: 'Times that the media process ended by itself',
    media_cpu_seconds_total: 'Processor time of the running media process',
    media_resident_memory_bytes: 'Memory of the media process',
    media_event_loop_delay_seconds: 'How late timers of the media process ran, 99th percentile since the last look',
    publishers: 'Open publishing sessions',
  }, async () => {
    const { hub, media } = await modules.video.stats();
    return {
      live_streams: hub.streams,
      video_viewers: hub.viewers,
      video_sent_bytes_total: hub.bytesWritten,
      video_skips_total: hub.skips,
      media_restarts_total: media?.restarts ?? 0,
      media_cpu_seconds_total: (media?.cpuUs ?? 0) / MICROSECONDS,
      media_resident_memory_bytes: media?.rssBytes ?? 0,
      media_event_loop_delay_seconds: (media?.eventLoopDelayMs.p99 ?? 0) / MILLISECONDS,
      publishers: media?.sessions.length ?? 0,
    };
  });

  metrics.add({
    database_connections: 'Connections of the pool',
    database_waiting_requests: 'Requests that wait for a connection',
  }, async () => ({
    database_connections: database.pool.totalCount,
    database_waiting_requests: database.pool.waitingCount,
  }));
}
