import type { Page } from '@nacre/contract/common';
import type { ReportCase } from '@nacre/contract/moderation';
import { caseState } from '#lib/moderation/case-state.ts';
import { apiOf, askPage } from '#lib/server/load.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const state = caseState(event.url);
  const reports = await askPage(apiOf(event).GET('/api/platform/reports', { params: { query: { state, limit: 20 } } }));
  return { state, reports: reports as Page<ReportCase> };
};
