import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  PASSWORD, createTestApi, sessionCookieOf, unique, type Answer, type TestApi,
} from '../../../tests/support/api.ts';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { allJobsDone } from '../../../tests/support/jobs-done.ts';
import { createAccounts } from './accounts.ts';

const OWNER = { role: 'owner', name: 'Lin', email: 'lin@demo.test', password: 'demo password' } as const;
const FORGOT = '/api/auth/forgot-password';
const RESET = '/api/auth/reset-password';
const SIGN_IN = '/api/auth/sign-in/email';
const NEW = 'a pearl of another colour';

interface KeptMail {
  subject: string;
  text: string;
  link: string;
}

describe('passwords', () => {
  let database: TestDatabase;
  let api: TestApi;

  before(async () => {
    database = await createTestDatabase(import.meta.url);
    api = await createTestApi({ url: database.serverUrl, demo: [OWNER], doesJobs: true });
    await api.accounts.createPerson({ ...OWNER, locale: 'zh', timeZone: 'Asia/Shanghai', isDemo: true });
  });
  after(async () => {
    await api.stop();
    await database.drop();
  });

  const whoIs = async (cookie: string | undefined) => (await api.ask('/api/me', { cookie })).json['person'];
  const signsIn = async (email: string, password: string) =>
    (await api.ask(SIGN_IN, { body: { email, password } })).status;
  const codeOf = (answer: Answer) => answer.json['code'] ?? answer.status;
  const newGuest = async () => {
    const { cookies } = await api.ask('/api/me');
    return cookies.find((cookie) => cookie.startsWith('nacre_guest='))?.split(';')[0];
  };
  const kept = async (cookie: string | undefined, more: object = {}) =>
    (await api.ask('/api/demo-mails', { cookie, ...more })).json['mails'] as KeptMail[];
  /** From the demo's machine, behind a host name of its own. */
  const forget = (email: string, cookie?: string) => api.ask(FORGOT, { body: { email }, cookie });
  const forgetFrom = (email: string, ip: string) =>
    api.ask(FORGOT, { body: { email }, headers: { 'x-forwarded-for': ip } });
  const allDone = () => allJobsDone(api.platform, 'accounts.mail-reset');
  /** The mail for this e-mail, asked for by a new page, an hour after the one before, so that no limit is met. */
  async function mailTo(email: string): Promise<KeptMail> {
    const guest = await newGuest();
    api.clock.advance(3_600_000);
    assert.equal((await forget(email, guest)).status, 202);
    await allDone();
    const mails = await kept(guest);
    assert.equal(mails.length, 1);
    return mails[0] as KeptMail;
  }
  const tokenOf = (mail: KeptMail) => mail.link.split('#')[1] ?? '';

  it('[A30] a link comes by mail in the language of the profile, and leads to our own address', async () => {
    const person = await api.newPerson();
    await api.ask('/api/me', { method: 'PATCH', body: { locale: 'ar' }, cookie: person.cookie });
    const mail = await mailTo(person.email.toUpperCase());
    assert.match(mail.subject, /كلمة مرور/);
    assert.match(mail.link, /^https:\/\/nacre\.test\/new-password#[A-Za-z0-9]{20,}$/);
    assert.ok(mail.text.includes(mail.link));
    assert.ok(!mail.text.includes(person.name), 'nothing that somebody wrote');
  });

  it('[A30] a demo account gets no link', async () => {
    const guest = await newGuest();
    assert.equal((await forget(OWNER.email, guest)).status, 202);
    await allDone();
    assert.deepEqual(await kept(guest), []);
    const { db } = api.platform.database;
    const lin = await db.selectFrom('person').select('id').where('email', '=', OWNER.email).executeTakeFirstOrThrow();
    assert.deepEqual(await db.selectFrom('verification').select('id').where('value', '=', lin.id).execute(), []);
  });

  it('[A31] a known and an unknown e-mail get the same answer, and nothing looks whether anybody has it', async () => {
    const person = await api.newPerson();
    const asked: string[] = [];
    const real = api.platform.database;
    let looks = 0;
    const database = { ...real, get db() { looks += 1; return real.db; } };
    const spied = createAccounts({
      ...api.accountsDeps,
      jobs: { add: async (_tx, name, data) => void asked.push(`${name} ${Object.keys(data).join()}`) },
      platform: { ...api.platform, database },
    });
    looks = 0;
    const client = { headers: {}, remoteAddress: '192.0.2.1', ip: '192.0.2.1', isHttps: false };
    for (const email of [person.email, 'nobody@example.test']) await spied.forgotPassword(client, 'guest/a', email);
    assert.equal(looks, 0);
    assert.equal(asked.length, 2);
    assert.equal(asked[0], asked[1]);
    const answers = await Promise.all([forget(person.email), forget('nobody@example.test')]);
    const [known, unknown] = answers.map(({ status, json, bytes }) => ({ status, json, bytes: bytes.toString() }));
    assert.deepEqual(known, unknown);
    await spied.stop();
    await allDone();
  });

  it('[A32] a link works once, also when it is sent several times at once', async () => {
    const person = await api.newPerson();
    const token = tokenOf(await mailTo(person.email));
    const answers = await Promise.all(Array.from({ length: 4 }, (_, n) =>
      api.ask(RESET, { body: { token, password: `${NEW} ${n}` } })));
    assert.deepEqual(answers.map(codeOf).toSorted(), [200, 'accounts.link_over', 'accounts.link_over',
      'accounts.link_over'].toSorted());
    const winner = answers.findIndex(({ status }) => status === 200);
    assert.equal(await signsIn(person.email, `${NEW} ${winner}`), 200);
    assert.equal(codeOf(await api.ask(RESET, { body: { token, password: NEW } })), 'accounts.link_over');
  });

  it('[A32] a link is over after an hour, and its token is in no table', async () => {
    const { db } = api.platform.database;
    const person = await api.newPerson();
    const token = tokenOf(await mailTo(person.email));
    const rows = await db.selectFrom('verification').selectAll().where('value', '=', person.id).execute();
    assert.ok(!JSON.stringify(rows).includes(token));
    const livesMs = (rows[0]?.expires_at.getTime() ?? 0) - Date.now();
    assert.ok(livesMs > 3_500_000 && livesMs <= 3_600_000, `${livesMs} ms`);
    await db.updateTable('verification').set({ expires_at: new Date(Date.now() - 1000) })
      .where('value', '=', person.id).execute();
    assert.equal(codeOf(await api.ask(RESET, { body: { token, password: NEW } })), 'accounts.link_over');
    assert.equal(codeOf(await api.ask(RESET, { body: { token: 'x', password: NEW } })), 'accounts.link_over');
    assert.equal(await signsIn(person.email, PASSWORD), 200);
  });

  it('[A32] other links to the same person are over once one was used', async () => {
    const person = await api.newPerson();
    const [first, second] = [tokenOf(await mailTo(person.email)), tokenOf(await mailTo(person.email))];
    assert.notEqual(first, second);
    assert.equal((await api.ask(RESET, { body: { token: second, password: NEW } })).status, 200);
    assert.equal(codeOf(await api.ask(RESET, { body: { token: first, password: PASSWORD } })), 'accounts.link_over');
  });

  it('[A33] the new password ends all sessions and signs in here', async () => {
    const person = await api.newPerson();
    assert.notEqual(await whoIs(person.cookie), null);
    const heard: unknown[] = [];
    const end = api.platform.bus.subscribe('accounts.signed-out', (message) => void heard.push(message));
    const answer = await api.ask(RESET, { body: { token: tokenOf(await mailTo(person.email)), password: NEW } });
    end();
    assert.equal(answer.status, 200);
    assert.deepEqual(await whoIs(sessionCookieOf(answer)), answer.json['person']);
    assert.equal(await whoIs(person.cookie), null);
    assert.deepEqual(heard, [{ personId: person.id, sessionId: null }]);
    assert.equal(await signsIn(person.email, PASSWORD), 401);
    assert.equal(await signsIn(person.email, NEW), 200);
  });

  it('[A33] the first link ends what whoever signed up with another’s e-mail left; later ones leave it', async () => {
    const person = await api.newPerson();
    const { database: { db }, clock, newId } = api.platform;
    const left = async () => {
      const token = tokenOf(await mailTo(person.email));
      await db.updateTable('person').set({ phone: '+8613800138000' }).where('id', '=', person.id).execute();
      await db.insertInto('passkey').values({
        id: newId(), person_id: person.id, name: 'x', credential_id: unique('key'), public_key: Buffer.from('x'),
        counter: 0n, transports: [], created_at: clock.now(),
      }).execute();
      const answer = await api.ask(RESET, { body: { token, password: NEW } });
      const ways = await api.ask('/api/me/ways', { cookie: sessionCookieOf(answer) });
      return [ways.json['phone'], (ways.json['passkeys'] as unknown[]).length];
    };
    assert.deepEqual(await left(), [null, 0]);
    assert.deepEqual(await left(), ['+8613800138000', 1]);
  });

  it('[A33] a password that will not do leaves the link and the sessions as they were', async () => {
    const person = await api.newPerson();
    const token = tokenOf(await mailTo(person.email));
    assert.equal(codeOf(await api.ask(RESET, { body: { token, password: 'short' } })), 'accounts.password_too_short');
    assert.equal(codeOf(await api.ask(RESET, { body: { token, password: 'x'.repeat(129) } })),
      'accounts.password_too_long');
    assert.notEqual(await whoIs(person.cookie), null);
    assert.equal((await api.ask(RESET, { body: { token, password: NEW } })).status, 200);
  });

  it('[A34] links are limited for an e-mail and for an address, known or not', async () => {
    const { email } = await api.newPerson();
    for (const [who, ip] of [[email, '192.0.2.1'], ['nobody@example.test', '192.0.2.2']] as const) {
      const statuses: number[] = [];
      for (let n = 0; n < 6; n += 1) statuses.push((await forgetFrom(who, ip)).status);
      assert.deepEqual(statuses, [202, 202, 202, 202, 202, 429], who);
      for (let n = 0; n < 5; n += 1) statuses.push((await forgetFrom(who, `192.0.2.1${n}`)).status);
      assert.equal((await forgetFrom(who, '192.0.2.99')).status, 429, 'ten for one e-mail');
    }
    const many = await Promise.all(Array.from({ length: 31 }, () =>
      forgetFrom(`${unique('list')}@example.test`, '192.0.2.50')));
    assert.equal(many.filter(({ status }) => status === 429).length, 1);
    await allDone();
  });

  it('[A35] a kept mail is read only by the page that asked, on this machine', async () => {
    const person = await api.newPerson();
    const [guest, other] = [await newGuest(), await newGuest()];
    await forget(person.email, guest);
    await allDone();
    assert.equal((await kept(guest)).length, 1);
    assert.deepEqual(await kept(other), []);
    assert.deepEqual(await kept(undefined), []);
    assert.deepEqual(await kept(guest, { headers: { 'x-forwarded-for': '127.0.0.1' } }), []);
    assert.deepEqual(await kept(guest, { headers: { host: 'nacre.test' } }), []);
    assert.deepEqual(await kept(guest, { remoteAddress: '192.0.2.7' }), []);
  });

  it('[A35] what was asked for from elsewhere is kept for nobody', async () => {
    const person = await api.newPerson();
    const guest = await newGuest();
    await api.ask(FORGOT, {
      body: { email: person.email }, cookie: guest, headers: { 'x-forwarded-for': '203.0.113.9' },
    });
    await allDone();
    assert.deepEqual(await kept(guest), []);
  });

  it('[A36] a password is changed by the present one; other sessions end, this one stays', async () => {
    const person = await api.newPerson();
    const other = sessionCookieOf(await api.ask(SIGN_IN, { body: { email: person.email, password: PASSWORD } }));
    const token = tokenOf(await mailTo(person.email));
    const change = (body: object, cookie: string | undefined) => api.ask('/api/me/password', { body, cookie });
    assert.equal((await change({ password: PASSWORD, newPassword: NEW }, undefined)).status, 401);
    assert.equal(codeOf(await change({ password: 'wrong', newPassword: NEW }, person.cookie)),
      'accounts.wrong_credentials');
    assert.equal(codeOf(await change({ password: PASSWORD, newPassword: 'short' }, person.cookie)),
      'accounts.password_too_short');
    assert.notEqual(await whoIs(other), null);
    assert.equal((await change({ password: PASSWORD, newPassword: NEW }, person.cookie)).status, 204);
    assert.notEqual(await whoIs(person.cookie), null);
    assert.equal(await whoIs(other), null);
    assert.equal(await signsIn(person.email, PASSWORD), 401);
    assert.equal(await signsIn(person.email, NEW), 200);
    assert.equal(codeOf(await api.ask(RESET, { body: { token, password: PASSWORD } })), 'accounts.link_over');
  });

  it('[A36] guessing the present password is slow, and a demo account keeps its own', async () => {
    const person = await api.newPerson();
    const guess = () => api.ask('/api/me/password', {
      body: { password: 'wrong password', newPassword: NEW }, cookie: person.cookie,
    });
    const codes: unknown[] = [];
    for (let n = 0; n < 11; n += 1) codes.push(codeOf(await guess()));
    assert.deepEqual([...new Set(codes.slice(0, 10))], ['accounts.wrong_credentials']);
    assert.equal(codes[10], 'request.too_many');
    const demo = sessionCookieOf(await api.ask(SIGN_IN, { body: { email: OWNER.email, password: OWNER.password } }));
    const refused = await api.ask('/api/me/password', {
      body: { password: OWNER.password, newPassword: NEW }, cookie: demo,
    });
    assert.equal(codeOf(refused), 'accounts.demo_password');
  });
});
