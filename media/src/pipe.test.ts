import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { duplexPair } from 'node:stream';
import test from 'node:test';
import { createFrameReader, createPipeEnd, encodeFrame, maxFrameBytes, type PipeMessage } from './pipe.ts';

test('[M20] frames arrive whole, in whatever pieces the pipe delivers them', () => {
  const body = randomBytes(5000);
  const frames = [encodeFrame({ type: 'a', n: 1 }), encodeFrame({ type: 'b' }, body), encodeFrame({ type: 'c' })];
  const bytes = Buffer.concat(frames.flat());
  for (const size of [1, 2, 3, 7, 64, 4096, bytes.length]) {
    const got: PipeMessage[] = [];
    const read = createFrameReader((message) => got.push(message));
    for (let at = 0; at < bytes.length; at += size) read(bytes.subarray(at, at + size));
    assert.deepEqual(got.map(({ head }) => head.type), ['a', 'b', 'c'], `pieces of ${size}`);
    assert.ok(got[1]!.body.equals(body));
  }
});

test('[M20] a broken or oversized frame ends the pipe, once', async () => {
  const tooLong = Buffer.alloc(8);
  tooLong.writeUInt32LE(maxFrameBytes + 1, 0);
  for (const broken of [tooLong, Buffer.alloc(64), Buffer.from('0600000002000000ff00', 'hex'), randomBytes(64)]) {
    const [ours, theirs] = duplexPair();
    const ended: string[] = [];
    createPipeEnd(ours, { onMessage: () => undefined, onEnd: (reason) => ended.push(reason) });
    theirs.on('error', () => undefined);
    theirs.write(broken);
    theirs.end();
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(ended.length, 1);
  }
});

test('[M20] what the other end does not read is dropped beyond a bound, and said to be', () => {
  const [ours] = duplexPair();
  const end = createPipeEnd(ours, { onMessage: () => undefined, onEnd: () => undefined });
  const body = Buffer.alloc(1024 * 1024);
  let sent = 0;
  while (end.offer({ type: 'x' }, body) && sent < 100) sent += 1;
  assert.ok(sent >= 30 && sent < 40, `${sent} MB`);
  const before = end.queuedBytes();
  end.send({ type: 'down' });
  assert.ok(end.queuedBytes() > before, 'what must not get lost waits');
  ours.destroy();
});
