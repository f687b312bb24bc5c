import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hubStage, line, wire } from '../../../tests/support/hub-stage.ts';
import { createStreamHub } from './hub.ts';

test('[V8] a newcomer gets init and everything since the last key picture at once, with its sound', () => {
  const s = hubStage();
  s.up();
  s.init();
  s.key(0);
  s.picture(40);
  for (const timeMs of [0, 20, 40, 60]) s.sound(timeMs);
  s.sound(80);
  s.sound(100);
  s.key(80);
  s.sound(120);
  s.picture(120);
  assert.deepEqual(s.join().line.got, ['state live', 'init 1.1', 'a80+a100+v80k', 'a120+v120']);
});

test('[V8] before the first picture a newcomer hears that it has to wait, then begins with a key picture', () => {
  const s = hubStage();
  const { line: viewer } = s.join();
  assert.deepEqual(viewer.fresh(), ['state waiting']);
  s.up();
  s.init();
  s.picture(0);
  s.key(40);
  s.picture(80);
  assert.deepEqual(viewer.fresh(), ['state live', 'init 1.1', 'v40k', 'v80']);
});

test('[V8] a group of pictures too long to keep is not kept: newcomers begin with the next key picture', () => {
  const s = hubStage({ groupPackets: 2 });
  s.init();
  s.key(0);
  s.picture(40);
  s.picture(80);
  const { line: viewer } = s.join();
  assert.deepEqual(viewer.fresh(), ['state live', 'init 1.1']);
  s.picture(120);
  s.key(160);
  assert.deepEqual(viewer.fresh(), ['v160k']);
});

test('[V9] a slow viewer skips to a key picture, and nobody else misses anything', () => {
  const s = hubStage({ skipAboveBytes: 1000, resumeBelowBytes: 100 });
  s.init();
  const slow = s.join();
  const quick = s.join();
  s.key(0);
  slow.line.queued = 1001;
  s.picture(40);
  slow.line.queued = 500;
  s.picture(80);
  s.key(120);
  slow.line.queued = 100;
  s.picture(160);
  s.key(200);
  s.picture(240);
  assert.deepEqual(slow.line.got.slice(2), ['v0k', 'v200k', 'v240']);
  assert.deepEqual(quick.line.got.slice(2), ['v0k', 'v40', 'v80', 'v120k', 'v160', 'v200k', 'v240']);
  assert.equal(s.hub.stats().skips, 1);
});

test('[V9] what joining put into the line is not taken for slowness', () => {
  const s = hubStage({ skipAboveBytes: 5 });
  s.init();
  s.key(0);
  s.picture(40);
  const { line: viewer } = s.join();
  viewer.queued = 5 + 'init 1.1v0kv40'.length;
  s.picture(80);
  viewer.queued += 1;
  s.picture(120);
  assert.deepEqual(viewer.got.slice(-2), ['v40', 'v80']);
});

test('[V9] a viewer that stays too slow is closed, and may come back', () => {
  const s = hubStage({ skipAboveBytes: 1000, resumeBelowBytes: 100, closeAfterSkippingMs: 10_000 });
  s.init();
  const { line: viewer } = s.join();
  s.key(0);
  viewer.queued = 2000;
  s.picture(40);
  s.clock.nowMs += 9_999;
  s.key(80);
  assert.equal(viewer.closed, null);
  s.clock.nowMs += 2;
  s.picture(120);
  assert.equal(viewer.closed, 'too-slow');
  assert.equal(s.hub.viewers('show'), 0);
  assert.deepEqual(s.join().line.got, ['state live', 'init 1.1', 'v80k', 'v120']);
});

test('[V10] a takeover arrives on the same line as a new init, without an alarm', () => {
  const s = hubStage();
  s.init();
  s.key(0);
  const { line: viewer } = s.join();
  viewer.fresh();
  s.down('replaced', '1');
  s.up('2');
  s.picture(40, '1');
  s.init('2');
  s.key(0, '2');
  s.down('lost', '1');
  s.picture(40, '2');
  assert.deepEqual(viewer.fresh(), ['init 2.1', 'v0k', 'v40']);
});

test('[V18] viewers hear how long the way from the camera is, and nothing of a publisher that is gone', () => {
  const s = hubStage();
  const { line: viewer } = s.join();
  s.up();
  s.init();
  viewer.fresh();
  s.uplink(80);
  s.uplink(80);
  assert.deepEqual(viewer.fresh(), ['state live 80']);
  assert.equal(s.join().line.got[0], 'state live 80', 'newcomers at once');
  s.up('2');
  s.down('replaced');
  s.uplink(90);
  assert.deepEqual(viewer.fresh(), [], 'the other one is on air: whatever comes of this one is late');
  s.init('2');
  s.uplink(120, '2');
  assert.deepEqual(viewer.fresh(), ['init 2.1', 'state live 120']);
  s.down('lost', '2');
  assert.deepEqual(viewer.fresh(), ['state interrupted']);
});

