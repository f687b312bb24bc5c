/**
 * Text as it is searched for: folded, cut into words, and written as PostgreSQL's tsvector and tsquery. Pure.
 *
 * PostgreSQL's dictionaries know neither Chinese nor the ways to write Arabic, and its extensions are not everywhere
 * that we run; so the words are ours and the database only looks them up. Scripts that set no spaces between words are
 * kept as overlapping pairs of signs, which are looked for side by side.
 */

/** Marks over and under letters: Latin, Greek, Cyrillic; Hebrew; Arabic with its lengthening stroke; invisible ones. */
const MARKS = new RegExp('[\\u0300-\\u036f'
  + '\\u0591-\\u05bd\\u05bf\\u05c1\\u05c2\\u05c4\\u05c5\\u05c7'
  + '\\u0610-\\u061a\\u0640\\u064b-\\u065f\\u0670\\u06d6-\\u06ed'
  + '\\u200b-\\u200f\\u2060\\ufeff]', 'gu');
/** Letters that people write one for the other, and that no decomposition joins. */
const SAME: Record<string, string> = {
  ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', đ: 'd', ð: 'd', ł: 'l', ı: 'i', þ: 'th', ς: 'σ',
  // Arabic: wasla, the two ways to end in ya and in ta, and the Persian shapes of ya and kaf.
  ٱ: 'ا', ى: 'ي', ة: 'ه', ی: 'ي', ک: 'ك',
};
const SAME_LETTERS = new RegExp(`[${Object.keys(SAME).join('')}]`, 'gu');
const ARABIC_DIGITS = /[\u0660-\u0669\u06f0-\u06f9]/gu;
const WORDS = /[\p{L}\p{M}\p{N}]+/gu;
/** Scripts that are written without spaces between words. */
const RUN = '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}ー\\p{Script=Thai}\\p{Script=Lao}'
  + '\\p{Script=Khmer}\\p{Script=Myanmar}';
const PARTS = new RegExp(`[${RUN}]+|[^${RUN}]+`, 'gu');
const IS_RUN = new RegExp(`^[${RUN}]`, 'u');
/** "The", alone and after "and": in Arabic a part of the word. */
const ARABIC_ARTICLE = /^و?ال(?=\p{Script=Arabic}{3})/u;

/** Longer words are no words of anybody; cut, they still find each other. */
const WORD_MAX = 40;
/** Words of a question that count. More make it slow and find nothing anyway. */
const ASKED_WORDS_MAX = 8;
/** Signs of a run that count; as many pairs. */
const ASKED_SIGNS_MAX = 40;
/** PostgreSQL numbers places up to 16,383. */
const PLACE_MAX = 16_000;
/** Places kept of one word; PostgreSQL keeps 256. */
const PLACES_MAX = 100;
/** Between two texts, so that no pair goes over the border. */
const GAP = 10;
/** A shorter beginning fits too many words. */
const BEGINNING_MIN = 2;
/** Shorter words differ by one letter from too many others. */
const MENDED_MIN = 4;

export type Weight = 'A' | 'B' | 'C' | 'D';

/** A word, or a run of signs in which words are not set apart. */
export type Part = { kind: 'word'; text: string } | { kind: 'run'; signs: string[] };

/** One way of writing: width, case, accents, vowel signs, shapes of Arabic letters and digits do not count. */
export function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase().normalize('NFD').replaceAll(MARKS, '').normalize('NFC')
    .replaceAll(SAME_LETTERS, (letter) => SAME[letter] ?? letter)
    .replaceAll(ARABIC_DIGITS, (digit) => String((digit.codePointAt(0) ?? 0) % 16));
}

/** In the order of the text. */
export function partsOf(text: string): Part[] {
  return (fold(text).match(WORDS) ?? []).flatMap((word) => word.match(PARTS) ?? []).map((part): Part => {
    if (IS_RUN.test(part)) return { kind: 'run', signs: [...part] };
    return { kind: 'word', text: [...part.replace(ARABIC_ARTICLE, '')].slice(0, WORD_MAX).join('') };
  });
}

