/** Shows as RSS 2.0. Pure. A description is HTML there: what people wrote is escaped, the library does the XML. */
import { Feed } from 'feed';
import type { Announcement } from './announcements.ts';
import { plainText } from './calendar.ts';

export interface FeedHead {
  /** Of the shop, or of the market. */
  title: string;
  description: string;
  /** The page that the feed is of, absolute. */
  link: string;
  /** The feed's own address, absolute. */
  self: string;
  /** When there is nothing in it yet. */
  now: Date;
}

export function newsFeed(head: FeedHead, shows: readonly Announcement[], origin: string): string {
  const changes = shows.map((show) => show.changedAt.getTime());
  const feed = new Feed({
    id: head.link,
    title: plainText(head.title, ' '),
    description: plainText(head.description, ' '),
    link: head.link,
    feedLinks: { rss: head.self },
    generator: 'Nacre',
    copyright: '',
    updated: changes.length === 0 ? head.now : new Date(Math.max(...changes)),
  });
  for (const show of shows) {
    const address = `${origin}/shows/${show.id}`;
    const picture = show.cover?.sources.at(-1)?.url;
    feed.addItem({
      id: address,
      link: `${address}?from=feed`,
      title: plainText(`${show.title} · ${show.shop.name}`, ' '),
      date: show.createdAt,
      description: descriptionOf(show),
      ...(picture === undefined
        ? {}
        // The length is not known and not needed; the format wants a number.
        : { enclosure: { url: new URL(picture, origin).href, type: 'image/webp', length: 0 } }),
    });
  }
  return feed.rss2();
}

/** The time in words that need no language, then the host's own. */
function descriptionOf(show: Announcement): string {
  const at = show.wentLiveAt ?? show.startsAt;
  const time = `<time datetime="${at.toISOString()}">${at.toISOString().slice(0, 16).replace('T', ' ')} UTC</time>`;
  const words = htmlText(plainText(show.description.trim(), '\n')).replaceAll('\n', '<br>');
  return words === '' ? `<p>${time}</p>` : `<p>${time}</p><p>${words}</p>`;
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function htmlText(text: string): string {
  return text.replaceAll(/[&<>"]/g, (sign) => ENTITIES[sign] ?? sign);
}
