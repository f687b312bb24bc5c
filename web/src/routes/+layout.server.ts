import type { Me } from '@nacre/contract/accounts';
import { chooseFormatLocale, localeCookie } from '#lib/i18n/locales.ts';
import { ownProfile } from '#lib/profile.ts';
import type { LayoutServerLoad } from './$types';

const yearSeconds = 31_536_000;

/** Signing in and out invalidates this, so that the page knows the person without a reload. */
export const load: LayoutServerLoad = async ({ locals, fetch, depends, cookies, request, url }) => {
  depends('nacre:me');
  const nobody: Me = { person: null, shops: [], offersPhone: false };
  const answer = await fetch('/api/me').catch(() => null);
  const me: Me = answer?.ok ? ((await answer.json()) as Me) : nobody;
  const own = ownProfile(me.person);
  if (own !== null && own.locale !== locals.locale) {
    // Chosen on another device. The page's own switch writes this cookie too, so it must not be hidden from it.
    const secure = url.protocol === 'https:';
    cookies.set(localeCookie, own.locale, { path: '/', maxAge: yearSeconds, sameSite: 'lax', httpOnly: false, secure });
    locals.locale = own.locale;
    locals.formatLocale = chooseFormatLocale(own.locale, request.headers.get('accept-language'));
  }
  return {
    me,
    locale: locals.locale,
    formatLocale: locals.formatLocale,
    theme: locals.theme,
    origin: locals.origin,
    timeZone: own?.timeZone ?? locals.timeZone,
  };
};
