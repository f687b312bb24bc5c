/** Refusals of the video routes as problem details (RFC 9457), for WHIP clients that know nothing of Nacre. */
import type { FastifyReply } from 'fastify';
import { REFUSALS } from '@nacre/contract/refusals';

export type VideoProblemCode = Extract<keyof typeof REFUSALS, `video.${string}` | `request.${string}` | `server.${string}`>;

/** `detail` is a sentence for the person who publishes. */
export function sendProblem(reply: FastifyReply, code: VideoProblemCode, detail?: string): FastifyReply {
  const { status, title } = REFUSALS[code];
  return reply
    .code(status)
    .header('cache-control', 'no-store')
    .type('application/problem+json')
    .send({ type: 'about:blank', title, status, code, ...(detail ? { detail } : {}) });
}
