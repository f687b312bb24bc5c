/**
 * The reader's language inside components. The root layout makes one per page (on the server: per request) and puts it
 * into the context; components take it with `useI18n()`.
 *
 * `t` reads state, so switching the language redraws everything without a reload and the picture keeps playing.
 */
import { getContext, setContext } from 'svelte';
import { formatFor, type Format } from './format.ts';
import type { MessageArguments } from './keys.ts';
import { findMessage, loadedNamespaces, loadMessages } from './load.ts';
import { chooseFormatLocale, direction, htmlLang, type Locale, localeCookie } from './locales.ts';
import { withNumbers } from './runtime.ts';

export type MessageKey = keyof MessageArguments;
type Rest<K extends MessageKey> = MessageArguments[K] extends null ? [] : [args: MessageArguments[K]];
export type Translate = <K extends MessageKey>(key: K, ...rest: Rest<K>) => string;

export interface I18n {
  readonly locale: Locale;
  readonly dir: 'ltr' | 'rtl';
  readonly format: Format;
  t: Translate;
  /** For keys made from data, as refusal codes: undefined when there is no such message. */
  find: (key: string, args?: Record<string, unknown>) => string | undefined;
  /** Changes the language of the page at once and remembers it. */
  change: (locale: Locale) => Promise<void>;
}

const contextKey = Symbol('i18n');
const yearSeconds = 31_536_000;
// FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE (Unicode UAX 9), by number: nobody sees them in a source.
const isolateOpen = String.fromCodePoint(0x2068);
const isolateClose = String.fromCodePoint(0x2069);
const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

/** Keeps a name or price from reordering the sentence around it: first strong isolate … pop isolate. */
function isolate(value: unknown, dir: 'ltr' | 'rtl'): unknown {
  if (typeof value !== 'string') return value;
  return dir === 'rtl' || rightToLeft.test(value) ? isolateOpen + value + isolateClose : value;
}

/** @param initial.timeZone asked whenever a time is drawn, because signing in changes it; null for the browser's own */
export function createI18n(initial: { locale: Locale; formatLocale: string; timeZone: () => string | null }): I18n {
  let locale = $state(initial.locale);
  let formatLocale = $state(initial.formatLocale);
  const format = $derived(formatFor(formatLocale, initial.timeZone() ?? undefined));

  function find(key: string, args: Record<string, unknown> = {}): string | undefined {
    const message = findMessage(locale, key);
    if (typeof message !== 'function') return message;
    const dir = direction(locale);
    const isolated = Object.fromEntries(Object.entries(args).map(([name, value]) => [name, isolate(value, dir)]));
    withNumbers(format.number);
    return message(isolated);
  }

  return {
    get locale() {
      return locale;
    },
    get dir() {
      return direction(locale);
    },
    get format() {
      return format;
    },
    t: (key, ...rest) => find(key, rest[0] ?? undefined) ?? key,
    find,
    async change(next) {
      await loadMessages(next, ...loadedNamespaces(locale));
      document.cookie = `${localeCookie}=${next}; path=/; max-age=${yearSeconds}; samesite=lax`;
      locale = next;
      formatLocale = chooseFormatLocale(next, navigator.languages.join(','));
      document.documentElement.lang = htmlLang[next];
      document.documentElement.dir = direction(next);
    },
  };
}

export function provideI18n(i18n: I18n): I18n {
  return setContext(contextKey, i18n);
}

export function useI18n(): I18n {
  return getContext<I18n>(contextKey);
}
