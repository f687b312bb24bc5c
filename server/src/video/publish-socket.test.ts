import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { WebSocket } from 'ws';
import {
  decodePublished, encodePublished, parsePublisherMessage, publishClose, publishLimits, publishSubprotocol,
} from '@nacre/contract/publish';
import type { PublishServerMessage } from '@nacre/contract/publish';
import { loadClip } from '@nacre/media/publisher/clip';
import type { MediaEvent } from '@nacre/media/hooks';
import { createPublisherRegistry } from '@nacre/media/publishing/registry';
import { createSocketPublishers } from '@nacre/media/socket/socket-publishers';
import { demoClip } from '../../../tests/support/publisher-stage.ts';
import { createUpgrades } from '../http/upgrade.ts';
import { Refusal } from '../lib/refusal.ts';
import { createPublishSocket } from './publish-socket.ts';

const clip = await loadClip(demoClip);
const startCode = Buffer.from([0, 0, 0, 1]);
const picture = (at: number): Uint8Array =>
  encodePublished({
    kind: 'picture', capturedMs: 1_000 + clip.pictures[at]!.ticks / 90,
    bytes: Buffer.concat(clip.pictures[at]!.nals.flatMap((nal) => [startCode, nal])),
  });

async function stage(t: TestContext, silenceMs: number = publishLimits.silenceMs) {
  const events: MediaEvent[] = [];
  const logged: string[] = [];
  const note = (fields: object, text: string) => void logged.push(JSON.stringify(fields) + text);
  const registry = createPublisherRegistry({
    onEvent: (event) => void events.push(event), takeOver: () => undefined, log: { error: note },
  });
  const publishers = createSocketPublishers({ registry, silenceMs });
  const socket = createPublishSocket({
    publishers, now: Date.now, log: { error: note },
    async authorizeStreamKey(key) {
      if (key === 'suspended') throw new Refusal('moderation.suspended');
      if (key === 'broken') throw new Error('the database is away');
      return key === 'good' ? { showId: 'show-1' } : null;
    },
  });
  const upgrades = createUpgrades({ log: { error: note } });
  upgrades.route('/live/publish', socket.upgrade);
  const server = createServer();
  upgrades.listenOn(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const opened: WebSocket[] = [];
  t.after(async () => {
    for (const one of opened) one.terminate();
    registry.stop();
    await socket.stop();
    server.close();
  });
  const connect = async (first?: object | string, protocol = publishSubprotocol) => {
    const webSocket = new WebSocket(`ws://127.0.0.1:${port}/live/publish`, protocol);
    opened.push(webSocket);
    const texts: PublishServerMessage[] = [];
    webSocket.on('message', (data) => void texts.push(JSON.parse(String(data))));
    const closed = new Promise<number>((resolve) => webSocket.on('close', resolve));
    await once(webSocket, 'open');
    if (first !== undefined) webSocket.send(typeof first === 'string' ? first : JSON.stringify(first));
    return { webSocket, texts, closed };
  };
  const welcomed = async (key = 'good') => {
    const line = await connect({ type: 'hello', key, hasSound: true });
    await until(() => line.texts.length > 0, 'an answer');
    assert.equal(line.texts[0]?.type, 'welcome');
    return line;
  };
  const types = () => events.map((event) => (event.type === 'down' ? `down ${event.reason}` : event.type));
  return { connect, welcomed, registry, publishers, socket, events, types, logged };
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 400 && !condition(); tries++) await new Promise((done) => setTimeout(done, 10));
  assert.ok(condition(), what);
}

test('[V60] pictures come through a socket to the same events as by WHIP, and the goodbye ends them', async (t) => {
  const { welcomed, types, events } = await stage(t);
  const { webSocket, closed } = await welcomed();
  for (let at = 0; at < 10; at++) webSocket.send(picture(at));
  await until(() => types().filter((type) => type === 'fragment').length >= 9, 'pictures');
  assert.deepEqual(types().slice(0, 2), ['up', 'init']);
  const init = events.find((event) => event.type === 'init');
  assert.deepEqual([init?.streamId, init?.width, init?.hasAudio], ['show-1', clip.width, true]);
  webSocket.close(publishClose.ended);
  assert.equal(await closed, publishClose.ended);
  await until(() => types().at(-1) === 'down closed', 'down');
});

