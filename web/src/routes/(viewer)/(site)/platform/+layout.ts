import { loadMessages } from '#lib/i18n/load.ts';
import type { LayoutLoad } from './$types';

export const load: LayoutLoad = async ({ parent }) => {
  await loadMessages((await parent()).locale, 'moderation');
};
