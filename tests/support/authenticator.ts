/** An authenticator in software (WebAuthn Level 3, section 6), for passkeys without a browser. */
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import type { PasskeyMade, PasskeyShown } from '@nacre/contract/identity';

interface MakeOptions {
  challenge: string;
  rp: { id: string };
  user: { id: string };
}

interface ShowOptions {
  challenge: string;
  rpId: string;
}

export interface Authenticator {
  /** What a browser at this origin answers to the options. */
  make(options: MakeOptions, origin: string): PasskeyMade;
  /** @param changes.counter of the signature; one more than the last by default */
  show(options: ShowOptions, origin: string, changes?: { counter?: number; isVerified?: boolean }): PasskeyShown;
}

/** User present, and verified; attested credential data follows. */
const [PRESENT, VERIFIED, ATTESTED] = [0x01, 0x04, 0x40];

export function createAuthenticator(): Authenticator {
  const id = randomBytes(16);
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  let userHandle = '';
  let count = 0;

  const clientData = (type: string, challenge: string, origin: string): Buffer =>
    Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
  const head = (rpId: string, flags: number, counter: number): Buffer => {
    const tail = Buffer.alloc(5);
    tail.writeUInt8(flags, 0);
    tail.writeUInt32BE(counter, 1);
    return Buffer.concat([createHash('sha256').update(rpId).digest(), tail]);
  };
  const names = { id: id.toString('base64url'), rawId: id.toString('base64url'), type: 'public-key' as const };

  return {
    make(options, origin) {
      userHandle = options.user.id;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(id.length);
      const authData = Buffer.concat([
        head(options.rp.id, PRESENT | VERIFIED | ATTESTED, 0), Buffer.alloc(16), length, id, coseKey(publicKey),
      ]);
      return {
        ...names,
        response: {
          clientDataJSON: clientData('webauthn.create', options.challenge, origin).toString('base64url'),
          attestationObject: attestation(authData).toString('base64url'),
          transports: ['internal'],
        },
      };
    },
    show(options, origin, { counter = count + 1, isVerified = true } = {}) {
      count = counter;
      const data = clientData('webauthn.get', options.challenge, origin);
      const authData = head(options.rpId, PRESENT | (isVerified ? VERIFIED : 0), counter);
      const signed = Buffer.concat([authData, createHash('sha256').update(data).digest()]);
      return {
        ...names,
        response: {
          clientDataJSON: data.toString('base64url'),
          authenticatorData: authData.toString('base64url'),
          signature: sign('sha256', signed, privateKey).toString('base64url'),
          userHandle,
        },
      };
    },
  };
}

/** COSE_Key of an ES256 key (RFC 9053, section 7.1.1) in CBOR: kty 2, alg -7, crv 1, x, y. */
function coseKey(key: KeyObject): Buffer {
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  const bytes = (text: string) => Buffer.concat([Buffer.from([0x58, 32]), Buffer.from(text, 'base64url')]);
  return Buffer.concat([
    Buffer.from([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21]), bytes(x), Buffer.from([0x22]), bytes(y),
  ]);
}

/** `{ fmt: "none", attStmt: {}, authData }` in CBOR. */
function attestation(authData: Buffer): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.from([0x60 | value.length]), Buffer.from(value)]);
  return Buffer.concat([
    Buffer.from([0xa3]), text('fmt'), text('none'), text('attStmt'), Buffer.from([0xa0]), text('authData'),
    Buffer.from([0x58, authData.length]), authData,
  ]);
}
