import assert from 'node:assert/strict';
import test from 'node:test';
import { hasCountry, kindOf } from './phone.ts';

test('[W120] what is typed is an e-mail or a number, and a number asks for its country if it has none', () => {
  const kinds = ['', 'mei', '13', '138', 'mei@', 'mei.2@example.test', '13800138000', '+86 138', '(201) 555-0123',
    '٠٥٠١٢٣٤٥٦٧', '1380 mei', '+86 138 0013 8000'].map((typed) => kindOf(typed));
  assert.deepEqual(kinds, [
    null, null, null, null, 'email', 'email', 'phone', 'phone', 'phone', 'phone', null, 'phone',
  ]);
  assert.deepEqual(['13800138000', '+86138', '0086138', '٠٠966', '050'].map(hasCountry),
    [false, true, true, true, false]);
});
