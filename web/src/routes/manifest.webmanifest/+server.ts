/** What the installed app is called and looks like, in the reader's language. */
import { direction, htmlLang } from '#lib/i18n/locales.ts';
import ar from '#lib/i18n/offline.ar.json';
import en from '#lib/i18n/offline.en.json';
import zh from '#lib/i18n/offline.zh.json';
import type { RequestHandler } from './$types';

const texts = { ar, en, zh };
const icon = (src: string, size: number, purpose: string) => ({
  src: `/icons/${src}`, sizes: `${size}x${size}`, type: 'image/png', purpose,
});

export const GET: RequestHandler = ({ locals }) => {
  const own = texts[locals.locale];
  const shortcut = (name: string, url: string) => ({ name, url, icons: [icon('192.png', 192, 'any')] });
  const manifest = {
    id: '/',
    name: 'Nacre',
    short_name: 'Nacre',
    description: own.app_text,
    lang: htmlLang[locals.locale],
    dir: direction(locals.locale),
    start_url: '/',
    scope: '/',
    display: 'standalone',
    background_color: '#faf9f6',
    theme_color: '#faf9f6',
    icons: [
      icon('192.png', 192, 'any'), icon('512.png', 512, 'any'), icon('maskable-512.png', 512, 'maskable'),
      { src: '/logo.svg', sizes: 'any', type: 'image/svg+xml', purpose: 'any' },
    ],
    shortcuts: [shortcut(own.live, '/'), shortcut(own.orders, '/orders'), shortcut(own.studio, '/studio')],
  };
  return new Response(JSON.stringify(manifest), {
    headers: {
      'content-type': 'application/manifest+json', 'cache-control': 'private, no-cache',
      vary: 'accept-language, cookie',
    },
  });
};
