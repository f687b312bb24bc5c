/** Telephone and code, passkeys, and who may add them. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Ways } from '@nacre/contract/identity';
import {
  createTestApi, PAGES, PASSWORD, sessionCookieOf, unique, type Answer, type Asked, type TestApi,
} from '../../../tests/support/api.ts';
import { createAuthenticator } from '../../../tests/support/authenticator.ts';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { allJobsDone } from '../../../tests/support/jobs-done.ts';
import type { Mail } from '../platform/mailer.ts';
import { createAccounts } from './accounts.ts';

const OWNER = { role: 'owner', name: 'Lin', email: 'lin@demo.test', password: 'demo password' } as const;
const ASK = '/api/auth/phone-code';
const BY_PHONE = '/api/auth/sign-in/phone';
/** As a proxy in front of the pages hands a request on. */
const at = (origin: string) => ({ origin, host: URL.parse(origin)?.host ?? '', 'x-forwarded-proto': 'https' });
const FROM_PAGE = at(PAGES);
const HOUR_MS = 3_600_000;
const CLIENT = { remoteAddress: '127.0.0.1', httpVersion: '1.1', ip: '203.0.113.1', isHttps: true };

describe('ways to sign in', () => {
  let database: TestDatabase;
  let api: TestApi;
  let made = 0;
  const mails: Mail[] = [];

  before(async () => {
    database = await createTestDatabase(import.meta.url);
    api = await createTestApi({
      url: database.serverUrl, demo: [OWNER], doesJobs: true, onMail: (mail) => void mails.push(mail),
    });
    await api.accounts.createPerson({ ...OWNER, locale: 'zh', timeZone: 'Asia/Shanghai', isDemo: true });
  });
  after(async () => {
    await api.stop();
    await database.drop();
  });

  const codeOf = (answer: Answer) => answer.json['code'] ?? answer.status;
  const newGuest = async () => {
    const { cookies } = await api.ask('/api/me');
    return cookies.find((cookie) => cookie.startsWith('nacre_guest='))?.split(';')[0] ?? '';
  };
  const newNumber = () => `+8613800${String(138_000 + (made += 1)).padStart(6, '0')}`;
  const waysOf = async (cookie: string) => (await api.ask('/api/me/ways', { cookie })).json as unknown as Ways;
  const whoIs = async (cookie: string | undefined) =>
    (await api.ask('/api/me', { cookie })).json['person'] as { id: string; phone: string; email: null } | null;
  const db = () => api.platform.database.db;

  /** The code that was sent to a number for this browser, asked for after the pause between two. */
  async function codeFor(phone: string, cookie: string): Promise<string> {
    api.clock.advance(31_000);
    const asked = await api.ask(ASK, { body: { phone, locale: 'en' }, cookie });
    assert.equal(asked.status, 202, JSON.stringify(asked.json));
    await allJobsDone(api.platform, 'accounts.send-code');
    const { texts } = (await api.ask('/api/demo-mails', { cookie })).json as { texts: { to: string; text: string }[] };
    return /\d{6}/.exec(texts.find(({ to }) => to === phone)?.text ?? '')?.[0] ?? '';
  }
  const wrong = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0');
  async function newPersonByPhone(): Promise<{ phone: string; cookie: string; known: string }> {
    const [phone, guest] = [newNumber(), await newGuest()];
    const body = { phone, code: await codeFor(phone, guest), name: 'An' };
    const answer = await api.ask(BY_PHONE, { body, cookie: guest });
    const known = answer.cookies.find((cookie) => cookie.startsWith('nacre_known='))?.split(';')[0] ?? '';
    return { phone, cookie: sessionCookieOf(answer) ?? '', known };
  }

  describe('telephone and code', () => {
    it('[A50] a number and its code make an account without an e-mail, and sign in to it later', async () => {
      const [phone, guest] = [newNumber(), await newGuest()];
      const typed = `0086 ${phone.slice(3, 6)}-${phone.slice(6)}`;
      const sent = await api.ask(ASK, { body: { phone: typed, country: 'US' }, cookie: guest });
      assert.deepEqual(sent.json, { phone, againAfterSeconds: 30, expiresAfterSeconds: 600 });
      // Sent at once, two texts come in any sequence.
      await allJobsDone(api.platform, 'accounts.send-code');
      const code = await codeFor(phone, guest);
      const nameless = await api.ask(BY_PHONE, { body: { phone, code }, cookie: guest });
      assert.equal(codeOf(nameless), 'accounts.name_needed');
      const grouped = `${code.slice(0, 3)} ${code.slice(3)}`;
      const body = { phone, code: grouped, name: 'An', locale: 'zh', timeZone: 'Asia/Shanghai' };
      const answer = await api.ask(BY_PHONE, { body, cookie: guest });
      const person = answer.json['person'] as Record<string, unknown>;
      assert.deepEqual({ ...person, id: '' }, {
        id: '', name: 'An', email: null, phone, locale: 'zh', timeZone: 'Asia/Shanghai',
        isOperator: false, isDemo: false,
      });
      const other = await newGuest();
      const again = await api.ask(BY_PHONE, { body: { phone, code: await codeFor(phone, other) }, cookie: other });
      assert.equal((await whoIs(sessionCookieOf(again)))?.id, person['id']);
      assert.deepEqual(await waysOf(sessionCookieOf(again) ?? ''), {
        email: null, isEmailConfirmed: false, newEmail: null, hasPassword: false, phone, passkeys: [],
      });
    });

    it('[A51] what is no number that a code may be sent to is refused', async () => {
      const body = (phone: string, country?: string) => ({ body: { phone, country } });
      const none = ['12', '+86 138', '+1 900 555 1234', '+86 10 6255 2233', 'mei@example.test', '+'.repeat(40)];
      for (const phone of none) {
        assert.equal(codeOf(await api.ask(ASK, body(phone))), 'accounts.phone_invalid', phone);
      }
      assert.equal(codeOf(await api.ask(ASK, body('0501234567', 'SA'))), 202);
    });

    it('[A52] a code works once, in the browser that asked, and the newest only', async () => {
      const [phone, guest, stranger] = [newNumber(), await newGuest(), await newGuest()];
      const first = await codeFor(phone, guest);
      const code = await codeFor(phone, guest);
      const use = (cookie: string, used: string) =>
        api.ask(BY_PHONE, { body: { phone, code: used, name: 'An' }, cookie });
      assert.equal(codeOf(await use(stranger, code)), 'accounts.code_over');
      if (first !== code) assert.equal(codeOf(await use(guest, first)), 'accounts.code_wrong');
      const answers = await Promise.all([use(guest, code), use(guest, code), use(guest, code)]);
      assert.deepEqual(answers.map(codeOf).toSorted(), [200, 'accounts.code_over', 'accounts.code_over']);
      const kept = await db().selectFrom('phone_code').selectAll().execute();
      assert.ok(kept.every((row) => row.code_hash.length === 32 && row.phone !== phone));
      const { pool } = api.platform.database;
      const jobs = await pool.query(`select data from pgboss.job where name = 'accounts.send-code'`);
      assert.ok(!JSON.stringify(jobs.rows).includes(code), 'in no table in plain');
    });

    it('[A53] a code is over after five tries, also at once, and after ten minutes', async () => {
      const [phone, guest] = [newNumber(), await newGuest()];
      const code = await codeFor(phone, guest);
      const guess = () => api.ask(BY_PHONE, { body: { phone, code: wrong(code), name: 'An' }, cookie: guest });
      const [one] = [await guess()];
      assert.deepEqual(one.json['details'], { left: 4 });
      const codes = (await Promise.all([guess(), guess(), guess(), guess(), guess()])).map(codeOf);
      assert.equal(codes.filter((each) => each === 'accounts.code_over').length, 2);
      assert.equal(codeOf(await api.ask(BY_PHONE, { body: { phone, code, name: 'An' }, cookie: guest })),
        'accounts.code_over');
      const late = await codeFor(phone, guest);
      api.clock.advance(600_001);
      assert.equal(codeOf(await api.ask(BY_PHONE, { body: { phone, code: late, name: 'An' }, cookie: guest })),
        'accounts.code_over');
    });

    it('[A54] asking and trying say the same of known and unknown numbers', async () => {
      const known = await newPersonByPhone();
      const unknown = newNumber();
      const guest = await newGuest();
      const say = async (phone: string) => {
        const code = await codeFor(phone, guest);
        const tried = await api.ask(BY_PHONE, { body: { phone, code: wrong(code) }, cookie: guest });
        api.clock.advance(31_000);
        const asked = await api.ask(ASK, { body: { phone }, cookie: guest });
        return JSON.stringify([asked.status, asked.json, tried.status, tried.json]).replaceAll(phone, '');
      };
      assert.equal(await say(known.phone), await say(unknown));
    });

    const askFrom = (ip: string, phone: string, cookie?: string) =>
      api.ask(ASK, { body: { phone, locale: 'en' }, cookie, headers: { 'x-forwarded-for': ip } });
    /** From four addresses, all that a number gets that one was sent to. */
    async function useUp(phone: string): Promise<void> {
      for (let n = 1; n < 20; n += 1) {
        api.clock.advance(n === 10 ? HOUR_MS : 30_001);
        const { status, json } = await askFrom(`198.51.100.${n % 4}`, phone);
        assert.equal(status, 202, `${n} ${JSON.stringify(json)}`);
      }
      api.clock.advance(HOUR_MS);
      assert.equal(codeOf(await askFrom('198.51.100.9', phone)), 'accounts.code_not_sent');
    }

    it('[A55] messages are limited: a pause between two, for a number, for an address, in all', async () => {
      const phone = newNumber();
      assert.equal((await askFrom('192.0.2.1', phone)).status, 202);
      const soon = await askFrom('192.0.2.1', phone);
      assert.deepEqual([soon.status, codeOf(soon)], [429, 'accounts.code_not_sent']);
      assert.ok(Number(soon.headers['retry-after']) <= 30);
      assert.equal((await askFrom('192.0.2.2', phone)).status, 202, 'a stranger’s pause is no one else’s');
      for (let n = 0; n < 4; n += 1) {
        api.clock.advance(30_001);
        assert.equal((await askFrom('192.0.2.1', phone)).status, 202);
      }
      api.clock.advance(HOUR_MS);
      assert.equal((await askFrom('192.0.2.1', phone)).status, 429, 'five a day from one address');
      const other = newNumber();
      const once = await Promise.all(Array.from({ length: 11 }, (_, n) => askFrom(`192.0.2.3${n}`, other)));
      assert.equal(once.filter(({ status }) => status === 429).length, 1, 'ten an hour for one number');
      const many = await Promise.all(Array.from({ length: 31 }, () => askFrom('2001:db8:1:2::7', newNumber())));
      assert.equal(many.filter(({ status }) => status === 429).length, 1);
      assert.equal((await askFrom('2001:db8:1:2:ffff::1', newNumber())).status, 429, 'its whole network');
      const { texter } = api.accountsDeps;
      const accounts = createAccounts({ ...api.accountsDeps, texter: { ...texter, perDay: 5 } });
      const asking = (cookie?: string) => accounts.ways.askCode({ ...CLIENT, headers: { cookie } }, 'guest/x', {
        phone: newNumber(),
      });
      for (let n = 0; n < 4; n += 1) await asking();
      await assert.rejects(asking(), { code: 'accounts.code_not_sent' }, 'the last fifth is for known browsers');
      await accounts.stop();
    });

    it('[A75] strangers who use up a number’s codes do not shut out the browsers it has signed in with', async () => {
      const { phone, known } = await newPersonByPhone();
      const stranger = await newGuest();
      const others = await newPersonByPhone();
      await useUp(phone);
      // Its own, five an hour; nobody else’s cookie does it, and none that was made.
      const forged = known.replace(/\.[^.]+$/, `.${'A'.repeat(22)}`);
      for (const cookie of [others.known, forged]) {
        const asked = await askFrom('192.0.2.77', phone, `${stranger}; ${cookie}`);
        assert.equal(codeOf(asked), 'accounts.code_not_sent');
      }
      const guest = await newGuest();
      const code = await codeFor(phone, `${guest}; ${known}`);
      assert.match(code, /^\d{6}$/);
      // Wrong codes from the same address, as many as make it wait.
      const guess = () => api.ask(BY_PHONE, { body: { phone, code: '123456' }, cookie: stranger });
      const guesses = await Promise.all(Array.from({ length: 101 }, guess));
      assert.equal(guesses.at(-1)?.status, 429);
      assert.equal(codeOf(await api.ask(BY_PHONE, { body: { phone, code }, cookie: `${guest}; ${known}` })), 200);
      api.clock.advance(15 * 60_000);
      for (let n = 0; n < 4; n += 1) await codeFor(phone, `${guest}; ${known}`);
      api.clock.advance(31_000);
      assert.equal(codeOf(await askFrom('192.0.2.77', phone, `${guest}; ${known}`)), 'accounts.code_not_sent');
    });

    it('[A76] a code that was sent stays good when no other is sent, and whoever asked for it is told', async () => {
      const [phone, guest, stranger] = [newNumber(), await newGuest(), await newGuest()];
      const code = await codeFor(phone, guest);
      for (let n = 0; n < 5; n += 1) {
        await api.ask(BY_PHONE, { body: { phone, code: wrong(code) }, cookie: stranger });
      }
      const [own, others] = [await askFrom('127.0.0.1', phone, guest), await askFrom('127.0.0.1', phone, stranger)];
      assert.deepEqual([codeOf(own), codeOf(others)], ['accounts.code_not_sent', 'accounts.code_not_sent']);
      const { expiresAfterSeconds, againAfterSeconds, ...rest } = own.json['details'] as Record<string, unknown>;
      assert.deepEqual(rest, { phone });
      // The clock ran on since the code was sent.
      assert.ok(Number(againAfterSeconds) <= 30 && Number(againAfterSeconds) > 0, String(againAfterSeconds));
      assert.ok(Number(expiresAfterSeconds) > 500);
      assert.equal(others.json['details'], undefined);
      assert.equal(codeOf(await api.ask(BY_PHONE, { body: { phone, code, name: 'An' }, cookie: guest })), 200);
    });

    it('[A56] a number is added by whoever has just signed in or confirmed, and is one account’s', async () => {
      const person = await api.newPerson();
      const phone = newNumber();
      const put = async (cookie: string, code: string) =>
        api.ask('/api/me/phone', { method: 'PUT', body: { phone, code }, cookie });
      assert.equal(codeOf(await put(person.cookie, wrong(await codeFor(phone, person.cookie)))), 'accounts.code_wrong');
      assert.equal(codeOf(await put(person.cookie, await codeFor(phone, person.cookie))), 204);
      assert.equal((await whoIs(person.cookie))?.phone, phone);
      const other = await api.newPerson();
      assert.equal(codeOf(await put(other.cookie, await codeFor(phone, other.cookie))), 'accounts.phone_taken');
      const remove = (cookie: string) => api.ask('/api/me/phone', { method: 'DELETE', cookie });
      api.clock.advance(16 * 60_000);
      assert.equal(codeOf(await remove(person.cookie)), 'accounts.confirm_first');
      const confirm = (body: object) => api.ask('/api/me/confirm', { body, cookie: person.cookie });
      assert.equal(codeOf(await confirm({ password: 'not this one' })), 'accounts.wrong_credentials');
      assert.equal(codeOf(await confirm({ code: '000000' })), 'accounts.code_over');
      assert.equal(codeOf(await confirm({ password: PASSWORD })), 204);
      assert.equal(codeOf(await remove(person.cookie)), 204);
      assert.equal((await whoIs(person.cookie))?.phone, null);
    });

    it('[A56] a number that is replaced or removed is told by mail, without an e-mail by a text to it', async () => {
      const person = await api.newPerson();
      await api.ask('/api/me', { method: 'PATCH', body: { locale: 'zh' }, cookie: person.cookie });
      const put = async (cookie: string) => {
        const phone = newNumber();
        const body = { phone, code: await codeFor(phone, cookie) };
        assert.equal(codeOf(await api.ask('/api/me/phone', { method: 'PUT', body, cookie })), 204);
      };
      const told = async () => {
        await allJobsDone(api.platform, 'accounts.tell-number');
        return mails.filter(({ to }) => to === person.email).map(({ subject }) => subject);
      };
      await put(person.cookie);
      assert.deepEqual(await told(), [], 'there was none before');
      await put(person.cookie);
      assert.deepEqual(await told(), ['你的账号换了手机号']);
      await api.ask('/api/me/phone', { method: 'DELETE', cookie: person.cookie });
      assert.deepEqual(await told(), ['你的账号换了手机号', '你的账号移除了手机号']);
      const { texter } = api.accountsDeps;
      const texts: { to: string; text: string }[] = [];
      const { send } = texter;
      texter.send = (text) => (texts.push(text), send(text));
      const { phone, cookie } = await newPersonByPhone();
      await api.ask('/api/me/confirm', { body: { code: await codeFor(phone, cookie) }, cookie });
      await put(cookie);
      await told();
      assert.match(texts.findLast(({ to }) => to === phone)?.text ?? '', /another number/);
    });

    it('[A57] nobody is left without an e-mail or a number; a code to one’s own number confirms', async () => {
      const { phone, cookie } = await newPersonByPhone();
      api.clock.advance(16 * 60_000);
      const remove = () => api.ask('/api/me/phone', { method: 'DELETE', cookie });
      assert.equal(codeOf(await remove()), 'accounts.confirm_first');
      assert.equal(codeOf(await api.ask('/api/me/confirm', { body: { password: PASSWORD }, cookie })),
        'accounts.wrong_credentials');
      const body = { code: await codeFor(phone, cookie) };
      assert.equal(codeOf(await api.ask('/api/me/confirm', { body, cookie })), 204);
      assert.equal(codeOf(await remove()), 'accounts.last_way');
      await assert.rejects(db().updateTable('person').set({ phone: null }).where('phone', '=', phone).execute());
    });

    it('[A58] two who sign up with one number at once are one account', async () => {
      const phone = newNumber();
      const guests = [await newGuest(), await newGuest()];
      const codes = [await codeFor(phone, guests[0] ?? ''), await codeFor(phone, guests[1] ?? '')];
      const answers = await Promise.all(guests.map((cookie, n) =>
        api.ask(BY_PHONE, { body: { phone, code: codes[n], name: 'An' }, cookie })));
      // The one that comes second finds every code to this number used up.
      assert.deepEqual(answers.map(codeOf).toSorted(), [200, 'accounts.code_over']);
      const { count } = await db().selectFrom('person').select((select) => select.fn.countAll<bigint>().as('count'))
        .where('phone', '=', phone).executeTakeFirstOrThrow();
      assert.equal(Number(count), 1);
    });
  });

  describe('passkeys', () => {
    const from = (cookie: string, body?: unknown): Asked => ({
      method: 'POST', cookie, headers: FROM_PAGE, ...(body === undefined ? {} : { body }),
    });
    const makeOptions = async (cookie: string, headers: Record<string, string> = FROM_PAGE) =>
      api.ask('/api/me/passkey-options', { method: 'POST', cookie, headers });
    const showOptions = async (cookie: string) =>
      (await api.ask('/api/auth/passkey-options', from(cookie))).json['options'] as { challenge: string; rpId: string };
    async function newPasskey(cookie: string) {
      const authenticator = createAuthenticator();
      const { options } = (await makeOptions(cookie)).json as { options: never };
      const answer = await api.ask('/api/me/passkeys', from(cookie, authenticator.make(options, PAGES)));
      return { authenticator, answer, id: String(answer.json['id']) };
    }

    it('[A60] a passkey is made, named, listed, signed in with and removed', async () => {
      const person = await api.newPerson('Mei');
      const { authenticator, answer, id } = await newPasskey(person.cookie);
      assert.equal(answer.status, 201, JSON.stringify(answer.json));
      const path = `/api/me/passkeys/${id}`;
      const name = ' My\u202e phone ';
      const renamed = await api.ask(path, { method: 'PATCH', body: { name }, cookie: person.cookie });
      assert.equal(renamed.json['name'], 'My phone');
      const guest = await newGuest();
      const shown = authenticator.show(await showOptions(guest), PAGES);
      const signedIn = await api.ask('/api/auth/sign-in/passkey', from(guest, shown));
      assert.equal((await whoIs(sessionCookieOf(signedIn)))?.id, person.id);
      const [passkey] = (await waysOf(person.cookie)).passkeys;
      assert.equal(passkey?.name, 'My phone');
      assert.notEqual(passkey?.lastUsedAt, null);
      const stranger = await api.newPerson();
      for (const method of ['PATCH', 'DELETE'] as const) {
        const body = method === 'PATCH' ? { body: { name: 'Mine' } } : {};
        assert.equal(codeOf(await api.ask(path, { method, ...body, cookie: stranger.cookie })), 'request.not_found');
      }
      assert.equal(codeOf(await api.ask(path, { method: 'DELETE', cookie: person.cookie })), 204);
      const again = authenticator.show(await showOptions(guest), PAGES);
      assert.equal(codeOf(await api.ask('/api/auth/sign-in/passkey', from(guest, again))), 'accounts.passkey_unknown');
    });

    it('[A61] a challenge is for one browser and page, one answer and five minutes', async () => {
      const { cookie } = await api.newPerson();
      const { authenticator } = await newPasskey(cookie);
      const [guest, other] = [await newGuest(), await newGuest()];
      const signIn = (by: string, body: unknown) => api.ask('/api/auth/sign-in/passkey', from(by, body));
      const shown = authenticator.show(await showOptions(guest), PAGES);
      assert.equal(codeOf(await signIn(other, shown)), 'accounts.passkey_failed', 'another browser');
      assert.equal(codeOf(await signIn(guest, shown)), 'accounts.passkey_failed', 'and used up by it');
      const good = authenticator.show(await showOptions(guest), PAGES);
      assert.equal(codeOf(await signIn(guest, good)), 200);
      assert.equal(codeOf(await signIn(guest, good)), 'accounts.passkey_failed', 'twice');
      const elsewhere = authenticator.show(await showOptions(guest), 'https://nacre.test.evil.example');
      assert.equal(codeOf(await signIn(guest, elsewhere)), 'accounts.passkey_failed', 'another page');
      const invented = authenticator.show({ challenge: 'AAAA', rpId: 'nacre.test' }, PAGES);
      assert.equal(codeOf(await signIn(guest, invented)), 'accounts.passkey_failed', 'not ours');
      const late = authenticator.show(await showOptions(guest), PAGES);
      api.clock.advance(5 * 60_000);
      assert.equal(codeOf(await signIn(guest, late)), 'accounts.passkey_failed', 'too late');
    });

    it('[A62] a count that does not grow, a missing look and another key are refused', async () => {
      const { cookie } = await api.newPerson();
      const { authenticator } = await newPasskey(cookie);
      const guest = await newGuest();
      const signIn = async (show: (options: { challenge: string; rpId: string }) => unknown) =>
        codeOf(await api.ask('/api/auth/sign-in/passkey', from(guest, show(await showOptions(guest)))));
      assert.equal(await signIn((options) => authenticator.show(options, PAGES, { counter: 7 })), 200);
      assert.equal(await signIn((options) => authenticator.show(options, PAGES, { counter: 7 })),
        'accounts.passkey_failed');
      assert.equal(await signIn((options) => authenticator.show(options, PAGES, { counter: 8, isVerified: false })),
        'accounts.passkey_failed');
      const forged = createAuthenticator();
      assert.equal(await signIn((options) => {
        const real = authenticator.show(options, PAGES);
        return { ...real, response: { ...real.response, signature: forged.show(options, PAGES).response.signature } };
      }), 'accounts.passkey_failed');
      assert.equal(await signIn((options) => authenticator.show(options, PAGES, { counter: 9 })), 200);
    });

    it('[A63] a passkey is for our own addresses with a name; nobody has more than twenty, none twice', async () => {
      const person = await api.newPerson();
      for (const origin of ['https://evil.example', 'https://192.0.2.1:3000', 'null', 'http://nacre.test']) {
        assert.notEqual((await makeOptions(person.cookie, { ...FROM_PAGE, origin })).status, 200, origin);
        assert.notEqual((await makeOptions(person.cookie, at(origin))).status, 200, origin);
      }
      assert.equal(codeOf(await api.ask('/api/auth/passkey-options', { method: 'POST' })), 'accounts.passkey_not_here');
      const authenticator = createAuthenticator();
      const make = async (by: string) => {
        const { options } = (await makeOptions(by)).json as { options: never };
        return api.ask('/api/me/passkeys', from(by, authenticator.make(options, PAGES)));
      };
      assert.equal((await make(person.cookie)).status, 201);
      assert.equal(codeOf(await make((await api.newPerson()).cookie)), 'accounts.passkey_known');
      await Promise.all(Array.from({ length: 19 }, () => newPasskey(person.cookie)));
      assert.equal(codeOf(await makeOptions(person.cookie)), 'accounts.too_many_passkeys');
      api.clock.advance(16 * 60_000);
      const late = await api.newPerson();
      api.clock.advance(16 * 60_000);
      assert.equal(codeOf(await makeOptions(late.cookie)), 'accounts.confirm_first');
    });
  });

  it('[A65] a session that ends meanwhile adds and takes away nothing', async () => {
    const { id, cookie } = await api.newPerson();
    assert.equal(codeOf(await api.ask('/api/me/confirm', { body: { password: PASSWORD }, cookie })), 204);
    const phone = newNumber();
    const code = await codeFor(phone, cookie);
    const headers = FROM_PAGE;
    const options = await api.ask('/api/me/passkey-options', { method: 'POST', cookie, headers });
    const made = createAuthenticator().make(options.json['options'] as never, PAGES);
    // In another process that has not told this one yet.
    await db().deleteFrom('session').where('person_id', '=', id).execute();
    const asked: [string, Asked][] = [
      ['/api/me/passkeys', { body: made, headers }],
      [`/api/me/passkeys/${api.platform.newId()}`, { method: 'DELETE' }],
      ['/api/me/phone', { method: 'PUT', body: { phone, code } }],
      ['/api/me/phone', { method: 'DELETE' }],
      ['/api/me/email', { body: { email: `${unique('new')}@example.test` } }],
    ];
    for (const [path, how] of asked) {
      assert.equal(codeOf(await api.ask(path, { ...how, cookie })), 'accounts.sign_in_first', path);
    }
    assert.deepEqual([(await waysOf(cookie)).phone, (await waysOf(cookie)).passkeys], [null, []]);
  });

  it('[A64] how to sign in to a demo account stays as it is', async () => {
    const { email, password } = OWNER;
    const signedIn = await api.ask('/api/auth/sign-in/email', { body: { email, password } });
    const cookie = sessionCookieOf(signedIn) ?? '';
    const asked: [string, Asked][] = [
      ['/api/me/phone', { method: 'PUT', body: { phone: newNumber(), code: '123456' } }],
      ['/api/me/phone', { method: 'DELETE' }],
      ['/api/me/email', { body: { email: `${unique('new')}@example.test` } }],
      ['/api/me/passkey-options', { method: 'POST' }],
      ['/api/me/confirm', { body: { password: OWNER.password } }],
    ];
    for (const [path, how] of asked) {
      assert.equal(codeOf(await api.ask(path, { ...how, cookie })), 'accounts.demo_ways', path);
    }
  });
});
