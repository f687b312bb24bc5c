import assert from 'node:assert/strict';
import test from 'node:test';
import { codeText } from './letters.ts';
import { codeOf, e164Of } from './phone-number.ts';

test('[A51] numbers are E.164, however they are typed; those that cost the sender or are nobody’s are none', () => {
  for (const [typed, country, kept] of [
    ['13800138000', 'CN', '+8613800138000'], ['+86 138-0013-8000', 'US', '+8613800138000'],
    ['0086 138 0013 8000', null, '+8613800138000'], ['٠٥٠١٢٣٤٥٦٧', 'SA', '+966501234567'],
    ['(201) 555-0123', 'US', '+12015550123'], ['１３８００１３８０００', 'CN', '+8613800138000'],
    ['13800138000', null, null], ['+1 900 555 1234', null, null], ['010 6255 2233', 'CN', null],
    ['+44 800 123 4567', null, null], ['112', 'DE', null], ['', 'CN', null], ['1'.repeat(41), 'CN', null],
  ] as const) assert.equal(e164Of(typed, country), kept, typed);
});

test('[A52] a code is six digits, in any script, however they are grouped', () => {
  assert.deepEqual(['123456', ' 123 456', '123-456', '١٢٣٤٥٦', '12345', '1234567', 'abcdef'].map(codeOf),
    ['123456', '123456', '123456', '123456', null, null, null]);
});

test('[A52] the message says the code, and to which page it belongs where that is reached by https', () => {
  for (const locale of ['en', 'zh', 'ar'] as const) {
    const text = codeText(locale, '123456', 'https://live.example.org:8443');
    assert.equal(text.split('\n').at(-1), '@live.example.org #123456');
    assert.equal(codeText(locale, '123456', 'http://localhost:3000').match(/123456/g)?.length, 1);
  }
});
