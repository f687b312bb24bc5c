/** Recordings on the application of `show-api.ts`, fed with a made-up stream; jobs are done when the test says so. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { createHls } from '@nacre/media/hls/hls';
import { createRecorder } from '@nacre/media/recording/recorder';
import { createSharedAccess } from '../../server/src/http/shared-access.ts';
import { createDiskBlobs } from '../../server/src/platform/blobs.ts';
import { clipRoutes } from '../../server/src/recordings/clip-routes.ts';
import { createClips } from '../../server/src/recordings/clips.ts';
import { healingRoutes } from '../../server/src/recordings/healing-routes.ts';
import { createHealing, JOB_HEAL } from '../../server/src/recordings/healing.ts';
import {
  JOB_CHECK, JOB_DELETE, JOB_FINISH, createRecordings, type CheckJob,
} from '../../server/src/recordings/recordings.ts';
import { createReplayAac } from '../../server/src/recordings/replay-aac.ts';
import { replayRoutes } from '../../server/src/recordings/replay-routes.ts';
import { recordingsRoutes } from '../../server/src/recordings/routes.ts';
import { createShelf } from '../../server/src/recordings/shelf.ts';
import { createTestDatabase } from './database.ts';
import { drawStream, type DrawnStream } from './drawn-stream.ts';
import { createShowApi } from './show-api.ts';

type Drawn = Omit<Parameters<typeof drawStream>[0], 'streamId' | 'startedAtMs' | 'send'>;
type Parts = Parameters<NonNullable<Parameters<typeof createShowApi>[1]>>[0];

export function mountRecordings(
  { app, platform, shows, shops, accounts, catalog, images }: Parts, keepMs = 86_400_000,
) {
  const folder = mkdtempSync(join(tmpdir(), 'nacre-recordings-'));
  const disk = createDiskBlobs({ folder: join(folder, 'blobs') });
  let onRead = (_key: string): void => undefined;
  const blobs: typeof disk = {
    ...disk,
    read(key) {
      onRead(key);
      return disk.read(key);
    },
  };
  const silent = () => undefined;
  const log = { info: silent, warn: silent, error: silent };
  const openRecorder = () => createRecorder({ folder: join(folder, 'spool'), store: blobs, log });
  let recorder = openRecorder();
  const due: Array<{ name: string } & CheckJob> = [];
  const ended: string[] = [];
  const current: Parameters<typeof createShelf>[0]['recorder'] & Pick<typeof recorder, 'finish' | 'recover'> = {
    index: (showId) => recorder.index(showId),
    finish: (showId) => recorder.finish(showId),
    recover: () => recorder.recover(),
  };
  const shelf = createShelf({
    blobs, recorder: current, isReady: async (showId) => (await recordings.lengthsOf([showId])).size > 0,
  });
  const addJob = async (_tx: unknown, name: string, data: unknown) => (
    // As they are kept in between.
    void due.push(JSON.parse(JSON.stringify({ name, ...(data as CheckJob) })))
  );
  const recordings: ReturnType<typeof createRecordings> = createRecordings({
    platform, shows, shops, recorder: current, shelf, keepMs,
    jobs: { add: addJob },
    endPicture: async (showId) => void ended.push(showId),
    likesByMinute: async () => [3, 0, 1],
  });
  let isFull = false;
  const healing = createHealing({
    platform, shows, shops, shelf, blobs, hasRoom: () => !isFull, jobs: { add: addJob },
  });
  const actorOf: Parameters<typeof createSharedAccess>[0]['mayFetch'] = async (showId, request) => {
    const person = await accounts.findPersonByHeaders(request.headers, request.socket.remoteAddress);
    return shows.mayReplay(showId, person ?? { kind: 'guest', guestId: 'unknown' });
  };
  const access = createSharedAccess({
    mayFetch: actorOf,
    isPublic: (showId) => shows.mayReplay(showId, { kind: 'guest', guestId: 'anybody' }),
    hasBans: shows.hasBans,
  });
  const clips = createClips({ platform, shows, shops, catalog, images, shelf });
  recordingsRoutes(app, { recordings });
  void healingRoutes(app, { healing });
  clipRoutes(app, { clips });
  const replayAac = createReplayAac({ shelf, atOnce: 1 });
  void app.register(replayRoutes({ shelf, aac: replayAac, access }));
  return {
    recordings, healing, blobs, due, ended, access, replayAac,
    /** As of a process that has made nothing yet. */
    freshAac: () => createReplayAac({ shelf, atOnce: 1 }),
    /** Called before each blob that is read. */
    beforeRead: (does: (key: string) => void) => void (onRead = does),
    fillDisk: (is: boolean) => (isFull = is),
    /** A stream of the show that is recorded. */
    record(
      showId: string, startedAtMs: number, drawn: Drawn = {},
    ): { stream: DrawnStream; hls: ReturnType<typeof createHls> } {
      const hls = createHls({ now: () => startedAtMs, recorder });
      return { hls, stream: drawStream({ streamId: showId, startedAtMs, send: hls.onMediaEvent, ...drawn }) };
    },
    /** Until all that came is kept. */
    async settled(showId: string, segments: number): Promise<void> {
      for (let tries = 0; (recorder.index(showId)?.segments.length ?? 0) < segments; tries += 1) {
        if (tries > 500) throw new Error(`${recorder.index(showId)?.segments.length} segments`);
        await new Promise((done) => setTimeout(done, 10));
      }
    },
    /** As after kill -9: another process takes up what is there. */
    async startAgain(): Promise<void> {
      recorder = openRecorder();
      await recordings.start();
    },
    async doJobs(): Promise<void> {
      for (const job of due.splice(0)) {
        const { name, showId } = job;
        if (name === JOB_FINISH) await recordings.finish(showId);
        if (name === JOB_CHECK) await recordings.check(job);
        if (name === JOB_HEAL) await healing.work(showId);
        if (name === JOB_DELETE) await healing.deleteParts(showId);
        if (name === JOB_DELETE) await recordings.deleteBytes(showId);
      }
    },
    async stop(): Promise<void> {
      await replayAac.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * The same, with a database and an application of its own that the test file's end takes away, and a market in it.
 * @param url of the test file
 */
export async function openRecordings(url: string) {
  const database = await createTestDatabase(url);
  let mounted: ReturnType<typeof mountRecordings> | undefined;
  const api = await createShowApi(database.serverUrl, (parts) => {
    mounted = mountRecordings(parts);
  });
  const recording = mounted!;
  after(async () => {
    await api.stop();
    await recording.stop();
    await database.drop();
  });
  const query = (text: string, values: unknown[]) => api.platform.database.pool.query(text, values);
  return { api, recording, query, ...(await api.newMarket()) };
}
