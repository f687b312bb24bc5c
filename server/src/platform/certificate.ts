/**
 * What https is spoken with: a certificate made here for the machine's own addresses, or the person's own.
 *
 * Invariants: a private key never leaves the data folder and is readable by its owner only; what a person brought is
 * never changed; one that browsers would refuse outright (expired, of another key) is refused before anything starts.
 */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { writeWhole } from './data-folder.ts';
import { StartRefusal, errorCode, errorText } from './start-refusal.ts';

/** In PEM. */
export interface Tls {
  certificate: string;
  key: string;
  /** SHA-256 of the certificate, `AB:CD:…`, as browsers show it. */
  fingerprint: string;
  /** Made here, so that browsers warn of it. */
  isSelfMade: boolean;
}

/** Certificate and key in one file, so that a crash leaves both old or both new. */
const FILE = 'lan-certificate.json';
const DAY_MS = 24 * 3600_000;
/**
 * Apple's systems take no certificate of longer than 825 days, the day before included. Shorter makes every phone
 * warn again sooner.
 */
const VALID_DAYS = 800;
/** Clocks of phones and servers differ; from a certificate of tomorrow a phone does not even let one go on. */
const BEFORE_DAYS = 1;
/** A start this long before the end makes a new one. Shorter lets it run out under a server that seldom stops. */
const RENEW_DAYS = 90;

/**
 * The certificate of this data folder for these names and addresses; made when there is none, when one of `needed` is
 * not in it, or when it is about to run out. Otherwise always the same one: a phone that has been told to trust it
 * warns again for each new one.
 *
 * @param subjects.needed without these a new one is made; `welcome` ones are only put into a new one, because those
 *   of IPv6 and of virtual networks come and go
 */
export async function selfMadeCertificate(
  folder: string, subjects: { needed: string[]; welcome: string[] }, now: Date,
): Promise<Tls> {
  const kept = readKept(join(folder, FILE));
  if (kept !== null && isGoodFor(kept.certificate, subjects.needed, now)) return tlsOf(kept, true);
  const made = await make([...new Set([...subjects.needed, ...subjects.welcome])], now);
  writeWhole(join(folder, FILE), made, 0o600);
  return tlsOf(made, true);
}

interface Pair {
  certificate: string;
  key: string;
}

function tlsOf({ certificate, key }: Pair, isSelfMade: boolean): Tls {
  return { certificate, key, fingerprint: new X509Certificate(certificate).fingerprint256, isSelfMade };
}

/** Null when there is none or it is damaged: a new one costs nothing but a warning. */
function readKept(file: string): Pair | null {
  try {
    const { certificate, key } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Pair>;
    if (typeof certificate !== 'string' || typeof key !== 'string') return null;
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)) ? { certificate, key } : null;
  } catch {
    return null;
  }
}

function isGoodFor(pem: string, needed: string[], now: Date): boolean {
  const certificate = new X509Certificate(pem);
  const lastMs = certificate.validToDate.getTime() - RENEW_DAYS * DAY_MS;
  return certificate.validFromDate <= now && now.getTime() < lastMs
    && needed.every((name) => covers(certificate, name));
}

/** Whether the certificate is for this host name or address. */
export function covers(certificate: X509Certificate, name: string): boolean {
  return (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined;
}

async function make(names: string[], now: Date): Promise<Pair> {
  // Only here: an ordinary start does without it.
  const { generate } = await import('selfsigned');
  const pems = await generate([{ name: 'commonName', value: 'Nacre' }], {
    keyType: 'ec', curve: 'P-256', algorithm: 'sha256',
    notBeforeDate: new Date(now.getTime() - BEFORE_DAYS * DAY_MS),
    notAfterDate: new Date(now.getTime() + VALID_DAYS * DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: names.map((name) => (isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name })),
      },
    ],
  });
  return { certificate: pems.cert, key: pems.private };
}

/**
 * The person's own, as two PEM files; the certificate's may hold the chain.
 *
 * @throws StartRefusal when they cannot be read, are not what they should be, do not belong together, or when the
 *   certificate is not valid now
 */
export function ownCertificate(files: { certificate: string; key: string }, now: Date): Tls {
  const certificate = readPem(files.certificate, '--cert', 'certificate');
  const key = readPem(files.key, '--key', 'key');
  const parsed = parse(() => new X509Certificate(certificate),
    `${files.certificate} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----). Check --cert.`);
  const privateKey: KeyObject = parse(() => createPrivateKey(key),
    `${files.key} holds no private key in PEM form without a password (-----BEGIN PRIVATE KEY-----). Check --key.`);
  if (!parsed.checkPrivateKey(privateKey)) {
    throw new StartRefusal(`The key ${files.key} does not belong to the certificate ${files.certificate}. `
      + 'Name two files that were made together: --cert FILE --key FILE');
  }
  if (parsed.validToDate <= now) {
    throw new StartRefusal(`The certificate ${files.certificate} expired on ${day(parsed.validToDate)}. `
      + 'Renew it, or start with --lan alone: Nacre then makes one itself.');
  }
  if (parsed.validFromDate > now) {
    const from = day(parsed.validFromDate);
    throw new StartRefusal(`The certificate ${files.certificate} is valid only from ${from} on. `
      + 'Check the clock of this machine, or use another certificate.');
  }
  parse(() => createSecureContext({ cert: certificate, key }),
    `The certificate ${files.certificate} cannot be used for https. Check the whole file: --cert`);
  return tlsOf({ certificate, key }, false);
}

function readPem(file: string, option: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const why = {
      ENOENT: 'there is no such file', EACCES: 'permission denied', EPERM: 'permission denied',
      EISDIR: 'it is a folder',
    }[errorCode(error)] ?? errorText(error);
    throw new StartRefusal(`The ${what} ${file} cannot be read: ${why}. Check ${option}.`, { cause: error });
  }
}

function parse<T>(read: () => T, sentence: string): T {
  try {
    return read();
  } catch (error) {
    throw new StartRefusal(sentence, { cause: error });
  }
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}
