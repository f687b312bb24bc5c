import type { SearchAnswer } from '@nacre/contract/discovery';
import { ApiError, ask } from '#lib/api.ts';
import { apiOf } from '#lib/server/load.ts';
import type { PageServerLoad } from './$types';

// As the API has it (contract/src/discovery.ts).
const textMax = 100;

export const load: PageServerLoad = async (event) => {
  const text = (event.url.searchParams.get('q') ?? '').trim().slice(0, textMax);
  if (text === '') return { text, found: null, failed: null, nowMs: Date.now() };
  try {
    const params = { query: { q: text } };
    const found = (await ask(apiOf(event).GET('/api/search', { params }))) as SearchAnswer;
    return { text, found, failed: null, nowMs: Date.now() };
  } catch (problem) {
    if (!(problem instanceof ApiError)) throw problem;
    // The field stays: whoever typed too fast goes on in a moment.
    return { text, found: null, failed: { code: problem.code, status: problem.status }, nowMs: Date.now() };
  }
};
