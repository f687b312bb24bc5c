import { loadMessages } from '#lib/i18n/load.ts';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ parent, data }) => {
  await loadMessages((await parent()).locale, 'team', 'refusal');
  return data;
};
