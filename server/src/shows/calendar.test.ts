/** Calendar and feed of shows as text: people's words cannot leave their line, and a change is a newer version. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Announcement } from './announcements.ts';
import { calendarFile, revisionOf } from './calendar.ts';
import { newsFeed } from './news-feed.ts';

const ORIGIN = 'https://live.example.org';
const show: Announcement = {
  id: '019a0000-0000-7000-8000-000000000001',
  title: 'Spring', description: '', state: 'planned',
  startsAt: new Date('2026-12-01T12:30:00Z'), wentLiveAt: null, endedAt: null,
  createdAt: new Date('2026-11-01T00:00:00Z'), changedAt: new Date('2026-11-01T00:00:00Z'),
  shop: { id: '019a0000-0000-7000-8000-000000000002', slug: 'liu', name: 'Liu', image: null }, cover: null,
};
/** One property a line, folded lines joined (RFC 5545 section 3.1). */
const linesOf = (file: string) => file.replaceAll('\r\n ', '').split('\r\n').filter((line) => line !== '');
const calendarOf = (changes: Partial<Announcement>, name = 'Liu') =>
  linesOf(calendarFile(name, [{ ...show, ...changes }], ORIGIN));

test('[S31] what people wrote stays in its line, escaped; lines are folded at 75 bytes', () => {
  const attack = 'a\r\nATTENDEE:x\rURL:y\nEND:VEVENT, ; \\n \u0007\ud800';
  const lines = calendarOf({ title: attack, description: `${attack}\n\n${'兰州'.repeat(60)}` }, attack);
  assert.deepEqual(lines.filter((line) => /^(ATTENDEE|END:VEVENT, )/.test(line)), []);
  assert.equal(lines.filter((line) => line.startsWith('URL')).length, 1);
  assert.equal(lines.filter((line) => line === 'END:VEVENT').length, 1);
  const summary = lines.find((line) => line.startsWith('SUMMARY:')) ?? '';
  assert.ok(summary.includes(String.raw`END:VEVENT\, \; \\n`), summary);
  assert.ok(lines.some((line) => line.startsWith('X-WR-CALNAME:a ATTENDEE:x') && line.includes(String.raw`\, \; \\n`)));
  const file = calendarFile('Liu', [{ ...show, description: '兰州'.repeat(60) }], ORIGIN);
  assert.ok(file.split('\r\n').every((line) => Buffer.byteLength(line) <= 75));
});

test('[S32] a show that moved or was called off keeps its UID, and its SEQUENCE is higher', () => {
  const valueOf = (lines: string[], name: string) => (
    lines.find((line) => line.startsWith(`${name}:`))?.slice(name.length + 1)
  );
  const first = calendarOf({});
  assert.equal(valueOf(first, 'DTSTART'), '20261201T123000Z');
  assert.equal(valueOf(first, 'DTEND'), '20261201T133000Z');
  assert.equal(valueOf(first, 'SEQUENCE'), '0');
  assert.equal(valueOf(first, 'STATUS'), 'CONFIRMED');
  const moved = calendarOf({
    startsAt: new Date('2026-12-02T12:30:00Z'), changedAt: new Date('2026-11-01T00:00:00.200Z'),
  });
  const off = calendarOf({ state: 'cancelled', changedAt: new Date('2026-11-03T00:00:00Z') });
  assert.deepEqual([moved, off].map((lines) => valueOf(lines, 'UID')), [show.id, show.id]);
  assert.equal(valueOf(moved, 'SEQUENCE'), '1');
  assert.equal(valueOf(moved, 'DTSTART'), '20261202T123000Z');
  assert.equal(valueOf(off, 'SEQUENCE'), '172800');
  assert.equal(valueOf(off, 'STATUS'), 'CANCELLED');
  // A century of changes fits into what RFC 5545 takes for an integer.
  const late = revisionOf({ ...show, changedAt: new Date('2089-01-01T00:00:00Z') });
  assert.ok(late < 2 ** 31);
});

test('[S32] the same show is the same file, whenever it is asked for', () => {
  assert.deepEqual(calendarOf({}), calendarOf({}));
  assert.ok(calendarOf({}).includes('DTSTAMP:20261101T000000Z'));
});

test('[S31] in the feed people’s words are text of a text', () => {
  const title = 'Liu ]]></title><x>';
  const head = { title, description: 'd', link: `${ORIGIN}/`, self: `${ORIGIN}/f`, now: new Date(0) };
  const attack = ']]></title><script>x</script>&amp;\u0001';
  const feed = newsFeed(head, [{ ...show, title: attack, description: `<img src=x>\n${attack}` }], ORIGIN);
  const outside = feed.replaceAll(/<!\[CDATA\[.*?\]\]>/gs, '');
  assert.ok(!/<(script|x|img)\b/.test(outside), outside);
  assert.ok(!feed.includes('\u0001'));
  assert.ok(feed.includes('&lt;img src=x&gt;<br>'));
  assert.ok(feed.includes('<time datetime="2026-12-01T12:30:00.000Z">2026-12-01 12:30 UTC</time>'));
  assert.equal(feed.match(/<item>/g)?.length, 1);
});
