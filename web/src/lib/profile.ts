/**
 * The page and the profile of whoever is signed in have one language and one time zone. A demo account is everybody's:
 * its profile says nothing, and the page stays as its browser wants it.
 */
import type { Person } from '@nacre/contract/accounts';
import type { I18n } from '#lib/i18n/i18n.svelte.ts';
import type { Locale } from '#lib/i18n/locales.ts';

/** The profile that the page follows; null for guests and demo accounts. */
export function ownProfile(person: Person | null): Person | null {
  return person === null || person.isDemo ? null : person;
}

/** After signing in or saving the profile: the page in its language. */
export async function followProfile(i18n: Pick<I18n, 'locale' | 'change'>, person: Person | null): Promise<void> {
  const own = ownProfile(person);
  if (own !== null && own.locale !== i18n.locale) await i18n.change(own.locale);
}

/** After the switch: the profile in the page's language. */
export async function keepLocale(person: Person | null, locale: Locale): Promise<void> {
  const own = ownProfile(person);
  if (own === null || own.locale === locale) return;
  const { api, ask } = await import('#lib/api.ts');
  await ask(api.PATCH('/api/me', { body: { locale } }));
}
