import assert from 'node:assert/strict';
import { it } from 'node:test';
import { cleanName, isTimeZone, localeOf } from './profile.ts';

it('[A1] a name loses what nobody sees and what turns text around, and nothing else', () => {
  assert.equal(cleanName(' Mei \n\t Lin '), 'Mei Lin');
  assert.equal(cleanName('\u202eneM\u202c'), 'neM');
  assert.equal(cleanName('e\u0301'), 'é');
  assert.equal(cleanName('عائشة'), 'عائشة');
  assert.equal(cleanName('می\u200cخواهم'), 'می\u200cخواهم');
  assert.equal(cleanName('👩‍🍳'), '👩‍🍳');
  assert.equal(cleanName('\u200b \u2066\u0000'), null);
});

it('[A1] the language is the one of ours that the browser wants most', () => {
  assert.equal(localeOf('zh-Hans-CN,zh;q=0.9,en;q=0.8'), 'zh');
  assert.equal(localeOf('en;q=0.1, ar-SA;q=0.2'), 'ar');
  assert.equal(localeOf('zh;q=0, fr'), 'en');
  assert.equal(localeOf(undefined), 'en');
  assert.equal(localeOf(',;;q=,*;q=9'), 'en');
  assert.equal(localeOf('a,'.repeat(10_000)), 'en');
});

it('[A11] a time zone is one that exists', () => {
  for (const name of ['Asia/Shanghai', 'UTC', 'America/Argentina/Buenos_Aires']) assert.ok(isTimeZone(name), name);
  for (const name of ['', 'Mars/Base', '+08:00', 'Asia/Shanghai ']) assert.ok(!isTimeZone(name), name);
});
