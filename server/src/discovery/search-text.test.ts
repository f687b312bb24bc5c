import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { askedParts, fold, formsOf, isOneSlip, partsOf, queryOf, vectorOf, wordsOf } from './search-text.ts';

describe('text that is searched', () => {
  it('[D10] case, accents, width, vowel signs and shapes of letters do not count', () => {
    const same: Array<[string, string]> = [
      ['Café CRÈME', 'cafe creme'], ['Straße', 'strasse'], ['Łódź', 'lodz'], ['Ｄｒｅｓｓ', 'dress'],
      ['فُسْتَانٌ', 'فستان'], ['أحمر', 'احمر'], ['إبرة', 'ابره'], ['آنية', 'انيه'], ['هدى', 'هدي'],
      ['ٱلحرير', 'الحرير'],      ['حـــرير', 'حرير'], ['مؤلؤ', 'مولو'],
      ['کتاب', 'كتاب'], ['٣٨', '38'], ['۳۸', '38'], ['ΣΟΦΟΣ', 'σοφοσ'],
    ];
    for (const [written, folded] of same) assert.equal(fold(written), fold(folded), written);
    assert.equal(fold('İstanbul'), 'istanbul');
    assert.equal(fold('ガラス'), 'ガラス');
  });

  it('[D10] words are cut by script; the Arabic article is no part of a word', () => {
    assert.deepEqual(partsOf('iPhone手机壳, 2 pcs'), [
      { kind: 'word', text: 'iphone' }, { kind: 'run', signs: ['手', '机', '壳'] },
      { kind: 'word', text: '2' }, { kind: 'word', text: 'pcs' },
    ]);
    assert.deepEqual(wordsOf('اللؤلؤ والحرير، لؤلؤ'), ['لولو', 'حرير']);
    assert.deepEqual(wordsOf('الى'), ['الي']);
    assert.deepEqual(partsOf(' !?… 👗 '), []);
    assert.equal(wordsOf('x'.repeat(4_000))[0]?.length, 40);
  });

  it('[D11] signs without spaces are kept as pairs, the last one alone, and asked for side by side', () => {
    assert.equal(vectorOf([{ text: '连衣裙', weight: 'A' }]), "'连衣':1A '衣裙':2A '裙':3A");
    assert.equal(queryOf(partsOf('连衣裙')), "('连衣' <-> '衣裙')");
    assert.equal(queryOf(partsOf('裙')), "'裙':*");
  });

  it('[D11] a word finds what begins with it, its singular, and what was meant', () => {
    assert.equal(queryOf(partsOf('red dresses')), "('red':*) & ('dresses':* | 'dresse' | 'dress')");
    assert.equal(queryOf(partsOf('drss'), new Map([['drss', ['dress']]])), "('drss':* | 'dress')");
    assert.equal(queryOf(partsOf('a')), "('a')");
    assert.equal(queryOf(partsOf('…')), null);
    assert.equal(queryOf(askedParts(Array.from({ length: 50 }, (_, n) => `w${n}`).join(' ')))?.split('&').length, 8);
  });

  it('[D11] no text breaks out of a vector or a query', () => {
    const evil = "'; drop table shop; -- \\' :* & | !( <-> \u0000 ' \"x\"";
    for (const text of [vectorOf([{ text: evil, weight: 'A' }]), queryOf(partsOf(evil)) ?? '']) {
      assert.doesNotMatch(text.replaceAll(/'[\p{L}\p{N}\p{M}]+'/gu, ''), /['\\;"!]/);
    }
  });

  it('[D12] words one slip apart have a form in common', () => {
    const near: Array<[string, string]> = [
      ['dress', 'drss'], ['dress', 'dresss'], ['dress', 'drass'], ['dress', 'rdess'], ['فستان', 'فستن'],
    ];
    for (const [a, b] of near) {
      assert.ok(isOneSlip(a, b) && isOneSlip(b, a), `${a} ${b}`);
      assert.ok(formsOf(a).some((form) => formsOf(b).includes(form)), `${a} ${b}`);
    }
    for (const [a, b] of [['dress', 'dance'], ['dress', 'dresser'], ['dress', 'ssred']] as const) {
      assert.equal(isOneSlip(a, b), false, `${a} ${b}`);
    }
  });
});
