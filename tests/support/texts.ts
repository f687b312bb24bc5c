/** The web's own sentences, so that a test presses what a person reads, in any language. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const FOLDER = resolve(import.meta.dirname, '../../web/src/lib/i18n');

export type Say = (key: string, args?: Record<string, string>) => string;

/** `say('office.shop_name')`; `{name}` is filled from `args`. Plural messages have no single text and are refused. */
export function textsOf(locale: 'en' | 'zh' | 'ar'): Say {
  const spaces = new Map<string, Record<string, string>>();
  return (key, args = {}) => {
    // Only the first dot parts: the codes of refusals have dots of their own.
    const dot = key.indexOf('.');
    const [space, name] = [key.slice(0, dot), key.slice(dot + 1)];
    const known = spaces.get(space)
      ?? (JSON.parse(readFileSync(resolve(FOLDER, `${space}.${locale}.json`), 'utf8')) as Record<string, string>);
    spaces.set(space, known);
    const text = known[name];
    if (text === undefined) throw new Error(`there is no text ${key} in ${locale}`);
    if (text.includes(', plural,')) throw new Error(`${key} depends on a number`);
    return text.replaceAll(/\{(\w+)\}/g, (whole, arg: string) => args[arg] ?? whole);
  };
}
