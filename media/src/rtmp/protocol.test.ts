import assert from 'node:assert/strict';
import test from 'node:test';
import {
  avcHeader, command, connectCommand, createStream, handshake, hello, hex, message, picture, publish,
} from '../../../tests/support/rtmp-client.ts';
import { createRtmpProtocol, rtmpLimits, type RtmpMessage } from './protocol.ts';

function stage(admits = () => true) {
  const sent: Buffer[] = [];
  const asked: string[] = [];
  const media: RtmpMessage[] = [];
  let goodbyes = 0;
  const protocol = createRtmpProtocol({
    send: (bytes) => void sent.push(bytes),
    onPublish: (name) => void asked.push(name),
    onMedia: (one) => void media.push(one),
    onGoodbye: () => void (goodbyes += 1),
    admits,
  });
  const heard = (): string => Buffer.concat(sent).toString('latin1');
  return { protocol, asked, media, heard, goodbyes: () => goodbyes };
}

const onAir = () => {
  const one = stage();
  assert.ok(one.protocol.take(hello('key')));
  one.protocol.accept();
  return one;
};

test('[M110] a connection is greeted, asked for its key and heard, in whatever pieces it comes', () => {
  const video = message({ type: 9, timestamp: 40, body: picture(true, 0, 7), on: 6 });
  for (const pieces of [1, 7, 4_000]) {
    const { protocol, asked, media, heard, goodbyes } = stage();
    const feed = (bytes: Buffer): void => {
      for (let at = 0; at < bytes.length; at += pieces) assert.ok(protocol.take(bytes.subarray(at, at + pieces)));
    };
    feed(hello('the-key?x=1'));
    assert.deepEqual(asked, ['the-key']);
    assert.match(heard(), /NetConnection\.Connect\.Success/);
    feed(video);
    assert.equal(media.length, 0, 'not before its key is right');
    protocol.accept();
    assert.match(heard(), /NetStream\.Publish\.Start/);
    feed(video);
    feed(message({ type: 8, timestamp: 20_000_000, body: hex('af01ff'), on: 6 }));
    assert.deepEqual(media.map(({ kind, timestamp, payload }) => [kind, timestamp, payload.length]),
      [['video', 40, picture(true).length], ['audio', 20_000_000, 3]]);
    assert.ok(media[0]!.payload.equals(picture(true, 0, 7)), 'a payload is not written over by the next');
    feed(command('deleteStream', 4, hex('05')));
    assert.equal(goodbyes(), 1);
  }
});

test('[M112] differences that have run for 49 days wrap', () => {
  const { protocol, media } = onAir();
  protocol.take(message({ type: 9, timestamp: 2 ** 32 - 10, body: avcHeader() }));
  // The short form: a difference of 30 ms.
  const body = picture(true);
  protocol.take(Buffer.concat([hex('44 00001e'), hex(body.length.toString(16).padStart(6, '0')), hex('09'), body]));
  assert.deepEqual(media.map(({ timestamp }) => timestamp), [2 ** 32 - 10, 20]);
});

test('[M115] what is no RTMP, out of turn or beyond a bound ends the connection and never throws', () => {
  const before: Array<[string, Buffer]> = [
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['RTMPE', hex('06')],
    ['publishing before connecting', Buffer.concat([handshake, publish('key')])],
    ['publishing twice', Buffer.concat([hello('key'), publish('other')])],
    ['an address that is none', Buffer.concat([handshake, command('connect', 1, hex('03 0005'),
      Buffer.from('tcUrl'), hex('02 0001 3a 000009'))])],
    ['playing', Buffer.concat([handshake, connectCommand, command('play', 3, hex('05'), hex('02 0001 61'))])],
    ['a long command', Buffer.concat([handshake, message({ type: 20, body: Buffer.alloc(8_193) })])],
    ['a long picture before its key', Buffer.concat([handshake, message({ type: 9, body: Buffer.alloc(100_000) })])],
    ['half a number', Buffer.concat([handshake, message({ type: 20, body: hex('00 3ff0') })])],
    ['chunks of nothing', Buffer.concat([handshake, message({ type: 1, on: 2, body: hex('00000000') })])],
    ['chunks beyond the bound', Buffer.concat([handshake, message({ type: 1, on: 2, body: hex('ffffffff') })])],
    ['a size that is cut off', Buffer.concat([handshake, message({ type: 1, on: 2, body: hex('00') })])],
    ['too many commands', Buffer.concat([handshake, ...Array.from({ length: 80 }, () => createStream)])],
    ['too many chunk streams', Buffer.concat([handshake, ...Array.from({ length: 40 }, (_, at) => (
      message({ type: 4, on: 3 + at, body: Buffer.alloc(6) })
    ))])],
  ];
  for (const [what, bytes] of before) assert.equal(stage().protocol.take(bytes), false, what);
  const { protocol } = onAir();
  assert.equal(protocol.take(message({ type: 9, body: Buffer.alloc(rtmpLimits.messageBytes + 1) })), false);
  assert.equal(stage(() => false).protocol.take(hello('key')), false, 'too many messages');
});

test('[M115] halves of messages are held up to a bound, and a length that changes in between is no message', () => {
  const { protocol } = onAir();
  const half = (on: number): Buffer => (
    message({ type: 9, on, body: Buffer.alloc(rtmpLimits.messageBytes) }).subarray(0, 100)
  );
  // One chunk of each, and the rest never comes.
  const start = (on: number): Buffer => Buffer.concat([half(on), Buffer.alloc(12 + 128 - 100)]);
  assert.ok(protocol.take(start(4)));
  assert.ok(protocol.take(start(5)));
  assert.equal(protocol.take(start(6)), false);
  const other = onAir();
  assert.ok(other.protocol.take(message({ type: 9, on: 4, body: Buffer.alloc(300) }).subarray(0, 12 + 128)));
  const longer = Buffer.concat([hex('44 000000 000800 09'), Buffer.alloc(128)]);
  const rest = Buffer.concat(Array.from({ length: 20 }, () => Buffer.concat([hex('c4'), Buffer.alloc(128)])));
  assert.equal(other.protocol.take(Buffer.concat([longer, rest])), false);
});

test('[M115] an encoder that counts what is acknowledged is not left waiting', () => {
  const { protocol, heard } = onAir();
  protocol.take(message({ type: 1, on: 2, body: hex('0000ffff') }));
  const before = heard().length;
  for (let at = 0; at < 5; at += 1) protocol.take(message({ type: 9, body: Buffer.alloc(1_000_000), size: 0xffff }));
  assert.equal(heard().length - before, 2 * 16, 'two acknowledgements of 16 bytes');
});

test('[V92] why an encoder is refused stands in the answer', () => {
  const { protocol, heard } = stage();
  protocol.take(hello('key'));
  protocol.refuse('Set the keyframe interval to 2 s.');
  assert.match(heard(), /onStatus.*error.*NetStream\.Publish\.BadName.*Set the keyframe interval to 2 s\./s);
});
