/** What a mail says, as text and as HTML, in the direction of its language. Pure. */
import type { Locale } from '@nacre/contract/common';

export interface Letter {
  subject: string;
  text: string;
  html: string;
  /** The one address that it asks to be opened, if any. */
  link: string | null;
}

export interface LetterParts {
  locale: Locale;
  subject: string;
  /** Before the link. */
  paragraphs: readonly string[];
  action: { label: string; url: string } | null;
  /** After it. */
  closing: readonly string[];
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escape = (text: string) => text.replace(/[&<>"']/g, (sign) => ESCAPES[sign] ?? '');
const FONT = "font:16px/1.6 system-ui,-apple-system,'Segoe UI',sans-serif";

/** Every part is text: nothing in it becomes markup, and no line end gets into the subject. */
export function writeLetter(parts: LetterParts): Letter {
  const { locale, paragraphs, action, closing } = parts;
  const subject = parts.subject.replace(/\s+/gu, ' ').trim();
  const direction = locale === 'ar' ? 'rtl' : 'ltr';
  const paragraph = (text: string) => `<p>${escape(text)}</p>`;
  const button = action === null ? [] : [
    `<p><a href="${escape(action.url)}" style="display:inline-block;padding:12px 24px;border-radius:24px;`
      + `background:#c23f2b;color:#fff;text-decoration:none">${escape(action.label)}</a></p>`,
    `<p dir="ltr" style="text-align:start;color:#5b5e66;font-size:14px;word-break:break-all">${escape(action.url)}</p>`,
  ];
  const html = [
    `<!doctype html><html lang="${locale}" dir="${direction}"><head><meta charset="utf-8">`,
    `<title>${escape(subject)}</title></head>`,
    `<body dir="${direction}" style="margin:0;padding:24px;background:#faf9f6;color:#14161a;${FONT}">`,
    ...paragraphs.map(paragraph), ...button, ...closing.map(paragraph),
    '</body></html>',
  ].join('\n');
  // The address stands on a line of its own: text beside it would be turned around in Arabic.
  const text = [...paragraphs, ...(action === null ? [] : [`${action.label}\n${action.url}`]), ...closing].join('\n\n');
  return { subject, text: `${text}\n`, html, link: action?.url ?? null };
}
