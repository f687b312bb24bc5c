import type { Me } from '@nacre/contract/accounts';
import type { LayoutServerLoad } from './$types';

/** Signing in and out invalidates this, so that the page knows the person without a reload. */
export const load: LayoutServerLoad = async ({ locals, fetch, depends }) => {
  depends('nacre:me');
  const nobody: Me = { person: null, shops: [] };
  const answer = await fetch('/api/me').catch(() => null);
  const me: Me = answer?.ok ? ((await answer.json()) as Me) : nobody;
  return {
    me,
    locale: locals.locale,
    formatLocale: locals.formatLocale,
    theme: locals.theme,
    timeZone: locals.timeZone,
  };
};
