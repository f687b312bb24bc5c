/**
 * `npm run nacre -- doctor`: what of this server's surroundings would stop a show, and how to mend it. Changes nothing
 * (with --lan it makes the certificate that the start would make); runs beside a running Nacre or without one. What
 * only the outside can tell, the studio's own check tells.
 */
import { X509Certificate } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { access, constants } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import type { Config } from '../config.ts';
import { rtmpPortOf, turnOf } from '../config.ts';
import { freeBytesOf, showBytesPerHour } from '../platform/disk-space.ts';
import { findReach, localUrl, type Reach } from '../reach.ts';
import { addressesToOffer, isLoopback } from '../video/addresses.ts';
import { asksTurn } from './turn-probe.ts';

export interface Diagnosis {
  what: string;
  grade: 'fine' | 'warn' | 'bad';
  /** One sentence or two: what is so, and what to do when it is not fine. */
  words: string;
}

/** A server nearby answers within milliseconds, one behind slow DNS within seconds. */
const answerWithinMs = 5_000;
/** A host plans an evening; less than an evening's room is told. */
const fineDiskHours = 8;
const badDiskHours = 1;
const fineClockMs = 5_000;
const fineCertificateMs = 14 * 24 * 3_600_000;
const root = resolve(import.meta.dirname, '../../..');

export async function examineServer(config: Config, now: () => number): Promise<Diagnosis[]> {
  const folder = resolve(root, config.dataFolder);
  const found: Diagnosis[] = [await examineFolder(folder), await examineDisk(folder)];
  let reach: Reach;
  try {
    reach = await findReach(config, { dataFolder: folder, root, now: new Date(now()) });
  } catch (error) {
    return [...found, bad('https', `${error instanceof Error ? error.message : String(error)}`)];
  }
  const isRunning = await answers(`${localUrl(reach, config.port)}/healthz`, reach);
  found.push(await examinePort(config, reach, isRunning));
  found.push(await examineUdp(config, isRunning));
  found.push(await examineRtmp(config, reach, isRunning));
  found.push(examineHttps(config, reach, now()));
  found.push(...await examinePublic(config, reach, now));
  found.push(...await examineTurn(config, now));
  return found;
}

/** Lines for a terminal; the last one is the sum. */
export function report(found: readonly Diagnosis[]): string {
  const marks = { fine: '✔', warn: '!', bad: '✖' };
  const lines = found.map(({ what, grade, words }) => `${marks[grade]} ${what.padEnd(14)} ${words}`);
  const count = (grade: Diagnosis['grade']): number => found.filter((each) => each.grade === grade).length;
  const [stops, hints] = [count('bad'), count('warn')];
  const sum = stops + hints === 0 ? 'Nothing stands in the way of a show.'
    : `${stops} ${stops === 1 ? 'thing stands' : 'things stand'} in the way of a show, ${hints} could be better.`;
  const rest = 'What a network lets through, only a device in it can tell: Check connection, in the studio.';
  return [...lines, '', sum, rest].join('\n');
}

const fine = (what: string, words: string): Diagnosis => ({ what, grade: 'fine', words });
const warn = (what: string, words: string): Diagnosis => ({ what, grade: 'warn', words });
const bad = (what: string, words: string): Diagnosis => ({ what, grade: 'bad', words });

async function examineFolder(folder: string): Promise<Diagnosis> {
  const isThere = await access(join(folder, 'database.json')).then(() => true, () => false);
  const mayWrite = await access(folder, constants.W_OK).then(() => true, () => false);
  if (!isThere && !mayWrite) {
    return warn('data folder', `There is no Nacre in ${folder} yet. npm start makes it; --data DIR names another.`);
  }
  if (!mayWrite) return bad('data folder', `This user may not write to ${folder}. Give it to the user Nacre runs as.`);
  return fine('data folder', folder);
}

