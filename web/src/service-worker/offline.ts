/** The page that stands for all others while there is no network: whole by itself, in the reader's language. */
import * as ar from '../lib/i18n/offline.ar.json';
import * as en from '../lib/i18n/offline.en.json';
import * as zh from '../lib/i18n/offline.zh.json';

export interface Reader {
  /** Language of the page that was last seen, as in its `lang`. */
  lang: string;
  theme: string;
}

/** How often it tries by itself. Shorter costs a phone without a network its battery, longer looks dead. */
const RETRY_MS = 20_000;
/**
 * Loads the page anew once the server answers, and not before: a page that loads itself in vain takes away what is
 * being read aloud (WCAG 2.2.1).
 */
const COME_BACK = `const look = () => fetch(location.href, { method: 'HEAD', cache: 'no-store' })\
.then(({ status }) => { if (status !== 503) location.reload(); }, () => undefined);\
setInterval(look, ${RETRY_MS}); addEventListener('online', look);`;
const LIGHT = '--bg:#faf9f6;--text:#14161a;--muted:#5b5e66';
const DARK = '--bg:#14161a;--text:#faf9f6;--muted:#a5a8b0';

function colours(theme: string): string {
  if (theme === 'light' || theme === 'dark') return `:root{color-scheme:${theme};${theme === 'dark' ? DARK : LIGHT}}`;
  return `:root{color-scheme:light dark;${LIGHT}}@media (prefers-color-scheme:dark){:root{${DARK}}}`;
}

/** Its own policy allows its own style and script, asking our server, and nothing else. */
export function offlineResponse({ lang, theme }: Reader): Response {
  const texts = lang.startsWith('ar') ? ar : lang.startsWith('zh') ? zh : en;
  const nonce = crypto.randomUUID();
  const html = `<!doctype html><html lang="${texts === ar ? 'ar' : texts === zh ? 'zh-Hans' : 'en'}" \
dir="${texts === ar ? 'rtl' : 'ltr'}"><head><meta charset="utf-8"><meta name="viewport" \
content="width=device-width,initial-scale=1">\
<title>${texts.title} · Nacre</title><style nonce="${nonce}">${colours(theme)}
body{margin:0;min-block-size:100dvh;display:grid;place-content:center;justify-items:center;gap:1rem;padding:1.5rem;
box-sizing:border-box;background:var(--bg);color:var(--text);text-align:center;font:1rem/1.6 system-ui,sans-serif}
h1{font-size:1.5rem;margin:0}p{margin:0;max-inline-size:30ch;color:var(--muted)}
a{margin-block-start:.5rem;padding:.75rem 1.5rem;border-radius:99rem;background:var(--text);color:var(--bg);
text-decoration:none;font-weight:600}
</style></head><body><h1>${texts.title}</h1><p>${texts.text}</p><a href="">${texts.try_again}</a>\
<script nonce="${nonce}">${COME_BACK}</script></body></html>`;
  return new Response(html, {
    status: 503,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy':
        `default-src 'none'; connect-src 'self'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'`,
    },
  });
}
