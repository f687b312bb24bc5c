import { loadMessages } from '#lib/i18n/load.ts';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ data, parent }) => {
  await loadMessages((await parent()).locale, 'wait', 'clip');
  return data;
};
