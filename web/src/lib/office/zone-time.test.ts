import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromWallClock, toWallClock } from './zone-time.ts';

test('there and back in zones ahead, behind and with odd minutes', () => {
  for (const zone of ['Asia/Shanghai', 'America/Los_Angeles', 'Asia/Kathmandu', 'UTC', 'Asia/Riyadh']) {
    const instant = fromWallClock('2026-07-14T20:30', zone);
    assert.ok(instant);
    assert.equal(toWallClock(instant, zone), '2026-07-14T20:30', zone);
  }
  assert.equal(fromWallClock('2026-03-14T20:00', 'Asia/Shanghai'), '2026-03-14T12:00:00.000Z');
});

test('the skipped hour moves on, the repeated hour is the first', () => {
  assert.equal(fromWallClock('2026-03-29T02:30', 'Europe/Berlin'), '2026-03-29T01:30:00.000Z');
  assert.equal(fromWallClock('2026-10-25T02:30', 'Europe/Berlin'), '2026-10-25T00:30:00.000Z');
});

test('what is no time is refused', () => {
  for (const wall of ['', '2026-03-14', '2026-13-45T99:00', 'soon']) assert.equal(fromWallClock(wall, 'UTC'), null);
});
