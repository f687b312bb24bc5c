/** The jobs of shops. */
import type { Jobs } from '../platform/jobs.ts';
import { JOB_MAIL_INVITATION, type InvitationJob, type TeamOfShops } from './team.ts';

/** Registers them; before `jobs.start()`. */
export function teamReactions(jobs: Jobs, { team }: { team: TeamOfShops }): void {
  jobs.on(JOB_MAIL_INVITATION, (job: InvitationJob) => team.mailInvitation(job));
}
