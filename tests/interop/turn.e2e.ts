/** The page's publisher through a real coturn, with every straight way closed to it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { localAddresses } from '@nacre/media/whip/transport';
import { freePort } from '../support/nacre.ts';
import { findProgram } from '../support/programs.ts';
import type { Scope } from '../support/processor.ts';
import { launchCameraBrowser } from '../support/video-browser.ts';
import { stageKeyOf, startVideoStage } from '../support/video-stage.ts';

const showId = 'show-1';
const secret = 'a secret of this test';
const PATIENCE_MS = 20_000;

/** As docs/operating/turn.md has it, on one address of this machine. */
async function startCoturn(scope: Scope, program: string, address: string): Promise<number> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'nacre-turn-'));
  const child = spawn(program, [
    '-n', '--use-auth-secret', `--static-auth-secret=${secret}`, '--realm=test', '--fingerprint', '--no-cli',
    '--no-tls', '--no-dtls', `--listening-ip=${address}`, `--relay-ip=${address}`, `--listening-port=${port}`,
    `--pidfile=${folder}/pid`, '--log-file=stdout', `--userdb=${folder}/db`,
  ], { stdio: 'ignore' });
  scope.after(async () => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  await sleep(1_000);
  assert.equal(child.exitCode, null, 'coturn runs');
  return port;
}

/** Runs in the page: nothing but TURN is left, and it is told which pair is in use. */
function relayOnly(): void {
  const connections: RTCPeerConnection[] = [];
  Object.assign(globalThis, { connections });
  globalThis.RTCPeerConnection = new Proxy(RTCPeerConnection, {
    construct(Real, [options]: [RTCConfiguration]) {
      const connection = new Real({ ...options, iceTransportPolicy: 'relay' });
      connections.push(connection);
      return connection;
    },
  });
}

test('[V81] where no UDP gets out the page publishes through coturn, by names made for it', async (t) => {
  const program = findProgram('turnserver');
  const [address = '127.0.0.1'] = localAddresses();
  if (program === null) return t.skip('coturn is not here: apt-get install coturn');
  if (address === '127.0.0.1') return t.skip('coturn relays to no loopback address, and there is no other');
  const port = await startCoturn(t, program, address);
  const turn = { urls: [`turn:${address}:${port}?transport=udp`], secret };
  const stage = await startVideoStage({ openShows: [showId], mediaAddress: address, turn });
  t.after(() => stage.stop());
  const camera = await launchCameraBrowser();
  t.after(() => camera.close());
  const page = await camera.browser.newPage();
  await page.addInitScript(relayOnly);
  await page.goto(`${stage.url.replace('127.0.0.1', 'localhost')}/host.html`);
  await page.waitForFunction(() => globalThis.ready);
  await page.evaluate(async (key) => {
    globalThis.host = lib.createBroadcaster({ whipUrl: '/whip', streamKey: async () => key });
    await host.goLive();
  }, stageKeyOf(showId));
  assert.equal(await page.evaluate(() => host.view().state), 'live');
  for (let waitedMs = 0; stage.pictureNews.length === 0 && waitedMs < PATIENCE_MS; waitedMs += 100) await sleep(100);
  assert.deepEqual(stage.pictureNews, [`up ${showId}`]);
  await sleep(2_000);
  const [session] = (await stage.video.stats()).media?.sessions ?? [];
  assert.ok((session?.pictures ?? 0) > 20, `${session?.pictures} pictures`);
  const kind = await page.evaluate(async () => {
    const [connection] = (globalThis as unknown as { connections: RTCPeerConnection[] }).connections;
    const report = [...((await connection?.getStats()) ?? new Map()).values()] as Record<string, string>[];
    return report.find(({ type }) => type === 'local-candidate')?.['candidateType'];
  });
  assert.equal(kind, 'relay');
});
