/** The talk of a show, over HTTP and sockets, on a real database. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { ChatMessage } from '@nacre/contract/chat';
import { createTestDatabase } from '../../../tests/support/database.ts';
import { createShowApi, heardOf, joinShow, untilHeard } from '../../../tests/support/show-api.ts';

const database = await createTestDatabase(import.meta.url);
const api = await createShowApi(database.serverUrl);
after(async () => {
  await api.stop();
  await database.drop();
});
const { owner, shop, products } = await api.newMarket(1);
const show = await api.newLiveShow(owner, shop.id, products);
const room = `show/${show.id}`;
const path = `/api/shows/${show.id}/chat`;
let sent = 0;
const say = (cookie: string | undefined, text: string, changes: { clientId?: string; path?: string } = {}) => {
  sent += 1;
  return api.ask(changes.path ?? path, { body: { clientId: changes.clientId ?? `message-${sent}`, text }, cookie });
};

test('[T1] guests sign in first; a show that does not run, is unknown or private to others takes no talk', async () => {
  const person = await api.newPerson();
  assert.equal((await say(undefined, 'hello')).json['code'], 'accounts.sign_in_first');
  const planned = await api.newShow(owner, shop.id);
  const hidden = await api.newShow(owner, shop.id, { visibility: 'private' });
  const to = (id: string) => say(person.cookie, 'hello', { path: `/api/shows/${id}/chat` });
  assert.equal((await to(planned.id)).json['code'], 'chat.closed');
  assert.equal((await to(hidden.id)).json['code'], 'shows.not_found');
  assert.equal((await to('00000000-0000-7000-8000-000000000000')).json['code'], 'shows.not_found');
  assert.equal((await to('nonsense')).json['code'], 'request.invalid');
});

test('[T8] everybody in the room hears a message once, and who joins later finds it', async () => {
  const [person, viewer] = [await api.newPerson('Mei Lin'), await api.enter(api.newGuest())];
  await joinShow(viewer, room);
  const answer = await say(person.cookie, '  Is it <b>warm</b>? ');
  assert.equal(answer.status, 201);
  const message = answer.json as unknown as ChatMessage;
  assert.equal(message.text, 'Is it <b>warm</b>?');
  assert.deepEqual([message.name, message.isHost, message.personId], ['Mei Lin', false, person.id]);
  const told = await untilHeard(viewer, room, 'chat', (event) => event.message.id === message.id);
  assert.deepEqual(told.message, message);
  const host = await say(owner.cookie, 'Very warm');
  assert.equal(host.json['isHost'], true);
  const late = await api.enter();
  const { snapshot } = await joinShow(late, room);
  assert.deepEqual(snapshot?.chat.slice(-2).map((kept) => kept.text), ['Is it <b>warm</b>?', 'Very warm']);
  await Promise.all([viewer.close(), late.close()]);
});

test('[T2] nothing visible and over 200 characters are refused; 200 are taken', async () => {
  const person = await api.newPerson();
  assert.equal((await say(person.cookie, ' \u200B\u202E ')).json['code'], 'chat.empty');
  const long = await say(person.cookie, '好'.repeat(201));
  assert.deepEqual([long.status, long.json['code']], [422, 'chat.too_long']);
  assert.deepEqual(long.json['details'], { length: 201, most: 200 });
  assert.equal((await say(person.cookie, '👍'.repeat(200))).status, 201);
  assert.equal((await say(person.cookie, 'x'.repeat(5_000))).status, 400);
  for (const body of [{}, { text: 'x' }, { clientId: 'short', text: 'x' }, { clientId: 'has space!', text: 'x' }]) {
    assert.equal((await api.ask(path, { body, cookie: person.cookie })).json['code'], 'request.invalid');
  }
});

test('[T4] too fast is refused with the seconds to wait', async () => {
  const person = await api.newPerson();
  for (let index = 0; index < 5; index += 1) assert.equal((await say(person.cookie, `m${index}`)).status, 201);
  const refused = await say(person.cookie, 'm5');
  assert.deepEqual([refused.status, refused.json['code']], [429, 'chat.too_fast']);
  assert.ok(Number(refused.headers['retry-after']) >= 1);
});

test('[T5] sent again it is one message, also at a time; not in another show', async () => {
  const person = await api.newPerson();
  const viewer = await api.enter();
  await joinShow(viewer, room);
  const answers = await Promise.all(Array.from({ length: 4 }, () => (
    say(person.cookie, `twice ${person.id}`, { clientId: `same-${person.id}` })
  )));
  const again = await say(person.cookie, 'other words', { clientId: `same-${person.id}` });
  const kept = [...answers, again].filter((answer) => answer.status === 201);
  assert.equal(again.json['text'], `twice ${person.id}`);
  assert.equal(new Set(kept.map((answer) => answer.json['id'])).size, 1);
  await untilHeard(viewer, room, 'chat', (event) => event.message.id === again.json['id']);
  await say(owner.cookie, `after ${person.id}`);
  await untilHeard(viewer, room, 'chat', (event) => event.message.text === `after ${person.id}`);
  assert.equal(heardOf(viewer, room, 'chat').filter((event) => event.message.id === again.json['id']).length, 1);
  const other = await api.newLiveShow(owner, shop.id, products);
  const reused = await say(person.cookie, 'x', { clientId: `same-${person.id}`, path: `/api/shows/${other.id}/chat` });
  assert.equal(reused.json['code'], 'request.invalid');
  await viewer.close();
});

test('[T6] author and host remove; others cannot; it is gone for everybody', async () => {
  const [author, other] = [await api.newPerson(), await api.newPerson()];
  const viewer = await api.enter();
  await joinShow(viewer, room);
  const mine = (await say(author.cookie, 'mine')).json['id'] as string;
  const rude = (await say(author.cookie, 'rude')).json['id'] as string;
  const remove = (id: string, cookie?: string) => api.ask(`${path}/${id}`, { method: 'DELETE', cookie });
  assert.equal((await remove(rude)).status, 401);
  assert.equal((await remove(rude, other.cookie)).json['code'], 'chat.not_found');
  assert.equal((await remove(rude, owner.cookie)).status, 204);
  assert.equal((await remove(rude, owner.cookie)).status, 204);
  assert.equal((await remove(mine, author.cookie)).status, 204);
  await untilHeard(viewer, room, 'chat-removed', (event) => event.messageId === mine);
  assert.equal(heardOf(viewer, room, 'chat-removed').filter((event) => event.messageId === rude).length, 1);
  const listed = (await api.ask(path)).json['items'] as ChatMessage[];
  assert.equal(listed.some((message) => [mine, rude].includes(message.id)), false);
  await viewer.close();
});

test('[T7] pages go back to the first message without loss or repeat', async () => {
  const fresh = await api.newLiveShow(owner, shop.id, products);
  const own = `/api/shows/${fresh.id}/chat`;
  for (let index = 0; index < 7; index += 1) await say(owner.cookie, `line ${index}`, { path: own });
  const seen: string[] = [];
  let cursor: string | null = '';
  for (let pages = 0; cursor !== null && pages < 10; pages += 1) {
    const page = await api.ask(`${own}?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`);
    seen.push(...(page.json['items'] as ChatMessage[]).map((message) => message.text));
    cursor = page.json['next'] as string | null;
  }
  assert.deepEqual(seen, [6, 5, 4, 3, 2, 1, 0].map((index) => `line ${index}`));
  assert.equal((await api.ask(`${own}?cursor=nonsense`)).json['code'], 'request.invalid');
});

test('[T9] for a replay it is read from any moment on, in order, without what was removed', async () => {
  const fresh = await api.newLiveShow(owner, shop.id, products);
  const own = `/api/shows/${fresh.id}/chat`;
  const said: ChatMessage[] = [];
  for (let index = 0; index < 4; index += 1) {
    said.push((await say(owner.cookie, `then ${index}`, { path: own })).json as unknown as ChatMessage);
    await new Promise((done) => setTimeout(done, 3));
  }
  await api.ask(`${own}/${said[2]!.id}`, { method: 'DELETE', cookie: owner.cookie });
  const talk = async (query: string) => (
    (await api.ask(`/api/shows/${fresh.id}/talk?${query}`)).json['items'] as ChatMessage[]
  ).map((message) => message.text);
  assert.deepEqual(await talk(`from=${said[1]!.sentAt}`), ['then 1', 'then 3']);
  assert.deepEqual(await talk(`from=${fresh.startsAt}&limit=2`), []);
  assert.deepEqual(await talk('from=2020-01-01T00:00:00.000Z&limit=2'), ['then 0', 'then 1']);
  assert.equal((await api.ask(`/api/shows/${fresh.id}/talk?from=soon`)).status, 400);
});

test('[RE75] what asks something is given alone, in any language', async () => {
  const { id } = await api.newLiveShow(owner, shop.id, products);
  const questions = ['is it lined?', 'how deep?? I wonder', '口袋深吗', '这个呢 ', '多少钱？', 'هل يوجد مقاس أطول؟'];
  const others = ['lovely', '好看', 'جميل', '呢绒大衣'];
  for (const [index, text] of [...others, ...questions].entries()) {
    const person = await api.newPerson(`Asker ${index}`);
    const body = { clientId: `question-${index}`, text };
    assert.equal((await api.ask(`/api/shows/${id}/chat`, { body, cookie: person.cookie })).status, 201);
  }
  const talk = async (query = '') => (
    (await api.ask(`/api/shows/${id}/talk?from=2020-01-01T00:00:00.000Z${query}`)).json['items'] as ChatMessage[]
  ).map(({ text }) => text);
  assert.deepEqual(await talk('&questions=true'), questions.map((text) => text.trim()));
  assert.deepEqual(await talk('&questions=true&limit=2'), questions.slice(0, 2));
  assert.equal((await talk('&questions=false')).length, others.length + questions.length);
  assert.equal((await api.ask(`/api/shows/${id}/talk?from=2020-01-01T00:00:00.000Z&questions=who`)).status, 400);
});
