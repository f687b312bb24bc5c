/** Keeps the PostgreSQL of the tests running until Ctrl-C, to look into the databases that failed tests have left. */
import pg from 'pg';
import { createTestDatabase, reachKeeper } from './database.ts';

const socket = await reachKeeper();
const own = await createTestDatabase('keep_database');
const client = new pg.Client({ connectionString: own.superuserUrl });
await client.connect();
const { rows } = await client.query<{ datname: string }>(
  'select datname from pg_database where datname like \'test\\_%\' order by 1',
);
await client.end();
for (const { datname } of rows.filter((row) => row.datname !== own.name)) {
  const url = new URL(own.superuserUrl);
  url.pathname = `/${datname}`;
  console.log(url.href);
}
console.log(`Migrated and empty, for trying things out: ${own.superuserUrl}\nCtrl-C ends PostgreSQL.`);
process.once('SIGINT', () => {
  socket.destroy();
  process.exit(0);
});
setInterval(() => {}, 60_000);
