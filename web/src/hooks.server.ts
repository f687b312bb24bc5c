/**
 * Every page request: chooses language, region and appearance before anything is drawn, lets pages read the API in the
 * reader's name, and completes the security policy.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Handle, HandleFetch, HandleServerError } from '@sveltejs/kit/hooks';
import {
  chooseFormatLocale,
  chooseLocale,
  direction,
  htmlLang,
  isTimeZone,
  localeCookie,
  timeZoneCookie,
} from '#lib/i18n/locales.ts';
import { isTheme, themeCookie } from '#lib/theme.ts';

type ApiFetch = (request: Request) => Promise<Response>;

/** What the server hands over with a request for a page; nothing under `vite dev`. */
function rawOf(platform: unknown): { nacreFetch?: ApiFetch; nacreOrigin?: string } | undefined {
  return (platform as { req?: { nacreFetch?: ApiFetch; nacreOrigin?: string } } | undefined)?.req;
}

export const handle: Handle = async ({ event, resolve }) => {
  const accept = event.request.headers.get('accept-language');
  const theme = event.cookies.get(themeCookie);
  const timeZone = event.cookies.get(timeZoneCookie);
  const locale = chooseLocale(event.cookies.get(localeCookie), accept);
  event.locals.locale = locale;
  event.locals.formatLocale = chooseFormatLocale(locale, accept);
  event.locals.theme = isTheme(theme) ? theme : 'system';
  event.locals.timeZone = isTimeZone(timeZone) ? timeZone : null;
  event.locals.origin = rawOf(event.platform)?.nacreOrigin ?? event.url.origin;

  const response = await resolve(event, {
    transformPageChunk: ({ html }) => {
      const page = html
        // Not what was chosen above: the profile of who is signed in has been read meanwhile.
        .replace('%nacre.lang%', htmlLang[event.locals.locale])
        .replace('%nacre.dir%', direction(event.locals.locale))
        .replace('%nacre.theme%', event.locals.theme);
      return page.includes('data-live=') ? pictureFirst(page) : lookFirst(page);
    },
    preload: (input) => {
      if (input.type === 'js' || input.type === 'css') return true;
      // The one face that every page draws with at once; the rest comes when a glyph needs it.
      return input.type === 'font' && input.filename.endsWith('inter-latin-wght-normal.woff2');
    },
  });

  const type = response.headers.get('content-type') ?? '';
  if (type.startsWith('text/html')) {
    // Pages differ by person and language; a shared cache must not keep them.
    response.headers.set('cache-control', 'private, no-cache');
    response.headers.append('vary', 'accept-language, cookie');
    allowSockets(response, event.url.host);
    return gzipped(response, event.request.headers.get('accept-encoding') ?? '');
  }
  return response;
};

const gzipBytes = promisify(gzip);

/** A page shrinks to a quarter. Its files are compressed when they are built. */
async function gzipped(response: Response, accepted: string): Promise<Response> {
  response.headers.append('vary', 'accept-encoding');
  if (response.body === null || !/\bgzip\b(?!;q=0)/.test(accepted)) return response;
  const headers = new Headers(response.headers);
  headers.set('content-encoding', 'gzip');
  headers.delete('content-length');
  // Made from the bytes that were not compressed.
  headers.delete('etag');
  return new Response(await gzipBytes(await response.arrayBuffer()), { status: response.status, headers });
}

/** Styles, letters and pictures come before the scripts: a page is looked at before it is tapped. */
function lookFirst(page: string): string {
  return page.replaceAll('rel="modulepreload"', '$& fetchpriority="low"');
}

// The picture stands after 0.2 s near by. On a slow line nobody waits longer than this for buttons that answer.
const frameworkWaitMs = 800;

/**
 * Holds the framework back until the small script of the show page (lib/show/early.ts) says go, so that the first
 * bytes on the line are the picture's. Where the framework's markup is not as expected, everything starts at once.
 */
function pictureFirst(page: string): string {
  const start = /import\("[^"]*\/entry\/start\.[^"]*"\)/;
  if (!start.test(page)) return page;
  const wait = `new Promise((go) => { globalThis.nacreGo = go; setTimeout(go, ${frameworkWaitMs}); })`;
  return page
    .replace(start, (framework) => `${wait}.then(() => ${framework})`)
    .replaceAll('rel="modulepreload"', 'rel="later"');
}

/** Older Safari does not count ws: and wss: of the same host as 'self'. */
function allowSockets(response: Response, host: string): void {
  const policy = response.headers.get('content-security-policy');
  if (!policy || !/^[a-z0-9.:[\]-]+$/i.test(host)) return;
  response.headers.set(
    'content-security-policy',
    policy.replace("connect-src 'self'", `connect-src 'self' ws://${host} wss://${host}`),
  );
}

/**
 * Reads of the API while a page is drawn do not go over the network: the server hands its own function along with the
 * request. Under `vite dev` there is no such function; NACRE_DEV_API names a running server instead.
 */
export const handleFetch: HandleFetch = async ({ event, request, fetch }) => {
  const url = new URL(request.url);
  if (url.origin !== event.url.origin || !url.pathname.startsWith('/api/')) return fetch(request);
  const inside = rawOf(event.platform)?.nacreFetch;
  if (inside) return inside(request);
  const devApi = process.env.NACRE_DEV_API;
  if (!devApi) return fetch(request);
  const headers = new Headers({ accept: 'application/json' });
  const cookie = event.request.headers.get('cookie');
  if (cookie) headers.set('cookie', cookie);
  return globalThis.fetch(new URL(url.pathname + url.search, devApi), { method: request.method, headers });
};

export const handleError: HandleServerError = ({ kind, error, event }) => {
  if (kind === 'unknown') console.error(`page ${event.url.pathname} failed`, error);
};
