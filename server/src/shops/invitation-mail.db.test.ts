import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createTestApi, type TestApi } from '../../../tests/support/api.ts';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { allJobsDone } from '../../../tests/support/jobs-done.ts';
import type { Mail } from '../platform/mailer.ts';
import { invitationLetter } from './invitation-letter.ts';

const DAY_MS = 24 * 3600 * 1000;

describe('mails of invitations', () => {
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

  async function newMarket() {
    const owner = await api.newPerson('Liu');
    return { owner, shop: await api.newShop(owner.cookie) };
  }
  const accept = async (token: string, cookie: string) => {
    const { status, json } = await api.ask(`/api/invitations/${token}/accept`, { method: 'POST', cookie });
    return status < 300 ? 'done' : String(json['code']);
  };

  it('[SP50] an invitation is mailed with shop and role, by a link of its own that ends with the other', async () => {
    const { owner, shop } = await newMarket();
    const at = `/api/office/shops/${shop.id}`;
    mails.length = 0;
    const body = { role: 'host', email: 'Lin@example.test', locale: 'zh' };
    const { json } = await api.ask(`${at}/invitations`, { body, cookie: owner.cookie });
    assert.equal(json['isMailed'], true);
    await allJobsDone(api.platform, 'shops.mail-invitation');
    const [mail] = mails;
    assert.equal(mail?.to, 'Lin@example.test');
    assert.match(mail.text, new RegExp(`${shop.name}.*主播`));
    const token = mail.link?.split('/invite/')[1] ?? '';
    assert.notEqual(token, json['token']);
    const stored = await api.platform.database.pool.query('select data from pgboss.job union all '
      + 'select to_jsonb(i) from shop_invitation i');
    assert.ok(!JSON.stringify(stored.rows).includes(token), 'in no table in plain');
    const view = (await api.ask(`/api/invitations/${token}`)).json;
    assert.deepEqual([view['role'], view['email']], ['host', undefined], 'whom it is for is nobody else’s');
    const lin = await api.newPerson('Lin');
    assert.equal(await accept(token, lin.cookie), 'done');
    assert.equal(await accept(String(json['token']), (await api.newPerson()).cookie), 'shops.invitation_over');

    const late = await api.team.invite(owner.id, shop.id, { role: 'packer' });
    await api.team.revoke(owner.id, shop.id, late.id);
    await api.team.mailInvitation({ invitationId: late.id, locale: 'en' });
    assert.equal(mails.length, 1, 'nothing is mailed of one that was taken back');
  });

  it('[SP51] a shop mails twenty a day, and one e-mail gets three; the invitation is made all the same', async () => {
    const { owner, shop } = await newMarket();
    const mailed = async (by: string, shopId: string, email: string) => {
      const made = await api.team.invite(by, shopId, { role: 'packer', email });
      await api.team.revoke(by, shopId, made.id);
      return made.isMailed;
    };
    const toOne: boolean[] = [];
    for (let n = 0; n < 2; n += 1) toOne.push(await mailed(owner.id, shop.id, 'one@example.test'));
    const other = await newMarket();
    for (let n = 0; n < 2; n += 1) toOne.push(await mailed(other.owner.id, other.shop.id, 'ONE@example.test'));
    assert.deepEqual(toOne, [true, true, true, false]);
    const toMany: boolean[] = [];
    for (let n = 0; n < 19; n += 1) toMany.push(await mailed(owner.id, shop.id, `many-${n}@example.test`));
    assert.deepEqual([toMany.filter(Boolean).length, toMany.at(-1)], [18, false]);
    api.clock.advance(DAY_MS + 1000);
    assert.equal(await mailed(owner.id, shop.id, 'one@example.test'), true);
  });

  it('[SP51] a person mails twenty a day from all their shops; at once an e-mail gets no more than three', async () => {
    const { owner, shop } = await newMarket();
    const second = await api.newShop(owner.cookie);
    const invite = async (by: string, shopId: string, email: string) =>
      (await api.team.invite(by, shopId, { role: 'packer', email })).isMailed;
    const mailed: boolean[] = [];
    for (let n = 0; n < 22; n += 1) {
      mailed.push(await invite(owner.id, n < 11 ? shop.id : second.id, `across-${n}@example.test`));
    }
    assert.deepEqual([mailed.filter(Boolean).length, mailed[19], mailed[20]], [20, true, false]);
    const markets = await Promise.all(Array.from({ length: 8 }, newMarket));
    const atOnce = await Promise.all(markets.map((market, n) =>
      invite(market.owner.id, market.shop.id, n % 2 === 0 ? 'busy@example.test' : 'Busy@Example.test')));
    assert.equal(atOnce.filter(Boolean).length, 3);
  });

  it('[SP52] the name of a shop is no link and no line of its own in the mail', () => {
    const letter = invitationLetter('en', {
      shop: 'WIN\nnow at https://evil.example www.evil.example <b>', role: 'host', url: 'https://nacre.test/invite/x',
    });
    assert.ok(!/evil\.example|<b>/.test(letter.html));
    assert.ok(!/https?:\/\/(?!nacre\.test)|www\.|evil\.example/.test(letter.text));
    assert.ok(letter.text.split('\n').every((line) => !line.startsWith('now at')));
    assert.equal(letter.link, 'https://nacre.test/invite/x');
  });
});
