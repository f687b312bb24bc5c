/** Languages that are spoken in shows; those that our own texts exist in are `LOCALES` in common.ts. */

/**
 * BCP 47 tags: what most people on earth speak, and what shops are likely to sell in. A longer list is one in which
 * nobody finds theirs; names are given by `Intl.DisplayNames`.
 */
export const SPOKEN_LANGUAGES = [
  'am', 'ar', 'az', 'bg', 'bn', 'bo', 'ca', 'cs', 'da', 'de', 'el', 'en', 'es', 'fa', 'fi', 'fil', 'fr', 'gu', 'ha',
  'he', 'hi', 'hr', 'hu', 'hy', 'id', 'ig', 'it', 'ja', 'jv', 'ka', 'kk', 'km', 'kn', 'ko', 'ky', 'lo', 'mn', 'mr',
  'ms', 'my', 'nan', 'nb', 'ne', 'nl', 'pa', 'pl', 'ps', 'pt', 'ro', 'ru', 'si', 'sk', 'so', 'sr', 'sv', 'sw', 'ta',
  'te', 'th', 'tr', 'ug', 'uk', 'ur', 'uz', 'vi', 'wuu', 'yo', 'yue', 'zh', 'zu',
] as const;
export type SpokenLanguage = (typeof SPOKEN_LANGUAGES)[number];
