import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { sql } from 'kysely';
import { createTestDatabase } from '../../../tests/support/database.ts';
import { createDatabase } from './database.ts';
import { createLog } from './log.ts';
import { relationOf } from './relation.ts';

const testDatabase = await createTestDatabase(import.meta.url);
const database = createDatabase({ url: testDatabase.serverUrl, log: createLog('silent', false) });
after(async () => {
  await database.stop();
  await testDatabase.drop();
});

const TYPES = { id: 'int', word: 'text', bytes: 'bytea', at: 'timestamptz', amount: 'bigint', more: 'jsonb' };
const at = new Date('2026-11-11T11:11:11.111Z');
const row = (id: number, word: string | null, more: string | null = null) => (
  { id, word, bytes: Buffer.from([id, 255]), at, amount: 9_007_199_254_740_993n, more }
);

async function read(rows: ReadonlyArray<ReturnType<typeof row>>) {
  return (await sql`select * from ${relationOf(rows, TYPES)}`.execute(database.db)).rows;
}

test('[P121] rows arrive as they are, in their sequence, whether a column differs or is the same in all', async () => {
  for (const rows of [
    [], [row(1, null)], [row(7, 'same'), row(7, 'same')], [row(2, 'pearl "and" \\ shell'), row(1, null)],
    [row(1, null), row(2, null), row(3, null)],
  ]) assert.deepEqual(await read(rows), rows);
  assert.deepEqual(await read([row(1, 'a', '{"b":[1]}')]), [{ ...row(1, 'a'), more: { b: [1] } }]);
});

test('[P121] what is the same in all rows goes to the database once', () => {
  const { parameters } = sql`${relationOf([row(1, 'one'), row(2, 'two')], TYPES)}`.compile(database.db);
  assert.equal(parameters.filter((one) => one === at).length, 1);
  assert.equal(parameters.filter((one) => one === row(1, null).amount).length, 1);
});
