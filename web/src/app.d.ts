import type { Locale } from '#lib/i18n/locales.ts';
import type { Theme } from '#lib/theme.ts';

declare global {
  /** What was tapped or sent before the page answered; set up in app.html. */
  var nacreKept: (EventListenerObject & { button?: HTMLButtonElement; form?: HTMLFormElement }) | undefined;
  namespace App {
    interface Locals {
      locale: Locale;
      /** BCP 47 tag for Intl: the language with the reader's region, as `ar-SA-u-ca-gregory`. */
      formatLocale: string;
      theme: Theme;
      /** IANA name told by the browser in a cookie; null until the first page has run. */
      timeZone: string | null;
      /** `https://host` of addresses that leave the page: previews, QR codes. */
      origin: string;
    }
    interface Error {
      message: string;
      /** Stable refusal code of the API, when the error came from there. */
      code?: string;
    }
  }
}

export {};
