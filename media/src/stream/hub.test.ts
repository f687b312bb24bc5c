import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MediaEvent, PictureLayer, StreamDownReason, StreamFragment } from '../hooks.ts';
import { createStreamHub } from './hub.ts';
import type { Rendition, StreamHubLimits, StreamWire, ViewerSink } from './hub.ts';

/** Packets as words, so that a test can read what a viewer got: `init 1`, `v0k+a0+a20`, `state live`. */
const wire: StreamWire = {
  init: (init) => Buffer.from(`${init.layer === 'small' ? 'small' : 'init'} ${init.sessionId}.${init.generation}`),
  fragments(fragments) {
    const letter = (f: StreamFragment) => (f.layer === 'small' ? 's' : f.track[0]);
    const name = (f: StreamFragment) => `${letter(f)}${f.timeMs}${f.track === 'video' && f.isKey ? 'k' : ''}`;
    return Buffer.from(fragments.map(name).join('+'));
  },
  state: (state, uplinkMs) => Buffer.from(`state ${state}${uplinkMs === null ? '' : ` ${uplinkMs}`}`),
};

interface Line extends ViewerSink {
  got: string[];
  closed: string | null;
  queued: number;
  /** What was received since the last call. */
  fresh(): string[];
}

function line(): Line {
  let read = 0;
  const it: Line = {
    got: [],
    closed: null,
    queued: 0,
    write: (packet) => void it.got.push(packet.toString()),
    writeAll: (packets) => packets.forEach(it.write),
    queuedBytes: () => it.queued,
    close: (reason) => {
      it.closed = reason;
    },
    fresh: () => it.got.slice(read, (read = it.got.length)),
  };
  return it;
}

function stage(limits: Partial<StreamHubLimits> = {}) {
  const clock = { nowMs: 1_000_000 };
  const hub = createStreamHub({ wire, now: () => clock.nowMs, limits });
  const send = (event: MediaEvent) => hub.onMediaEvent(event);
  const init = (sessionId = '1', generation = 1, layer: PictureLayer = 'full') =>
    send({
      type: 'init', layer,
      streamId: 'show',
      sessionId,
      generation,
      mime: 'video/mp4; codecs="avc1.42e01f,opus"',
      width: 720,
      height: 1280,
      hasVideo: true,
      hasAudio: true,
      initSegment: Buffer.alloc(0),
    });
  const fragment = (
    track: 'video' | 'audio', timeMs: number, isKey: boolean, sessionId = '1', generation = 1,
    layer: PictureLayer = 'full',
  ) =>
    send({
      type: 'fragment', layer,
      streamId: 'show',
      sessionId,
      generation,
      track,
      isKey,
      timeMs,
      durationMs: track === 'video' ? 40 : 20,
      arrivedAtMs: 0,
      data: Buffer.alloc(1),
    });
  return {
    hub,
    clock,
    uplink: (uplinkMs: number, sessionId = '1') => (
      send({ type: 'uplink', streamId: 'show', sessionId, uplinkMs, placedMs: uplinkMs })
    ),
    up: (sessionId = '1') => send({ type: 'up', streamId: 'show', sessionId }),
    down: (reason: StreamDownReason, sessionId = '1') => send({ type: 'down', streamId: 'show', sessionId, reason }),
    init,
    key: (timeMs: number, sessionId?: string, generation?: number) =>
      fragment('video', timeMs, true, sessionId, generation),
    picture: (timeMs: number, sessionId?: string) => fragment('video', timeMs, false, sessionId),
    sound: (timeMs: number) => fragment('audio', timeMs, true),
    small: {
      init: (generation = 1) => init('1', generation, 'small'),
      key: (timeMs: number) => fragment('video', timeMs, true, '1', 1, 'small'),
      picture: (timeMs: number) => fragment('video', timeMs, false, '1', 1, 'small'),
      down: () => send({ type: 'layer-down', streamId: 'show', sessionId: '1', layer: 'small' }),
    },
    join(wanted?: Rendition) {
      const it = line();
      const viewer = hub.join('show', it, wanted);
      assert.ok(viewer);
      return { line: it, viewer };
    },
  };
}

test('[V8] a newcomer gets init and everything since the last key picture at once, with its sound', () => {
  const s = stage();
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
  const s = stage();
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
  const s = stage({ groupPackets: 2 });
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
  const s = stage({ skipAboveBytes: 1000, resumeBelowBytes: 100 });
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
  const s = stage({ skipAboveBytes: 5 });
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
  const s = stage({ skipAboveBytes: 1000, resumeBelowBytes: 100, closeAfterSkippingMs: 10_000 });
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
  const s = stage();
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
  const s = stage();
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
  const s = stage();
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
  const s = stage();
  s.init();
  s.key(0);
  const { line: viewer } = s.join();
  s.down('replaced', '1');
  s.down('lost', '2');
  assert.equal(viewer.got.at(-1), 'state interrupted');
});

test('[V10] a new resolution is a new init, and the old generation ends there', () => {
  const s = stage();
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
  const s = stage({ soundRunMs: 60 });
  s.init();
  s.key(0);
  const { line: viewer } = s.join();
  viewer.fresh();
  for (const timeMs of [40, 60, 80, 100]) s.sound(timeMs);
  assert.deepEqual(viewer.fresh(), ['a40+a60+a80']);
});

