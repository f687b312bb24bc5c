/** JSON of which there is one text only (RFC 8785, JSON Canonicalization Scheme): what is hashed can be built again. */

/**
 * Members sorted by UTF-16 code units (section 3.2.3), no spaces; numbers and strings as ECMAScript writes them, which
 * is what the RFC asks for (3.2.2).
 * @throws TypeError for what JSON cannot hold: a number that is not finite, half a surrogate pair, undefined, a bigint
 */
export function canonicalJson(value: unknown): string {
  // Put together in place: lists of members and of their texts would be thrown away a thousand times a second.
  if (Array.isArray(value)) {
    let text = '[';
    for (const [at, one] of value.entries()) text += at === 0 ? canonicalJson(one) : `,${canonicalJson(one)}`;
    return `${text}]`;
  }
  if (typeof value === 'object' && value !== null) {
    let text = '{';
    for (const name of Object.keys(value).sort()) {
      const member = (value as Record<string, unknown>)[name];
      text += `${text === '{' ? '' : ','}${canonicalJson(name)}:${canonicalJson(member)}`;
    }
    return `${text}}`;
  }
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`no JSON: ${value}`);
  if (typeof value === 'string' && !value.isWellFormed()) throw new TypeError('no JSON: half a surrogate pair');
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw new TypeError(`no JSON: ${typeof value}`);
  return text;
}
