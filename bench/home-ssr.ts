/**
 * Home pages per second of processor time: how often the server draws its home page for a guest, with 20 live shows.
 *
 * A server of its own gets twenty shops with goods, whose shows are live. A client keeps a few requests on the way;
 * what counts is the processor time of the server's process alone (PostgreSQL and the client left out), read before
 * and after each round. Held against a bare Fastify page that answers the same bytes from memory, in a process of its
 * own, measured in turn with ours: that is the ceiling of the framework.
 *
 * Usage: node bench/home-ssr.ts [--json] [--rounds N]
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { join, resolve } from 'node:path';
import type { Show } from '@nacre/contract/shows';
import { openMarket, publishClip, startNacre, streamKey, until } from '../tests/support/nacre.ts';
import { median, processorSeconds, round, say } from './figures.ts';

const root = resolve(import.meta.dirname, '..');
const json = process.argv.includes('--json');
const rounds = Number(process.argv[process.argv.indexOf('--rounds') + 1]) || 5;
const liveShows = 20;
const roundMs = 4_000;
const warmUpMs = 3_000;
/** On the way at once: enough that the server never waits for the client. */
const atOnce = 8;
const liveTimeoutMs = 60_000;

const tenths = (value: number): number => round(value, 1);

if (process.platform !== 'linux') throw new Error('the processor time of a process is read from /proc: Linux only');
if (!existsSync(join(root, 'web/build/handler.js'))) throw new Error('The pages are not built: run this by npm.');

const nacre = await startNacre({ env: { NACRE_TRUSTED_PROXIES: "127.0.0.1,::1" } });
const publishers: { stop(): Promise<void> }[] = [];
let bare: ChildProcess | null = null;
try {
  await goLive();
  const page = await fetchText(`${nacre.url}/`);
  const tiles = page.match(/href="\/shows\/[0-9a-f-]{36}"/g)?.length ?? 0;
  if (tiles < liveShows) throw new Error(`the home page has ${tiles} shows instead of ${liveShows}`);
  const ceiling = await startBare(page);
  bare = ceiling.child;
  const ours: number[] = [];
  const theirs: number[] = [];
  await pagesFor(nacre.url, nacre.pid(), warmUpMs);
  await pagesFor(ceiling.url, ceiling.pid, warmUpMs / 3);
  for (let index = 0; index < rounds; index += 1) {
    ours.push(await pagesFor(nacre.url, nacre.pid(), roundMs));
    theirs.push(await pagesFor(ceiling.url, ceiling.pid, roundMs / 2));
    const [our, bares] = [ours, theirs].map((all) => tenths(all.at(-1) ?? 0));
    say(`round ${index + 1}: ours ${our}, bare ${bares} pages per CPU second`);
  }
  const [mine, limit] = [median(ours), median(theirs)];
  const ratio = round(mine / limit, 4);
  say(`ours ${tenths(mine)}, bare Fastify ${tenths(limit)} pages per CPU second; ratio ${ratio}`);
  if (json) {
    const details = {
      liveShows, rounds, pageBytes: Buffer.byteLength(page), msPerPage: round(1000 / mine, 2),
      spread: [Math.min(...ours), Math.max(...ours)].map(tenths),
    };
    console.log(JSON.stringify({
      goal: 'home-ssr', ours: tenths(mine), limit: tenths(limit), ratio, unit: 'pages/CPU s', details,
    }));
  }
} finally {
  bare?.kill();
  await Promise.all(publishers.map((publisher) => publisher.stop()));
  await nacre.remove();
}

/** Twenty shows whose host has just lost the network: on the list as well, and no video is sent meanwhile. */
async function goLive(): Promise<void> {
  say(`opening ${liveShows} shops`);
  for (let index = 0; index < liveShows; index += 1) {
    const market = await openMarket(nacre.url);
    const publisher = publishClip(nacre.url, await streamKey(market));
    publishers.push(publisher);
    await until('a show is live', liveTimeoutMs, async () => (
      (await market.owner.must<Show>(200, 'GET', `/api/shows/${market.show.id}`)).state === 'live'
    ));
    const screen = `/api/office/shows/${market.show.id}/on-screen`;
    await market.owner.must(200, 'PUT', screen, { productId: market.product.id });
    await publishers.pop()?.stop();
  }
}

/** Requests for so long. @returns answers per second of the process's own time */
async function pagesFor(url: string, pid: number, forMs: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const before = processorSeconds(pid);
  const endMs = performance.now() + forMs;
  let pages = 0;
  await Promise.all(Array.from({ length: atOnce }, async (_, guest) => {
    while (performance.now() < endMs) {
      // Each a guest of its own: the limit of requests is for one address and cookie.
      await ask(`${url}/`, agent, `127.0.${guest}.${pages % 250}`);
      pages += 1;
    }
  }));
  agent.destroy();
  return pages / (processorSeconds(pid) - before);
}

function ask(url: string, agent: Agent, from: string): Promise<void> {
  return new Promise((done, failed) => {
    get(url, { agent, headers: { 'accept-language': 'en', 'x-forwarded-for': from } }, (answer) => {
      answer.resume();
      answer.once('end', () => (answer.statusCode === 200 ? done() : failed(new Error(`status ${answer.statusCode}`))));
    }).once('error', failed);
  });
}

async function fetchText(url: string): Promise<string> {
  const answer = await fetch(url, { headers: { 'accept-language': 'en' } });
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.text();
}

/** A page of the same bytes from memory, by the framework alone. */
async function startBare(page: string): Promise<{ url: string; pid: number; child: ChildProcess }> {
  const source = `
    import Fastify from 'fastify';
    let page = '';
    for await (const chunk of process.stdin) page += chunk;
    const app = Fastify();
    app.get('/', (request, reply) => reply.type('text/html; charset=utf-8').send(page));
    await app.listen({ port: 0, host: '127.0.0.1' });
    console.log(app.server.address().port);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    cwd: join(root, 'server'), stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin?.end(page);
  if (child.stdout === null) throw new Error('the bare page has no output');
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  return { url: `http://127.0.0.1:${String(port).trim()}`, pid: child.pid ?? 0, child };
}
