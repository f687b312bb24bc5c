/** Measures, reports and appeals over HTTP and sockets, on a real database. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Measure, OfficeMeasure, ReportCase, ShopReport } from '@nacre/contract/moderation';
import type { SignedInPerson } from '../../../tests/support/api.ts';
import { createTestDatabase } from '../../../tests/support/database.ts';
import { createShowApi, joinShow, untilHeard } from '../../../tests/support/show-api.ts';

const database = await createTestDatabase(import.meta.url);
const api = await createShowApi(database.serverUrl);
after(async () => {
  await api.stop();
  await database.drop();
});
const { owner, shop, products } = await api.newMarket(1);
const show = await api.newLiveShow(owner, shop.id, products);
const room = `show/${show.id}`;
const operator = await api.newPerson('Operator');
await api.accounts.makeOperator(operator.email);
const moderator = await api.newPerson('Moderator');
await api.team.accept(moderator.id, (await api.team.invite(owner.id, shop.id, { role: 'moderator' })).token);

let sent = 0;
const say = (person: SignedInPerson, text = `hello ${sent}`, showId = show.id) => {
  sent += 1;
  return api.ask(`/api/shows/${showId}/chat`, { body: { clientId: `message-${sent}`, text }, cookie: person.cookie });
};
const codeOf = async (answer: Promise<{ status: number; json: Record<string, unknown> }>) => {
  const { status, json } = await answer;
  return status < 300 ? 'ok' : String(json['code']);
};
const take = async (kind: 'mute' | 'ban', person: SignedInPerson, more: Record<string, unknown> = {}) => {
  const answer = await api.ask(`/api/office/shows/${show.id}/measures`, {
    body: { kind, personId: person.id, reason: 'spam', words: '', minutes: null, ...more }, cookie: moderator.cookie,
  });
  return answer.json as unknown as OfficeMeasure & { code?: string };
};
const lift = (id: string, by = moderator) => api.ask(`/api/office/measures/${id}/lift`, {
  method: 'POST', cookie: by.cookie,
});
const mine = async (person: SignedInPerson) => (
  (await api.ask('/api/me/measures', { cookie: person.cookie })).json['items'] as Measure[]
);
const report = (person: SignedInPerson, kind: string, id: string, reason = 'fraud') => api.ask('/api/reports', {
  body: { kind, id, reason, words: '' }, cookie: person.cookie,
});
const asOperator = (path: string, body?: unknown) => api.ask(`/api/platform${path}`, {
  cookie: operator.cookie, ...(body === undefined ? {} : { body }),
});

test('[MO1] whoever is muted cannot write in this show, reads why at once, and can again when it is over', async () => {
  const mei = await api.newPerson('Mei');
  const page = await api.enter(mei.cookie);
  const measure = await take('mute', mei, { minutes: 10, words: 'Too much.' });
  const told = await page.until((message) => message.type === 'own');
  assert.ok(told.type === 'own' && told.event.type === 'own-measure' && told.event.measure.id === measure.id);
  const refused = await say(mei);
  assert.equal(refused.json['code'], 'moderation.muted');
  assert.deepEqual((refused.json['details'] as Record<string, unknown>)['measureId'], measure.id);
  const other = await api.newLiveShow(owner, shop.id, products);
  assert.equal(await codeOf(say(mei, 'hi', other.id)), 'ok');
  assert.equal((await lift(measure.id)).status, 204);
  assert.equal((await lift(measure.id)).status, 204);
  assert.equal(await codeOf(say(mei)), 'ok');
  await page.close();
});

test('[MO2] [R25] [T13] a ban puts out of room and picture and keeps from coming back, also signed out', async () => {
  const mei = await api.newPerson('Mei');
  const guest = api.newGuest();
  const page = await api.enter(`${mei.cookie}; ${guest}`);
  const other = await api.enter();
  await Promise.all([joinShow(page, room), joinShow(other, room)]);
  await take('ban', mei, { minutes: 60 });
  await page.untilTrue(() => page.messages.some((said) => said.type === 'refused'), 'being put out');
  assert.equal((await page.join(room)).type, 'refused');
  assert.match(api.video.at(-1) ?? '', new RegExp(`^out \\S+ person/${mei.id} guest/`));
  assert.equal(await api.shows.mayWatch(show.id, {
    kind: 'guest', guestId: guest.split('=')[1]?.split('.')[0] ?? '',
  }), false);
  const signedOut = await api.enter(guest);
  assert.equal((await signedOut.join(room)).type, 'refused');
  assert.equal(await codeOf(say(mei)), 'moderation.banned');
  for (const suffix of ['/likes', '/explain']) {
    const body = suffix === '/likes' ? { count: 1 } : { productId: products[0]?.id };
    assert.equal(await codeOf(api.ask(`/api/shows/${show.id}${suffix}`, { body, cookie: mei.cookie })),
      'moderation.banned');
  }
  assert.equal(await codeOf(api.ask(`/api/shows/${show.id}/chat`, { cookie: mei.cookie })), 'moderation.banned');
  assert.equal(other.messages.some((said) => said.type === 'refused'), false);
  api.clock.advance(61 * 60_000);
  assert.equal((await page.join(room)).type, 'joined');
  await Promise.all([page.close(), other.close(), signedOut.close()]);
});

test('[MO5] a new measure takes the place of the one before; two at a time leave one', async () => {
  const mei = await api.newPerson('Mei');
  await Promise.all([take('mute', mei, { minutes: 5 }), take('mute', mei, { minutes: 9 })]);
  const open = (await mine(mei)).filter(({ liftedAt }) => liftedAt === null);
  assert.equal(open.length, 1);
});

test('[MO6] nobody on the team, no stranger to the message, and nothing without a reason', async () => {
  const [mei, lin] = [await api.newPerson('Mei'), await api.newPerson('Lin')];
  assert.equal((await take('mute', owner)).code, 'moderation.on_team');
  assert.equal((await take('mute', mei, { reason: 'other' })).code, 'moderation.words_needed');
  const said = await say(lin);
  assert.equal((await take('mute', mei, { messageId: said.json['id'] })).code, 'moderation.not_found');
  assert.equal((await take('mute', { ...mei, id: show.id })).code, 'moderation.not_found');
  const ofOwner = await say(owner);
  for (const { json } of [said, ofOwner]) assert.equal(await codeOf(report(mei, 'message', String(json['id']))), 'ok');
  const { json } = await api.ask(`/api/office/shops/${shop.id}/reports`, { cookie: moderator.cookie });
  const isOfTeam = new Map((json['items'] as ShopReport[]).map((one) => [one.thingId, one.isOfTeam]));
  assert.deepEqual([said, ofOwner].map((one) => isOfTeam.get(String(one.json['id']))), [false, true]);
});

test('[MO7] [RE75] a removed message is a measure that its author reads; lifted, the message is back', async () => {
  const mei = await api.newPerson('Mei');
  const said = await say(mei, 'buy elsewhere');
  const path = `/api/shows/${show.id}/chat/${String(said.json['id'])}?reason=spam`;
  assert.equal((await api.ask(path, { method: 'DELETE', cookie: moderator.cookie })).status, 204);
  const [measure] = await mine(mei);
  assert.deepEqual([measure?.kind, measure?.reason, measure?.text, measure?.decidedBy],
    ['removal', 'spam', 'buy elsewhere', 'shop']);
  const listed = (await api.ask(`/api/office/shops/${shop.id}/measures`, { cookie: moderator.cookie })).json['items'];
  const atDesk = (listed as OfficeMeasure[]).find(({ id }) => id === measure?.id);
  assert.equal(atDesk?.saidAt, said.json['sentAt'], 'the moment of the video');
  await lift(measure?.id ?? '');
  const { items } = await api.chat.list({ kind: 'guest', guestId: 'g' }, show.id, {});
  assert.ok(items.some(({ text }) => text === 'buy elsewhere'));
});

test('[T10] [T11] [R26] slow mode and quiet hold viewers, not moderators, and everybody hears of them', async () => {
  const mei = await api.newPerson('Mei');
  const page = await api.enter();
  const { snapshot } = await joinShow(page, room);
  assert.deepEqual(snapshot?.talk, { slowSeconds: 0, isQuiet: false });
  const hold = (talk: object) => api.ask(`/api/office/shows/${show.id}/talk`, {
    method: 'PUT', body: talk, cookie: moderator.cookie,
  });
  assert.equal((await hold({ slowSeconds: 7, isQuiet: false })).status, 400);
  await hold({ slowSeconds: 30, isQuiet: false });
  await untilHeard(page, room, 'talk', ({ talk }) => talk.slowSeconds === 30);
  assert.equal(await codeOf(say(mei)), 'ok');
  const slow = await say(mei);
  assert.equal(slow.json['code'], 'chat.slow');
  assert.ok(Number((slow.json['details'] as Record<string, unknown>)['seconds']) > 25);
  assert.equal(await codeOf(say(moderator)), 'ok');
  assert.equal(await codeOf(say(moderator)), 'ok');
  api.clock.advance(31_000);
  assert.equal(await codeOf(say(mei)), 'ok');
  await hold({ slowSeconds: 0, isQuiet: true });
  assert.equal(await codeOf(say(mei)), 'chat.quiet');
  assert.equal(await codeOf(say(owner)), 'ok');
  await hold({ slowSeconds: 0, isQuiet: false });
  await page.close();
});

test('[T12] a message with a listed word is refused to viewers from the moment the list is saved', async () => {
  const mei = await api.newPerson('Mei');
  const put = (words: string[]) => api.ask(`/api/office/shops/${shop.id}/words`, {
    method: 'PUT', body: { words }, cookie: owner.cookie,
  });
  assert.deepEqual((await put([' Fake ', 'fake goods'])).json['words'], ['Fake', 'fake goods']);
  assert.equal(await codeOf(say(mei, 'is this F A K E?')), 'chat.word');
  assert.equal(await codeOf(say(owner, 'nothing fake')), 'ok');
  assert.equal((await put(['x'.repeat(41)])).json['code'], 'moderation.word_list');
  await put([]);
  assert.equal(await codeOf(say(mei, 'fake?')), 'ok');
});

test('[MO10] [MO11] a thing is reported once, as it was, with the lines around it; the outcome is told', async () => {
  const [mei, bad] = [await api.newPerson('Mei'), await api.newPerson('Bad')];
  await say(mei, 'before');
  const said = await say(bad, 'send me money');
  const id = String(said.json['id']);
  const codes = await Promise.all([1, 2].map(() => codeOf(report(mei, 'message', id, 'danger'))));
  assert.deepEqual(codes.toSorted(), ['moderation.reported_already', 'ok']);
  assert.equal(await codeOf(report(mei, 'message', show.id)), 'moderation.thing_not_found');
  await api.ask(`/api/shows/${show.id}/chat/${id}`, { method: 'DELETE', cookie: bad.cookie });
  const first = ((await asOperator('/reports')).json['items'] as ReportCase[])[0];
  assert.deepEqual([first?.title, first?.isUrgent, first?.author?.name], ['send me money', true, 'Bad']);
  assert.ok(first?.lines.some(({ text }) => text === 'before'));
  const decision = { action: 'talk', reason: 'fraud', words: 'Not here.', days: 7 };
  const decided = await Promise.all([1, 2].map(() => codeOf(asOperator(`/reports/${first?.id}/decide`, decision))));
  assert.deepEqual(decided.toSorted(), ['moderation.decided_already', 'ok']);
  const told = (await api.ask('/api/me/reports', { cookie: mei.cookie })).json['items'] as { action: string }[];
  assert.equal(told[0]?.action, 'talk');
  const other = await api.newMarket(1);
  const elsewhere = await api.newLiveShow(other.owner, other.shop.id, other.products);
  assert.equal(await codeOf(say(bad, 'hi', elsewhere.id)), 'moderation.muted');
});

test('[MO20] reports of a message that was acted on are dealt with, also when it was gone already', async () => {
  const [mei, bad, worse] = [await api.newPerson('Mei'), await api.newPerson('Bad'), await api.newPerson('Worse')];
  const ids: string[] = [];
  for (const person of [bad, worse]) {
    const id = String((await say(person, `pay me, says ${person.id}`)).json['id']);
    assert.equal(await codeOf(report(mei, 'message', id)), 'ok');
    ids.push(id);
  }
  const open = async () => {
    const { json } = await api.ask(`/api/office/shops/${shop.id}/reports`, { cookie: moderator.cookie });
    return (json['items'] as ReportCase[]).filter(({ shopActedAt, title }) => (
      shopActedAt === null && title.startsWith('pay me'))).length;
  };
  const remove = (id = '', by: SignedInPerson) => (
    api.ask(`/api/shows/${show.id}/chat/${id}`, { method: 'DELETE', cookie: by.cookie }));
  assert.equal(await open(), 2);
  await take('mute', bad, { minutes: 10, messageId: ids[0] });
  assert.equal(await open(), 1);
  await remove(ids[1], worse);
  assert.equal(await open(), 1, 'its author is not the shop');
  await remove(ids[1], moderator);
  assert.equal(await open(), 0);
});

test('[MO12] a person reports twenty things a day', async () => {
  const mei = await api.newPerson('Mei');
  const ids: string[] = [];
  for (let index = 0; index < 21; index += 1) {
    api.clock.advance(1_000);
    ids.push(String((await say(owner, `line ${index}`)).json['id']));
  }
  const codes: string[] = [];
  for (const id of ids) codes.push(await codeOf(report(mei, 'message', id)));
  assert.deepEqual([codes.filter((code) => code === 'ok').length, codes.at(-1)],
    [20, 'moderation.too_many_reports']);
});

test('[MO13] [V45] a suspended shop ends its shows and cannot go live: no key, no picture', async () => {
  const other = await api.newMarket(1);
  const live = await api.newLiveShow(other.owner, other.shop.id, other.products);
  const key = await api.shows.issueStreamKey(other.owner.id, live.id);
  const mei = await api.newPerson('Mei');
  const { id } = (await report(mei, 'shop', other.shop.id)).json;
  assert.equal((await asOperator(`/reports/${String(id)}/decide`, {
    action: 'removal', reason: 'fraud', words: '', days: null,
  })).json['code'], 'moderation.not_possible');
  await asOperator(`/reports/${String(id)}/decide`, { action: 'live', reason: 'fraud', words: '', days: 30 });
  assert.equal((await api.shows.forOffice(other.owner.id, live.id)).state, 'ended');
  assert.equal(await api.shows.authorizeStreamKey(key), null);
  const next = await api.newShow(other.owner, other.shop.id);
  await assert.rejects(api.shows.issueStreamKey(other.owner.id, next.id), { code: 'moderation.suspended' });
  await api.shows.pictureUp(next.id);
  assert.equal((await api.shows.forOffice(other.owner.id, next.id)).state, 'planned');
  const [measure] = await mine(other.owner);
  assert.deepEqual([measure?.kind, measure?.decidedBy], ['live', 'operator']);
  assert.equal((await lift(measure?.id ?? '', other.owner)).json['code'], 'moderation.not_found');
});

test('[MO14] [MO15] whom it concerns appeals once, within six months; granted, it is lifted at once', async () => {
  const [mei, lin] = [await api.newPerson('Mei'), await api.newPerson('Lin')];
  const { id } = await take('mute', mei);
  const appeal = (person: SignedInPerson, of = id) => api.ask(`/api/me/measures/${of}/appeal`, {
    body: { words: 'I only asked.' }, cookie: person.cookie,
  });
  assert.equal(await codeOf(appeal(lin)), 'moderation.not_found');
  const codes = await Promise.all([codeOf(appeal(mei)), codeOf(appeal(mei))]);
  assert.deepEqual(codes.toSorted(), ['moderation.appealed_already', 'ok']);
  const [open] = (await asOperator('/appeals')).json['items'] as { id: string }[];
  assert.equal(await codeOf(asOperator(`/appeals/${open?.id}/decide`, { grant: true, words: 'Sorry.' })), 'ok');
  assert.equal(await codeOf(asOperator(`/appeals/${open?.id}/decide`, { grant: false, words: '' })),
    'moderation.decided_already');
  assert.equal(await codeOf(say(mei)), 'ok');
  const [measure] = await mine(mei);
  assert.deepEqual([measure?.appeal?.state, measure?.appeal?.answer], ['granted', 'Sorry.']);
  const late = await take('ban', lin);
  api.clock.advance(184 * 24 * 3600_000);
  await assert.rejects(api.moderation.appeal(
    { kind: 'person', personId: lin.id, name: 'Lin', isOperator: false, isDemo: false, sessionId: 's' }, late.id, 'x',
  ), { code: 'moderation.appeal_over' });
});

test('[MO17] an operator ends a show that nobody reported, once; the shop reads why and can appeal', async () => {
  const other = await api.newMarket(1);
  const live = await api.newLiveShow(other.owner, other.shop.id, other.products);
  const end = (reason: string, by = operator) => api.ask(`/api/platform/shows/${live.id}/end`, {
    body: { reason, words: '' }, cookie: by.cookie,
  });
  assert.equal(await codeOf(end('fraud', other.owner)), 'accounts.operator_only');
  assert.equal(await codeOf(end('other')), 'moderation.words_needed');
  const answers = await Promise.all([end('fraud'), end('fraud')]);
  assert.deepEqual(answers.map(({ status }) => status), [200, 200]);
  assert.equal(answers[0].json['id'], answers[1].json['id']);
  assert.equal((await api.shows.forOffice(other.owner.id, live.id)).state, 'ended');
  assert.ok(api.video.includes(`end ${live.id}`));
  const [measure] = await mine(other.owner);
  assert.deepEqual([measure?.id, measure?.kind, measure?.decidedBy], [answers[0].json['id'], 'end', 'operator']);
  assert.equal(await codeOf(api.ask(`/api/me/measures/${measure?.id}/appeal`, {
    body: { words: 'Why?' }, cookie: other.owner.cookie,
  })), 'ok');
  const over = await api.newLiveShow(other.owner, other.shop.id, other.products);
  await api.shows.end(other.owner.id, over.id);
  assert.equal(await codeOf(api.ask(`/api/platform/shows/${over.id}/end`, {
    body: { reason: 'fraud', words: '' }, cookie: operator.cookie,
  })), 'shows.wrong_state');
});

test('[MO18] a sentence is tried on the list as it is saved', async () => {
  const other = await api.newMarket(1);
  const office = `/api/office/shops/${other.shop.id}`;
  const of = (path: string, method: 'PUT' | 'POST', body: object) => api.ask(`${office}/${path}`, {
    method, body, cookie: other.owner.cookie,
  });
  const isRefused = async () => (await of('words/test', 'POST', { text: 'Is it FAKE?' })).json['isRefused'];
  assert.equal(await isRefused(), false);
  await of('words', 'PUT', { words: ['fake'] });
  assert.equal(await isRefused(), true);
});

test('[MO19] a mute without a time is over with its show', async () => {
  const mei = await api.newPerson('Mei');
  const other = await api.newMarket(1);
  const live = await api.newLiveShow(other.owner, other.shop.id, other.products);
  const muted = async (showId: string) => codeOf(api.ask(`/api/office/shows/${showId}/measures`, {
    body: { kind: 'mute', personId: mei.id, reason: 'spam', words: '', minutes: null }, cookie: other.owner.cookie,
  }));
  const counted = async () => (
    await api.moderation.list(other.owner.id, other.shop.id, { inForce: true })
  ).items.length;
  assert.equal(await muted(live.id), 'ok');
  assert.equal(await codeOf(say(mei, 'hello?', live.id)), 'moderation.muted');
  await api.shows.end(other.owner.id, live.id);
  const next = await api.newLiveShow(other.owner, other.shop.id, other.products);
  assert.equal(await muted(next.id), 'ok');
  assert.equal(await counted(), 1);
});

test('[MO16] every decision is a line of a log that the server cannot change', async () => {
  const { items } = await api.moderation.decisions({
    kind: 'person', personId: operator.id, name: 'Operator', isOperator: true, isDemo: false, sessionId: 's',
  }, { limit: 100 });
  for (const what of ['measure', 'lifted', 'report-decided', 'appeal-granted']) {
    assert.ok(items.some((line) => line.what === what && line.by !== ''), what);
  }
  await assert.rejects(api.platform.database.db.deleteFrom('moderation_decision').execute(), /permission denied/);
});
