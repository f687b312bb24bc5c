/**
 * A refusal of the API as an error: its stable code and the facts that go with it. Small, because it is in the first
 * bytes of a viewer's page; the client itself is in api.ts.
 */
import type { Problem } from '@nacre/contract/common';
import type { I18n } from '#lib/i18n/i18n.svelte.ts';
import { loadMessages } from '#lib/i18n/load.ts';

export class ApiError extends Error {
  /** A code of contract/src/refusals.ts; `network` when no answer came at all. */
  readonly code: string;
  readonly status: number;
  readonly details: Record<string, unknown>;
  /** When the server says that another try makes sense; null when it does not say. */
  readonly retryAfterSeconds: number | null;

  constructor(
    code: string, status: number, details: Record<string, unknown> = {}, retryAfterSeconds: number | null = null,
  ) {
    super(code);
    this.name = 'ApiError';
    this.code = code;
    this.status = status;
    this.details = details;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'code' in value && typeof value.code === 'string';
}

/** @param retryAfter the answer's header of that name, in seconds */
export function errorFrom(body: unknown, status: number, retryAfter: string | null = null): ApiError {
  const seconds = retryAfter !== null && /^\d{1,4}$/.test(retryAfter) ? Number(retryAfter) : null;
  if (isProblem(body)) return new ApiError(body.code, status, body.details ?? {}, seconds);
  return new ApiError(status === 429 ? 'request.too_many' : 'server.failed', status, {}, seconds);
}

/** What happened and what to do, in the reader's language. Unknown codes get the general sentence. */
export async function sayError(error: unknown, i18n: I18n): Promise<string> {
  if (!(error instanceof ApiError)) return i18n.t('common.error_general');
  if (error.code === 'network') return i18n.t('common.error_network');
  await loadMessages(i18n.locale, 'refusal').catch(() => undefined);
  return i18n.find(`refusal.${error.code}`) ?? i18n.t('common.error_general');
}

/** A sentence for the one field that the server found wrong; null when the error is about something else. */
export function wrongField(error: unknown): string | null {
  if (!(error instanceof ApiError) || error.code !== 'request.invalid') return null;
  const field = error.details.field;
  return typeof field === 'string' ? field : null;
}
