/** JSON of which there is one text only (RFC 8785, JSON Canonicalization Scheme): what is hashed can be built again. */

/**
 * Members sorted by UTF-16 code units (section 3.2.3), no spaces; numbers and strings as ECMAScript writes them, which
 * is what the RFC asks for (3.2.2).
 * @throws TypeError for what JSON cannot hold: a number that is not finite, half a surrogate pair, undefined, a bigint
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
    return `{${members.map(([name, member]) => `${canonicalJson(name)}:${canonicalJson(member)}`).join(',')}}`;
  }
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`no JSON: ${value}`);
  if (typeof value === 'string' && !value.isWellFormed()) throw new TypeError('no JSON: half a surrogate pair');
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw new TypeError(`no JSON: ${typeof value}`);
  return text;
}
