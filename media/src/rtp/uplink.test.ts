import assert from 'node:assert/strict';
import test from 'node:test';
import { buildReferenceTime, parseRtcp, roundTripMs } from './rtcp.ts';
import { createUplinkMeter } from './uplink.ts';

/** A publisher whose clock has nothing to do with ours; the ways are in ms. */
function publisher(ways = { encode: 30, up: 40, down: 40 }) {
  const meter = createUplinkMeter();
  const sender = { clockMs: 1_795_000_000_000, ...ways };
  let nowMs = 5_000;
  /** The first picture's, which the timeline begins with. */
  const firstWayMs = ways.encode + ways.up;
  let placed: number | null = null;
  return {
    meter,
    sender,
    /** As it was told last. */
    placedMs: () => placed,
    /** Seconds of 25 pictures each, with one answered reference time. Returns the news. */
    run(seconds: number): number[] {
      const news: number[] = [];
      for (let second = 0; second < seconds; second += 1) {
        meter.answered(nowMs - sender.up + sender.clockMs, sender.up + sender.down, nowMs);
        for (let picture = 0; picture < 25; picture += 1) {
          nowMs += 40;
          const capturedMs = nowMs - sender.up - sender.encode;
          meter.picture(capturedMs + sender.clockMs, nowMs, capturedMs + firstWayMs);
        }
        const told = meter.news(nowMs);
        if (told !== null) news.push(Math.round(told.uplinkMs));
        placed = told?.placedMs ?? placed;
      }
      return news;
    },
  };
}

function near(actual: number | null, expected: number): void {
  assert.ok(actual !== null && Math.abs(actual - expected) < 1, `${actual} instead of ${expected}`);
}

test('[M24] encoding and way are measured, whatever the publisher’s clock says', () => {
  const { meter, run } = publisher();
  assert.equal(meter.read(), null);
  run(1);
  near(meter.read(), 70);
});

test('[M24] of a publisher that answers no reference time nothing is known', () => {
  const { meter, sender } = publisher();
  for (let at = 0; at < 1_000; at += 40) meter.picture(at + sender.clockMs, at + 70, at + 70);
  assert.deepEqual([meter.read(), meter.news(2_000)], [null, null]);
});

test('[M24] a queue on the way up counts in full, for minutes, and leaves no trace', () => {
  const { meter, sender, run } = publisher();
  run(10);
  sender.up += 300;
  run(300);
  near(meter.read(), 370);
  sender.up -= 300;
  run(10);
  near(meter.read(), 70);
});

test('[M24] unlike ways there and back cost half their difference, not more', () => {
  const { meter, run } = publisher({ encode: 30, up: 80, down: 20 });
  run(5);
  near(meter.read(), 110 - 30);
});

test('[M24] clocks that part slowly are followed, one that is set anew at once', () => {
  const { meter, sender, run } = publisher();
  for (let minute = 0; minute < 30; minute += 1) {
    run(60);
    sender.clockMs += 60 * 0.05;
  }
  assert.ok(Math.abs((meter.read() ?? 0) - 70) < 5, `${meter.read()}`);
  for (const stepMs of [3_000, -3_000, 60_000, -60_000]) {
    sender.clockMs += stepMs;
    run(2);
    assert.ok(Math.abs((meter.read() ?? 0) - 70) < 5, `${meter.read()} after ${stepMs}`);
  }
});

test('[M24] times that make no sense are not believed', () => {
  const { meter, sender, run } = publisher();
  run(2);
  for (const trip of [-1, NaN, Infinity, 1e9]) meter.answered(sender.clockMs, trip, 7_000);
  near(meter.read(), 70);
  meter.picture(-1e12, 7_000, 7_000);
  assert.equal(meter.read(), null);
  run(2);
  near(meter.read(), 70);
});

test('[M24] news come first at once, then when something has changed, every two seconds at most', () => {
  const { sender, run } = publisher();
  assert.deepEqual(run(10), [70]);
  sender.encode += 10;
  assert.deepEqual(run(10), []);
  sender.encode += 100;
  const news = run(10);
  assert.ok(news.length >= 1 && news.length <= 5 && Math.abs((news.at(-1) ?? 0) - 180) < 25, news.join(' '));
});

test('[M230] where pictures lie on the timeline stays, whatever their way is later', () => {
  const { sender, run, placedMs } = publisher({ encode: 130, up: 40, down: 40 });
  run(1);
  near(placedMs(), 170);
  sender.encode = 20;
  sender.up = 300;
  run(20);
  near(placedMs(), 170);
});

test('[M230] what is known better of the clocks moves it, also where viewers are told nothing', () => {
  const { sender, run, placedMs } = publisher({ encode: 30, up: 60, down: 20 });
  assert.deepEqual(run(5), [70]);
  near(placedMs(), 70);
  // The way back is as long now: the clocks turn out to be 20 ms apart of what was thought.
  sender.up = 20;
  const news = run(10);
  assert.ok(news.length > 0 && news.every((ms) => ms === 70), 'the same again');
  assert.ok(Math.abs(placedMs()! - 90) < 3, `${placedMs()}`);
});

test('[M24] a reference time is one of RFC 3611, and its echo gives the round trip, over the wrap as well', () => {
  assert.equal(buildReferenceTime(1, 2_500).toString('hex'), '80cf000400000001040000020000000280000000');
  const wrapMs = 2 ** 32 / 65.536;
  for (const sentMs of [2_500, wrapMs - 100, wrapMs * 3 - 1]) {
    const ticks = buildReferenceTime(1, sentMs).readUInt32BE(14);
    // As Chromium sends it: from 7 to 1, kept for half a second.
    const hex = `80cf0005000000070500000300000001${ticks.toString(16).padStart(8, '0')}00008000`;
    const [message] = parseRtcp(Buffer.from(hex, 'hex'));
    assert.ok(message?.type === 'reference-echo');
    assert.deepEqual(message.echoes, [{ ssrc: 1, referenceTicks: ticks, keptTicks: 32_768 }]);
    near(roundTripMs(message.echoes[0]!, sentMs + 500 + 80), 80);
  }
  assert.equal(roundTripMs({ ssrc: 1, referenceTicks: 0, keptTicks: 0 }, 5), null);
});
