import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanText, lengthOf, sameness } from './text.ts';

test('[T3] words of any script and emoji stay as they are', () => {
  const kept = [
    'Is it warm?', '这件有红色吗？', 'هل هذا المقاس متوفر؟', 'می‌خواهم', 'שָׁלוֹם', 'ภาษาไทย', 'नमस्ते',
    '👍🏽', '👩‍👩‍👧‍👦', '❤️', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '1️⃣', '<b>not markup</b> & "quotes"', 'café',
  ];
  for (const text of kept) assert.equal(cleanText(text), text.normalize('NFC'));
});

test('[T3] controls, bidi overrides, zero-width and hidden text go; spaces become one', () => {
  assert.equal(cleanText(' a\n\n b\tc\u0000\u0007 '), 'a b c');
  assert.equal(cleanText('pay \u202Eetis\u202C now \u2066x\u2069'), 'pay etis now x');
  assert.equal(cleanText('z\u200Bero\uFEFF wi\u2060dth\u00AD'), 'zero width');
  assert.equal(cleanText('hidden\u{E0041}\u{E0042}'), 'hidden');
  assert.equal(cleanText('x\u3164\u115F\u2800y'), 'x y');
  assert.equal(cleanText('lone\uD800'), 'lone\uFFFD'.normalize('NFC'));
});

test('[T3] marks do not pile up', () => {
  assert.equal(lengthOf(cleanText(`h${'\u0335\u0321\u0351'.repeat(30)}i`)), 6);
});

test('[T2] what cannot be seen is nothing', () => {
  for (const text of ['', ' ', '\u200B', '\u200D\u200C', '\u3164', '\u2800', '\uFE0F', '\u202E\u202C', '\n\t']) {
    assert.equal(cleanText(text), '', JSON.stringify(text));
  }
});

test('[T2] length is counted in code points', () => {
  assert.equal(lengthOf('👍👍'), 2);
  assert.equal(lengthOf('你好'), 2);
});

test('[T4] case and spaces do not make it another message', () => {
  assert.equal(sameness('Buy  NOW'), sameness('buy now'));
});
