import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Membership, NewInvitation, ShopRole, Team } from '@nacre/contract/team';
import type { Asked, SignedInPerson } from '../../../tests/support/api.ts';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { createShowApi, type ShowApi } from '../../../tests/support/show-api.ts';
import { SHOPS_PER_PERSON } from './shops.ts';
import { INVITATION_DAYS, INVITATIONS_MAX, TEAM_MAX } from './team.ts';

const DAY_MS = 24 * 3600 * 1000;

describe('team', () => {
  let database: TestDatabase;
  let api: ShowApi;

  before(async () => {
    database = await createTestDatabase(import.meta.url);
    api = await createShowApi(database.serverUrl);
  });
  after(async () => {
    await api.stop();
    await database.drop();
  });

  const ask = async (path: string, cookie: string | undefined, asked: Asked = {}) => {
    const { status, json } = await api.ask(path, { ...asked, cookie });
    return status < 300 ? 'done' : String(json['code']);
  };

  async function newTeam(...roles: ShopRole[]) {
    const { owner, shop } = await api.newMarket(0);
    const at = `/api/office/shops/${shop.id}`;
    const invite = async (role: ShopRole, cookie = owner.cookie) =>
      (await api.ask(`${at}/invitations`, { body: { role }, cookie })).json as unknown as NewInvitation;
    const join = async (role: ShopRole): Promise<SignedInPerson> => {
      const person = await api.newPerson(role);
      assert.equal(await accept((await invite(role)).token, person.cookie), 'done');
      return person;
    };
    const members: SignedInPerson[] = [];
    for (const role of roles) members.push(await join(role));
    const rolesNow = async () =>
      ((await api.ask(`${at}/team`, { cookie: owner.cookie })).json as unknown as Team).members.map(({ role }) => role);
    return { owner, shop, at, invite, join, members, rolesNow };
  }
  const accept = (token: string, cookie?: string) =>
    ask(`/api/invitations/${token}/accept`, cookie, { method: 'POST' });
  const toRole = (role: ShopRole): Asked => ({ method: 'PATCH', body: { role } });

  it('[SP20] the office lists the team and the table of rights; a member without a right is told so', async () => {
    const { owner, at, members: [packer] } = await newTeam('packer');
    const { json } = await api.ask(`${at}/team`, { cookie: packer?.cookie });
    const team = json as unknown as Team;
    assert.deepEqual(team.members.map(({ name, role }) => [name, role]), [['Liu Mei', 'owner'], ['packer', 'packer']]);
    assert.deepEqual(team.roles.map(({ role }) => role), ['owner', 'manager', 'host', 'moderator', 'packer']);
    const refused = await api.ask(at, { method: 'PATCH', body: { region: 'Yunnan' }, cookie: packer?.cookie });
    assert.equal(refused.status, 403);
    assert.deepEqual(refused.json['details'], { right: 'shop.change' });
    const me = await api.ask('/api/me', { cookie: packer?.cookie });
    const [membership] = me.json['shops'] as Membership[];
    assert.deepEqual(membership?.rights, team.roles.find(({ role }) => role === 'packer')?.rights);
    assert.equal(await ask(`${at}/shows`, packer?.cookie), 'shops.not_allowed');
    assert.equal(await ask(`${at}/team/${packer?.id ?? ''}`, owner.cookie, toRole('host')), 'done');
    assert.equal(await ask(`${at}/shows`, packer?.cookie), 'done', 'the new role counts at once');
  });

  it('[SP21] the last owner can be neither removed nor given another role', async () => {
    const { owner, at, members: [manager], rolesNow } = await newTeam('manager');
    const mine = `${at}/team/${owner.id}`;
    assert.equal(await ask(mine, owner.cookie, { method: 'DELETE' }), 'shops.last_owner');
    assert.equal(await ask(mine, owner.cookie, toRole('manager')), 'shops.last_owner');
    assert.equal(await ask(mine, owner.cookie, toRole('owner')), 'done', 'a repeat is no loss');
    assert.equal(await ask(`${at}/team/${manager?.id ?? ''}`, owner.cookie, toRole('owner')), 'done');
    assert.equal(await ask(mine, manager?.cookie, toRole('host')), 'done');
    assert.deepEqual(await rolesNow(), ['host', 'owner']);
  });

  it('[SP21] of two owners who leave at once one stays', async () => {
    const { owner, at, members: [second] } = await newTeam('owner');
    const left = await Promise.all([owner, second].map((person) =>
      ask(`${at}/team/${person?.id ?? ''}`, person?.cookie, { method: 'DELETE' })));
    assert.deepEqual(left.toSorted(), ['done', 'shops.last_owner']);
  });

  it('[SP22] nobody gives or takes a role that is above their own', async () => {
    const { owner, at, invite, members: [manager, host, packer] } = await newTeam('manager', 'host', 'packer');
    const on = (person: SignedInPerson | undefined) => `${at}/team/${person?.id ?? ''}`;
    assert.equal(await ask(on(manager), manager?.cookie, toRole('owner')), 'shops.not_allowed');
    assert.equal(await ask(on(packer), manager?.cookie, toRole('owner')), 'shops.not_allowed');
    assert.equal(await ask(on(owner), manager?.cookie, toRole('host')), 'shops.not_allowed');
    const second = await api.newPerson();
    await accept((await invite('owner')).token, second.cookie);
    assert.equal(await ask(on(second), manager?.cookie, toRole('host')), 'shops.not_allowed', 'of one of two owners');
    assert.equal(await ask(on(second), manager?.cookie, { method: 'DELETE' }), 'shops.not_allowed');
    assert.equal(await ask(`${at}/invitations`, manager?.cookie, { body: { role: 'owner' } }), 'shops.not_allowed');
    const toOwner = await invite('owner');
    const path = `${at}/invitations/${toOwner.id}`;
    assert.equal(await ask(path, manager?.cookie, { method: 'DELETE' }), 'shops.not_allowed');
    assert.equal(await ask(on(packer), manager?.cookie, toRole('manager')), 'done');
    assert.equal(await ask(on(packer), manager?.cookie, { method: 'DELETE' }), 'done');
    assert.equal(await ask(on(packer), manager?.cookie, { method: 'DELETE' }), 'shops.member_not_found');
    assert.equal(await ask(on(manager), host?.cookie, { method: 'DELETE' }), 'shops.not_allowed');
  });

  it('[SP23] every member may leave, and is a stranger then', async () => {
    const { at, members, rolesNow } = await newTeam('manager', 'host', 'packer', 'owner');
    for (const { id, cookie } of members) {
      assert.equal(await ask(`${at}/team/${id}`, cookie, { method: 'DELETE' }), 'done');
      assert.equal(await ask(`${at}/team`, cookie), 'shops.not_a_member');
    }
    assert.deepEqual(await rolesNow(), ['owner']);
  });

  it('[SP24] an invitation lets one person in, also when two accept at once', async () => {
    const { invite, rolesNow, owner } = await newTeam();
    const { token } = await invite('host');
    assert.equal(await accept(token, owner.cookie), 'shops.already_member', 'and it stays open');
    const people = [await api.newPerson(), await api.newPerson(), await api.newPerson()];
    const answers = await Promise.all(people.map(({ cookie }) => accept(token, cookie)));
    assert.deepEqual(answers.toSorted(), ['done', 'shops.invitation_over', 'shops.invitation_over']);
    const joined = people[answers.indexOf('done')];
    assert.equal(await accept(token, joined?.cookie), 'done', 'a repeat by the same person');
    assert.deepEqual(await rolesNow(), ['owner', 'host']);
    assert.equal(await ask(`/api/invitations/${token}`, undefined), 'shops.invitation_over');
  });

  it('[SP24] an invitation that was used, taken back or is too old lets nobody in', async () => {
    const { owner, at, invite, join, rolesNow } = await newTeam();
    const someone = await api.newPerson();
    const revoked = await invite('host');
    const path = `${at}/invitations/${revoked.id}`;
    assert.equal(await ask(path, owner.cookie, { method: 'DELETE' }), 'done');
    assert.equal(await ask(path, owner.cookie, { method: 'DELETE' }), 'done', 'a repeat');
    assert.equal(await accept(revoked.token, someone.cookie), 'shops.invitation_over');
    const left = await join('packer');
    const used = await invite('packer');
    assert.equal(await accept(used.token, someone.cookie), 'done');
    const late = await ask(`${at}/invitations/${used.id}`, owner.cookie, { method: 'DELETE' });
    assert.equal(late, 'shops.invitation_over');
    assert.equal(await ask(`${at}/team/${someone.id}`, owner.cookie, { method: 'DELETE' }), 'done');
    assert.equal(await accept(used.token, someone.cookie), 'shops.invitation_over', 'after being removed');
    assert.equal(await ask(`${at}/team/${left.id}`, owner.cookie, { method: 'DELETE' }), 'done');
    // Of another clock's time, because the session of the one who asks must not be over.
    const old = await invite('host');
    const createdAt = new Date(Date.now() - INVITATION_DAYS * DAY_MS - 1_000);
    const { db } = api.platform.database;
    await db.updateTable('shop_invitation').set({ created_at: createdAt, expires_at: new Date(Date.now() - 1_000) })
      .where('id', '=', old.id).execute();
    assert.equal(await accept(old.token, someone.cookie), 'shops.invitation_over');
    assert.deepEqual((await api.ask(`${at}/invitations`, { cookie: owner.cookie })).json, { items: [] });
    assert.deepEqual(await rolesNow(), ['owner']);
  });

  it('[SP25] the link is told once, and says who invites to what; only a hash of it is kept', async () => {
    const { owner, shop, at } = await newTeam();
    const made = await api.ask(`${at}/invitations`, { body: { role: 'packer' }, cookie: owner.cookie });
    assert.equal(made.status, 201);
    assert.equal(made.headers['cache-control'], 'no-store');
    const { token, url, isMailed, ...listed } = made.json as unknown as NewInvitation;
    assert.equal(isMailed, false);
    assert.match(url, new RegExp(`^http://.+/invite/${token}$`));
    assert.equal(Date.parse(listed.expiresAt) - Date.parse(listed.createdAt), INVITATION_DAYS * DAY_MS);
    assert.deepEqual((await api.ask(`${at}/invitations`, { cookie: owner.cookie })).json, { items: [listed] });
    const view = await api.ask(`/api/invitations/${token}`);
    assert.deepEqual(view.json['shop'], { slug: shop.slug, name: shop.name, image: null });
    assert.deepEqual([view.json['role'], view.json['invitedBy']], ['packer', 'Liu Mei']);
    const row = await api.platform.database.db.selectFrom('shop_invitation').selectAll().where('id', '=', listed.id)
      .executeTakeFirstOrThrow();
    assert.ok(!Object.values(row).some((value) => String(value).includes(token)));
    const another = `${token.startsWith('A') ? 'B' : 'A'}${token.slice(1)}`;
    for (const wrong of [token.slice(1), `${token}x`, 'x', another]) {
      assert.equal(await ask(`/api/invitations/${wrong}`, undefined), 'shops.invitation_not_found', wrong);
    }
    assert.equal(await accept(token), 'accounts.sign_in_first');
  });

  it('[SP26] an invitation ends with the role of whoever made it', async () => {
    const { owner, at, invite, members: [manager, other] } = await newTeam('manager', 'manager');
    const [first, second] = [await invite('host', manager?.cookie), await invite('host', other?.cookie)];
    assert.equal(await ask(`${at}/team/${manager?.id ?? ''}`, owner.cookie, toRole('host')), 'done');
    assert.equal(await ask(`${at}/team/${other?.id ?? ''}`, other?.cookie, { method: 'DELETE' }), 'done');
    for (const { token } of [first, second]) {
      assert.equal(await ask(`/api/invitations/${token}`, undefined), 'shops.invitation_over');
    }
  });

  it('[SP27] a team, its open invitations and the shops of a person have bounds', async () => {
    const { owner, shop, at, invite } = await newTeam();
    const open = await Promise.all(Array.from({ length: INVITATIONS_MAX + 2 }, () =>
      ask(`${at}/invitations`, owner.cookie, { body: { role: 'host' } })));
    assert.equal(open.filter((answer) => answer === 'done').length, INVITATIONS_MAX);
    assert.equal(open.filter((answer) => answer === 'shops.too_many_invitations').length, 2);
    const { db } = api.platform.database;
    await db.deleteFrom('shop_invitation').where('shop_id', '=', shop.id).execute();

    const busy = await api.newPerson();
    await Promise.all(Array.from({ length: SHOPS_PER_PERSON }, () => api.newShop(busy.cookie)));
    const { token } = await invite('host');
    assert.equal(await accept(token, busy.cookie), 'shops.too_many');

    const now = new Date();
    const people = Array.from({ length: TEAM_MAX - 1 }, () => api.platform.newId());
    await db.insertInto('person').values(people.map((id) => (
      { id, name: 'An', email: `${id}@example.test`, created_at: now, updated_at: now }
    ))).execute();
    await db.insertInto('shop_member').values(people.map((id) => (
      { shop_id: shop.id, person_id: id, role: 'packer', created_at: now }
    ))).execute();
    assert.equal(await accept(token, (await api.newPerson()).cookie), 'shops.team_full');
  });

  it('[SP28] whoever may not run shows any more leaves the studio, and their stream keys end', async () => {
    const { owner, shop, at, members: [host, packer] } = await newTeam('host', 'packer');
    const show = await api.newLiveShow(owner, shop.id, []);
    const key = async (cookie: string | undefined) => String((await api.ask(`/api/office/shows/${show.id}/stream-key`, {
      method: 'POST', cookie,
    })).json['key']);
    const mine = await key(owner.cookie);
    const room = `studio/${show.id}`;
    const client = await api.enter(host?.cookie);
    assert.equal((await client.join(room)).type, 'joined');
    const packing = await api.enter(packer?.cookie);
    assert.equal((await packing.join(room)).type, 'refused', 'the studio is not for packers');

    await ask(`${at}/team/${host?.id ?? ''}`, owner.cookie, toRole('packer'));
    const isOut = () => client.messages.some((said) => said.type === 'refused' && said.room === room);
    await client.untilTrue(isOut, 'put out');
    assert.deepEqual(await api.shows.authorizeStreamKey(mine), { showId: show.id }, 'the key of another stays');

    await ask(`${at}/team/${host?.id ?? ''}`, owner.cookie, toRole('host'));
    const theirs = await key(host?.cookie);
    assert.deepEqual(await api.shows.authorizeStreamKey(theirs), { showId: show.id });
    api.video.length = 0;
    await ask(`${at}/team/${host?.id ?? ''}`, owner.cookie, { method: 'DELETE' });
    await api.platform.outbox.drain();
    assert.equal(await api.shows.authorizeStreamKey(theirs), null);
    assert.deepEqual(api.video, [`drop ${show.id}`]);
    await Promise.all([client.close(), packing.close()]);
  });
});
