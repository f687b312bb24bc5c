/**
 * Vite plugin: turns each catalogue into a module of its own, `virtual:messages/<namespace>/<locale>`, compiled by
 * @messageformat/core. Texts without arguments stay strings; the rest become functions on the small runtime beside
 * this file. A difference between the languages fails the build.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import MessageFormat from '@messageformat/core';
import compileModule from '@messageformat/core/compile-module';
import type { Plugin } from 'vite';
import {
  catalogueDir,
  catalogueFile,
  catalogueProblems,
  keysSource,
  messageArguments,
  readCatalogue,
} from './catalogue.ts';
import { isLocale, type Locale } from './locales.ts';

const prefix = 'virtual:messages/';

function moduleSource(namespace: string, locale: Locale): string {
  const catalogue = readCatalogue(namespace, locale);
  const texts: Record<string, string> = {};
  const functions: Record<string, string> = {};
  for (const [key, text] of Object.entries(catalogue)) {
    const plain = Object.keys(messageArguments(text)).length === 0;
    if (plain) texts[key] = plainText(text, locale);
    else functions[key] = text;
  }
  const compiled = compileModule(new MessageFormat(locale), functions).replace('export default', 'const functions =');
  return `${compiled}\nexport default { ...functions, ...${JSON.stringify(texts)} };\n`;
}

/** Resolves ICU quoting ('' and '{') of a text without arguments. */
function plainText(text: string, locale: Locale): string {
  return new MessageFormat(locale).compile(text)();
}

function writeKeys(): void {
  const file = join(catalogueDir, 'keys.ts');
  const source = keysSource();
  if (!existsSync(file) || readFileSync(file, 'utf8') !== source) writeFileSync(file, source);
}

export function messages(): Plugin {
  return {
    name: 'nacre-messages',
    enforce: 'pre',
    buildStart() {
      const problems = catalogueProblems();
      if (problems.length > 0) this.error(`messages differ between the languages:\n${problems.join('\n')}`);
      writeKeys();
    },
    resolveId(id) {
      if (id.startsWith(prefix)) return `\0${id}`;
      if (id === '@messageformat/runtime') return join(catalogueDir, 'runtime.ts');
      return null;
    },
    load(id) {
      if (!id.startsWith(`\0${prefix}`)) return null;
      const [namespace = '', locale = ''] = id.slice(prefix.length + 1).split('/');
      if (!isLocale(locale)) this.error(`no such language: ${id}`);
      this.addWatchFile(catalogueFile(namespace, locale));
      return moduleSource(namespace, locale);
    },
  };
}
