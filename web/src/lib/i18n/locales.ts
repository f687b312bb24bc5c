/**
 * The languages Nacre speaks and how one is chosen: a person's own choice (cookie) first, then what the browser asks
 * for, then English. Pure; used by the server hook and by the page.
 */
export const locales = ['en', 'zh', 'ar'] as const;
export type Locale = (typeof locales)[number];

export const localeCookie = 'nacre_locale';
export const timeZoneCookie = 'nacre_tz';

/** Each language by its own name, as the switch shows it. */
export const localeNames: Record<Locale, string> = { en: 'English', zh: '简体中文', ar: 'العربية' };

export const htmlLang: Record<Locale, string> = { en: 'en', zh: 'zh-CN', ar: 'ar' };

// Without a region Intl guesses one. These are the regions the texts are written for; Hijri dates would not match the
// dates on orders and parcels, hence the Gregorian calendar in Saudi Arabia.
const regionDefault: Record<Locale, string> = { en: 'en-US', zh: 'zh-CN', ar: 'ar-SA-u-ca-gregory' };

export function isLocale(value: unknown): value is Locale {
  return locales.some((locale) => locale === value);
}

export function direction(locale: Locale): 'ltr' | 'rtl' {
  return locale === 'ar' ? 'rtl' : 'ltr';
}

// More tags than this in one header is not a person's list of languages.
const acceptedTagsLimit = 20;

function acceptedTags(header: string | null | undefined): string[] {
  if (!header) return [];
  return header
    .slice(0, 1000)
    .split(',')
    .slice(0, acceptedTagsLimit)
    .map((part) => {
      const [tag = '', ...params] = part.trim().split(';');
      const q = params.map((p) => p.trim()).find((p) => p.startsWith('q='));
      return { tag: tag.trim(), weight: q ? Number(q.slice(2)) : 1 };
    })
    .filter((entry) => /^[a-z]{2,3}(-[a-z0-9]{2,8})*$/i.test(entry.tag) && entry.weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .map((entry) => entry.tag);
}

/** The language of the page: `chosen` is the cookie's value, `accept` the Accept-Language header. */
export function chooseLocale(chosen: string | undefined, accept: string | null | undefined): Locale {
  if (isLocale(chosen)) return chosen;
  for (const tag of acceptedTags(accept)) {
    const language = tag.slice(0, 2).toLowerCase();
    if (isLocale(language)) return language;
  }
  return 'en';
}

/** The tag for Intl: the reader's own region of this language if the browser names one. */
export function chooseFormatLocale(locale: Locale, accept: string | null | undefined): string {
  for (const tag of acceptedTags(accept)) {
    const [language, ...rest] = tag.split('-');
    const region = rest.find((part) => /^[a-z]{2}$/i.test(part));
    if (language?.toLowerCase() !== locale || !region) continue;
    const full = `${locale}-${region.toUpperCase()}`;
    return full === 'ar-SA' ? regionDefault.ar : full;
  }
  return regionDefault[locale];
}

export function isTimeZone(value: string | undefined | null): value is string {
  if (!value || value.length > 64) return false;
  try {
    return Intl.DateTimeFormat('en', { timeZone: value }) !== null;
  } catch {
    return false;
  }
}
