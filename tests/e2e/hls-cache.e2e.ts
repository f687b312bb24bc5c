/** Low-Latency HLS through an ordinary HTTP cache: a crowd behind it costs the server what one viewer costs. */
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import HLS from 'hls-parser';
import { placeAfter } from '../support/hls-proof.ts';
import { freePort, publishClip, until } from '../support/nacre.ts';
import { stageKeyOf, startVideoStage } from '../support/video-stage.ts';

const NGINX = '/usr/sbin/nginx';
const VIEWERS = 200;
const WATCH_MS = 6_000;
const PATIENCE_MS = 20_000;

/** As docs/operating/https.md has it: one request for each thing asks the server, the others wait for its answer. */
function configuration(folder: string, port: number, origin: string): string {
  return `
    pid ${folder}/nginx.pid; error_log ${folder}/error.log; daemon off; worker_processes 1;
    events { worker_connections 2048; }
    http {
      log_format cache '$uri $upstream_cache_status';
      access_log ${folder}/access.log cache;
      client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/f;
      uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
      proxy_cache_path ${folder}/cache keys_zone=live:10m;
      server {
        listen 127.0.0.1:${port};
        location /live/ {
          proxy_pass ${origin};
          proxy_http_version 1.1;
          proxy_cache live;
          proxy_cache_lock on;
          proxy_cache_lock_timeout 15s;
          proxy_cache_lock_age 15s;
        }
      }
    }`;
}

function read(agent: Agent, url: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
      response.on('error', reject);
    }).on('error', reject);
  });
}

/** Follows the show as a player does: the playlist that waits, then the part that it brought. */
async function watch(agent: Agent, base: string, untilMs: number): Promise<number> {
  let parts = 0;
  let query = '';
  while (performance.now() < untilMs) {
    const { status, text } = await read(agent, `${base}/media.m3u8${query}`);
    assert.equal(status, 200);
    const playlist = HLS.parse(text) as HLS.types.MediaPlaylist;
    const listed = playlist.segments.flatMap((segment) => segment.parts).filter(({ hint }) => !hint);
    const part = await read(agent, `${base}/${listed.at(-1)?.uri}`);
    assert.equal(part.status, 200);
    parts += 1;
    const { sequence, part: next } = placeAfter(playlist);
    query = `?_HLS_msn=${sequence}&_HLS_part=${next}`;
  }
  return parts;
}

test('[V19] two hundred viewers behind a cache ask the server about as often as one', async (t) => {
  if (spawnSync(NGINX, ['-v']).error) return t.diagnostic('nginx is not here');
  const folder = mkdtempSync(join(tmpdir(), 'nacre-cache-'));
  // Its workers are another user's.
  chmodSync(folder, 0o777);
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const stage = await startVideoStage({ openShows: ['show'] });
  t.after(() => stage.stop());
  const publisher = publishClip(stage.url, stageKeyOf('show'));
  t.after(() => publisher.stop());
  const port = await freePort();
  writeFileSync(join(folder, 'nginx.conf'), configuration(folder, port, stage.url));
  const nginx: ChildProcess = spawn(NGINX, ['-c', join(folder, 'nginx.conf'), '-p', folder], { stdio: 'ignore' });
  t.after(async () => {
    const ended = once(nginx, 'exit');
    nginx.kill('SIGTERM');
    await ended;
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 2 * VIEWERS });
  t.after(() => agent.destroy());
  const base = `http://127.0.0.1:${port}/live/show`;
  await until('there is a playlist', PATIENCE_MS, async () => (
    (await read(agent, `${base}/media.m3u8`).catch(() => null))?.status === 200
  ));
  await sleep(1_000);
  const logBefore = readFileSync(join(folder, 'access.log'), 'utf8').length;
  const endMs = performance.now() + WATCH_MS;
  const watched = await Promise.all(Array.from({ length: VIEWERS }, () => watch(agent, base, endMs)));
  await sleep(200);
  const lines = readFileSync(join(folder, 'access.log'), 'utf8').slice(logBefore).trim().split('\n');
  const asked = lines.filter((line) => !/ (HIT|STALE|UPDATING|REVALIDATED)$/.test(line)).length;
  const one = Math.max(...watched) * 2;
  t.diagnostic(`${lines.length} requests of ${VIEWERS} viewers, ${asked} to the server; one viewer makes ${one}`);
  assert.ok(Math.min(...watched) > WATCH_MS / 1_000, 'everybody saw the show go on');
  assert.ok(asked < one * 3, `${asked} requests for the server, of ${lines.length}`);
});
