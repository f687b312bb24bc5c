/** What recordings does when a show is over, and its jobs. */
import type { Jobs } from '../platform/jobs.ts';
import type { Log } from '../platform/log.ts';
import type { Outbox } from '../platform/outbox.ts';
import { createPeriodic, type Periodic } from '../platform/periodic.ts';
import { SHOWS_CHANGED_TOPIC, type ShowsChanged } from '../shows/events.ts';
import { JOB_HEAL, type Healing } from './healing.ts';
import {
  JOB_CHECK, JOB_DELETE, JOB_FINISH, type CheckJob, type RecordingJob, type Recordings,
} from './recordings.ts';

/** Registers them; before `outbox.start()` and `jobs.start()`. */
export function recordingsReactions(
  outbox: Outbox, jobs: Pick<Jobs, 'on'>, { recordings, healing }: { recordings: Recordings; healing: Healing },
): void {
  outbox.on(SHOWS_CHANGED_TOPIC, (tx, fact: ShowsChanged) => recordings.noteChanged(tx, fact.showId));
  jobs.on(JOB_FINISH, (job: RecordingJob) => recordings.finish(job.showId));
  jobs.on(JOB_CHECK, (job: CheckJob) => recordings.check(job));
  jobs.on(JOB_HEAL, (job: RecordingJob) => healing.work(job.showId));
  jobs.on(JOB_DELETE, async (job: RecordingJob) => {
    await healing.deleteParts(job.showId);
    await recordings.deleteBytes(job.showId);
  });
}

const SWEEP_EVERY_MS = 3_600_000;
const FIRST_SWEEP_MS = 60_000;

export function createRecordingsSweep(
  { recordings, healing, log }: { recordings: Recordings; healing: Healing; log: Log },
): Periodic {
  return createPeriodic({
    name: 'recordings', everyMs: SWEEP_EVERY_MS, firstAfterMs: FIRST_SWEEP_MS, log,
    async work() {
      await recordings.sweep();
      await healing.sweep();
    },
  });
}
