/**
 * Shows as an iCalendar file (RFC 5545). Pure.
 *
 * Invariants: a show keeps its UID for good; SEQUENCE grows with every change, so that a program that has the event
 * takes the new one; what people wrote stays inside its own line.
 */
import ical, { ICalCalendarMethod, ICalEventStatus } from 'ical-generator';
import type { Announcement } from './announcements.ts';

/** How long a show is taken to last until its end is known. Nobody says beforehand. */
export const EXPECTED_MS = 3600 * 1000;
/** How often a subscribed calendar is asked for again. Shorter is load, longer tells late of a show that moved. */
const ASK_AGAIN_SECONDS = 3600;

/** @param name of the whole calendar; @param origin `https://host` of the shows' addresses */
export function calendarFile(name: string, shows: readonly Announcement[], origin: string): string {
  const calendar = ical({
    name: escapedName(name),
    prodId: { company: 'Nacre', product: 'Nacre' },
    method: ICalCalendarMethod.PUBLISH,
    ttl: ASK_AGAIN_SECONDS,
  });
  for (const show of shows) calendar.createEvent(eventOf(show, origin));
  return `${calendar.toString()}\r\n`;
}

function eventOf(show: Announcement, origin: string) {
  const start = show.wentLiveAt ?? show.startsAt;
  const expected = new Date(start.getTime() + EXPECTED_MS);
  const address = `${origin}/shows/${show.id}`;
  const words = show.description.trim();
  return {
    id: show.id,
    sequence: revisionOf(show),
    // Not the moment of asking: the same show is the same file, so that caches can compare it.
    stamp: show.changedAt,
    lastModified: show.changedAt,
    created: show.createdAt,
    start,
    end: show.endedAt !== null && show.endedAt > start ? show.endedAt : expected,
    summary: plainText(`${show.title} · ${show.shop.name}`, ' '),
    description: { plain: plainText(words === '' ? address : `${words}\n\n${address}`, '\n') },
    location: address,
    url: `${address}?from=calendar`,
    status: show.state === 'cancelled' ? ICalEventStatus.CANCELLED : ICalEventStatus.CONFIRMED,
  };
}

/** Seconds from planning to the last change: grows with every change, and needs nobody to count. */
export function revisionOf(show: Pick<Announcement, 'createdAt' | 'changedAt'>): number {
  return Math.max(0, Math.ceil((show.changedAt.getTime() - show.createdAt.getTime()) / 1000));
}

/** Without what no line of a calendar or feed may hold: control characters, halves of characters. */
export function plainText(text: string, lineBreak: string): string {
  return text.toWellFormed().replaceAll(/\r\n|\r|\n|\u2028|\u2029/g, lineBreak).replaceAll(/[^\P{Cc}\n]/gu, ' ');
}

/** The library escapes texts of events but writes the calendar's name as it is (RFC 5545 section 3.3.11). */
function escapedName(name: string): string {
  return plainText(name, ' ').replaceAll(/[\\;,]/g, String.raw`\$&`);
}
