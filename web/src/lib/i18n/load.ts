/**
 * Loads catalogues, one module per namespace and language, and keeps what was loaded. The modules are constants, so
 * keeping them for the life of the process is safe on the server too.
 */
import type { Namespace } from './keys.ts';
import { isLocale, type Locale, locales } from './locales.ts';

type Message = string | ((args: Record<string, unknown>) => string);
export type Messages = Record<string, Message>;
type Loader = () => Promise<{ default: Messages }>;

// Spelled out, because the bundler only follows literal addresses.
const loaders: Record<Namespace, Record<Locale, Loader>> = {
  account: {
    en: () => import('virtual:messages/account/en'),
    zh: () => import('virtual:messages/account/zh'),
    ar: () => import('virtual:messages/account/ar'),
  },
  buy: {
    en: () => import('virtual:messages/buy/en'),
    zh: () => import('virtual:messages/buy/zh'),
    ar: () => import('virtual:messages/buy/ar'),
  },
  cart: {
    en: () => import('virtual:messages/cart/en'),
    zh: () => import('virtual:messages/cart/zh'),
    ar: () => import('virtual:messages/cart/ar'),
  },
  clip: {
    en: () => import('virtual:messages/clip/en'),
    zh: () => import('virtual:messages/clip/zh'),
    ar: () => import('virtual:messages/clip/ar'),
  },
  common: {
    en: () => import('virtual:messages/common/en'),
    zh: () => import('virtual:messages/common/zh'),
    ar: () => import('virtual:messages/common/ar'),
  },
  coupon: {
    en: () => import('virtual:messages/coupon/en'),
    zh: () => import('virtual:messages/coupon/zh'),
    ar: () => import('virtual:messages/coupon/ar'),
  },
  encoder: {
    en: () => import('virtual:messages/encoder/en'),
    zh: () => import('virtual:messages/encoder/zh'),
    ar: () => import('virtual:messages/encoder/ar'),
  },
  examine: {
    en: () => import('virtual:messages/examine/en'),
    zh: () => import('virtual:messages/examine/zh'),
    ar: () => import('virtual:messages/examine/ar'),
  },
  found: {
    en: () => import('virtual:messages/found/en'),
    zh: () => import('virtual:messages/found/zh'),
    ar: () => import('virtual:messages/found/ar'),
  },
  figures: {
    en: () => import('virtual:messages/figures/en'),
    zh: () => import('virtual:messages/figures/zh'),
    ar: () => import('virtual:messages/figures/ar'),
  },
  heal: {
    en: () => import('virtual:messages/heal/en'),
    zh: () => import('virtual:messages/heal/zh'),
    ar: () => import('virtual:messages/heal/ar'),
  },
  moderation: {
    en: () => import('virtual:messages/moderation/en'),
    zh: () => import('virtual:messages/moderation/zh'),
    ar: () => import('virtual:messages/moderation/ar'),
  },
  news: {
    en: () => import('virtual:messages/news/en'),
    zh: () => import('virtual:messages/news/zh'),
    ar: () => import('virtual:messages/news/ar'),
  },
  offline: {
    en: () => import('virtual:messages/offline/en'),
    zh: () => import('virtual:messages/offline/zh'),
    ar: () => import('virtual:messages/offline/ar'),
  },
  office: {
    en: () => import('virtual:messages/office/en'),
    zh: () => import('virtual:messages/office/zh'),
    ar: () => import('virtual:messages/office/ar'),
  },
  place: {
    en: () => import('virtual:messages/place/en'),
    zh: () => import('virtual:messages/place/zh'),
    ar: () => import('virtual:messages/place/ar'),
  },
  promise: {
    en: () => import('virtual:messages/promise/en'),
    zh: () => import('virtual:messages/promise/zh'),
    ar: () => import('virtual:messages/promise/ar'),
  },
  refusal: {
    en: () => import('virtual:messages/refusal/en'),
    zh: () => import('virtual:messages/refusal/zh'),
    ar: () => import('virtual:messages/refusal/ar'),
  },
  replay: {
    en: () => import('virtual:messages/replay/en'),
    zh: () => import('virtual:messages/replay/zh'),
    ar: () => import('virtual:messages/replay/ar'),
  },
  signin: {
    en: () => import('virtual:messages/signin/en'),
    zh: () => import('virtual:messages/signin/zh'),
    ar: () => import('virtual:messages/signin/ar'),
  },
  studio: {
    en: () => import('virtual:messages/studio/en'),
    zh: () => import('virtual:messages/studio/zh'),
    ar: () => import('virtual:messages/studio/ar'),
  },
  team: {
    en: () => import('virtual:messages/team/en'),
    zh: () => import('virtual:messages/team/zh'),
    ar: () => import('virtual:messages/team/ar'),
  },
  wait: {
    en: () => import('virtual:messages/wait/en'),
    zh: () => import('virtual:messages/wait/zh'),
    ar: () => import('virtual:messages/wait/ar'),
  },
  uplink: {
    en: () => import('virtual:messages/uplink/en'),
    zh: () => import('virtual:messages/uplink/zh'),
    ar: () => import('virtual:messages/uplink/ar'),
  },
  viewer: {
    en: () => import('virtual:messages/viewer/en'),
    zh: () => import('virtual:messages/viewer/zh'),
    ar: () => import('virtual:messages/viewer/ar'),
  },
};

const loaded = Object.fromEntries(locales.map((locale) => [locale, {}])) as Record<
  Locale,
  Partial<Record<Namespace, Messages>>
>;

export async function loadMessages(locale: Locale, ...names: Namespace[]): Promise<void> {
  await Promise.all(
    names.map(async (name) => {
      loaded[locale][name] ??= (await loaders[name][locale]()).default;
    }),
  );
}

/** Of the language that is shown: after a switch the document knows better than the data of the first request. */
export async function loadShown(locale: Locale, ...names: Namespace[]): Promise<void> {
  const shown = typeof document === 'undefined' ? locale : document.documentElement.lang.slice(0, 2);
  await loadMessages(isLocale(shown) ? shown : locale, ...names);
}

export function loadedNamespaces(locale: Locale): Namespace[] {
  return Object.keys(loaded[locale]) as Namespace[];
}

/** Undefined when the namespace is not loaded or has no such key. */
export function findMessage(locale: Locale, key: string): Message | undefined {
  const dot = key.indexOf('.');
  return loaded[locale][key.slice(0, dot) as Namespace]?.[key.slice(dot + 1)];
}
