/**
 * nginx and Caddy in front, each with the configuration that docs/operating/https.md prints; only ports, folders and
 * the certificate are other ones. A visitor comes from 127.0.0.2, so that the proxy's own address is told apart.
 */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request, type RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test, { after, before } from 'node:test';
import pg from 'pg';
import { WebSocket } from 'ws';
import { selfMadeCertificate } from '../../server/src/platform/certificate.ts';
import { createTestDatabase } from '../support/database.ts';
import {
  freePort, openMarket, publishClip, startNacre, streamKey, until, type Market, type Nacre,
} from '../support/nacre.ts';
import { findProgram } from '../support/programs.ts';

const NAME = 'live.example.org';
const VISITOR = '127.0.0.2';
const PATIENCE_MS = 30_000;
const DOCUMENT = readFileSync(resolve(import.meta.dirname, '../../docs/operating/https.md'), 'utf8');
const nginx = findProgram('nginx');
const caddy = findProgram('caddy');
const unlessLinux = process.platform === 'linux' ? null : 'only Linux has 127.0.0.2 without being asked';

const base = mkdtempSync(join(tmpdir(), 'nacre-proxies-'));
chmodSync(base, 0o755);
let database: Awaited<ReturnType<typeof createTestDatabase>>;
let nacre: Nacre;
let market: Market;
let port: number;
before(async () => {
  if (unlessLinux !== null || (nginx === null && caddy === null)) return;
  database = await createTestDatabase(import.meta.url, { empty: true });
  port = await freePort();
  nacre = await startNacre({
    env: {
      DATABASE_URL: database.ownerUrl, NACRE_TRUSTED_PROXIES: '127.0.0.1', NACRE_PUBLIC_URL: `https://${NAME}:${port}`,
    },
  });
  market = await openMarket(nacre.url);
});
after(async () => {
  await nacre?.remove();
  await database?.drop();
  rmSync(base, { recursive: true, force: true });
});

/** The first block of that language in the document. */
function printed(language: string): string {
  const [, text] = new RegExp(`\`\`\`${language}\n([^]*?)\n\`\`\``).exec(DOCUMENT) ?? [];
  assert.ok(text, `docs/operating/https.md has a block of ${language}`);
  return text;
}

/** Each must be there: a document that says something else is another configuration. */
function replaced(text: string, changes: [string, string][]): string {
  return changes.reduce((now, [from, to]) => {
    assert.ok(now.includes(from), `the document's configuration has ${from}`);
    return now.replaceAll(from, to);
  }, text);
}

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

const HEADERS = () => ({ host: `${NAME}:${port}` });

async function asked(path: string, options: RequestOptions = {}, body?: object): Promise<IncomingMessage> {
  const outgoing = request({
    host: '127.0.0.1', port, path, servername: NAME, localAddress: VISITOR, rejectUnauthorized: false, agent: false,
    ...options, headers: { ...HEADERS(), ...options.headers },
  });
  outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  return response;
}

async function ask(path: string, options: RequestOptions = {}, body?: object): Promise<Answer> {
  const response = await asked(path, options, body);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString() };
}

async function startProxy(program: string, args: string[]): Promise<ChildProcess> {
  const env = { ...process.env, HOME: base, XDG_DATA_HOME: base, XDG_CONFIG_HOME: base };
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => { said += chunk; });
  await until('the proxy answers', PATIENCE_MS, async () => {
    assert.equal(child.exitCode, null, said);
    return ask('/healthz').then(({ status }) => status === 200, () => false);
  });
  return child;
}

