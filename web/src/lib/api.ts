/**
 * The typed client of the HTTP API, on types generated from the server's OpenAPI document.
 *
 *     const show = await ask(api.GET('/api/shows/{showId}', { params: { path: { showId } } }));
 *
 * `ask` gives the answer's body or throws an ApiError, which `sayError` turns into a sentence for people.
 */
import createClient from 'openapi-fetch';
import type { paths } from './api-types.ts';
import { ApiError, errorFrom } from './problem.ts';

export { ApiError, sayError, wrongField } from './problem.ts';

// A mobile network that has not answered by then has lost the request; longer leaves people before a dead button.
const answerWithinMs = 20_000;

/** `event.fetch` and `event.url.origin` inside `load`; nothing in the browser. */
export function createApi(options: { fetch?: typeof fetch; origin?: string } = {}) {
  const send = options.fetch ?? globalThis.fetch;
  return createClient<paths>({
    baseUrl: options.origin ?? (typeof location === 'undefined' ? '' : location.origin),
    fetch: (request: Request) => send(new Request(request, { signal: AbortSignal.timeout(answerWithinMs) })),
  });
}

export type Api = ReturnType<typeof createApi>;

export const api = createApi();

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

export async function ask<T>(answer: Promise<Answer<T>>): Promise<T> {
  let result: Answer<T>;
  try {
    result = await answer;
  } catch {
    throw new ApiError('network', 0);
  }
  const { ok, status, headers } = result.response;
  if (!ok) throw errorFrom(result.error, status, headers.get('retry-after'));
  return result.data as T;
}