test('[V10] a lost publisher is a notice; its return goes on where viewers wait', () => {
  const s = hubStage();
  s.init();
  s.key(0);
  const { line: viewer } = s.join();
  viewer.fresh();
  s.down('lost');
  assert.deepEqual(viewer.fresh(), ['state interrupted']);
  assert.deepEqual(s.join().line.got, ['state interrupted'], 'nothing old is shown to newcomers');
  s.up('2');
  s.init('2');
  s.key(0, '2');
  assert.deepEqual(viewer.fresh(), ['state live', 'init 2.1', 'v0k']);
});

test('[V10] when who took over never comes up, the show is interrupted', () => {
  const s = hubStage();
  s.init();
  s.key(0);
  const { line: viewer } = s.join();
  s.down('replaced', '1');
  s.down('lost', '2');
  assert.equal(viewer.got.at(-1), 'state interrupted');
});

test('[V10] a new resolution is a new init, and the old generation ends there', () => {
  const s = hubStage();
  s.init();
  s.key(0);
  const { line: viewer } = s.join();
  viewer.fresh();
  s.init('1', 2);
  s.key(40, '1', 1);
  s.key(40, '1', 2);
  assert.deepEqual(viewer.fresh(), ['init 1.2', 'v40k']);
});

test('[V10] an epoch grows with each session of a stream and not within one', () => {
  const epochs: number[] = [];
  const hub = createStreamHub({
    wire: { ...wire, init: (_init, epoch) => (epochs.push(epoch), Buffer.alloc(1)) },
    now: () => 5_000,
  });
  const picture = { mime: '', width: 1, height: 1, hasVideo: true, hasAudio: false, initSegment: Buffer.alloc(0) };
  for (const [sessionId, generation] of [['a', 1], ['a', 2], ['b', 1]] as const) {
    hub.onMediaEvent({ type: 'init', layer: 'full', streamId: 'x', ...picture, sessionId, generation });
  }
  assert.deepEqual(epochs, [5, 5, 6]);
});

test('[V8] sound does not wait for a picture that does not come', () => {
  const s = hubStage({ soundRunMs: 60 });
  s.init();
  s.key(0);
  const { line: viewer } = s.join();
  viewer.fresh();
  for (const timeMs of [40, 60, 80, 100]) s.sound(timeMs);
  assert.deepEqual(viewer.fresh(), ['a40+a60+a80']);
});

test('[V8] a hidden viewer pauses and comes back as a newcomer', () => {
  const s = hubStage();
  s.init();
  s.key(0);
  const { line: it, viewer } = s.join();
  it.fresh();
  viewer.pause();
  s.picture(40);
  s.init('1', 2);
  s.key(80, '1', 2);
  assert.deepEqual(it.fresh(), []);
  viewer.resume();
  assert.deepEqual(it.fresh(), ['init 1.2', 'v80k']);
});

test('[V12] the end is told and closes; a stopping server says so', () => {
  const s = hubStage();
  s.init();
  const ended = s.join().line;
  s.hub.end('show');
  assert.equal(ended.got.at(-1), 'state ended');
  assert.equal(ended.closed, 'ended');
  const left = s.join().line;
  s.hub.stop();
  assert.equal(left.closed, 'going-away');
  assert.equal(s.hub.join('show', line()), null);
});

test('[V13] a stream and a process take so many viewers and no more', () => {
  const s = hubStage({ viewersPerStream: 2, viewers: 3 });
  const first = s.join();
  s.join();
  const third = line();
  assert.equal(s.hub.join('show', third), null);
  assert.deepEqual(third.got, []);
  assert.ok(s.hub.join('other', line()));
  first.viewer.leave();
  first.viewer.leave();
  assert.equal(s.hub.stats().viewers, 2);
  s.join();
  assert.equal(s.hub.join('other', line()), null, 'three in the process');
  assert.equal(s.hub.stats().turnedAway, 2);
});

test('[V13] interrupted shows without viewers are remembered, but not without bound', () => {
  const s = hubStage({ idleStreams: 2 });
  for (const streamId of ['a', 'b', 'c']) {
    const base = { streamId, sessionId: streamId };
    const picture = { mime: '', width: 1, height: 1, hasVideo: true, hasAudio: false, initSegment: Buffer.alloc(0) };
    s.hub.onMediaEvent({ type: 'init', layer: 'full', ...base, generation: 1, ...picture });
    s.hub.onMediaEvent({ type: 'down', ...base, reason: 'lost' });
  }
  const state = (streamId: string) => {
    const it = line();
    s.hub.join(streamId, it);
    return it.got[0];
  };
  assert.deepEqual(['b', 'c', 'a'].map(state), ['state interrupted', 'state interrupted', 'state waiting']);
});
