import type { Page } from '@nacre/contract/common';
import type { LoggedDecision } from '@nacre/contract/moderation';
import { apiOf, askPage } from '#lib/server/load.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const decisions = await askPage(apiOf(event).GET('/api/platform/decisions', { params: { query: { limit: 20 } } }));
  return { decisions: decisions as Page<LoggedDecision> };
};
