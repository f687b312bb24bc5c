import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createTransport } from './transport.ts';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const remote = {
  iceUfrag: 'abcd', icePwd: 'p'.repeat(24), setup: 'actpass',
  fingerprint: `sha-256 ${Array(32).fill('AA').join(':')}`,
};

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

test('[M99] of a peer that was closed nothing is held that its listener held', async () => {
  const transport = await createTransport({ udpPort: 0, bindAddress: '127.0.0.1', log });
  let freed = 0;
  const listeners = new FinalizationRegistry(() => (freed += 1));
  const peers = 20;
  for (let index = 0; index < peers; index += 1) {
    const session = { packets: 0 };
    listeners.register(session, index);
    const note = (): void => void (session.packets += 1);
    const peer = transport.accept(`peer ${index}`, remote, { onUp: note, onPacket: note, onGone: note });
    await sleep(5);
    peer.close();
  }
  // The last one's is still named by this function.
  for (let tries = 0; freed < peers - 1 && tries < 40; tries += 1) {
    await sleep(50);
    collect();
  }
  assert.ok(freed >= peers - 1, `${freed} of ${peers}`);
  transport.stop();
});
