/**
 * The disk becomes full in a rush: first for the tables, then for PostgreSQL's log too, which ends PostgreSQL. On a
 * small file system of its own; where none can be mounted the test is skipped and says why.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { secretsBeside } from '../../server/src/platform/data-folder.ts';
import { SUPERUSER } from '../../server/src/platform/embedded-postgres-cluster.ts';
import { until } from '../support/nacre.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { oneRush, openStage, type Stage } from './rush.ts';

/** An empty market takes about 90 of them. */
const DISK_MEGABYTES = 200;
/** As many refusals show that the server goes on answering. */
const TOLD_OFTEN = 100;
const WITHIN_MS = 15_000;
/** Once PostgreSQL has ended. */
const STAYS_FULL_MS = 2_000;
/** Recovery, and the second after which it is tried again. */
const BACK_WITHIN_MS = 10_000;

const disk = mountSmallDisk(DISK_MEGABYTES);
after(() => {
  if (!('why' in disk)) disk.remove();
});

/** PostgreSQL begins another piece of its log, as it does after each 16 MiB, and has no room for it. */
async function beginLog({ database, nacre }: Stage): Promise<void> {
  const url = new URL(database.url);
  url.username = SUPERUSER;
  url.password = secretsBeside(nacre.dataFolder)!('postgres superuser');
  const client = new pg.Client({ connectionString: url.href });
  client.on('error', () => {
    // It ends in the middle of this.
  });
  await client.connect();
  await client.query('select pg_switch_wal()').catch(() => {});
  await client.end().catch(() => {});
}

test('[P130] [O140] a full disk in a rush ends no server and loses no order; with room again all goes on by itself', {
  skip: 'why' in disk && disk.why,
}, async (context) => {
  assert.ok(!('why' in disk));
  const stage = await openStage({ folder: disk.folder });
  const { nacre, refused } = stage;
  const readiness = async () => (await fetch(`${nacre.url}/readyz`)).status;
  try {
    const pid = nacre.pid();
    let clearedAtMs = 0;
    const anomalies = await oneRush(stage, {
      stock: 400,
      insists: true,
      async disturb() {
        await sleep(200);
        disk.fill();
        await until('buyers are told that it is full', WITHIN_MS, () => (refused.get('server.full') ?? 0) > TOLD_OFTEN);
        await beginLog(stage);
        await until('the log says why the database is away', WITHIN_MS, () => (
          nacre.output().includes('the disk is full: the database starts as soon as there is room')
        ));
        const busy = refused.get('server.busy') ?? 0;
        await sleep(STAYS_FULL_MS);
        assert.equal(await readiness(), 503);
        assert.ok((refused.get('server.busy') ?? 0) > busy + TOLD_OFTEN, 'it goes on answering');
        disk.clear();
        clearedAtMs = performance.now();
        await until('it is ready again', BACK_WITHIN_MS, async () => await readiness() === 200);
        context.diagnostic(`ready ${Math.round(performance.now() - clearedAtMs)} ms after there was room`);
      },
    });
    assert.deepEqual(anomalies, []);
    assert.equal(nacre.pid(), pid);
    assert.ok(stage.placed > 0);
    refused.delete('orders.sold_out');
    assert.deepEqual([...refused.keys()].sort(), ['server.busy', 'server.full']);
    await nacre.terminate();
    disk.fill();
    await assert.rejects(nacre.startAgain(), /Nacre cannot write to its data folder .+: the disk is full/);
    context.diagnostic(`${stage.placed} orders; refused: ${JSON.stringify([...refused])}`);
  } finally {
    disk.clear();
    await stage.remove();
  }
});
