/** Refusals of the video routes with a sentence in `detail`, for WHIP clients that know nothing of Nacre's codes. */
import type { FastifyReply } from 'fastify';
import type { RefusalCode } from '@nacre/contract/refusals';
import type { RefusalDetails } from '../lib/refusal.ts';
import { PROBLEM_TYPE, problemOf } from '../http/error-reply.ts';

/** `detail` is a sentence for the person who publishes. */
export function sendProblem(
  reply: FastifyReply, code: RefusalCode, detail?: string, details?: RefusalDetails,
): FastifyReply {
  const problem = problemOf(code, details);
  return reply
    .code(problem.status)
    .type(PROBLEM_TYPE)
    .send(detail ? { ...problem, detail } : problem);
}
