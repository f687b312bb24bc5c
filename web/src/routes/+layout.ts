import type { Namespace } from '#lib/i18n/keys.ts';
import { loadMessages } from '#lib/i18n/load.ts';
import { isLocale } from '#lib/i18n/locales.ts';
import type { LayoutLoad } from './$types';

/** Each part of the house has its own texts; a viewer never loads those of the office. */
function namespacesOf(routeId: string | null): Namespace[] {
  if (routeId?.startsWith('/(studio)')) return ['common', 'viewer', 'studio'];
  if (routeId?.startsWith('/(office)')) return ['common', 'office', 'place'];
  return ['common', 'viewer'];
}

export const load: LayoutLoad = async ({ data, route }) => {
  // After a switch of language the document knows better than the data of the first request.
  const shown = typeof document === 'undefined' ? data.locale : document.documentElement.lang.slice(0, 2);
  await loadMessages(isLocale(shown) ? shown : data.locale, ...namespacesOf(route.id));
  return data;
};