/** The words alone, each once: what a slip of the finger is mended to. */
export function wordsOf(text: string): string[] {
  return [...new Set(partsOf(text).flatMap((part) => (part.kind === 'word' ? [part.text] : [])))];
}

/** Text of a tsvector: words with their places and weights; `A` counts most. */
export function vectorOf(texts: ReadonlyArray<{ text: string; weight: Weight }>): string {
  const places = new Map<string, string[]>();
  let place = 1;
  const add = (word: string, weight: Weight) => {
    const known = places.get(word) ?? [];
    if (known.length < PLACES_MAX && place < PLACE_MAX) known.push(`${place}${weight}`);
    places.set(word, known);
    place += 1;
  };
  for (const { text, weight } of texts) {
    for (const part of partsOf(text)) {
      if (part.kind === 'word') add(part.text, weight);
      // The last sign stands alone, so that each sign begins something.
      else for (const index of part.signs.keys()) add(part.signs.slice(index, index + 2).join(''), weight);
    }
    place += GAP;
  }
  return [...places].filter(([, at]) => at.length > 0).map(([word, at]) => `'${word}':${at.join(',')}`).join(' ');
}

/** Parts of a question that count. */
export function askedParts(text: string): Part[] {
  return partsOf(text).slice(0, ASKED_WORDS_MAX);
}

/**
 * Text of a tsquery that wants every part; null when there is nothing to look for. A word finds those that begin with
 * it, and those of which it is the plural.
 * @param meant for words that nobody uses, those that may have been meant
 */
export function queryOf(
  parts: readonly Part[], meant: ReadonlyMap<string, readonly string[]> = new Map(),
): string | null {
  const wanted = parts.map((part) => {
    if (part.kind === 'run') return runQuery(part.signs.slice(0, ASKED_SIGNS_MAX));
    const others = meant.get(part.text) ?? singularsOf(part.text);
    const own = part.text.length >= BEGINNING_MIN ? `'${part.text}':*` : `'${part.text}'`;
    return `(${[own, ...others.map((word) => `'${word}'`)].join(' | ')})`;
  });
  return wanted.length === 0 ? null : wanted.join(' & ');
}

function runQuery(signs: string[]): string {
  if (signs.length === 1) return `'${signs[0]}':*`;
  const pairs = signs.slice(1).map((sign, index) => `'${signs[index]}${sign}'`);
  return `(${pairs.join(' <-> ')})`;
}

/** English and its neighbours: `dresses` finds a dress. Beginnings do the opposite. */
function singularsOf(word: string): string[] {
  if (!/^[a-z]{4,}s$/.test(word)) return [];
  return word.endsWith('es') ? [word.slice(0, -1), word.slice(0, -2)] : [word.slice(0, -1)];
}

/** Whether a slip in it can be told: long enough, and no number, which is near to ten others. */
export function isMendable(word: string): boolean {
  return word.length >= MENDED_MIN && !/\p{N}/u.test(word);
}

/** The word, and it with each one of its letters left out. Words with a form in common are near each other. */
export function formsOf(word: string): string[] {
  const letters = [...word];
  return [...new Set([word, ...letters.map((_, index) => letters.toSpliced(index, 1).join(''))])];
}

/** Whether one slip leads from one to the other: a letter more, less, another, or two that changed places. */
export function isOneSlip(a: string, b: string): boolean {
  const [one, other] = [[...a], [...b]];
  if (one.length > other.length) return isOneSlip(b, a);
  let from = 0;
  while (from < one.length && one[from] === other[from]) from += 1;
  const rest = (letters: string[], after: number) => letters.slice(from + after).join('');
  if (one.length < other.length) return rest(one, 0) === rest(other, 1);
  const isSwap = one[from] === other[from + 1] && one[from + 1] === other[from] && rest(one, 2) === rest(other, 2);
  return isSwap || rest(one, 1) === rest(other, 1);
}
