/**
 * How this server is reached: on which addresses it listens, whether by https and with which certificate, and what the
 * person who started it has to know to open it on a phone.
 */
import { X509Certificate } from 'node:crypto';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { addressesOf, type Config } from './config.ts';
import { covers, ownCertificate, selfMadeCertificate, type Tls } from './platform/certificate.ts';
import { everyAddress, isEveryAddress, lastingAddresses, ownAddresses } from './platform/own-addresses.ts';
import { qrLines } from './platform/terminal-qr.ts';
import { isLoopback } from './video/addresses.ts';

export interface Reach {
  /** To listen on. */
  host: string;
  /** What https is spoken with; null: plain http. */
  tls: Tls | null;
  /** As the person told: behind NAT. */
  publicAddresses: string[];
  /** The machine's, without loopback. */
  ownAddresses: string[];
  /** Where browsers go, the likeliest first; never empty. */
  urls(port: number): [string, ...string[]];
}

/** @throws StartRefusal when the person's own certificate cannot be used */
export async function findReach(
  config: Config, place: { dataFolder: string; root: string; now: Date },
): Promise<Reach> {
  const host = config.lan && config.host === 'localhost' ? everyAddress() : config.host;
  const own = ownAddresses();
  const publicAddresses = addressesOf(config.publicIp);
  const tls = await findTls(config, place, { host, own, publicAddresses });
  const scheme = tls === null ? 'http' : 'https';
  const names = namesOf(host, tls, own);
  return {
    host, tls, publicAddresses, ownAddresses: own,
    urls(port) {
      const [first = 'localhost', ...more] = names;
      const local = more.map((name) => urlOf(scheme, name, port));
      if (config.publicUrl !== null) return [config.publicUrl, urlOf(scheme, first, port), ...local];
      return [urlOf(scheme, first, port), ...local];
    },
  };
}

/** Whether nothing but this machine can reach the server, so that whoever asks it also reads its log. */
export function isOnlyHere({ publicUrl }: Pick<Config, 'publicUrl'>, { host }: Pick<Reach, 'host'>): boolean {
  return publicUrl === null && isLoopback(host);
}

/** As this machine reaches it. */
export function localUrl(reach: Reach, port: number): string {
  return urlOf(reach.tls === null ? 'http' : 'https', isEveryAddress(reach.host) ? 'localhost' : reach.host, port);
}

function urlOf(scheme: 'http' | 'https', name: string, port: number): string {
  return `${scheme}://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

async function findTls(
  config: Config, place: { dataFolder: string; root: string; now: Date },
  known: { host: string; own: string[]; publicAddresses: string[] },
): Promise<Tls | null> {
  if (config.certificateFile !== null && config.keyFile !== null) {
    const files = {
      certificate: resolve(place.root, config.certificateFile), key: resolve(place.root, config.keyFile),
    };
    return ownCertificate(files, place.now);
  }
  if (!config.lan) return null;
  const named = config.publicUrl === null ? [] : [new URL(config.publicUrl).hostname.replace(/^\[|\]$/g, '')];
  return selfMadeCertificate(place.dataFolder, {
    needed: [
      'localhost', '127.0.0.1', '::1', ...hostNames(), ...named, ...known.publicAddresses,
      ...(isEveryAddress(known.host) ? lastingAddresses() : [known.host]),
    ],
    welcome: known.own,
  }, place.now);
}

/** The machine's name, and as Apple's and Linux's name services tell it in the local network. */
function hostNames(): string[] {
  const name = hostname().toLowerCase();
  // Others (with `_`, say) are no DNS names and would spoil the certificate.
  if (!/^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*$/.test(name)) return [];
  return name.includes('.') ? [name] : [name, `${name}.local`];
}

function namesOf(host: string, tls: Tls | null, own: string[]): string[] {
  if (!isEveryAddress(host)) return [host];
  return tls === null ? ['localhost'] : inNetwork(tls, own);
}

/** How other machines call this one: what the certificate is for comes first, a name of a person's own before that. */
function inNetwork(tls: Tls, own: string[]): string[] {
  const certificate = new X509Certificate(tls.certificate);
  const isCovered = (address: string) => covers(certificate, address);
  const names = [...(certificate.subjectAltName ?? '').matchAll(/DNS:([\w.-]+)/g)].map(([, name = '']) => name);
  const covered = own.filter(isCovered);
  return [...(tls.isSelfMade ? [] : names), ...covered, ...own.filter((address) => !covered.includes(address))];
}

/** Lines for whoever started it: other addresses, what the certificate looks like, a code for the phone's camera. */
export function wordsFor(
  reach: Reach, { address, others }: { address: string; others: string[] }, columns: number,
): string[] {
  if (reach.tls === null) return [];
  const studio = `${address}/studio`;
  const code = qrLines(studio, columns);
  const { fingerprint, isSelfMade } = reach.tls;
  return [
    ...(others.length === 0 ? [] : [`Also at: ${others.join('  ')}`]),
    '', `To go live from a phone in the same network, open ${studio}`, ...code,
    ...(isSelfMade ? [
      'Nacre made its certificate itself, so the phone warns once that the connection is not private. Go on if the',
      'details of the warning show this SHA-256 fingerprint (Advanced, Proceed; in Safari: Show Details, visit this',
      'website):',
    ] : ['SHA-256 fingerprint of the certificate:']),
    ...inTwo(fingerprint), '',
  ];
}

/** A fingerprint in two lines, which fit any terminal. */
function inTwo(fingerprint: string): string[] {
  const half = Math.ceil(fingerprint.length / 2);
  return [`  ${fingerprint.slice(0, half)}`, `  ${fingerprint.slice(half)}`];
}
