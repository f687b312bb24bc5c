/**
 * Whether a message has a word of a shop's list. Pure.
 *
 * Compared is what is read, not how it is written: letter case, width, accents, Arabic vowel signs and forms of a
 * letter make no difference, nor do spaces and dots between single letters. Words of scripts with spaces match as
 * whole words, so that `class` is not refused for a part of it; Chinese, Japanese and Thai have none and match
 * anywhere.
 */
import { WORD_LIST_MAX, WORD_MAX } from '@nacre/contract/moderation';

/** Scripts written without spaces between words. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/u;
const ARABIC_FORMS: Readonly<Record<string, string>> = {
  'ٱ': 'ا', 'ى': 'ي', 'ة': 'ه', 'ی': 'ي', 'ک': 'ك', 'ھ': 'ه',
};

/** Words as they are compared. Decomposition takes hamza and accents off as marks. */
function tokensOf(text: string): string[] {
  const plain = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\p{M}\u0640\p{Cf}]/gu, '')
    .replace(/[ٱىةیکھ]/gu, (letter) => ARABIC_FORMS[letter] ?? letter);
  return plain.split(/[^\p{L}\p{N}]+/u).filter((token) => token !== '');
}

/** `s p a m` is spam: single letters in a row are one word as well. */
function joinSingles(tokens: readonly string[]): string[] {
  const joined: string[] = [];
  let run = '';
  for (const token of [...tokens, '']) {
    if ([...token].length === 1) {
      run += token;
      continue;
    }
    if (run !== '') joined.push(run);
    run = '';
    if (token !== '') joined.push(token);
  }
  return joined;
}

/** @returns whether a text has one of the words */
export function createMatcher(words: readonly string[]): (text: string) => boolean {
  const entries = words.map(tokensOf).filter((tokens) => tokens.length > 0);
  const anywhere = entries.map((tokens) => tokens.join('')).filter((entry) => UNSPACED.test(entry));
  const whole = entries.filter((tokens) => !UNSPACED.test(tokens.join(''))).map((tokens) => ` ${tokens.join(' ')} `);
  return (text) => {
    const tokens = tokensOf(text);
    const squeezed = tokens.join('');
    if (anywhere.some((entry) => squeezed.includes(entry))) return true;
    if (whole.length === 0) return false;
    const lines = [` ${tokens.join(' ')} `, ` ${joinSingles(tokens).join(' ')} `];
    return whole.some((entry) => lines.some((line) => line.includes(entry)));
  };
}

/** The list as it is kept: trimmed, each once; null when it is too long, an entry is, or one has no letter. */
export function readWordList(words: readonly string[]): string[] | null {
  const kept = [...new Set(words.map((word) => word.trim().replace(/\s+/gu, ' ')).filter((word) => word !== ''))];
  const isFit = kept.every((word) => [...word].length <= WORD_MAX && tokensOf(word).length > 0);
  return isFit && kept.length <= WORD_LIST_MAX ? kept : null;
}
