/** Turns whatever was thrown into RFC 9457 problem details. The text of an unexpected error stays in the log. */
import { REFUSALS, type RefusalCode } from '@nacre/contract/refusals';
import type { Problem } from '@nacre/contract/common';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { Refusal, type RefusalDetails } from '../lib/refusal.ts';
import { isUnavailable } from '../platform/database.ts';

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

export function problemOf(code: RefusalCode, details?: RefusalDetails): Problem {
  const { status, title } = REFUSALS[code];
  return {
    type: `urn:nacre:refusal:${code}`,
    title,
    status,
    code,
    ...(details === undefined ? {} : { details }),
  };
}

/**
 * A refusal by hand, where nothing may be thrown. `detail`: a sentence for the person who asks, for clients that know
 * nothing of Nacre's codes (WHIP).
 */
export function sendProblem(
  reply: FastifyReply, code: RefusalCode, detail?: string, details?: RefusalDetails,
): FastifyReply {
  const problem = problemOf(code, details);
  return reply.code(problem.status).type(PROBLEM_TYPE).send(detail ? { ...problem, detail } : problem);
}

/** PostgreSQL cannot keep U+0000: character_not_in_repertoire, untranslatable_character (in JSON). */
const UNKEEPABLE_TEXT = new Set(['22021', '22P05']);

/** No space or quota left: of our own disk, and of the database's (SQLSTATE disk_full). */
const FULL = new Set(['ENOSPC', 'EDQUOT', '53100']);

function refusalOf(error: FastifyError | Refusal): Refusal | null {
  if (error instanceof Refusal) return error;
  if (UNKEEPABLE_TEXT.has(error.code)) {
    return new Refusal('request.invalid', { details: { reason: 'contains U+0000' } });
  }
  if (FULL.has(error.code)) return new Refusal('server.full');
  if (isUnavailable(error)) return new Refusal('server.busy', { retryAfterSeconds: 2 });
  if (error.validation !== undefined) {
    const first = error.validation[0];
    const missing = first?.params['missingProperty'];
    const path = `${first?.instancePath ?? ''}${typeof missing === 'string' ? `/${missing}` : ''}`;
    return new Refusal('request.invalid', {
      details: { field: path.slice(1).replaceAll('/', '.') || error.validationContext, reason: first?.message },
    });
  }
  switch (error.statusCode) {
    case 400: return new Refusal('request.invalid');
    case 404: return new Refusal('request.not_found');
    case 405: return new Refusal('request.method');
    case 413: return new Refusal('request.too_large');
    case 415: return new Refusal('request.media_type');
    case 429: return new Refusal('request.too_many');
    case 503: return new Refusal('server.busy', { retryAfterSeconds: 2 });
    default: return isClientError(error.statusCode) ? new Refusal('request.invalid') : null;
  }
}

function isClientError(status: number | undefined): boolean {
  return status !== undefined && status >= 400 && status < 500;
}

export function replyWithError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  // Anything can be thrown; only errors can be told apart.
  const error = thrown instanceof Error ? thrown : new Error('not an error', { cause: thrown });
  const refusal = refusalOf(error as FastifyError);
  if (refusal === null) {
    request.log.error({ err: error }, 'request failed');
    reply.code(500).type(PROBLEM_TYPE).send(problemOf('server.failed'));
    return;
  }
  // Whoever asked can do nothing about it: the operator must hear of it.
  if (refusal.code === 'server.full') request.log.error({ err: error }, 'the disk is full');
  if (refusal.retryAfterSeconds !== undefined) reply.header('Retry-After', refusal.retryAfterSeconds);
  if (refusal.status === 401) reply.header('WWW-Authenticate', 'Bearer realm="nacre"');
  reply.code(refusal.status).type(PROBLEM_TYPE).send(problemOf(refusal.code, refusal.details));
}
