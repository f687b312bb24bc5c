/** Names of spoken languages in the reader's language. */
import { SPOKEN_LANGUAGES, type SpokenLanguage } from '@nacre/contract/languages';

const names = new Map<string, Intl.DisplayNames>();

/** "Cantonese", "粤语". */
export function languageName(tag: string, locale: string): string {
  let known = names.get(locale);
  if (!known) {
    known = new Intl.DisplayNames(locale, { type: 'language', languageDisplay: 'standard' });
    names.set(locale, known);
  }
  const name = known.of(tag) ?? tag;
  return name.charAt(0).toLocaleUpperCase(locale) + name.slice(1);
}

/** All of them by name, for a choice. */
export function languageOptions(locale: string): { value: SpokenLanguage; label: string }[] {
  const order = new Intl.Collator(locale);
  return SPOKEN_LANGUAGES.map((value) => ({ value, label: languageName(value, locale) })).sort((a, b) =>
    order.compare(a.label, b.label),
  );
}
