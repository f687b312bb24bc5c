import type { Namespace } from '#lib/i18n/keys.ts';
import { loadShown } from '#lib/i18n/load.ts';
import type { LayoutLoad } from './$types';

/** Each part of the house has its own texts; a viewer never loads those of the office. */
function namespacesOf(routeId: string | null): Namespace[] {
  if (routeId?.startsWith('/(studio)')) return ['common', 'viewer', 'studio'];
  if (routeId?.startsWith('/(office)')) return ['common', 'office', 'place'];
  return ['common', 'viewer'];
}

export const load: LayoutLoad = async ({ data, route }) => {
  await loadShown(data.locale, ...namespacesOf(route.id));
  return data;
};
