/**
 * What a message may hold. Pure. Words in any script and emoji stay; what cannot be seen, turns the line around or
 * stacks over its neighbours goes.
 */

/** Marks on one letter. Scripts of the world use up to four (Hebrew, Tibetan); more is scribbling over other lines. */
const MARKS_MAX = 4;

/** Controls, lone surrogates, private use and noncharacters; line breaks and tabs have become spaces before. */
const UNUSABLE = /[\p{Cc}\p{Cs}\p{Co}\u{FFFC}\u{FFFE}\u{FFFF}]/gu;
/**
 * Invisible characters (bidi overrides and isolates, zero-width spaces, fillers …) except joiners, which Persian and
 * emoji need, variation selectors, and the tags with which flags of regions are written.
 */
const INVISIBLE = /(?!\p{Join_Control}|\p{Variation_Selector}|[\u{E0020}-\u{E007F}])[\p{DI}\p{Cf}]/gu;
/** Tags that stand elsewhere than after a black flag carry hidden text. */
const STRAY_TAGS = /(?<!\u{1F3F4}[\u{E0020}-\u{E007F}]*)[\u{E0020}-\u{E007F}]/gu;
/** Selectors and joiners make no sense in a row; they can carry hidden text as well. */
const JOINER_RUNS = /(?:\p{Join_Control}|\p{Variation_Selector}){3,}/gu;
const SPACES = /[\s\u2800]+/gu;
const MARK_RUNS = new RegExp(`(\\p{M}{${MARKS_MAX}})\\p{M}+`, 'gu');
const VISIBLE = /[^\s\p{DI}\p{Cf}]/u;

/** The message as it is kept and shown; empty when nothing of it can be seen. */
export function cleanText(text: string): string {
  const cleaned = text
    .toWellFormed()
    .normalize('NFC')
    .replace(SPACES, ' ')
    .replace(UNUSABLE, '')
    .replace(INVISIBLE, '')
    .replace(STRAY_TAGS, '')
    .replace(JOINER_RUNS, '')
    .replace(MARK_RUNS, '$1')
    .trim();
  return VISIBLE.test(cleaned) ? cleaned : '';
}

/** Characters as people count them when they type: Unicode code points. */
export function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}

/** For telling whether somebody says the same again: letter case and spaces do not make it another message. */
export function sameness(text: string): string {
  return text.toLowerCase().replace(/\s+/gu, '');
}
