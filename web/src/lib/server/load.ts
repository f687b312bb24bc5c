/** For `load` functions on the server: the API in the reader's name, with refusals as pages. */
import { error, type RequestEvent } from '@sveltejs/kit';
import { ApiError, ask, createApi } from '#lib/api.ts';

export function apiOf(event: Pick<RequestEvent, 'fetch' | 'url'>) {
  return createApi({ fetch: event.fetch, origin: event.url.origin });
}

/** As `ask`, but a refusal becomes the error page with its status and code. */
export async function askPage<T>(answer: Parameters<typeof ask<T>>[0]): Promise<T> {
  try {
    return await ask(answer);
  } catch (problem) {
    if (problem instanceof ApiError) {
      error(problem.status === 0 ? 503 : problem.status, { message: problem.code, code: problem.code });
    }
    throw problem;
  }
}
