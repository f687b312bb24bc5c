/** The jobs of accounts. */
import type { Jobs } from '../platform/jobs.ts';
import type { Accounts } from './accounts.ts';
import { JOB_MAIL_RESET, type ResetJob } from './passwords.ts';

/** Registers them; before `jobs.start()`. */
export function accountsReactions(jobs: Jobs, deps: { accounts: Accounts }): void {
  jobs.on(JOB_MAIL_RESET, (job: ResetJob) => deps.accounts.mailReset(job));
}
