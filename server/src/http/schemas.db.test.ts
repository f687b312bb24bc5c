/** Everything that the start leaves for later, done at once. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { createTestDatabase } from '../../../tests/support/database.ts';
import { compose } from '../compose.ts';
import { readConfig } from '../config.ts';
import { openDataFolder } from '../platform/data-folder.ts';
import { createLog } from '../platform/log.ts';
import { findReach } from '../reach.ts';

test('[P104] the schemas of all routes compile', async () => {
  const database = await createTestDatabase(import.meta.url);
  const path = mkdtempSync(join(tmpdir(), 'nacre-compose-'));
  const folder = await openDataFolder({ path, version: '0' });
  try {
    const config = readConfig({ args: ['--port', '0', '--udp-port', '0', '--empty'], env: {} });
    const root = resolve(import.meta.dirname, '../../..');
    const composed = await compose({
      config, reach: await findReach(config, { dataFolder: path, root, now: new Date() }),
      log: createLog('silent', false), folder, databaseUrl: database.serverUrl, isEmbedded: false, version: '0',
      compilesSchemas: true,
    });
    const { status } = await fetch(`${composed.address}/readyz`).finally(composed.stop);
    assert.equal(status, 200);
  } finally {
    folder.release();
    rmSync(path, { recursive: true, force: true });
    await database.drop();
  }
});
