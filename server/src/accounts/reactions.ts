/** The jobs of accounts. */
import type { Jobs } from '../platform/jobs.ts';
import type { Accounts } from './accounts.ts';
import { JOB_SEND_CODE, JOB_TELL_NUMBER, type CodeJob, type NumberJob } from './codes.ts';
import { JOB_MAIL_EMAIL_LINK, JOB_MAIL_EMAIL_UNDO, type EmailLinkJob, type EmailUndoJob } from './email-change.ts';
import { JOB_MAIL_EMAIL_PROOF, type EmailProofJob } from './email-proof.ts';
import { JOB_MAIL_RESET, type ResetJob } from './passwords.ts';

/** Registers them; before `jobs.start()`. */
export function accountsReactions(jobs: Jobs, { accounts }: { accounts: Accounts }): void {
  jobs.on(JOB_MAIL_RESET, (job: ResetJob) => accounts.mailReset(job));
  jobs.on(JOB_SEND_CODE, (job: CodeJob) => accounts.ways.sendCode(job));
  jobs.on(JOB_TELL_NUMBER, (job: NumberJob) => accounts.ways.sendNumberNews(job));
  jobs.on(JOB_MAIL_EMAIL_PROOF, (job: EmailProofJob) => accounts.ways.mailEmailProof(job));
  jobs.on(JOB_MAIL_EMAIL_LINK, (job: EmailLinkJob) => accounts.ways.mailEmailLink(job));
  jobs.on(JOB_MAIL_EMAIL_UNDO, (job: EmailUndoJob) => accounts.ways.mailEmailUndo(job));
}
