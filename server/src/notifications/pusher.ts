/**
 * Hands one message to one browser's push service (RFC 8030), encrypted for that browser (RFC 8291) and signed by this
 * installation (RFC 8292). Never throws: what became of it is the answer.
 *
 * Invariants: so many at once and no more; an answer's body is never read; no redirect is followed; a name that leads
 * to an address off the public internet is not called.
 */
import { createECDH, createHash } from 'node:crypto';
import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import webPush from 'web-push';
import type { Log } from '../platform/log.ts';
import { isPublicAddress, isPushEndpoint } from './endpoint.ts';

export interface PushTarget {
  endpoint: string;
  p256dh: string;
  auth: string;
}

export interface PushOptions {
  /** How long the service keeps it for a phone that is off. */
  ttlSeconds: number;
  urgency: 'normal' | 'high';
  /** A later one of the same topic takes its place in the service; up to 32 characters of base64url. */
  topic: string;
}

/** `gone`: the browser takes none any more. `later`: worth another try. `refused`: another try would change nothing. */
export type PushOutcome = 'sent' | 'gone' | 'later' | 'refused';

export interface Pusher {
  /** What browsers subscribe with, base64url. */
  publicKey: string;
  accepts(endpoint: string): boolean;
  send(target: PushTarget, message: string, options: PushOptions): Promise<PushOutcome>;
  stop(): void;
}

export interface PusherDeps {
  /** 32 bytes in base64url; the same gives the same keys. With other keys every subscription is void. */
  secret: string;
  /** Whom a push service may write to: `https:` or `mailto:`. */
  contact: string;
  log: Log;
  /** For tests only: a push service on this machine, without TLS. */
  allowsLoopback?: boolean;
}

/** Fewer make the followers of a star wait; more open as many connections at a time. */
const AT_ONCE_MAX = 64;
/** A push service answers within a second; a longer wait holds up the others behind a dead one. */
const ANSWER_WITHIN_MS = 5_000;

/** A P-256 key pair that follows from the secret. One secret in 2^32 is no key; its hash then is. */
export function vapidKeys(secret: string): { publicKey: string; privateKey: string } {
  const ecdh = createECDH('prime256v1');
  const bytes = Buffer.from(secret, 'base64url');
  try {
    ecdh.setPrivateKey(bytes);
  } catch {
    return vapidKeys(createHash('sha256').update(bytes).digest('base64url'));
  }
  return { publicKey: ecdh.getPublicKey('base64url'), privateKey: bytes.toString('base64url') };
}

/**
 * Whom push services may write to when something is wrong with our pushes (RFC 8292, 2.1): the site, else whoever sends
 * its mails. Without either there is nobody to name, and some services then take nothing.
 */
export function pushContact({ publicUrl, mailFrom }: { publicUrl: string | null; mailFrom: string | null }): string {
  if (publicUrl?.startsWith('https://')) return publicUrl;
  const address = /[^\s<>@]+@[^\s<>@]+/.exec(mailFrom ?? '')?.[0];
  return `mailto:${address ?? 'operator@nacre.invalid'}`;
}

/** `dns.lookup` that finds no address off the public internet; what is checked is what is connected to. */
const publicLookup: LookupFunction = (hostname, options, callback) => {
  dnsLookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    if (error !== null) return callback(error, '');
    const open = addresses.filter(({ address }) => isPublicAddress(address));
    const [first] = open;
    if (first === undefined) return callback(new Error(`${hostname} is not on the public internet`), '');
    if (options.all === true) callback(null, open);
    else callback(null, first.address, first.family);
  });
};

export function createPusher(deps: PusherDeps): Pusher {
  const { log, allowsLoopback = false } = deps;
  const vapidDetails = { subject: deps.contact, ...vapidKeys(deps.secret) };
  const pool = { keepAlive: true, maxSockets: AT_ONCE_MAX, maxTotalSockets: AT_ONCE_MAX };
  const https = new HttpsAgent({ ...pool, lookup: publicLookup });
  const http = new HttpAgent(pool);
  let running = 0;
  const waiting: Array<() => void> = [];

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (running >= AT_ONCE_MAX) await new Promise<void>((go) => void waiting.push(go));
    else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  }

  const isLoopback = (endpoint: string) => allowsLoopback && endpoint.startsWith('http://127.0.0.1:');
  const accepts = (endpoint: string) => isLoopback(endpoint) || isPushEndpoint(endpoint);

  function post(target: PushTarget, message: string, options: PushOptions): Promise<number> {
    const { endpoint, p256dh, auth } = target;
    const { headers, body } = webPush.generateRequestDetails({ endpoint, keys: { p256dh, auth } }, message, {
      vapidDetails, TTL: options.ttlSeconds, urgency: options.urgency, topic: options.topic,
      contentEncoding: 'aes128gcm',
    });
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    return new Promise((resolve, reject) => {
      const outgoing = { method: 'POST', headers: headers as Record<string, string>, signal };
      const request = isLoopback(endpoint)
        ? httpRequest(endpoint, { ...outgoing, agent: http })
        : httpsRequest(endpoint, { ...outgoing, agent: https });
      request.on('error', reject);
      request.on('response', (response) => {
        // A body that is not read would hold the connection; a service has nothing to say that is long.
        response.on('data', () => {}).on('error', () => {});
        resolve(response.statusCode ?? 0);
      });
      request.end(body);
    });
  }

  async function send(target: PushTarget, message: string, options: PushOptions): Promise<PushOutcome> {
    if (!accepts(target.endpoint)) return 'gone';
    try {
      const status = await inTurn(() => post(target, message, options));
      if (status >= 200 && status < 300) return 'sent';
      if (status === 404 || status === 410) return 'gone';
      if (status === 429 || status >= 500) return 'later';
      log.warn({ status, service: new URL(target.endpoint).host }, 'a push service refuses');
      return 'refused';
    } catch (error) {
      log.debug({ err: error, service: new URL(target.endpoint).host }, 'a push service was not reached');
      return 'later';
    }
  }

  return {
    publicKey: vapidDetails.publicKey,
    accepts,
    send,
    stop() {
      https.destroy();
      http.destroy();
    },
  };
}
