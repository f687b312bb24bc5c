import assert from 'node:assert/strict';
import test from 'node:test';
import {
  aacHeader, avcHeader, handshake, hello, hex, message, openRtmp, picture, type RtmpLine,
} from '../../../tests/support/rtmp-client.ts';
import { startRtmpStage } from '../../../tests/support/rtmp-stage.ts';

const start = (line: RtmpLine): void => {
  line.send(message({ type: 9, body: avcHeader() }));
  line.send(message({ type: 9, body: picture(true) }));
};

test('[V90] a stream’s name is its key: right ones publish, wrong ones are told, none is logged', async (t) => {
  const stage = await startRtmpStage(t);
  const line = await openRtmp(t, stage.port, hello('show-1'));
  await stage.until('welcome', () => line.heard().includes('NetStream.Publish.Start'));
  start(line);
  await stage.until('a picture', () => stage.of('init').length === 1);
  assert.equal(stage.of('up')[0]!.streamId, 'show-1');
  for (const [key, words] of [
    ['wrong', /This stream key opens no show\. Make a new one in the studio\./],
    ['suspended', /NetStream\.Publish\.BadName/], ['broken', /The server failed\./],
  ] as const) {
    assert.match(await (await openRtmp(t, stage.port, hello(key))).closed, words);
  }
  assert.equal(stage.of('up').length, 1);
  assert.ok(stage.logged.length > 0 && stage.logged.every((one) => !/show-1|wrong|suspended/.test(one)));
});

test('[V90] media before a key, and with one that is not right, is not looked at', async (t) => {
  const stage = await startRtmpStage(t);
  const line = await openRtmp(t, stage.port, Buffer.concat([handshake, message({ type: 9, body: avcHeader() })]));
  start(line);
  const wrong = await openRtmp(t, stage.port, Buffer.concat([hello('wrong'), message({ type: 9, body: avcHeader() })]));
  start(wrong);
  await wrong.closed;
  assert.deepEqual(stage.events, []);
});

test('[V91] strangers, the time to name a key, and the rate of messages are bounded', async (t) => {
  const stage = await startRtmpStage(t);
  const lines = await Promise.all(Array.from({ length: 50 }, () => openRtmp(t, stage.port, handshake)));
  const [first] = lines;
  assert.equal(await (await openRtmp(t, stage.port, hello('show-1'))).closed, '', 'the fifty-first is let go');
  first!.end();
  await stage.until('room', () => true);
  await new Promise((done) => setTimeout(done, 100));
  const known = await openRtmp(t, stage.port, hello('show-1'));
  await stage.until('welcome', () => known.heard().includes('NetStream.Publish.Start'));
  known.send(Buffer.concat(Array.from({ length: 2_500 }, () => message({ type: 8, body: hex('af00 1210') }))));
  assert.match(await known.closed, /More comes than a show may send\. Set the video bitrate/);
  assert.deepEqual(stage.problems, [{ code: 'too_much', found: null }]);
  const startMs = performance.now();
  await lines[1]!.closed;
  assert.ok(performance.now() - startMs < 9_000, 'who names no key within 8 s is let go');
});

test('[V92] an encoder is told why its session ended: taken over, over, silent', async (t) => {
  const stage = await startRtmpStage(t, 400);
  const open = async (key: string): Promise<RtmpLine> => {
    const line = await openRtmp(t, stage.port, hello(key));
    await stage.until('welcome', () => line.heard().includes('NetStream.Publish.Start'));
    start(line);
    return line;
  };
  const first = await open('show-1');
  await stage.until('a picture', () => stage.of('init').length === 1);
  const second = await open('show-1');
  assert.match(await first.closed, /Another device publishes this show now\./);
  stage.registry.drop('show-1');
  assert.match(await second.closed, /The show is over, or its key was changed\./);
  assert.match(await (await open('show-2')).closed, /Nothing came for some seconds\./);
  assert.deepEqual(stage.of('down').map(({ reason }) => reason), ['replaced', 'closed', 'lost']);
});

test('[V93] the studio is told what is wrong, and that it is well again', async (t) => {
  const stage = await startRtmpStage(t);
  const line = await openRtmp(t, stage.port, hello('show-1'));
  await stage.until('welcome', () => line.heard().includes('NetStream.Publish.Start'));
  line.send(message({ type: 8, body: hex('2fff') }));
  assert.match(await line.closed, /The encoder sends MP3\. Choose AAC/);
  assert.deepEqual(stage.problems, [{ code: 'sound_codec', found: 'MP3' }]);
  const again = await openRtmp(t, stage.port, hello('show-1'));
  await stage.until('welcome', () => again.heard().includes('NetStream.Publish.Start'));
  again.send(message({ type: 8, body: aacHeader }));
  start(again);
  await stage.until('that it is well', () => stage.problems.length === 2);
  assert.equal(stage.problems[1], null);
});
