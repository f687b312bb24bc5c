/**
 * The message catalogues as files: `<namespace>.<locale>.json`, flat, ICU MessageFormat. Read, parsed and compared
 * here, for the build plugin and for the check. Runs in Node only.
 *
 * A message may hold plain arguments, `plural` and `select`. Numbers, money and dates arrive formatted, because their
 * form depends on the reader's region and not on the language alone.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, type Token } from '@messageformat/parser';
import { locales, type Locale } from './locales.ts';

export const catalogueDir = import.meta.dirname;

export type Catalogue = Record<string, string>;
export type ArgumentKind = { kind: 'text' } | { kind: 'plural' } | { kind: 'select'; cases: string[] };
export type Arguments = Record<string, ArgumentKind>;

export function namespaces(): string[] {
  const names = readdirSync(catalogueDir)
    .filter((file) => file.endsWith('.en.json'))
    .map((file) => file.slice(0, -'.en.json'.length));
  return names.sort();
}

export function catalogueFile(namespace: string, locale: Locale): string {
  return join(catalogueDir, `${namespace}.${locale}.json`);
}

/** Throws when the file is missing, is not JSON, or holds anything but strings. */
export function readCatalogue(namespace: string, locale: Locale): Catalogue {
  const file = catalogueFile(namespace, locale);
  const raw: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) throw new Error(`${file}: not an object`);
  const catalogue: Catalogue = {};
  for (const [key, text] of Object.entries(raw)) {
    if (typeof text !== 'string') throw new Error(`${file}: ${key} is not a text`);
    if (!/^[a-z0-9_]+(\.[a-z0-9_]+)*$/.test(key)) throw new Error(`${file}: ${key} is not a valid key`);
    catalogue[key] = text;
  }
  return catalogue;
}

/** The arguments of one message, from the parser's tree. Throws on syntax and on token types that are not allowed. */
export function messageArguments(text: string): Arguments {
  const found: Arguments = {};
  const visit = (tokens: Token[]): void => {
    for (const token of tokens) {
      if (token.type === 'content' || token.type === 'octothorpe') continue;
      if (token.type === 'argument') {
        found[token.arg] ??= { kind: 'text' };
      } else if (token.type === 'plural') {
        found[token.arg] = { kind: 'plural' };
        token.cases.forEach((entry) => visit(entry.tokens));
      } else if (token.type === 'select') {
        const cases = token.cases.map((entry) => entry.key);
        found[token.arg] = { kind: 'select', cases: [...cases].sort() };
        token.cases.forEach((entry) => visit(entry.tokens));
      } else {
        throw new Error(`"${token.type}" is not allowed in a message; format the value before`);
      }
    }
  };
  visit(parse(text));
  return found;
}

function pluralProblems(text: string, locale: Locale): string[] {
  const needed = new Intl.PluralRules(locale).resolvedOptions().pluralCategories;
  const problems: string[] = [];
  const visit = (tokens: Token[]): void => {
    for (const token of tokens) {
      if (token.type !== 'plural' && token.type !== 'select') continue;
      if (token.type === 'plural') {
        const have = new Set(token.cases.map((entry) => entry.key));
        // "=0", "=1" and "=2" say more than "zero", "one" and "two" and may stand for them.
        const covered = (category: string): boolean =>
          have.has(category) || have.has({ zero: '=0', one: '=1', two: '=2' }[category] ?? '');
        const missing = needed.filter((category) => !covered(category));
        if (missing.length > 0) problems.push(`plural of ${token.arg} lacks ${missing.join(', ')}`);
      }
      token.cases.forEach((entry) => visit(entry.tokens));
    }
  };
  visit(parse(text));
  return problems;
}

/** Every difference between the languages, as sentences; empty when all is well. */
export function catalogueProblems(): string[] {
  const problems: string[] = [];
  for (const namespace of namespaces()) {
    const sets = new Map<Locale, Catalogue>();
    for (const locale of locales) {
      try {
        sets.set(locale, readCatalogue(namespace, locale));
      } catch (error) {
        problems.push(error instanceof Error ? error.message : String(error));
      }
    }
    const reference = sets.get('en') ?? {};
    for (const [locale, catalogue] of sets) {
      problems.push(...compare(namespace, locale, reference, catalogue));
    }
  }
  return problems;
}

function compare(namespace: string, locale: Locale, reference: Catalogue, catalogue: Catalogue): string[] {
  const problems: string[] = [];
  const say = (key: string, what: string): void => void problems.push(`${namespace}.${locale}.json ${key}: ${what}`);
  for (const key of Object.keys(reference)) if (!(key in catalogue)) say(key, 'is missing');
  for (const [key, text] of Object.entries(catalogue)) {
    const source = reference[key];
    if (source === undefined) {
      say(key, 'does not exist in English');
      continue;
    }
    try {
      const wanted = JSON.stringify(Object.entries(messageArguments(source)).sort());
      const got = JSON.stringify(Object.entries(messageArguments(text)).sort());
      if (wanted !== got) say(key, `has other arguments than English: ${got} instead of ${wanted}`);
      pluralProblems(text, locale).forEach((problem) => say(key, problem));
      if (text === '') say(key, 'is empty');
    } catch (error) {
      say(key, error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error));
    }
  }
  return problems;
}

/** What the texts of refusals lack, or have without a code of the contract (contract/src/refusals.ts). */
export function refusalProblems(codes: readonly string[]): string[] {
  const known = Object.keys(readCatalogue('refusal', 'en'));
  return [
    ...codes.filter((code) => !known.includes(code)).map((code) => `refusal.*.json: ${code} has no text`),
    ...known.filter((key) => !codes.includes(key)).map((key) => `refusal.*.json: ${key} is no code of the contract`),
  ];
}

function typeOf(argument: ArgumentKind): string {
  if (argument.kind === 'plural') return 'number';
  if (argument.kind === 'text') return 'string';
  const cases = argument.cases.filter((name) => name !== 'other').map((name) => `'${name}'`);
  return [...cases, 'string & {}'].join(' | ');
}

/** The source of `keys.ts`: each key with the arguments it takes, `null` where it takes none. */
export function keysSource(): string {
  const lines = [
    '// Generated from the English catalogues by check.ts --write. Do not edit.',
    'export interface MessageArguments {',
  ];
  for (const namespace of namespaces()) {
    for (const [key, text] of Object.entries(readCatalogue(namespace, 'en'))) {
      const args = Object.entries(messageArguments(text)).sort(([a], [b]) => (a < b ? -1 : 1));
      const shape = args.map(([name, kind]) => `${name}: ${typeOf(kind)}`).join('; ');
      lines.push(`  '${namespace}.${key}': ${shape ? `{ ${shape} }` : 'null'};`);
    }
  }
  lines.push(
    '}',
    '',
    `export type Namespace = ${namespaces()
      .map((name) => `'${name}'`)
      .join(' | ')};`,
    '',
  );
  return lines.join('\n');
}
