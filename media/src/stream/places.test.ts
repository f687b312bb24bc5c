import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hubStage } from '../../../tests/support/hub-stage.ts';

test('[V130] between the sizes a viewer goes on with the one until the other’s key picture, with all sound', () => {
  const s = hubStage();
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
  const s = hubStage();
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
  const s = hubStage();
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
  const s = hubStage();
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
  const s = hubStage({ easeAboveBytes: 500, skipAboveBytes: 1_000, resumeBelowBytes: 100, easeMs: 10_000 });
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
  const s = hubStage({ easeAboveBytes: 500, skipAboveBytes: 1_000, resumeBelowBytes: 100 });
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

test('[V130] a page that pauses while it is about to go over gets nothing', () => {
  const s = hubStage();
  s.init();
  s.small.init();
  s.key(0);
  const { line: it, viewer } = s.join();
  viewer.choose('small');
  s.key(40);
  it.fresh();
  viewer.pause();
  s.small.key(80);
  s.small.down();
  assert.deepEqual(it.fresh().slice(1), [], 'but what was held back');
  viewer.resume();
  assert.deepEqual(it.fresh(), ['init 1.1', 'v40k']);
});

test('[V130] sound that runs ahead of the picture keeps nobody from the other size', () => {
  const s = hubStage();
  s.init();
  s.small.init();
  s.key(0);
  const { line: it, viewer } = s.join();
  viewer.choose('small');
  it.fresh();
  for (const timeMs of [0, 20, 40, 60, 80, 100]) s.sound(timeMs);
  s.small.key(40);
  assert.deepEqual(it.fresh().slice(-2), ['small 1.1', 'a0+a20+a40+a60+a80+a100+s40k']);
});

test('[V130] with the first small picture comes the sound that went out before it was sent', () => {
  const s = hubStage();
  s.init();
  s.key(0);
  const { line: it } = s.join('small');
  s.sound(0);
  s.sound(20);
  it.fresh();
  s.small.init();
  s.small.key(40);
  assert.deepEqual(it.fresh(), ['small 1.1', 'a0+a20+s40k']);
});

test('[V131] who skips and sees no small key picture for long gets a large one', () => {
  const s = hubStage({ easeAboveBytes: 500, skipAboveBytes: 1_000, resumeBelowBytes: 100 });
  s.init();
  s.small.init();
  const { line: it } = s.join();
  s.key(0);
  it.fresh();
  it.queued = 1_001;
  s.picture(40);
  it.queued = 0;
  s.clock.nowMs += 2_000;
  s.key(2_000);
  assert.deepEqual(it.fresh(), []);
  s.clock.nowMs += 2_000;
  s.key(4_000);
  s.picture(4_040);
  assert.deepEqual(it.fresh().slice(0, 1), ['v4000k']);
});

test('[V131] a line that jams with the small picture is not tried with the whole', () => {
  const s = hubStage({ easeAboveBytes: 500, easeMs: 10_000 });
  s.init();
  s.small.init();
  s.key(0);
  const { line: it } = s.join();
  it.queued = 600;
  s.picture(40);
  s.small.key(80);
  it.queued = 0;
  s.clock.nowMs += 10_001;
  s.small.key(120);
  it.fresh();
  it.queued = 600;
  s.small.picture(160);
  s.key(200);
  assert.deepEqual(it.fresh(), ['s160']);
});

test('[V9] whatever a viewer that reads nothing chooses, what waits for it is bounded, and it is closed', () => {
  for (const turns of [['small', 'whole'], ['sound', 'whole'], ['paused', 'whole']] as const) {
    const s = hubStage({
      skipAboveBytes: 1_000, resumeBelowBytes: 100, easeAboveBytes: 500, closeAfterSkippingMs: 10_000,
    });
    s.init();
    s.small.init();
    const { line: it, viewer } = s.join();
    it.write = (packet) => void (it.queued += packet.length * 20);
    for (let timeMs = 0; timeMs < 60_000 && it.closed === null; timeMs += 40) {
      if (timeMs % 2_000 === 0) {
        const turn = turns[(timeMs / 2_000) % 2]!;
        if (turn !== 'paused') viewer.choose(turn);
        else {
          viewer.pause();
          viewer.resume();
        }
      }
      s.clock.nowMs += 40;
      if (timeMs % 2_000 === 0) s.key(timeMs);
      else s.picture(timeMs);
      s.small.key(timeMs + 20);
    }
    assert.equal(it.closed, 'too-slow', turns.join());
    assert.ok(it.queued < 10_000, `${turns.join()}: ${it.queued}`);
  }
});
