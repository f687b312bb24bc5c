import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  createTestApi, PASSWORD, sessionCookieOf, unique, type Answer, type TestApi,
} from '../../../tests/support/api.ts';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { allJobsDone } from '../../../tests/support/jobs-done.ts';
import type { Mail } from '../platform/mailer.ts';
import { createAccounts } from './accounts.ts';

const NEW = 'a pearl of another colour';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe('the e-mail is its owner’s', () => {
  let database: TestDatabase;
  let api: TestApi;
  const mails: Mail[] = [];

  before(async () => {
    database = await createTestDatabase(import.meta.url);
    api = await createTestApi({ url: database.serverUrl, doesJobs: true, onMail: (mail) => void mails.push(mail) });
  });
  after(async () => {
    await api.stop();
    await database.drop();
  });

  const codeOf = ({ status, json }: Answer) => (status < 400 ? status : json['code']);
  const signUp = (email: string) =>
    api.ask('/api/auth/sign-up/email', { body: { name: 'Mei', email, password: PASSWORD, locale: 'zh' } });
  async function newcomer(): Promise<{ email: string; cookie: string; token: string }> {
    const email = `${unique('mei')}@example.test`;
    const answer = await signUp(email.toUpperCase());
    assert.equal(answer.status, 200);
    return { email, cookie: sessionCookieOf(answer) ?? '', token: await linkTo(email) };
  }
  async function mailsTo(email: string): Promise<Mail[]> {
    await allJobsDone(api.platform, 'accounts.mail-email-proof');
    return mails.filter(({ to }) => to === email);
  }
  async function linkTo(email: string): Promise<string> {
    const [page, token = ''] = (await mailsTo(email)).at(-1)?.link?.split('#') ?? [];
    assert.equal(page, 'https://nacre.test/my-email');
    return token;
  }
  const again = (cookie: string) => api.ask('/api/me/email-link', { method: 'POST', cookie });
  const prove = (token: string, cookie?: string) => api.ask('/api/me/prove-email', { body: { token }, cookie });
  const isConfirmed = async (cookie: string) =>
    (await api.ask('/api/me/ways', { cookie })).json['isEmailConfirmed'];

  async function changeEmail(cookie: string): Promise<void> {
    const email = `${unique('new')}@example.test`;
    await api.ask('/api/me/email', { body: { email }, cookie });
    await allJobsDone(api.platform, 'accounts.mail-email-link');
    const token = mails.findLast(({ to }) => to === email)?.link?.split('#')[1];
    assert.equal((await api.ask('/api/auth/confirm-email', { body: { token } })).status, 200);
  }

  it('[A79] signing up mails a link that confirms the e-mail, once, and nobody waits for it', async () => {
    const { email, cookie, token } = await newcomer();
    const [letter] = await mailsTo(email);
    assert.match(letter?.subject ?? '', /验证/);
    assert.equal((await api.ask('/api/me/addresses', { cookie })).status, 200, 'signed in meanwhile');
    assert.equal(await isConfirmed(cookie), false);
    const rows = await api.platform.database.db.selectFrom('verification').selectAll().execute();
    assert.ok(rows.length > 0 && !JSON.stringify(rows).includes(token), 'in no table');
    assert.equal((await again(cookie)).status, 200);
    const second = await linkTo(email);
    assert.equal((await prove(token, cookie)).json['isEmailConfirmed'], true, 'also the one that came first');
    for (const over of [token, second, 'no link']) {
      assert.equal(codeOf(await prove(over, cookie)), 'accounts.email_proof_over');
    }
    assert.equal(await isConfirmed(cookie), true);
    assert.equal((await again(cookie)).json['isEmailConfirmed'], true);
    assert.equal((await mailsTo(email)).length, 2, 'no further letter');
  });

  it('[A79] what [A74] keeps from others it gives to whoever opened the link: the old e-mail takes the account back',
    async () => {
      const { email, cookie, token } = await newcomer();
      await prove(token, cookie);
      await changeEmail(cookie);
      await allJobsDone(api.platform, 'accounts.mail-email-undo');
      assert.match(mails.findLast(({ to }) => to === email)?.link ?? '', /\/old-email#/);
    });

  it('[A79] a link is over after seven days, with another password, and with another e-mail', async () => {
    const { cookie, token } = await newcomer();
    await changeEmail(cookie);
    assert.equal(codeOf(await prove(token, cookie)), 'accounts.email_proof_over');
    const other = await newcomer();
    const body = { password: PASSWORD, newPassword: NEW };
    assert.equal((await api.ask('/api/me/password', { body, cookie: other.cookie })).status, 204);
    assert.equal(codeOf(await prove(other.token, other.cookie)), 'accounts.email_proof_over', 'at once');
    const late = await newcomer();
    api.clock.advance(7 * DAY_MS);
    for (const { token: over, cookie: own } of [other, late]) {
      assert.equal(codeOf(await prove(over, own)), 'accounts.email_proof_over');
      assert.equal(await isConfirmed(own), false);
    }
  });

  it('[A79] a sign-up that is refused mails nothing, and letters are bounded while signing up is not', async () => {
    const { email, cookie } = await newcomer();
    assert.equal(codeOf(await signUp(email)), 'accounts.email_taken');
    assert.equal((await mailsTo(email)).length, 1);
    const codes: unknown[] = [];
    for (let day = 0; day < 10; day += 1) {
      codes.push(codeOf(await again(cookie)));
      if (day % 3 === 2) api.clock.advance(HOUR_MS);
    }
    const [sent, no] = [200, 'request.too_many'];
    assert.deepEqual(codes, [sent, sent, no, sent, sent, sent, sent, sent, sent, sent]);
    api.clock.advance(HOUR_MS);
    assert.equal(codeOf(await again(cookie)), no, 'ten a day, with that of signing up');
    let letters = 0;
    const accounts = createAccounts({ ...api.accountsDeps, jobs: { add: async () => void (letters += 1) } });
    const client = { headers: {}, remoteAddress: '127.0.0.1', httpVersion: '1.1', ip: '127.0.0.1', isHttps: true };
    for (let n = 0; n < 101; n += 1) {
      await accounts.signUp(client, { name: 'Mei', email: `${unique('class')}@example.test`, password: PASSWORD });
    }
    assert.equal(letters, 100);
    await accounts.stop();
  });

  it('[A80] the link confirms where its account is signed in, and nowhere else', async () => {
    api.clock.advance(HOUR_MS);
    const { email, cookie, token } = await newcomer();
    assert.equal(codeOf(await prove(token)), 'accounts.sign_in_first');
    const other = await api.newPerson();
    assert.equal(codeOf(await prove(token, other.cookie)), 'accounts.email_proof_of_other');
    assert.deepEqual([await isConfirmed(cookie), await isConfirmed(other.cookie)], [false, false]);
    // A stranger signed up with it, and left a way in: the owner's new password ends that.
    const { db } = api.platform.database;
    await db.updateTable('person').set({ phone: '+8613800138080' }).where('email', '=', email).execute();
    await api.ask('/api/auth/forgot-password', { body: { email } });
    await allJobsDone(api.platform, 'accounts.mail-reset');
    const link = mails.findLast(({ to }) => to === email)?.link?.split('#')[1];
    const owner = await api.ask('/api/auth/reset-password', { body: { token: link, password: NEW } });
    const ways = (await api.ask('/api/me/ways', { cookie: sessionCookieOf(owner) ?? '' })).json;
    assert.deepEqual([ways['phone'], ways['isEmailConfirmed']], [null, true]);
  });
});