export async function examineDisk(folder: string, freeBytes = freeBytesOf): Promise<Diagnosis> {
  const free = (await freeBytes(folder)) ?? (await freeBytes(root));
  if (free === null) return warn('disk', 'This system does not tell how much room its disk has.');
  const hours = free / showBytesPerHour;
  const words = `Room for ${hours >= 100 ? 'more than 100' : hours.toFixed(1)} hours of show.`;
  if (hours >= fineDiskHours) return fine('disk', words);
  const advice = `${words} Delete what is not Nacre's, or enlarge the disk of ${folder}.`;
  return hours >= badDiskHours ? warn('disk', advice) : bad('disk', advice);
}

/** Also with a certificate that Nacre made itself: who is asked is this machine. */
async function answers(url: string, reach: Reach): Promise<boolean> {
  if (reach.tls === null) {
    return fetch(url, { signal: AbortSignal.timeout(answerWithinMs) }).then(({ ok }) => ok, () => false);
  }
  const { get } = await import('node:https');
  return new Promise((done) => {
    const request = get(url, { rejectUnauthorized: false, timeout: answerWithinMs }, (response) => {
      response.resume();
      done(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => done(false));
  });
}

async function examinePort(config: Config, reach: Reach, isRunning: boolean): Promise<Diagnosis> {
  if (isRunning) return fine('TCP port', `Nacre answers at ${localUrl(reach, config.port)}.`);
  const code = await new Promise<string | null>((done) => {
    const server = createServer().once('error', (error: NodeJS.ErrnoException) => done(error.code ?? 'UNKNOWN'));
    server.listen(config.port, reach.host, () => server.close(() => done(null)));
  });
  if (code === null) {
    return warn('TCP port', `Nacre does not run; port ${config.port} is free for it. Start it: npm start`);
  }
  if (code === 'EADDRINUSE') {
    return bad('TCP port', `Another program has port ${config.port}. End it, or choose another one: --port`);
  }
  return bad('TCP port', `Port ${config.port} on ${reach.host} cannot be opened (${code}). Above 1023 any user may.`);
}

async function examineUdp(config: Config, isRunning: boolean): Promise<Diagnosis> {
  const port = config.udpPort ?? config.port;
  const open = `Let UDP ${port} in through every firewall in front of this machine.`;
  const code = await new Promise<string | null>((done) => {
    const socket = createSocket('udp4').once('error', (error: NodeJS.ErrnoException) => done(error.code ?? 'UNKNOWN'));
    socket.bind({ port, exclusive: true }, () => socket.close(() => done(null)));
  });
  if (code === null) {
    return isRunning ? bad('UDP port', `Nacre runs, but nobody has UDP port ${port}. Its log says why; start it anew.`)
      : fine('UDP port', `${port} is free. ${open}`);
  }
  if (code === 'EADDRINUSE') {
    return isRunning ? fine('UDP port', `${port} is Nacre's. ${open}`)
      : bad('UDP port', `Another program has UDP port ${port}. End it, or choose another one: --udp-port`);
  }
  return bad('UDP port', `UDP port ${port} cannot be opened (${code}). Above 1023 any user may.`);
}

/** Encoders that have WHIP do without it, so nothing here stands in the way of a show. */
export async function examineRtmp(
  config: Pick<Config, 'rtmpPort' | 'port'>, { host }: Pick<Reach, 'host'>, isRunning: boolean,
): Promise<Diagnosis> {
  const port = rtmpPortOf(config);
  if (port === null) return fine('RTMP port', 'None, as it is set: encoders publish by WHIP.');
  if (port === 0) return fine('RTMP port', 'Any free one, as it is set; the log and the studio say which.');
  const open = `Encoders elsewhere need TCP ${port} let in through every firewall in front of this machine.`;
  const code = await new Promise<string | null>((done) => {
    const probe = createServer().once('error', (error: NodeJS.ErrnoException) => done(error.code ?? 'UNKNOWN'));
    const at = host === 'localhost' ? '127.0.0.1' : host;
    probe.listen({ port, host: at, exclusive: true }, () => probe.close(() => done(null)));
  });
  if (code === null) {
    return isRunning ? warn('RTMP port', `Nacre runs, but nobody has TCP port ${port}: encoders come by WHIP only. Its `
      + 'log says why; start it anew.') : fine('RTMP port', `${port} is free. ${open}`);
  }
  const other = 'Another: --rtmp-port';
  if (code !== 'EADDRINUSE') return warn('RTMP port', `TCP port ${port} cannot be opened (${code}). ${other}`);
  return isRunning ? fine('RTMP port', `${port} is taken: by Nacre, unless its start said otherwise. ${open}`)
    : warn('RTMP port', `Another program has TCP port ${port}: encoders come by WHIP only. ${other}`);
}

export function examineHttps(
  config: Pick<Config, 'publicUrl'>, reach: Pick<Reach, 'tls' | 'host'>, nowMs: number,
): Diagnosis {
  if (reach.tls !== null) {
    const leftMs = validUntil(reach.tls.certificate) - nowMs;
    const days = Math.floor(leftMs / 86_400_000);
    if (leftMs > fineCertificateMs) return fine('https', `Spoken here; the certificate holds for ${days} days.`);
    return warn('https', `The certificate runs out in ${days} days. Renew it, and start Nacre again.`);
  }
  if (config.publicUrl?.startsWith('https:')) return fine('https', `Spoken by the proxy at ${config.publicUrl}.`);
  if (config.publicUrl !== null) {
    return bad('https', 'The public URL is plain http: browsers give no camera to it. See docs/operating/https.md.');
  }
  if (isLoopback(reach.host)) {
    return warn('https', 'Only this machine reaches Nacre. For phones: --lan, or a proxy with https.');
  }
  return bad('https', 'Plain http: elsewhere browsers give no camera. Use --lan, --cert and --key, or a proxy.');
}

function validUntil(pem: string | Buffer): number {
  return Date.parse(new X509Certificate(pem).validTo);
}

async function examinePublic(config: Config, reach: Reach, now: () => number): Promise<Diagnosis[]> {
  const { publicUrl } = config;
  if (publicUrl === null) return [];
  const found: Diagnosis[] = [];
  try {
    const response = await fetch(`${publicUrl}/healthz`, { signal: AbortSignal.timeout(answerWithinMs) });
    if (!response.ok) {
      found.push(bad('public URL', `${publicUrl} answers ${response.status}. Lead it to port ${config.port}.`));
    } else {
      found.push(fine('public URL', `${publicUrl} leads here.`));
      found.push(examineClock(response.headers.get('date'), now()));
    }
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    const advice = 'Look at its name, certificate and proxy.';
    found.push(bad('public URL', `${publicUrl} cannot be reached from here (${cause}). ${advice}`));
  }
  const offered = addressesToOffer(reach.host, { ...reach, isPublic: true });
  const outside = offered.filter((address) => !isPrivate(address));
  found.push(outside.length > 0 ? fine('address', `Publishers are told ${outside.join(', ')}.`)
    : bad('address', 'Publishers are told private addresses only, out of reach from outside. Name one: --public-ip'));
  return found;
}

export function examineClock(date: string | null, nowMs: number): Diagnosis {
  const offMs = nowMs - Date.parse(date ?? '');
  if (Number.isNaN(offMs)) return warn('clock', 'The public URL tells no time to compare this machine with.');
  if (Math.abs(offMs) <= fineClockMs) return fine('clock', 'This machine and its proxy agree.');
  const seconds = Math.round(Math.abs(offMs) / 1_000);
  const advice = 'Turn on time synchronisation (systemd-timesyncd, chrony).';
  return warn('clock', `This machine and its proxy differ by ${seconds} s. ${advice}`);
}

/** RFC 1918, RFC 4193, RFC 6598, link-local and loopback. */
export function isPrivate(address: string): boolean {
  return /^(10|127|169\.254|192\.168|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./.test(address)
    || /^(::1$|f[cd]|fe80)/i.test(address);
}

async function examineTurn(config: Config, now: () => number): Promise<Diagnosis[]> {
  const turn = turnOf(config);
  if (turn === null) return [];
  return Promise.all(turn.urls.map(async (url) => {
    const trouble = await asksTurn({ url, secret: turn.secret, nowMs: now() });
    return trouble === null ? fine('TURN', `${url} takes our names.`) : bad('TURN', `${url} ${trouble}`);
  }));
}
