import type { Page } from '@nacre/contract/common';
import type { AppealCase } from '@nacre/contract/moderation';
import { caseState } from '#lib/moderation/case-state.ts';
import { apiOf, askPage } from '#lib/server/load.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const state = caseState(event.url);
  const appeals = await askPage(apiOf(event).GET('/api/platform/appeals', { params: { query: { state, limit: 20 } } }));
  return { state, appeals: appeals as Page<AppealCase> };
};
