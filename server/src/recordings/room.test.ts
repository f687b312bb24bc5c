import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLog } from '../platform/log.ts';
import { createRoom } from './room.ts';

test('[RE11] recordings end before the disk is full', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nacre-room-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const log = createLog('silent', false);
  const open = async (reserveBytes: number) => {
    const room = createRoom({ folder: join(folder, 'recording'), reserveBytes, log, everyMs: 5 });
    while (room.left() === null) await new Promise((done) => setTimeout(done, 5));
    t.after(room.stop);
    return room;
  };
  assert.equal((await open(0)).hasRoom(), true);
  assert.equal((await open(Number.MAX_SAFE_INTEGER)).hasRoom(), false);
});
