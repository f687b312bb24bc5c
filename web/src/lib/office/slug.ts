/** The shop's address in the URL, suggested from its name. Pure. */

const slugMax = 40;
const slugMin = 3;

// Enough for an address that people recognise; it is a suggestion and may be written over.
const arabicLetters: Record<string, string> = {
  ا: 'a', أ: 'a', إ: 'i', آ: 'a', ب: 'b', ت: 't', ث: 'th', ج: 'j', ح: 'h', خ: 'kh', د: 'd', ذ: 'dh', ر: 'r', ز: 'z',
  س: 's', ش: 'sh', ص: 's', ض: 'd', ط: 't', ظ: 'z', ع: 'a', غ: 'gh', ف: 'f', ق: 'q', ك: 'k', ل: 'l', م: 'm', ن: 'n',
  ه: 'h', و: 'w', ي: 'y', ى: 'a', ة: 'a', ء: '', ئ: 'y', ؤ: 'w',
};

function toSlug(text: string): string {
  return [...text.toLowerCase().replace(/ß/g, 'ss').replace(/æ/g, 'ae').replace(/ø/g, 'o').replace(/['’‘]/g, '')]
    .map((letter) => arabicLetters[letter] ?? letter)
    .join('')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, slugMax)
    .replace(/^-+|-+$/g, '');
}

/**
 * From the name where it can be written in Latin letters; else from `fallback` (the part of the e-mail before the @),
 * else empty: then the owner writes one.
 */
export function suggestSlug(name: string, fallback: string): string {
  for (const source of [name, fallback]) {
    const slug = toSlug(source);
    if (slug.length >= slugMin) return slug;
  }
  return '';
}

export function isSlug(text: string): boolean {
  return text.length >= slugMin && text.length <= slugMax && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(text);
}

/** For the case that the address is taken: "liu" → "liu-2" → "liu-3". */
export function nextSlug(slug: string): string {
  const match = /^(.*?)-(\d{1,3})$/.exec(slug);
  const number = match?.[2] ? Number(match[2]) + 1 : 2;
  const stem = (match?.[1] || slug).slice(0, slugMax - 4);
  return `${stem}-${number}`;
}
