import assert from 'node:assert/strict';
import { it } from 'node:test';
import { cookieOf } from './cookie.ts';

it('one cookie among others is found by its whole name and decoded', () => {
  const header = 'xnacre=1; nacre_guest=a.b ; nacre.session_token=t%2Bk%3D; q="in quotes"; empty=; bad=%E0%A4%A';
  assert.equal(cookieOf(header, 'nacre_guest'), 'a.b');
  assert.equal(cookieOf(header, 'nacre.session_token'), 't+k=');
  assert.equal(cookieOf(header, 'q'), 'in quotes');
  assert.equal(cookieOf(header, 'empty'), '');
});

it('what is not there or cannot be decoded is undefined', () => {
  assert.equal(cookieOf('nacre_guestx=1; xnacre_guest=2; nacre_guest', 'nacre_guest'), undefined);
  assert.equal(cookieOf('bad=%E0%A4%A', 'bad'), undefined);
  assert.equal(cookieOf('', 'a'), undefined);
  assert.equal(cookieOf(undefined, 'a'), undefined);
});
