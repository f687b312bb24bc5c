/**
 * Asks a TURN server for a relay as a publisher's browser would (RFC 8656 §7.2), to learn whether it is there and takes
 * names made from our secret. The relay is given back at once.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { iceServersFor } from '../video/ice-servers.ts';

const answerWithinMs = 3_000;
/** UDP loses packets: asked again after so long. */
const repeatMs = 700;
const defaultPort = 3478;
const cookie = 0x2112a442;
const allocate = 0x0003;
const refresh = 0x0004;
const attribute = {
  username: 0x0006, integrity: 0x0008, errorCode: 0x0009, lifetime: 0x000d, realm: 0x0014, nonce: 0x0015,
  requestedTransport: 0x0019,
} as const;

type Attributes = readonly (readonly [type: number, value: Buffer])[];

/** Null when it gives a relay, else what is wrong and what to do. */
export async function asksTurn(
  { url, secret, nowMs }: { url: string; secret: string; nowMs: number },
): Promise<string | null> {
  const [, scheme, host = '', port, transport] = /^(turns?):(\[[^\]]+\]|[^:?]+)(?::(\d+))?(?:\?transport=(\w+))?$/i
    .exec(url) ?? [];
  const place = { host: host.replace(/^\[|\]$/g, ''), port: Number(port ?? (scheme === 'turns' ? 5349 : defaultPort)) };
  if (scheme === 'turns' || transport === 'tcp') {
    const isOpen = await canConnect(place);
    return isOpen ? 'is there, but Chromium does not get through by TCP: add one with ?transport=udp.'
      : 'does not answer. Look at its address, and let its port in.';
  }
  const ask = openTalk(place);
  try {
    const wanted = [attribute.requestedTransport, Buffer.from([17, 0, 0, 0])] as const;
    const first = await ask.request(message(allocate, [wanted], null));
    if (first === null) return `does not answer by UDP. Look at its address, and let UDP ${place.port} in.`;
    const [realm, nonce] = [first.get(attribute.realm), first.get(attribute.nonce)];
    if (realm === undefined || nonce === undefined) return 'asks for no names: set use-auth-secret and realm in it.';
    const [server] = iceServersFor({ urls: [url], secret }, 'doctor', nowMs);
    const { username = '', credential = '' } = server ?? {};
    const key = createHash('md5').update(`${username}:${realm.toString()}:${credential}`).digest();
    const named: Attributes = [
      [attribute.username, Buffer.from(username)], [attribute.realm, realm], [attribute.nonce, nonce],
    ];
    const second = await ask.request(message(allocate, [wanted, ...named], key));
    if (second === null) return 'stopped answering.';
    const code = second.get(attribute.errorCode);
    if (code !== undefined) {
      return codeOf(code) === 401 ? 'does not take our names: its static-auth-secret is not NACRE_TURN_SECRET.'
        : `refuses a relay (${codeOf(code)}). Its log says why.`;
    }
    await ask.request(message(refresh, [[attribute.lifetime, Buffer.alloc(4)], ...named], key));
    return null;
  } finally {
    ask.close();
  }
}

const codeOf = (value: Buffer): number => (value[2] ?? 0) * 100 + (value[3] ?? 0);

/** A STUN message (RFC 8489 §5), with MESSAGE-INTEGRITY (§14.5) where there is a key. */
function message(type: number, attributes: Attributes, key: Buffer | null): Buffer {
  const body = attributes.map(([kind, value]) => {
    const padded = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
    padded.writeUInt16BE(kind, 0);
    padded.writeUInt16BE(value.length, 2);
    value.copy(padded, 4);
    return padded;
  });
  const head = Buffer.alloc(20);
  const length = body.reduce((sum, { length: bytes }) => sum + bytes, 0);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(length + (key === null ? 0 : 24), 2);
  head.writeUInt32BE(cookie, 4);
  randomBytes(12).copy(head, 8);
  const whole = Buffer.concat([head, ...body]);
  if (key === null) return whole;
  const integrity = Buffer.from([0, attribute.integrity, 0, 20]);
  return Buffer.concat([whole, integrity, createHmac('sha1', key).update(whole).digest()]);
}

/** The attributes of an answer; null for what is none. */
function readAttributes(answer: Buffer): Map<number, Buffer> | null {
  if (answer.length < 20 || answer.readUInt32BE(4) !== cookie) return null;
  const found = new Map<number, Buffer>();
  for (let at = 20; at + 4 <= answer.length; ) {
    const size = answer.readUInt16BE(at + 2);
    if (at + 4 + size > answer.length) break;
    found.set(answer.readUInt16BE(at), answer.subarray(at + 4, at + 4 + size));
    at += 4 + Math.ceil(size / 4) * 4;
  }
  return found;
}

function openTalk({ host, port }: { host: string; port: number }) {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.on('error', () => undefined);
  return {
    /** Null when no answer comes in time. */
    request: (packet: Buffer) => new Promise<Map<number, Buffer> | null>((resolve) => {
      const send = (): void => socket.send(packet, port, host, () => undefined);
      const done = (answer: Map<number, Buffer> | null): void => {
        clearTimeout(timer);
        clearInterval(again);
        socket.off('message', hear);
        resolve(answer);
      };
      const hear = (answer: Buffer): void => {
        const found = answer.subarray(8, 20).equals(packet.subarray(8, 20)) ? readAttributes(answer) : null;
        if (found !== null) done(found);
      };
      const timer = setTimeout(() => done(null), answerWithinMs);
      const again = setInterval(send, repeatMs);
      socket.on('message', hear);
      send();
    }),
    close: () => socket.close(),
  };
}

function canConnect(place: { host: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...place, timeout: answerWithinMs });
    const done = (isOpen: boolean): void => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
    socket.once('timeout', () => done(false));
  });
}
