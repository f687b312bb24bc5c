/** The jobs of payments. Each is safe to run twice. */
import type { Jobs } from '../platform/jobs.ts';
import type { Payments } from './payments.ts';
import type { Notice } from './provider.ts';
import { JOB_GIVE_BACK, JOB_NOTICE } from './telling.ts';

/** Registers them; before `jobs.start()`. */
export function paymentsReactions(jobs: Jobs, deps: { payments: Payments }): void {
  jobs.on(JOB_NOTICE, (notice: Notice) => deps.payments.receive(notice));
  jobs.on(JOB_GIVE_BACK, (job: { paymentId: string }) => deps.payments.giveBack(job.paymentId));
}
