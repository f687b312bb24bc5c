import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createServerClock } from './server-clock.ts';
import { createSteering } from './steering.ts';

/** Plays for a while: data comes in real time, the player takes it at its rate. */
function play(steering: ReturnType<typeof createSteering>, ahead: number, seconds: number) {
  const rates: number[] = [];
  let jumps = 0;
  for (let n = 0; n < seconds * 10; n++) {
    const { rate, jump } = steering.step(ahead, 0.1);
    if (jump) {
      jumps += 1;
      ahead = steering.goal();
      steering.reset();
      continue;
    }
    ahead += 0.1 - 0.1 * rate;
    rates.push(rate);
  }
  return { ahead, rates, jumps };
}

test('[V15] too much delay is played away within natural rates, and then the rate rests at 1', () => {
  const { ahead, rates, jumps } = play(createSteering(0.2), 0.9, 20);
  assert.ok(Math.abs(ahead - 0.2) < 0.07, `ahead ${ahead}`);
  assert.ok(Math.max(...rates) <= 1.15 && Math.min(...rates) >= 0.95);
  assert.equal(rates.at(-1), 1);
  assert.equal(jumps, 0);
});

test('[V15] too little is played slower until there is enough again', () => {
  const { ahead, rates } = play(createSteering(0.2), 0.05, 20);
  assert.ok(Math.abs(ahead - 0.2) < 0.08, `ahead ${ahead}`);
  assert.equal(Math.min(...rates), 0.95);
  assert.equal(rates.at(-1), 1);
});

test('[V15] far behind it jumps instead', () => {
  const { ahead, jumps } = play(createSteering(0.2), 5, 3);
  assert.equal(jumps, 1);
  assert.ok(ahead < 0.3);
});

test('[V15] around the goal it does not hunt', () => {
  const steering = createSteering(0.2);
  const rates = new Set<number>();
  for (let n = 0; n < 300; n++) rates.add(steering.step(0.2 + Math.sin(n) * 0.05, 0.1).rate);
  assert.deepEqual([...rates], [1]);
});

test('[V15] a stall raises the goal for a while, and not without bound', () => {
  const steering = createSteering(0.2);
  steering.stalled();
  assert.ok(steering.goal() > 0.25);
  for (let n = 0; n < 100; n++) steering.stalled();
  assert.ok(steering.goal() <= 1.2);
  for (let n = 0; n < 6_000; n++) steering.step(steering.goal(), 0.1);
  assert.ok(steering.goal() < 0.21);
});

test('[V15] the server\'s clock is taken from the shortest round trip', () => {
  const clock = createServerClock();
  assert.equal(clock.at(0), null);
  clock.guess(10_000, 0);
  assert.equal(clock.at(5), 10_005);
  assert.equal(clock.isMeasured(), false);
  clock.measure(100, 10_110, 120);
  assert.equal(clock.at(120), 10_120);
  clock.measure(200, 10_300, 300);
  assert.equal(clock.at(300), 10_300, 'a longer round trip changes nothing');
  clock.guess(99_999, 300);
  assert.equal(clock.at(300), 10_300, 'nor does a guess');
  clock.measure(70_000, 80_040, 70_040);
  assert.equal(clock.at(70_040), 80_060, 'an old estimate gives way');
});
