import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { trialUploadBytesMax } from '@nacre/contract/examination';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { createShowApi, type ShowApi } from '../../../tests/support/show-api.ts';

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

async function openShow() {
  const { owner, shop } = await api.newMarket(1);
  const show = await api.newShow(owner, shop.id);
  return { owner, path: `/api/office/shows/${show.id}/examination` };
}

test('[V82] whoever may run the show is told the clock, the room on the disk and TURN; nobody else is', async () => {
  const { owner, path } = await openShow();
  const { status, json } = await api.ask(path, { cookie: owner.cookie });
  assert.equal(status, 200);
  const { now, tookMs, diskHours, iceServers } = json as {
    now: string; tookMs: number; diskHours: number; iceServers: unknown[];
  };
  assert.equal(new Date(now).toISOString(), now);
  assert.ok(tookMs > 0 && tookMs < 10_000, `${tookMs}`);
  assert.deepEqual([diskHours, iceServers], [10, []]);
  const stranger = await api.newPerson('Stranger');
  assert.equal((await api.ask(path, { cookie: stranger.cookie })).status, 403);
  assert.equal((await api.ask(path)).status, 401);
});

test('[V82] an upload is counted and let go, up to its bound', async () => {
  const { owner, path } = await openShow();
  const upload = (bytes: number) => api.app.inject({
    method: 'POST', url: `${path}/upload`, payload: Buffer.alloc(bytes),
    headers: { 'content-type': 'application/octet-stream', cookie: owner.cookie },
  });
  const taken = await upload(200_000);
  assert.deepEqual([taken.statusCode, taken.json()], [200, { bytes: 200_000 }]);
  assert.equal((await upload(trialUploadBytesMax + 1)).statusCode, 413);
});

test('[V82] an offer is answered; a show that is over is not examined any more', async () => {
  const { owner, path } = await openShow();
  const answer = await api.ask(`${path}/connection`, { cookie: owner.cookie, body: { sdp: 'v=0' } });
  assert.deepEqual([answer.status, answer.json], [200, { sdp: 'answer to v=0' }]);
  assert.equal((await api.ask(`${path}/connection`, { cookie: owner.cookie, body: {} })).status, 400);
});
