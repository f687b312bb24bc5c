import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { getMigrations } from 'better-auth/db/migration';
import {
  PASSWORD, SECRET, createTestApi, sessionCookieOf, unique, type Answer, type TestApi,
} from '../../../tests/support/api.ts';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { createAccounts } from './accounts.ts';
import { authOptions, SCRYPT } from './auth.ts';
import { deleteExpiredSessions } from './store.ts';

const OWNER = { role: 'owner', name: 'Lin', email: 'lin@demo.test', password: 'demo password' } as const;
const SIGN_UP = '/api/auth/sign-up/email';
const SIGN_IN = '/api/auth/sign-in/email';

describe('accounts', () => {
  let database: TestDatabase;
  let api: TestApi;

  before(async () => {
    database = await createTestDatabase(import.meta.url);
    api = await createTestApi({ url: database.serverUrl, demo: [OWNER] });
    await api.accounts.createPerson({ ...OWNER, locale: 'zh', timeZone: 'Asia/Shanghai', isDemo: true });
  });
  after(async () => {
    await api.stop();
    await database.drop();
  });

  const newEmail = () => `${unique('mail')}@example.test`;
  const whoIs = async (cookie: string | undefined, headers: Record<string, string> = {}) =>
    (await api.ask('/api/me', { cookie, headers })).json['person'] as { name: string } | null;

  it('[A1] signing up makes a person in the language of the browser and signs in', async () => {
    const email = newEmail();
    const answer = await api.ask(SIGN_UP, {
      body: { name: '  Mei\u202e \u0007 Lin ', email, password: PASSWORD },
      headers: { 'accept-language': 'fr-CH, zh-CN;q=0.8, en;q=0.9, ar;q=0.95' },
    });
    assert.equal(answer.status, 200);
    const person = answer.json['person'] as Record<string, unknown>;
    assert.deepEqual({ ...person, id: null }, {
      id: null, name: 'Mei Lin', email, phone: null, locale: 'ar', timeZone: 'UTC', isOperator: false, isDemo: false,
    });
    assert.deepEqual(answer.json['shops'], []);
    assert.deepEqual(await whoIs(sessionCookieOf(answer)), person);
  });

  it('[A1] the language of the page and the zone of the browser are kept; what is no zone is UTC', async () => {
    const signUp = async (more: object) => {
      const { status, json } = await api.ask(SIGN_UP, {
        body: { name: 'Mei', email: newEmail(), password: PASSWORD, ...more }, headers: { 'accept-language': 'zh' },
      });
      const person = json['person'] as Record<string, unknown> | undefined;
      return [status, person?.['locale'], person?.['timeZone']];
    };
    assert.deepEqual(await signUp({ locale: 'ar', timeZone: 'Asia/Riyadh' }), [200, 'ar', 'Asia/Riyadh']);
    assert.deepEqual(await signUp({ timeZone: 'Mars/Base' }), [200, 'zh', 'UTC']);
    assert.deepEqual(await signUp({ locale: 'fr' }), [400, undefined, undefined]);
  });

  it('[A1] a name of invisible characters is none, and a body with more than it should have is refused', async () => {
    const blank = await api.ask(SIGN_UP, { body: { name: '\u200b\u202e', email: newEmail(), password: PASSWORD } });
    assert.equal(blank.status, 400);
    assert.deepEqual(blank.json['details'], { field: 'name' });
    const more = await api.ask(SIGN_UP, {
      body: { name: 'Mei', email: newEmail(), password: PASSWORD, isOperator: true },
    });
    assert.equal(more.json['code'], 'request.invalid');
  });

  it('[A2] an e-mail has one account, however it is capitalised', async () => {
    const email = newEmail();
    assert.equal((await api.ask(SIGN_UP, { body: { name: 'A', email, password: PASSWORD } })).status, 200);
    const again = await api.ask(SIGN_UP, { body: { name: 'B', email: email.toUpperCase(), password: PASSWORD } });
    assert.equal(again.status, 422);
    assert.equal(again.json['code'], 'accounts.email_taken');
    const signIn = await api.ask(SIGN_IN, { body: { email: email.toUpperCase(), password: PASSWORD } });
    assert.equal(signIn.status, 200);
  });

  it('[A2] of several sign-ups at once with one e-mail exactly one succeeds, the others read why', async () => {
    const email = newEmail();
    const answers = await Promise.all(Array.from({ length: 5 }, (_, n) =>
      api.ask(SIGN_UP, { body: { name: `N${n}`, email, password: PASSWORD } })));
    assert.deepEqual(answers.map(({ json }) => json['code'] ?? 'ok').toSorted(), [
      'accounts.email_taken', 'accounts.email_taken', 'accounts.email_taken', 'accounts.email_taken', 'ok',
    ]);
    const people = await api.platform.database.db.selectFrom('person').selectAll().where('email', '=', email).execute();
    assert.equal(people.length, 1);
  });

  it('[A3] passwords and e-mails that will not do are refused with their own code', async () => {
    const codeOf = async (email: string, password: string) =>
      (await api.ask(SIGN_UP, { body: { name: 'Mei', email, password } })).json['code'];
    assert.equal(await codeOf(newEmail(), 'seven 7'), 'accounts.password_too_short');
    assert.equal(await codeOf(newEmail(), 'x'.repeat(129)), 'accounts.password_too_long');
    assert.equal(await codeOf('not an e-mail', PASSWORD), 'accounts.email_invalid');
    assert.equal(await codeOf('tab\t@example.test', PASSWORD), 'accounts.email_invalid');
    assert.equal(await codeOf('x'.repeat(300), PASSWORD), 'request.invalid');
  });

  it('[A4] a wrong password and an unknown e-mail get the same answer', async () => {
    const { email } = await api.newPerson();
    const wrong = await api.ask(SIGN_IN, { body: { email, password: 'wrong password' } });
    const unknown = await api.ask(SIGN_IN, { body: { email: newEmail(), password: 'wrong password' } });
    assert.equal(wrong.status, 401);
    assert.equal(wrong.json['code'], 'accounts.wrong_credentials');
    assert.deepEqual(unknown.json, wrong.json);
    assert.equal(sessionCookieOf(wrong), undefined);
  });

  it('[A5] ten failures close an e-mail to one address for a quarter of an hour, also when tried at once', async () => {
    const { email } = await api.newPerson();
    const guess = (password: string, ip: string) =>
      api.ask(SIGN_IN, { body: { email, password }, headers: { 'x-forwarded-for': ip } });
    const guesses = await Promise.all(Array.from({ length: 14 }, (_, n) => guess(`wrong password ${n}`, '192.0.2.1')));
    const statuses = guesses.map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 401).length, 10);
    assert.equal(statuses.filter((status) => status === 429).length, 4);
    const right = await guess(PASSWORD, '192.0.2.1');
    assert.equal(right.json['code'], 'request.too_many');
    assert.ok(Number(right.headers['retry-after']) > 800);
    assert.equal((await guess(PASSWORD, '192.0.2.2')).status, 200);
    api.clock.advance(15 * 60_000);
    assert.equal((await guess(PASSWORD, '192.0.2.1')).status, 200);
  });

  it('[A5] signing in rightly is no failure', async () => {
    const { email } = await api.newPerson();
    for (let n = 0; n < 12; n += 1) {
      assert.equal((await api.ask(SIGN_IN, { body: { email, password: PASSWORD } })).status, 200);
    }
  });

  it('[A78] failures of strangers do not lock the owner out where the e-mail has come in before', async () => {
    const { email } = await api.newPerson();
    const from = (ip: string, password: string, cookie?: string) =>
      api.ask(SIGN_IN, { body: { email, password }, headers: { 'x-forwarded-for': ip }, cookie });
    const knownOf = ({ cookies }: Answer) =>
      cookies.find((cookie) => cookie.startsWith('nacre_known='))?.split(';')[0] ?? '';
    const first = knownOf(await from('192.0.2.50', PASSWORD));
    const other = await api.newPerson();
    const both = knownOf(await api.ask(SIGN_IN, { body: { email: other.email, password: PASSWORD }, cookie: first }));
    assert.ok(both.length > first.length && !both.includes(email));
    // Ten from each of so many addresses: more than an e-mail may fail in all.
    await Promise.all(Array.from({ length: 220 }, (_, n) => from(`192.0.2.${100 + (n % 22)}`, 'wrong password')));
    assert.equal((await from('192.0.2.60', PASSWORD)).status, 429, 'in a browser that nobody knows');
    assert.equal((await from('192.0.2.100', PASSWORD, both)).status, 200, 'also on a stranger’s address');
    const [id = '', ...marks] = first.slice('nacre_known='.length).split('.');
    for (const made of [`${'A'.repeat(22)}.${marks.join('.')}`, `${id}.${'B'.repeat(22)}`, id, 'x', '']) {
      assert.equal((await from('192.0.2.60', PASSWORD, `nacre_known=${made}`)).status, 429, made);
    }
    const guesses = await Promise.all(Array.from({ length: 11 }, () => from('192.0.2.61', 'wrong password', both)));
    assert.equal(guesses.filter(({ status }) => status === 429).length, 1, 'guessing there is as slow');
    const out = await api.ask('/api/auth/sign-out', { method: 'POST', cookie: both });
    assert.deepEqual(out.cookies.filter((cookie) => cookie.startsWith('nacre_known=')), [], 'it stays when one goes');
  });

  it('[A6] signing out ends this session at once and no other', async () => {
    const person = await api.newPerson();
    const other = sessionCookieOf(await api.ask(SIGN_IN, { body: { email: person.email, password: PASSWORD } }));
    assert.notEqual(await whoIs(person.cookie), null);
    const heard: unknown[] = [];
    const end = api.platform.bus.subscribe('accounts.signed-out', (message) => void heard.push(message));
    const out = await api.ask('/api/auth/sign-out', { method: 'POST', cookie: person.cookie });
    end();
    assert.deepEqual(out.json, { person: null, shops: [], offersPhone: true });
    assert.equal(sessionCookieOf(out), 'nacre.session_token=');
    assert.equal(await whoIs(person.cookie), null);
    assert.notEqual(await whoIs(other), null);
    assert.equal(heard.length, 1);
    const { personId, sessionId } = heard[0] as { personId: string; sessionId: string };
    assert.equal(personId, person.id);
    assert.match(sessionId, /^[0-9a-f-]{36}$/);
  });

  it('[A7] signing out everywhere ends all sessions at once, in every process', async (t) => {
    const elsewhere = createAccounts({ ...api.accountsDeps, demoAccounts: null });
    t.after(() => elsewhere.stop());
    const person = await api.newPerson();
    const other = sessionCookieOf(await api.ask(SIGN_IN, { body: { email: person.email, password: PASSWORD } }));
    for (const cookie of [person.cookie, other]) {
      assert.equal((await elsewhere.findPersonByHeaders({ cookie }, undefined))?.personId, person.id);
      assert.notEqual(await whoIs(cookie), null);
    }
    const out = await api.ask('/api/auth/revoke-sessions', { method: 'POST', cookie: person.cookie });
    assert.equal(out.status, 200);
    for (const cookie of [person.cookie, other]) {
      assert.equal(await elsewhere.findPersonByHeaders({ cookie }, undefined), null);
      assert.equal(await whoIs(cookie), null);
    }
    assert.equal((await api.ask('/api/auth/revoke-sessions', { method: 'POST', cookie: other })).status, 401);
  });

  it('[A7] questions that were under way during a sign-out are not answered from memory afterwards', async (t) => {
    const person = await api.newPerson();
    const elsewhere = createAccounts({ ...api.accountsDeps, demoAccounts: null });
    t.after(() => elsewhere.stop());
    const asked = Array.from({ length: 20 }, () => elsewhere.findPersonByHeaders({ cookie: person.cookie }, undefined));
    await api.ask('/api/auth/revoke-sessions', { method: 'POST', cookie: person.cookie });
    await Promise.all(asked);
    assert.equal(await elsewhere.findPersonByHeaders({ cookie: person.cookie }, undefined), null);
  });

  it('[A8] the session cookie is HttpOnly, SameSite=Lax, and Secure by https', async () => {
    const { email } = await api.newPerson();
    const body = { email, password: PASSWORD };
    const plain = await api.ask(SIGN_IN, { body });
    const attributesOf = (answer: Answer) =>
      answer.cookies.find((cookie) => cookie.startsWith('nacre.'))?.replace(/^[^;]*; /, '');
    assert.equal(attributesOf(plain), 'Max-Age=5184000; Path=/; HttpOnly; SameSite=Lax');
    const https = await api.ask(SIGN_IN, { body, headers: { 'x-forwarded-proto': 'https' } });
    assert.equal(attributesOf(https), 'Max-Age=5184000; Path=/; HttpOnly; SameSite=Lax; Secure');
  });

  it('[A8] a forged or altered cookie is a guest\'s', async () => {
    const { cookie } = await api.newPerson();
    const [name, value = ''] = cookie.split('=');
    const token = decodeURIComponent(value).split('.')[0] ?? '';
    const signatures = ['', '.', `.${'A'.repeat(43)}=`, decodeURIComponent(value).slice(token.length, -3)];
    for (const signature of signatures) {
      assert.equal(await whoIs(`${name}=${encodeURIComponent(token + signature)}`), null, signature);
    }
    assert.equal(await whoIs(`${name}=%E0%A4%A`), null);
    assert.equal(await whoIs(`${name}=${'x'.repeat(4000)}`), null);
    assert.equal(await whoIs(`${name}=`), null);
  });

  it('[A9] a page of another site changes nothing', async () => {
    const { cookie, email } = await api.newPerson();
    for (const headers of [{ origin: 'https://evil.test' }, { 'sec-fetch-site': 'cross-site' }, { origin: 'null' }]) {
      const out = await api.ask('/api/auth/revoke-sessions', { method: 'POST', cookie, headers: headers as never });
      assert.equal(out.json['code'], 'request.origin');
      const signIn = await api.ask(SIGN_IN, { body: { email, password: PASSWORD }, headers: headers as never });
      assert.equal(signIn.json['code'], 'request.origin');
    }
    assert.notEqual(await whoIs(cookie), null);
    const own = await api.ask('/api/me', {
      method: 'PATCH', body: { locale: 'zh' }, cookie,
      headers: { host: 'nacre.test:81', origin: 'http://nacre.test:81' },
    });
    assert.equal(own.status, 200);
  });

  it('[A10] a demo account works on this machine', async () => {
    const { email, password } = OWNER;
    for (const host of ['localhost:3000', '127.0.0.1:3000', '[::1]:3000', 'LOCALHOST']) {
      const signIn = await api.ask(SIGN_IN, { body: { email, password }, headers: { host } });
      assert.equal(signIn.status, 200, host);
      assert.equal((await whoIs(sessionCookieOf(signIn), { host }))?.name, 'Lin');
      const listed = await api.ask('/api/demo-accounts', { headers: { host } });
      assert.deepEqual(listed.json, { accounts: [OWNER] });
    }
  });

  it('[A10] a demo account is refused through a proxy, under another host and from another machine', async () => {
    const { email, password } = OWNER;
    const cookie = sessionCookieOf(await api.ask(SIGN_IN, { body: { email, password } }));
    const elsewhere: { headers?: Record<string, string>; remoteAddress?: string }[] = [
      { headers: { 'x-forwarded-for': '127.0.0.1' } },
      { headers: { 'x-forwarded-proto': 'http' } },
      { headers: { forwarded: 'for=127.0.0.1' } },
      { headers: { via: '1.1 proxy' } },
      { headers: { host: 'demo.example:3000' } },
      { headers: { host: 'localhost.evil.test' } },
      { headers: { host: '127.0.0.1.evil.test' } },
      { remoteAddress: '192.0.2.7' },
      { remoteAddress: '::ffff:192.0.2.7' },
    ];
    for (const where of elsewhere) {
      const words = JSON.stringify(where);
      const signIn = await api.ask(SIGN_IN, { body: { email, password }, ...where });
      assert.equal(signIn.json['code'], 'accounts.demo_only_here', words);
      assert.equal(sessionCookieOf(signIn), undefined);
      const withSession = await api.ask('/api/me', { cookie, ...where });
      assert.equal(withSession.status, 403, words);
      assert.deepEqual((await api.ask('/api/demo-accounts', where)).json, { accounts: [] }, words);
      const headers = { host: 'localhost:3000', cookie, ...where.headers };
      const onSocket = await api.accounts.findPersonByHeaders(headers, where.remoteAddress ?? '127.0.0.1');
      assert.equal(onSocket, null, words);
    }
    const here = await api.accounts.findPersonByHeaders({ host: 'localhost:3000', cookie }, '::1');
    assert.equal(here?.isDemo, true);
  });

  it('[A10] where there is no demo, a demo account is nobody\'s', async (t) => {
    const { email, password } = OWNER;
    const cookie = sessionCookieOf(await api.ask(SIGN_IN, { body: { email, password } }));
    const without = createAccounts({ ...api.accountsDeps, demoAccounts: null });
    t.after(() => without.stop());
    const headers = { host: 'localhost:3000', cookie };
    assert.equal(await without.findPersonByHeaders(headers, '127.0.0.1'), null);
    const client = { headers, remoteAddress: '127.0.0.1', ip: '127.0.0.1', isHttps: false };
    await assert.rejects(without.signIn(client, { email, password }), { code: 'accounts.demo_only_here' });
    assert.deepEqual(await without.demoAccounts(client), []);
  });

  it('[A11] name, language and time zone change, and are known at once', async () => {
    const { cookie } = await api.newPerson('Before');
    assert.equal((await whoIs(cookie))?.name, 'Before');
    const body = { name: '  After ', locale: 'ar', timeZone: 'Asia/Riyadh' };
    const patched = await api.ask('/api/me', { method: 'PATCH', body, cookie });
    const person = patched.json['person'] as Record<string, unknown>;
    assert.deepEqual([person['name'], person['locale'], person['timeZone']], ['After', 'ar', 'Asia/Riyadh']);
    assert.equal((await api.accounts.findPersonByHeaders({ cookie }, undefined))?.name, 'After');
  });

  it('[A11] an unknown time zone, another language and an empty change are refused', async () => {
    const { cookie } = await api.newPerson();
    const bad = [{ timeZone: 'Mars/Base' }, { timeZone: '+08:00' }, { locale: 'fr' }, {}, { email: 'a@b.test' }];
    for (const body of bad) {
      const answer = await api.ask('/api/me', { method: 'PATCH', body, cookie });
      assert.equal(answer.json['code'], 'request.invalid', JSON.stringify(body));
    }
  });

  it('[A13] the tables are as better-auth wants them', async () => {
    const { toBeAdded, toBeCreated, compileMigrations } =
      await getMigrations(authOptions({ platform: api.platform, secret: SECRET, passwords: SCRYPT }));
    assert.deepEqual({ toBeAdded, toBeCreated }, { toBeAdded: [], toBeCreated: [] });
    assert.equal((await compileMigrations()).replaceAll(/[\s;]/g, ''), '');
  });

  it('[A16] scrypt knows the right password only, and keeps the same one twice in different words', async () => {
    const [first, second] = [await SCRYPT.hash(PASSWORD), await SCRYPT.hash(PASSWORD)];
    assert.notEqual(first, second);
    assert.ok(!first.includes(PASSWORD));
    const right = (password: string) => SCRYPT.verify({ hash: first, password });
    assert.deepEqual([await right(PASSWORD), await right(`${PASSWORD}!`)], [true, false]);
  });

  it('[A14] a session that is over is nobody\'s, and its row goes', async (t) => {
    const { db } = api.platform.database;
    const person = await api.newPerson();
    assert.notEqual(await whoIs(person.cookie), null);
    await db.updateTable('session').set({ expires_at: new Date(Date.now() - 1000) }).where('person_id', '=', person.id)
      .execute();
    const fresh = createAccounts({ ...api.accountsDeps, demoAccounts: null });
    t.after(() => fresh.stop());
    assert.equal(await fresh.findPersonByHeaders({ cookie: person.cookie }, undefined), null);
    // What the sweep does.
    await deleteExpiredSessions(db, api.platform.clock.now());
    assert.deepEqual(await db.selectFrom('session').select('id').where('person_id', '=', person.id).execute(), []);
  });

  it('[A15] a guest is nobody, keeps a cookie, and is asked to sign in', async () => {
    const first = await api.ask('/api/me');
    assert.deepEqual(first.json, { person: null, shops: [], offersPhone: true });
    const guest = first.cookies.find((cookie) => cookie.startsWith('nacre_guest='));
    assert.match(guest ?? '', /HttpOnly; SameSite=Lax/);
    const again = await api.ask('/api/me', { cookie: guest?.split(';')[0] });
    assert.deepEqual(again.cookies, []);
    const refused = await api.ask('/api/me/addresses', { cookie: guest?.split(';')[0] });
    assert.equal(refused.json['code'], 'accounts.sign_in_first');
    assert.equal((await api.ask('/api/auth/sign-out', { method: 'POST' })).status, 200);
  });

  it('[A15] an operator is made by e-mail and known at once', async () => {
    const { cookie, email } = await api.newPerson();
    assert.equal((await api.accounts.findPersonByHeaders({ cookie }, undefined))?.isOperator, false);
    assert.equal(await api.accounts.makeOperator(email.toUpperCase()), true);
    assert.equal((await api.accounts.findPersonByHeaders({ cookie }, undefined))?.isOperator, true);
    assert.equal(await api.accounts.makeOperator('nobody@example.test'), false);
  });
});
