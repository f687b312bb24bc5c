/** How a viewer came to a show, from what the page knows. Pure. */
import type { VisitBody, VisitSource } from '@nacre/contract/analytics';

/** What links of ours say of themselves (`?from=…`). */
const named: readonly VisitSource[] = [
  'home', 'search', 'shop', 'product', 'push', 'share', 'poster', 'calendar', 'feed',
];

export interface Came {
  /** Path of the page of ours before this one; null when this is the first that was opened. */
  before: string | null;
  /** The show's own address. */
  url: URL;
  /** As the browser tells it; empty when it does not. */
  referrer: string;
}

/** What a link says of itself comes first, then the page of ours before, then the other website. */
export function sourceOf({ before, url, referrer }: Came): VisitBody {
  const said = named.find((source) => source === url.searchParams.get('from'));
  if (said) return { source: said };
  if (before !== null) return { source: pageOf(before) };
  const site = URL.canParse(referrer) ? new URL(referrer) : null;
  if (site === null || !/^https?:$/.test(site.protocol)) return { source: 'direct' };
  if (site.origin === url.origin) return { source: pageOf(site.pathname) };
  // IPv6 addresses and overlong names are no website's.
  return /^[a-z0-9](?:[a-z0-9.-]{0,98}[a-z0-9])?$/.test(site.hostname)
    ? { source: 'other-site', host: site.hostname }
    : { source: 'other-site' };
}

function pageOf(path: string): VisitSource {
  if (path === '/') return 'home';
  if (path.startsWith('/search')) return 'search';
  if (/^\/shops\/[^/]+\/goods\//.test(path)) return 'product';
  return path.startsWith('/shops/') ? 'shop' : 'here';
}