async function stopProxy(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

async function checkPagesAndApi(): Promise<void> {
  const page = await ask('/');
  assert.equal(page.status, 200);
  assert.match(page.text, /<html/);
  assert.match(String(page.headers['set-cookie']), /; Secure/);
  const email = `mei-${performance.now()}@example.test`;
  const answer = await ask('/api/auth/sign-up/email', {
    method: 'POST',
    headers: {
      'content-type': 'application/json', origin: `https://${NAME}:${port}`,
      // What a visitor says of the own address is not believed.
      'x-forwarded-for': '203.0.113.9',
    },
  }, { name: 'Mei', email, password: 'pearl and shell' });
  assert.equal(answer.status, 200, answer.text);
  assert.match(String(answer.headers['set-cookie']), /session_token=[^;]*;.*; Secure/);
  const client = new pg.Client({ connectionString: database.ownerUrl });
  await client.connect();
  const { rows } = await client.query(
    'select s.ip_address from session s join person p on p.id = s.person_id where p.email = $1', [email],
  );
  await client.end();
  assert.deepEqual(rows, [{ ip_address: VISITOR }], 'the visitor’s address is believed');
  const foreign = await ask('/api/auth/sign-out', { method: 'POST', headers: { origin: 'https://evil.example' } });
  assert.equal(foreign.status, 403);
}

async function checkLiveWays(): Promise<void> {
  const options = { rejectUnauthorized: false, servername: NAME, origin: `https://${NAME}:${port}`, headers: HEADERS() };
  for (const path of ['/realtime?v=1', `/live/${market.show.id}/socket`]) {
    const socket = new WebSocket(`wss://127.0.0.1:${port}${path}`, options);
    await once(socket, 'open');
    socket.terminate();
  }
  const events = await asked('/realtime/events?v=1');
  assert.match(String(events.headers['content-type']), /^text\/event-stream/);
  await once(events, 'data', { signal: AbortSignal.timeout(5_000) });
  events.destroy();
  assert.equal((await ask('/whip', { method: 'POST', headers: { 'content-type': 'application/sdp' } })).status, 401);
  const { whipUrl } = await market.owner.must<{ whipUrl: string }>(
    200, 'POST', `/api/office/shows/${market.show.id}/stream-key`,
  );
  assert.equal(whipUrl, `https://${NAME}:${port}/whip`);
}

/** A public show's pieces come from the cache, once they are there. */
async function checkCache(): Promise<void> {
  const publisher = publishClip(nacre.url, await streamKey(market));
  try {
    const folder = `/live/${market.show.id}`;
    let piece = '';
    await until('the show has pieces', PATIENCE_MS, async () => {
      const { status, text } = await ask(`${folder}/media.m3u8`);
      piece = /#EXT-X-PART:[^\n]*URI="(\d+\.part\.m4s)"/.exec(text)?.[1] ?? '';
      return status === 200 && piece !== '';
    });
    const seen = [await ask(`${folder}/${piece}`), await ask(`${folder}/${piece}`)];
    assert.deepEqual(seen.map(({ status }) => status), [200, 200]);
    assert.deepEqual(seen.map(({ headers }) => headers['x-cache-status']), ['MISS', 'HIT']);
    assert.equal(seen[0]?.text, seen[1]?.text);
    const map = /#EXT-X-MAP:URI="([^"]+\.mp4)"/.exec((await ask(`${folder}/media.m3u8`)).text)?.[1] ?? '';
    assert.equal((await ask(`${folder}/${map}`)).status, 200);
  } finally {
    await publisher.stop();
  }
}

test('nginx in front, as the document has it', {
  skip: unlessLinux ?? (nginx === null && 'nginx is not here (apt-get install nginx-light)'),
}, async () => {
  const plainPort = await freePort();
  const tls = await selfMadeCertificate(base, { needed: [NAME], welcome: [] }, new Date());
  writeFileSync(join(base, 'fullchain.pem'), tls.certificate);
  writeFileSync(join(base, 'privkey.pem'), tls.key);
  for (const name of ['cache', 'body', 'proxy', 'other']) mkdirSync(join(base, name));
  const block = replaced(printed('nginx'), [
    ['listen 80;', `listen 127.0.0.1:${plainPort};`], ['listen [::]:80;', ''],
    ['listen 443 ssl', `listen 127.0.0.1:${port} ssl`], ['listen [::]:443 ssl http2;', ''],
    ['127.0.0.1:3000', new URL(nacre.url).host.replace('localhost', '127.0.0.1')],
    [`/etc/letsencrypt/live/${NAME}`, base], ['/var/cache/nacre-live', join(base, 'cache')],
  ]);
  const file = join(base, 'nginx.conf');
  // What Debian's own nginx.conf says around it, as far as it matters, with folders of the test.
  writeFileSync(file, `daemon off;\nworker_processes 2;\npid ${base}/nginx.pid;\nerror_log stderr;\n`
    + `${process.getuid?.() === 0 ? 'user root;\n' : ''}events { worker_connections 768; }\nhttp {\naccess_log off;\n`
    + `client_body_temp_path ${base}/body;\nproxy_temp_path ${base}/proxy;\nfastcgi_temp_path ${base}/other;\n`
    + `uwsgi_temp_path ${base}/other;\nscgi_temp_path ${base}/other;\n${block}\n}\n`);
  const child = await startProxy(nginx ?? '', ['-c', file, '-e', 'stderr']);
  try {
    await checkPagesAndApi();
    await checkLiveWays();
    await checkCache();
    const plain = await fetch(`http://127.0.0.1:${plainPort}/studio`, { redirect: 'manual' });
    assert.equal(plain.status, 308);
    assert.match(plain.headers.get('location') ?? '', /^https:\/\/.*\/studio$/);
  } finally {
    await stopProxy(child);
  }
});

test('Caddy in front, as the document has it', {
  skip: unlessLinux ?? (caddy === null && 'Caddy is not here (apt-get install caddy)'),
}, async () => {
  const block = replaced(printed('caddyfile'), [
    [`${NAME} {`, `${NAME}:${port} {`],
    ['127.0.0.1:3000', new URL(nacre.url).host.replace('localhost', '127.0.0.1')],
  ]);
  const file = join(base, 'Caddyfile');
  // Certificates of its own making instead of public ones, and nothing of the system touched.
  const global = `{\n\tadmin off\n\tlocal_certs\n\tskip_install_trust\n\thttp_port ${await freePort()}\n}\n`;
  writeFileSync(file, `${global}${block}\n`);
  const child = await startProxy(caddy ?? '', ['run', '--config', file, '--adapter', 'caddyfile']);
  try {
    await checkPagesAndApi();
    await checkLiveWays();
  } finally {
    await stopProxy(child);
  }
});
