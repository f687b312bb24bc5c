import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCodeTries, WRONG_CODES_PER_MINUTE } from './code-tries.ts';
import { codeFrom, readCode } from './pickup-code.ts';

test('[O32] a code has six signs, none that is taken for another, and every sign comes', () => {
  const codes = Array.from({ length: 500 }, (_, at) => codeFrom(`id ${at}`));
  for (const code of codes) assert.match(code, /^[2-9A-HJKMNP-TV-Z]{6}$/);
  assert.ok(new Set(codes).size > 498);
  assert.equal(new Set(codes.join('')).size, 30);
});

test('[O34] a code is read as people type it; what cannot be one is none', () => {
  assert.equal(readCode(' abc-23 4\n'), 'ABC234');
  for (const typed of ['', 'ABC23', 'ABC2345', 'ABC23I', 'ABC230', '%%%%%%', 'АВС234']) {
    assert.equal(readCode(typed), null, typed);
  }
});

test('[O34] after ten wrong codes in a minute a member waits for the next one; others do not', () => {
  let nowMs = 0;
  const tries = createCodeTries({ nowMs: () => nowMs });
  for (let at = 0; at < WRONG_CODES_PER_MINUTE; at += 1) {
    tries.assertMay('mei');
    tries.wrong('mei');
  }
  nowMs = 20_000;
  assert.throws(() => tries.assertMay('mei'), { code: 'request.too_many', retryAfterSeconds: 40 });
  tries.assertMay('lin');
  nowMs = 60_000;
  tries.assertMay('mei');
});
