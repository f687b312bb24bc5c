/** Addresses of public pages for search engines, as sitemaps.org says. Pure. */

/** A place in the map: its path, and when what is there last changed; null: not known. */
export interface MapEntry {
  path: string;
  changedAt: Date | null;
}

const NAMESPACE = 'http://www.sitemaps.org/schemas/sitemap/0.9';

const xml = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function listOf(kind: 'urlset' | 'sitemapindex', item: 'url' | 'sitemap', entries: MapEntry[], origin: string): string {
  const lines = entries.map(({ path, changedAt }) => {
    const changed = changedAt === null ? '' : `<lastmod>${changedAt.toISOString()}</lastmod>`;
    return `<${item}><loc>${xml(new URL(path, origin).href)}</loc>${changed}</${item}>\n`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${kind} xmlns="${NAMESPACE}">\n${lines.join('')}</${kind}>\n`;
}

/** Pages. */
export function siteMap(entries: MapEntry[], origin: string): string {
  return listOf('urlset', 'url', entries, origin);
}

/** Maps of pages. */
export function siteMapIndex(entries: MapEntry[], origin: string): string {
  return listOf('sitemapindex', 'sitemap', entries, origin);
}

/** What is nobody's to find: desks, people's own pages, payment. Posters say `noindex` themselves. */
const PRIVATE_PATHS = ['/office', '/studio', '/account', '/orders', '/pay/', '/sign-in'];

export function robotsFile(origin: string): string {
  const refused = PRIVATE_PATHS.map((path) => `Disallow: ${path}\n`).join('');
  return `User-agent: *\n${refused}\nSitemap: ${origin}/sitemap.xml\n`;
}
