import assert from 'node:assert/strict';
import { it } from 'node:test';
import { quietUntil, readTimeOfDay, writeTimeOfDay } from './quiet.ts';

const night = { from: readTimeOfDay('22:30'), to: readTimeOfDay('07:00') };
const at = (text: string) => new Date(text);
const end = (timeZone: string, now: string, quiet = night) =>
  quietUntil(quiet, timeZone, at(now))?.toISOString() ?? null;

it('[N8] without quiet hours it is never quiet', () => {
  assert.equal(quietUntil(null, 'UTC', at('2026-11-11T03:00:00Z')), null);
});

it('[N8] quiet hours go over midnight, in the zone of the person', () => {
  assert.equal(end('Asia/Shanghai', '2026-11-11T14:29:59Z'), null);
  assert.equal(end('Asia/Shanghai', '2026-11-11T14:30:00Z'), '2026-11-11T23:00:00.000Z');
  assert.equal(end('Asia/Shanghai', '2026-11-11T16:00:30.500Z'), '2026-11-11T23:00:00.000Z');
  assert.equal(end('Asia/Shanghai', '2026-11-11T22:59:59Z'), '2026-11-11T23:00:00.000Z');
  assert.equal(end('Asia/Shanghai', '2026-11-11T23:00:00Z'), null);
});

it('[N8] and within a day', () => {
  const nap = { from: readTimeOfDay('12:00'), to: readTimeOfDay('14:00') };
  assert.equal(end('UTC', '2026-11-11T11:59:00Z', nap), null);
  assert.equal(end('UTC', '2026-11-11T12:00:00Z', nap), '2026-11-11T14:00:00.000Z');
  assert.equal(end('UTC', '2026-11-11T14:00:00Z', nap), null);
});

it('[N8] a night in which the clocks are changed ends at the time on the wall', () => {
  // Berlin: 25 October 2026 from 3:00 back to 2:00, 29 March 2026 from 2:00 on to 3:00.
  assert.equal(end('Europe/Berlin', '2026-10-24T21:00:00Z'), '2026-10-25T06:00:00.000Z');
  assert.equal(end('Europe/Berlin', '2026-03-28T22:00:00Z'), '2026-03-29T05:00:00.000Z');
  // A time that the change leaves out comes an hour late, not a day.
  const early = { from: readTimeOfDay('22:00'), to: readTimeOfDay('02:30') };
  const late = end('Europe/Berlin', '2026-03-28T22:00:00Z', early) ?? '';
  assert.ok(late >= '2026-03-29T01:00:00.000Z' && late <= '2026-03-29T01:30:00.000Z', late);
});

it('[N8] zones with half hours', () => {
  assert.equal(end('Asia/Kolkata', '2026-11-11T18:10:00Z'), '2026-11-12T01:30:00.000Z');
});

it('times of day are written as they are read', () => {
  for (const text of ['00:00', '07:05', '23:59']) assert.equal(writeTimeOfDay(readTimeOfDay(text)), text);
});
