/**
 * What each answer forbids browsers to do with it (H9). Written out once: working them out for each request cost more
 * than checking whose it is.
 */

/** For data. Pages bring a policy of their own, which takes the place of this one. */
const CONTENT_POLICY = [
  "default-src 'none'", "base-uri 'self'", "font-src 'self' https: data:", "form-action 'self'",
  "frame-ancestors 'self'", "img-src 'self'", "object-src 'none'", "script-src 'self'", "script-src-attr 'none'",
  "style-src 'self' https: 'unsafe-inline'", 'upgrade-insecure-requests',
].join(';');

/** Without Strict-Transport-Security: over plain http on the own machine there is nothing to upgrade to. */
export const SAFE_HEADERS: ReadonlyArray<readonly [name: string, value: string]> = [
  ['Content-Security-Policy', CONTENT_POLICY],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Origin-Agent-Cluster', '?1'],
  ['Referrer-Policy', 'strict-origin-when-cross-origin'],
  ['X-Content-Type-Options', 'nosniff'],
  ['X-DNS-Prefetch-Control', 'off'],
  ['X-Download-Options', 'noopen'],
  ['X-Frame-Options', 'SAMEORIGIN'],
  ['X-Permitted-Cross-Domain-Policies', 'none'],
  ['X-XSS-Protection', '0'],
];
