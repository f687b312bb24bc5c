/**
 * A push service on this machine, as a browser maker runs one: it takes what is posted to an endpoint, and a browser
 * with its keys decrypts it. Written from RFC 8188, 8291 and 8292, not from the library that the server encrypts with.
 */
import assert from 'node:assert/strict';
import { createDecipheriv, createECDH, createPublicKey, hkdfSync, randomBytes, verify } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PushMessage, PushSubscriptionBody } from '@nacre/contract/notifications';

export interface Pushed {
  headers: IncomingHttpHeaders;
  message: PushMessage;
  bytes: number;
}

export interface TestBrowser {
  subscription: PushSubscriptionBody;
  /** What came, decrypted, the first first. */
  pushed: Pushed[];
  /** What the service answers from now on. */
  answer: number;
}

export interface PushService {
  /** A browser that takes pushes signed by this key only. */
  newBrowser(publicKey: string): TestBrowser;
  stop(): Promise<void>;
}

const derive = (secret: Buffer, salt: Buffer, info: Buffer | string, length: number) =>
  Buffer.from(hkdfSync('sha256', secret, salt, info, length));

export async function createPushService(): Promise<PushService> {
  const browsers = new Map<string, { browser: TestBrowser; take(headers: IncomingHttpHeaders, body: Buffer): void }>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const found = browsers.get(request.url ?? '');
      if (found === undefined) return response.writeHead(404).end();
      if (found.browser.answer >= 300) return response.writeHead(found.browser.answer).end('no');
      found.take(request.headers, Buffer.concat(chunks));
      return response.writeHead(201).end();
    });
  });
  await new Promise<void>((go) => void server.listen(0, '127.0.0.1', go));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    newBrowser(publicKey) {
      const path = `/push/${randomBytes(12).toString('base64url')}`;
      const keys = createECDH('prime256v1');
      const p256dh = keys.generateKeys();
      const auth = randomBytes(16);
      const browser: TestBrowser = {
        subscription: {
          endpoint: origin + path, keys: { p256dh: p256dh.toString('base64url'), auth: auth.toString('base64url') },
        },
        pushed: [],
        answer: 201,
      };
      const take = (headers: IncomingHttpHeaders, body: Buffer) => {
        assertSigned(headers.authorization ?? '', publicKey, origin);
        assert.equal(headers['content-encoding'], 'aes128gcm');
        const message = JSON.parse(decrypt(body, keys, auth)) as PushMessage;
        browser.pushed.push({ headers, message, bytes: body.length });
      };
      browsers.set(path, { browser, take });
      return browser;
    },
    stop: () => new Promise((go) => {
      server.close(() => go());
      server.closeAllConnections();
    }),
  };
}

/** RFC 8292: a JWT of ES256 for this service, a day at most, by the key that the browser subscribed with. */
function assertSigned(authorization: string, publicKey: string, origin: string): void {
  const [, token = '', key] = /^vapid t=([^,]+), ?k=(.+)$/.exec(authorization) ?? [];
  assert.equal(key, publicKey);
  const [head = '', claims = '', signature = ''] = token.split('.');
  const point = Buffer.from(publicKey, 'base64url');
  const jwk = {
    kty: 'EC', crv: 'P-256',
    x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33).toString('base64url'),
  };
  const isRight = verify('sha256', Buffer.from(`${head}.${claims}`), {
    key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363',
  }, Buffer.from(signature, 'base64url'));
  assert.ok(isRight, 'the signature is of another key');
  const said = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { aud: string; exp: number; sub: string };
  assert.equal(said.aud, origin);
  assert.match(said.sub, /^(mailto|https):/);
  assert.ok(said.exp > Date.now() / 1000 && said.exp <= Date.now() / 1000 + 24 * 3600 + 5);
}

/** One record of RFC 8188, with the key agreed on as in RFC 8291, section 3.4. */
function decrypt(body: Buffer, keys: ReturnType<typeof createECDH>, auth: Buffer): string {
  const salt = body.subarray(0, 16);
  const idLength = body[20] ?? 0;
  const sender = body.subarray(21, 21 + idLength);
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), keys.getPublicKey(), sender]);
  const secret = derive(keys.computeSecret(sender), auth, info, 32);
  const key = derive(secret, salt, 'Content-Encoding: aes128gcm\0', 16);
  const nonce = derive(secret, salt, 'Content-Encoding: nonce\0', 12);
  const sealed = body.subarray(21 + idLength);
  const opening = createDecipheriv('aes-128-gcm', key, nonce).setAuthTag(sealed.subarray(-16));
  const padded = Buffer.concat([opening.update(sealed.subarray(0, -16)), opening.final()]);
  return padded.subarray(0, padded.lastIndexOf(2)).toString('utf8');
}