test('[V8] a hidden viewer pauses and comes back as a newcomer', () => {
  const s = stage();
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
  const s = stage();
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
  const s = stage({ viewersPerStream: 2, viewers: 3 });
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
  const s = stage({ idleStreams: 2 });
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

test('[V130] between the sizes a viewer goes on with the one until the other’s key picture, with all sound', () => {
  const s = stage();
  s.init();
  s.small.init();
  s.key(0);
  s.small.key(0);
  const { line: it, viewer } = s.join();
  it.fresh();
  viewer.choose('small');
  assert.deepEqual(it.fresh(), [], 'nothing stands still meanwhile');
  s.sound(0);
  s.sound(20);
  s.picture(40);
  s.small.picture(40);
  s.sound(40);
  s.sound(60);
  s.small.key(80);
  s.picture(80);
  s.small.picture(120);
  assert.deepEqual(it.fresh(), ['a0+a20+v40', 'small 1.1', 'a0+a20+a40+a60+s80k', 's120']);
  viewer.choose('whole');
  s.small.picture(160);
  s.key(200);
  s.small.picture(200);
  assert.deepEqual(it.fresh(), ['s160', 'init 1.1', 'a0+a20+a40+a60+v200k'], 'sound may come again');
});

test('[V130] of the size that a viewer leaves nothing goes out that the other brings anew', () => {
  const s = stage();
  s.init();
  s.small.init();
  s.key(0);
  const { line: it, viewer } = s.join();
  viewer.choose('small');
  s.picture(40);
  s.small.key(40);
  assert.deepEqual(it.fresh().at(-1), 'v40', 'not yet');
  s.key(80);
  s.picture(120);
  assert.deepEqual(it.fresh(), [], 'from a key picture on it is held back');
  for (let timeMs = 160; timeMs <= 280; timeMs += 40) s.picture(timeMs);
  assert.deepEqual(it.fresh(), ['v80k', 'v120', 'v160', 'v200', 'v240', 'v280'], 'in vain');
  s.picture(320);
  s.key(360);
  s.picture(400);
  s.small.key(380);
  s.picture(440);
  assert.deepEqual(it.fresh(), ['v320', 'v360k', 'small 1.1', 's380k']);
});

test('[V130] who wants the small picture gets the whole while none is sent, and from a key picture on it', () => {
  const s = stage();
  s.init();
  s.key(0);
  const { line: it } = s.join('small');
  assert.deepEqual(it.fresh(), ['state live', 'init 1.1', 'v0k']);
  s.small.init();
  s.picture(40);
  s.small.key(80);
  s.picture(80);
  s.small.picture(120);
  assert.deepEqual(it.fresh(), ['v40', 'small 1.1', 's80k', 's120']);
  assert.deepEqual(s.join('small').line.got, ['state live', 'small 1.1', 's80k', 's120'], 'at once for newcomers');
  s.small.down();
  s.picture(120);
  s.key(160);
  assert.deepEqual(it.fresh(), ['init 1.1', 'v160k']);
  s.down('lost');
  s.init('2');
  s.key(0, '2');
  assert.deepEqual(it.fresh(), ['state interrupted', 'state live', 'init 2.1', 'v0k']);
});

test('[V130] a publisher that takes over has sizes of its own', () => {
  const s = stage();
  s.init();
  s.small.init();
  s.small.key(0);
  const { line: it } = s.join('small');
  it.fresh();
  s.down('replaced', '1');
  s.up('2');
  s.init('2');
  s.small.picture(40);
  s.key(0, '2');
  assert.deepEqual(it.fresh(), ['init 2.1', 'v0k']);
});

test('[V131] a line that does not carry the whole gets the small picture, and the whole again on trial', () => {
  const s = stage({ easeAboveBytes: 500, skipAboveBytes: 1_000, resumeBelowBytes: 100, easeMs: 10_000 });
  s.init();
  s.small.init();
  const { line: it } = s.join();
  const quick = s.join().line;
  s.key(0);
  it.fresh();
  const isEasedFor = (timeMs: number, ms: number): void => {
    it.queued = 600;
    s.picture(timeMs);
    s.small.key(timeMs + 40);
    it.queued = 50;
    assert.deepEqual(it.fresh(), [`v${timeMs}`, 'small 1.1', `s${timeMs + 40}k`]);
    s.clock.nowMs += ms - 1;
    s.small.key(timeMs + 80);
    s.key(timeMs + 80);
    assert.deepEqual(it.fresh(), [`s${timeMs + 80}k`]);
    s.clock.nowMs += 2;
    s.small.key(timeMs + 120);
    s.key(timeMs + 160);
    assert.deepEqual(it.fresh(), [`s${timeMs + 120}k`, 'init 1.1', `v${timeMs + 160}k`]);
  };
  isEasedFor(40, 10_000);
  isEasedFor(200, 20_000);
  isEasedFor(400, 40_000);
  s.clock.nowMs += 100_000;
  isEasedFor(600, 10_000);
  assert.equal(s.hub.stats().eased, 4);
  assert.ok(quick.got.every((text) => !/small|s\d/.test(text)), 'nobody else notices');
});

test('[V131] who skips gets the small picture as soon as its line has drained, and no large one', () => {
  const s = stage({ easeAboveBytes: 500, skipAboveBytes: 1_000, resumeBelowBytes: 100 });
  s.init();
  s.small.init();
  const { line: it } = s.join();
  s.key(0);
  it.fresh();
  it.queued = 1_001;
  s.picture(40);
  s.small.key(40);
  it.queued = 100;
  s.key(80);
  s.small.picture(80);
  s.small.key(120);
  assert.deepEqual(it.fresh(), ['small 1.1', 's120k']);
  s.small.down();
  s.key(160);
  assert.deepEqual(it.fresh(), ['init 1.1', 'v160k']);
});
