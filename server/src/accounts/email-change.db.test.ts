import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { sql } from 'kysely';
import pg from 'pg';
import {
  createTestApi, PASSWORD, sessionCookieOf, unique, type Answer, type SignedInPerson, type TestApi,
} from '../../../tests/support/api.ts';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { allJobsDone } from '../../../tests/support/jobs-done.ts';
import { untilWaiting } from '../../../tests/support/lock-waits.ts';
import { QUICK } from '../../../tests/support/people.ts';
import type { Tx } from '../platform/database.ts';
import type { Mail } from '../platform/mailer.ts';
import type { Texter } from '../platform/texter.ts';
import { createAccounts } from './accounts.ts';
import { createAuth, type PasswordHashing } from './auth.ts';
import { deleteOtherWays, deletePassword, lockPerson } from './ways-store.ts';

const NEW = 'a pearl of another colour';
const HOUR_MS = 3_600_000;

describe('another e-mail', () => {
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
  const newEmail = () => `${unique('new')}@example.test`;
  const ask = (person: SignedInPerson, email: string) =>
    api.ask('/api/me/email', { body: { email }, cookie: person.cookie });
  const confirm = (token: string) => api.ask('/api/auth/confirm-email', { body: { token } });
  const undo = (token: string) => api.ask('/api/auth/undo-email', { body: { token } });
  const whoIs = async (cookie: string | undefined) =>
    (await api.ask('/api/me', { cookie })).json['person'] as { email: string } | null;
  const signIn = (email: string, password = PASSWORD) =>
    api.ask('/api/auth/sign-in/email', { body: { email, password } });
  const signUp = (email: string) =>
    api.ask('/api/auth/sign-up/email', { body: { name: 'Thief', email, password: PASSWORD } });

  /** The link in the last mail to an address, once all are sent. */
  async function linkTo(email: string, place: string): Promise<string> {
    for (const name of ['link', 'undo']) await allJobsDone(api.platform, `accounts.mail-email-${name}`);
    const { link } = mails.findLast((mail) => mail.to === email) ?? {};
    const [page, token = ''] = link?.split('#') ?? [];
    assert.equal(page, `https://nacre.test/${place}`);
    return token;
  }
  /** As somebody is who has opened a link that came to their e-mail. */
  async function newConfirmed(): Promise<SignedInPerson> {
    const person = await api.newPerson();
    await api.platform.database.db.updateTable('person').set({ email_verified: true }).where('id', '=', person.id)
      .execute();
    return person;
  }
  const putPasskey = ({ id }: SignedInPerson) => api.platform.database.db.insertInto('passkey').values({
    id: api.platform.newId(), person_id: id, name: 'x', credential_id: unique('key'), public_key: Buffer.from('x'),
    counter: 0n, transports: [], created_at: api.platform.clock.now(),
  }).execute();
  async function changed(person: SignedInPerson, email: string): Promise<void> {
    assert.equal(codeOf(await ask(person, email)), 202);
    assert.deepEqual((await confirm(await linkTo(email, 'new-email'))).json, { email });
  }

  it('[A70] the mailed link sets it, once; other sessions end, the one that asked stays', async () => {
    const person = await api.newPerson();
    const other = sessionCookieOf(await signIn(person.email));
    await api.ask('/api/me', { method: 'PATCH', body: { locale: 'zh' }, cookie: person.cookie });
    const email = newEmail();
    assert.equal(codeOf(await ask(person, `  ${email.toUpperCase()} `)), 202);
    const token = await linkTo(email, 'new-email');
    assert.match(mails.at(-1)?.subject ?? '', /邮箱/);
    assert.equal((await api.ask('/api/me/ways', { cookie: person.cookie })).json['newEmail'], email);
    assert.equal((await whoIs(person.cookie))?.email, person.email, 'not before');
    const rows = await api.platform.database.db.selectFrom('email_change').selectAll().execute();
    assert.ok(!JSON.stringify(rows).includes(token), 'in no table');
    assert.equal((await confirm(token)).status, 200);
    assert.equal(codeOf(await confirm(token)), 'accounts.email_link_over');
    assert.equal((await whoIs(person.cookie))?.email, email);
    assert.equal(await whoIs(other), null);
    assert.deepEqual([(await signIn(person.email)).status, (await signIn(email)).status], [401, 200]);
  });

  it('[A70] a link is over after an hour, and when another one was asked for', async () => {
    const person = await api.newPerson();
    const [first, second] = [newEmail(), newEmail()];
    await ask(person, first);
    const old = await linkTo(first, 'new-email');
    await ask(person, second);
    const token = await linkTo(second, 'new-email');
    assert.equal(codeOf(await confirm(old)), 'accounts.email_link_over');
    api.clock.advance(HOUR_MS);
    assert.equal(codeOf(await confirm(token)), 'accounts.email_link_over');
  });

  it('[A70] who ends the device that asked ends its link, mailed or not', async () => {
    const person = await api.newPerson();
    const [mailed, unmailed] = [newEmail(), newEmail()];
    await ask(person, mailed);
    const token = await linkTo(mailed, 'new-email');
    const { db } = api.platform.database;
    const session = await db.selectFrom('session').select('id').where('person_id', '=', person.id)
      .executeTakeFirstOrThrow();
    const owner = sessionCookieOf(await signIn(person.email)) ?? '';
    assert.equal((await api.ask('/api/auth/revoke-other-sessions', { method: 'POST', cookie: owner })).status, 204);
    assert.equal((await api.ask('/api/me/ways', { cookie: owner })).json['newEmail'], null);
    assert.equal(codeOf(await confirm(token)), 'accounts.email_link_over');
    const job = { personId: person.id, sessionId: session.id, email: unmailed, askedBy: null };
    await api.accounts.ways.mailEmailLink(job);
    assert.ok(!mails.some(({ to }) => to === unmailed));
  });

  it('[A71] the old e-mail takes the account back from whoever changed it', async () => {
    const person = await newConfirmed();
    const [email, further] = [newEmail(), newEmail()];
    // What a thief may have left, to come in again: before the change as well as after.
    const { db } = api.platform.database;
    await db.updateTable('person').set({ phone: '+8613800138000' }).where('id', '=', person.id).execute();
    await putPasskey(person);
    await changed(person, email);
    await changed(person, further);
    await putPasskey(person);
    await allJobsDone(api.platform, 'accounts.mail-email-undo');
    assert.equal(mails.findLast(({ to }) => to === email)?.link, null, 'what may be the thief’s brings nothing back');
    const token = await linkTo(person.email, 'old-email');
    assert.equal(codeOf(await signUp(person.email)), 'accounts.email_taken', 'kept for its owner');
    assert.equal(codeOf(await ask(await api.newPerson(), person.email)), 'accounts.email_taken');
    assert.deepEqual((await undo(token)).json, { email: person.email });
    assert.equal(codeOf(await undo(token)), 'accounts.email_link_over');
    assert.equal(await whoIs(person.cookie), null);
    for (const old of [email, further, person.email]) assert.equal((await signIn(old)).status, 401);
    const row = await db.selectFrom('person').selectAll().where('id', '=', person.id).executeTakeFirstOrThrow();
    assert.deepEqual([row.email, row.phone], [person.email, null]);
    assert.deepEqual(await db.selectFrom('passkey').select('id').where('person_id', '=', person.id).execute(), []);
    assert.deepEqual(await db.selectFrom('email_change').select('id').where('person_id', '=', person.id).execute(), []);
    // A new password comes by mail, as ever.
    assert.equal((await reset(await resetLink(person.email))).status, 200);
    assert.equal((await signIn(person.email, NEW)).status, 200);
  });

  /** The token of a link for a new password. */
  async function resetLink(email: string): Promise<string> {
    await api.ask('/api/auth/forgot-password', { body: { email } });
    await allJobsDone(api.platform, 'accounts.mail-reset');
    return mails.findLast((mail) => mail.to === email)?.link?.split('#')[1] ?? '';
  }
  const reset = (token: string) => api.ask('/api/auth/reset-password', { body: { token, password: NEW } });
  /** Something done when a link for a new password is taken, its password written and not yet there. */
  async function whileSetting<T>(token: string, work: () => Promise<T>): Promise<{ setting: Answer; meanwhile: T }> {
    const owner = new pg.Client({ connectionString: database.ownerUrl });
    await owner.connect();
    await owner.query(`
      create function hold() returns trigger language plpgsql as
        $$ begin perform pg_advisory_xact_lock(71); return new; end $$;
      create trigger hold before insert or update on credential for each row execute function hold()`);
    const { answer, meanwhile } = await api.platform.database.transaction(async (tx) => {
      await sql`select pg_advisory_xact_lock(71)`.execute(tx);
      const set = reset(token);
      await untilWaiting(api.platform, 1, set);
      return { answer: set, meanwhile: await work() };
    });
    const setting = await answer;
    await owner.query('drop trigger hold on credential; drop function hold()');
    await owner.end();
    return { setting, meanwhile };
  }
  const sessionsOf = (personId: string) =>
    api.platform.database.db.selectFrom('session').select('id').where('person_id', '=', personId).execute();

  it('[A71] a new password that is being set meanwhile goes too', async () => {
    const person = await newConfirmed();
    const email = newEmail();
    await changed(person, email);
    const token = await linkTo(person.email, 'old-email');
    const { db } = api.platform.database;
    // Without a row that both change: only the link makes the undo wait for what it could not see.
    await db.deleteFrom('credential').where('person_id', '=', person.id).execute();
    await db.deleteFrom('session').where('person_id', '=', person.id).execute();
    const thief = await resetLink(email);
    const { setting, meanwhile: undoing } = await whileSetting(thief, async () => {
      const undone = undo(token);
      await untilWaiting(api.platform, 2, undone);
      return { undone };
    });
    assert.equal((await undoing.undone).status, 200);
    assert.notEqual(setting.status, 500);
    assert.equal((await signIn(person.email, NEW)).status, 401);
    assert.deepEqual(await sessionsOf(person.id), []);
  });

  it('[A77] a way that is taken away while somebody comes in by it signs nobody in', async () => {
    const person = await newConfirmed();
    const phone = '+8613800138077';
    await changed(person, newEmail());
    const token = await linkTo(person.email, 'old-email');
    const client = { headers: {}, remoteAddress: '127.0.0.1', httpVersion: '1.1', ip: '127.0.0.1', isHttps: true };
    const { db, transaction } = api.platform.database;
    await db.updateTable('person').set({ phone }).where('id', '=', person.id).execute();
    const texts: string[] = [];
    const texter: Texter = { ...api.accountsDeps.texter, send: async ({ text }) => (texts.push(text), 'sent') };
    // Looked up, found right, and then gone.
    const verify: PasswordHashing['verify'] = async (guess) => {
      const isRight = await QUICK.verify(guess);
      assert.equal((await undo(token)).status, 200);
      return isRight;
    };
    const accounts = createAccounts({ ...api.accountsDeps, texter, passwords: { ...QUICK, verify } });
    const email = (await whoIs(person.cookie))?.email ?? '';
    const signingIn = accounts.signIn(client, { email, password: PASSWORD });
    await assert.rejects(signingIn, { code: 'accounts.wrong_credentials' });
    assert.deepEqual(await sessionsOf(person.id), []);
    await db.updateTable('person').set({ phone }).where('id', '=', person.id).execute();
    const job = { phone, askedBy: 'guest/thief', keptFor: null, locale: 'en' as const };
    await accounts.ways.sendCode({ ...job, askedAtMs: api.platform.clock.now().getTime() });
    const code = /\d{6}/.exec(texts[0] ?? '')?.[0] ?? '';
    const { coming } = await transaction(async (tx) => {
      await lockPerson(tx, person.id);
      const answer = accounts.ways.signInByPhone(client, 'guest/thief', { phone, code });
      await untilWaiting(api.platform, 1, answer);
      await deleteOtherWays(tx, person.id);
      return { coming: answer };
    });
    await assert.rejects(coming, { code: 'accounts.code_over' });
    assert.deepEqual(await sessionsOf(person.id), []);
    await accounts.stop();
  });

  it('[A77] who comes in by the old password while the new one is being set is out with it', async () => {
    const { email } = await api.newPerson();
    const { setting, meanwhile } = await whileSetting(await resetLink(email), () => signIn(email));
    assert.deepEqual([setting.status, meanwhile.status], [200, 200]);
    assert.equal(await whoIs(sessionCookieOf(meanwhile)), null);
    assert.equal((await whoIs(sessionCookieOf(setting)))?.email, email);
  });

  it('[A77] a new password that is taken away before it signs in leaves a link to be asked for', async () => {
    const { id, email } = await api.newPerson();
    const token = await resetLink(email);
    const { setting } = await api.platform.database.transaction(async (tx) => {
      await lockPerson(tx, id);
      const answer = reset(token);
      await untilWaiting(api.platform, 1, answer);
      // As an undo does.
      await deletePassword(tx, id);
      return { setting: answer };
    });
    assert.equal(codeOf(await setting), 'accounts.link_over');
  });

  it('[A71] who signs up, or changes to it, while an e-mail changes hands does not get it', async () => {
    const [person, other] = [await newConfirmed(), await api.newPerson()];
    const [email, further] = [newEmail(), newEmail()];
    await ask(other, further);
    const token = await linkTo(further, 'new-email');
    await changed(person, email);
    await allJobsDone(api.platform, 'accounts.mail-email-undo');
    const { database } = api.platform;
    const set = (tx: Tx, to: string) =>
      tx.updateTable('person').set({ email: to }).where('id', '=', person.id).execute();
    await database.transaction(async (tx) => {
      await tx.updateTable('email_change').set({ new_email: person.email }).where('person_id', '=', other.id).execute();
      await tx.updateTable('email_change').set({ undo_until: null }).where('person_id', '=', person.id).execute();
      await set(tx, person.email);
    });
    const undoUntil = new Date(api.platform.clock.now().getTime() + HOUR_MS);
    const { confirmed } = await database.transaction(async (tx) => {
      await set(tx, email);
      await tx.updateTable('email_change').set({ undo_until: undoUntil }).where('person_id', '=', person.id).execute();
      const answer = confirm(token);
      await setTimeout(300);
      return { confirmed: answer };
    });
    assert.equal(codeOf(await confirmed), 'accounts.email_taken');
    // Past the first question, as one that was asked before the change.
    const { api: past } = createAuth(api.accountsDeps);
    const body = { name: 'Thief', email: person.email, password: PASSWORD, locale: 'en', timeZone: 'UTC' };
    await assert.rejects(past.signUpEmail({ body }), { statusCode: 422, body: { code: 'USER_ALREADY_EXISTS' } });
    assert.equal((await undo(await linkTo(person.email, 'old-email'))).status, 200);
  });

  it('[A71] after seven days the old e-mail is free', async () => {
    const person = await newConfirmed();
    await changed(person, newEmail());
    const token = await linkTo(person.email, 'old-email');
    api.clock.advance(7 * 24 * HOUR_MS);
    assert.equal(codeOf(await undo(token)), 'accounts.email_link_over');
    assert.equal((await signUp(person.email)).status, 200);
  });

  it('[A74] an old e-mail that was never confirmed, perhaps a stranger’s, is told and takes nothing back', async () => {
    const person = await api.newPerson();
    const [email, further] = [newEmail(), newEmail()];
    await changed(person, email);
    await allJobsDone(api.platform, 'accounts.mail-email-undo');
    const told = mails.findLast(({ to }) => to === person.email);
    assert.deepEqual([told?.link, /never confirmed/.test(told?.text ?? '')], [null, true]);
    assert.equal((await signUp(person.email)).status, 200, 'free at once');
    await changed(person, further);
    const token = await linkTo(email, 'old-email');
    assert.deepEqual((await undo(token)).json, { email }, 'the one that a link was opened at can');
  });

  it('[A72] an e-mail of somebody, none at all, and too many links are refused', async () => {
    const [person, other] = [await api.newPerson(), await api.newPerson()];
    assert.equal(codeOf(await ask(person, other.email)), 'accounts.email_taken');
    assert.equal(codeOf(await ask(person, 'mei at example')), 'accounts.email_invalid');
    assert.equal(codeOf(await ask(person, 'a@b.test,c@d.test')), 'accounts.email_invalid');
    const email = newEmail();
    await ask(person, email);
    const token = await linkTo(email, 'new-email');
    assert.equal((await signUp(email)).status, 200, 'it is nobody’s yet');
    assert.equal(codeOf(await confirm(token)), 'accounts.email_taken');
    const codes: unknown[] = [];
    for (let n = 0; n < 5; n += 1) codes.push(codeOf(await ask(person, newEmail())));
    assert.deepEqual(codes, [202, 202, 202, 'request.too_many', 'request.too_many']);
  });

  it('[A65] whoever has been signed in for long confirms first', async () => {
    const person = await api.newPerson();
    api.clock.advance(15 * 60_000 + 1);
    assert.equal(codeOf(await ask(person, newEmail())), 'accounts.confirm_first');
    await api.ask('/api/me/confirm', { body: { password: PASSWORD }, cookie: person.cookie });
    assert.equal(codeOf(await ask(person, newEmail())), 202);
  });

  it('[A73] another password ends a link that waits', async () => {
    const person = await api.newPerson();
    const email = newEmail();
    await ask(person, email);
    const token = await linkTo(email, 'new-email');
    const change = { password: PASSWORD, newPassword: NEW };
    assert.equal((await api.ask('/api/me/password', { body: change, cookie: person.cookie })).status, 204);
    assert.equal(codeOf(await confirm(token)), 'accounts.email_link_over');
  });
});