test('[V60] without a right key nothing is published, the reason is told, and the key is in no log', async (t) => {
  const { connect, types, logged } = await stage(t);
  for (const [key, code, close] of [
    ['wrong', 'video.key_wrong', publishClose.refused],
    ['suspended', 'moderation.suspended', publishClose.refused],
    ['broken', 'server.failed', 1011],
  ] as const) {
    const { texts, closed } = await connect({ type: 'hello', key, hasSound: true });
    assert.equal(await closed, close);
    assert.deepEqual(texts.map((text) => text.type === 'refused' && text.code), [code]);
  }
  assert.deepEqual(types(), []);
  assert.equal(logged.length, 1, 'the fault of our own');
  assert.doesNotMatch(logged.join(''), /"key"|broken"/);
});

test('[V61] what a publisher does not send ends its session in words, before and after the key', async (t) => {
  const { connect, welcomed, types } = await stage(t);
  const early = await connect();
  early.webSocket.send(picture(0));
  assert.equal(await early.closed, publishClose.policy);
  for (const text of ['', '{', 'null', '{"type":"hello"}', '{"type":"ping","sentMs":1}', 'x'.repeat(2_000)]) {
    assert.equal(await (await connect(text)).closed, publishClose.policy, text.slice(0, 40));
  }
  for (const message of [Buffer.alloc(3), Buffer.alloc(40, 1), '{"type":"ping","sentMs":-1}', '{"type":"hello"}']) {
    const line = await welcomed();
    line.webSocket.send(message);
    assert.equal(await line.closed, publishClose.policy);
    assert.equal(line.texts.at(-1)?.type, 'refused');
  }
  const large = await welcomed();
  large.webSocket.send(Buffer.alloc(publishLimits.messageBytes + 1));
  assert.equal(await large.closed, 1009);
  assert.ok(types().every((type) => type === 'down lost'), types().join());
});

test('[V61] more than a show has is refused, what piled up on a line is not', async (t) => {
  const { welcomed, types } = await stage(t);
  const { webSocket, texts, closed } = await welcomed();
  const ping = JSON.stringify({ type: 'ping', sentMs: 1 });
  for (let count = 0; count < publishLimits.messagesAtOnce - 10; count++) webSocket.send(ping);
  await until(() => texts.length === publishLimits.messagesAtOnce - 9, 'each answered');
  for (let count = 0; count < publishLimits.messagesPerSecond * 5; count++) webSocket.send(ping);
  assert.equal(await closed, publishClose.policy);
  const last = texts.at(-1);
  assert.equal(last?.type === 'refused' && last.code, 'request.too_many');
  await until(() => types().at(-1) === 'down lost', 'down');
});

test('[V61] another protocol is refused, and who says nothing is let go', async (t) => {
  const { connect } = await stage(t);
  await assert.rejects(connect(undefined, 'other'), /400/);
  const { closed } = await connect();
  const startedMs = performance.now();
  assert.equal(await closed, publishClose.policy);
  assert.ok(performance.now() - startedMs >= publishLimits.helloWithinMs - 50);
});

test('[V62] a publisher is told why its session ended: taken over, over, silent, or the server stops', async (t) => {
  const { welcomed, registry, socket, types } = await stage(t, 300);
  const first = await welcomed();
  first.webSocket.send(picture(0));
  const second = await welcomed();
  second.webSocket.send(picture(0));
  assert.equal(await first.closed, publishClose.replaced);
  registry.drop('show-1');
  assert.equal(await second.closed, publishClose.ended);
  const silent = await welcomed();
  assert.equal(await silent.closed, publishClose.lost);
  const last = await welcomed();
  last.webSocket.send(picture(0));
  await until(() => types().at(-1) === 'init', 'on air');
  void socket.stop();
  assert.equal(await last.closed, publishClose.goingAway);
});

test('[V61] the layout of messages is read back as it was written, and nothing else is', () => {
  const sound = { kind: 'sound' as const, capturedMs: 1234.5, bytes: new Uint8Array([0xfc, 1, 2]) };
  assert.deepEqual(decodePublished(encodePublished(sound)), sound);
  assert.equal(decodePublished(encodePublished({ ...sound, capturedMs: Number.NaN })), null);
  assert.equal(decodePublished(encodePublished({ ...sound, capturedMs: -1 })), null);
  assert.equal(decodePublished(encodePublished({ ...sound, bytes: new Uint8Array(2_000) })), null);
  assert.equal(decodePublished(encodePublished({ ...sound, bytes: new Uint8Array(0) })), null);
  for (const text of ['[]', '1', '{"type":1}', '{"type":"hello","key":1,"hasSound":true}', '{"type":"bye"}',
    '{"type":"ping","sentMs":1,"before":null}', '{"type":"ping","sentMs":1,"before":{"sentMs":1}}',
    `{"type":"hello","key":"${'k'.repeat(300)}","hasSound":true}`]) {
    assert.equal(parsePublisherMessage(text), null, text);
  }
});
