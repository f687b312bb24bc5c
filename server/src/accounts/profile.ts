/** Names, languages and time zones of people. Pure. */
import { LOCALES, type Locale } from '@nacre/contract/common';

/** Controls, and the marks that turn text around them (Unicode Bidi_Control), which let a name pose as another. */
const UNSEEN = /[\p{Cc}\p{Cs}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/gu;

/** The name as it is kept; null when nothing is left of it. */
export function cleanName(name: string): string | null {
  const clean = name.normalize('NFC').replace(/\s/gu, ' ').replace(UNSEEN, '').replace(/ +/g, ' ').trim();
  return clean === '' ? null : clean;
}

/** The first language of ours in an `Accept-Language` header (RFC 9110, section 12.5.4), by weight; English else. */
export function localeOf(acceptLanguage: string | undefined): Locale {
  const wanted = (acceptLanguage ?? '')
    .slice(0, 500)
    .split(',')
    .map((part) => {
      const [tag, ...params] = part.trim().split(';');
      const weight = params.map((param) => /^\s*q=([01](?:\.\d{1,3})?)\s*$/.exec(param)?.[1]).find(Boolean);
      return { language: (tag ?? '').split('-')[0]?.toLowerCase(), weight: Number(weight ?? 1) };
    })
    .filter(({ weight }) => weight > 0)
    .toSorted((a, b) => b.weight - a.weight);
  for (const { language } of wanted) {
    const known = LOCALES.find((locale) => locale === language);
    if (known !== undefined) return known;
  }
  return 'en';
}

/** Whether it is an IANA time zone that this Node.js knows. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '' && !/^[+-]/.test(name);
  } catch {
    // RangeError: no such zone.
    return false;
  }
}
