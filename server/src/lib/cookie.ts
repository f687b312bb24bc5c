/** One cookie of a `Cookie` header (RFC 6265, section 4.2.1), for where a header is read without the application. */

/** Its value, percent-decoded; undefined when the header has no such cookie or the value is not decodable. */
export function cookieOf(header: string | undefined, name: string): string | undefined {
  for (const pair of header?.split(';') ?? []) {
    const equals = pair.indexOf('=');
    if (equals === -1 || pair.slice(0, equals).trim() !== name) continue;
    const value = pair.slice(equals + 1).trim().replace(/^"(.*)"$/, '$1');
    try {
      return decodeURIComponent(value);
    } catch {
      // Not ours: what we set decodes.
      return undefined;
    }
  }
  return undefined;
}
