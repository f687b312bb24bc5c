import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loggedError } from './log.ts';

test('an error is logged with its words and code, without what a driver hangs on it', () => {
  const hung = { code: '57P01', client: { url: 'secret' } };
  const error = Object.assign(new Error('away', { cause: new Error('refused') }), hung);
  const { stack, cause, ...rest } = loggedError(error);
  assert.deepEqual(rest, { type: 'Error', message: 'away', code: '57P01' });
  assert.match(String(stack), /away/);
  assert.equal(cause?.message, 'refused');
});

test('what is no error but has words is logged with them', () => {
  const copy = { message: 'connect ECONNREFUSED (Queue: a)', queue: 'a' };
  assert.deepEqual(loggedError(copy), { type: 'object', message: copy.message });
  assert.deepEqual(loggedError('text'), { type: 'string', message: 'text' });
  assert.deepEqual(loggedError(undefined), { type: 'undefined', message: 'undefined' });
});
