/**
 * Checks the rules of the house that no other tool checks. Usage: node tools/tidy.ts
 *
 * Every finding is one line `path:line text`; the exit code is 1 when there is any. The rules: the module map, faces
 * and cycles (tidy-imports), sizes and what code may not contain (tidy-code), rules and their tests, documents, words
 * and styles (tidy-text). Exceptions stand in modules.ts with their reasons.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { checkCode } from './tidy-code.ts';
import { checkImports } from './tidy-imports.ts';
import { checkText } from './tidy-text.ts';
import { parse } from './tidy-source.ts';
import type { Finding, TextFile } from './tidy-source.ts';

const root = resolve(import.meta.dirname, '..');
const TEXT_FILE = /\.(ts|mjs|js|svelte|css|html|sql|md|json|yml|yaml|sh|txt|toml)$|^\.ci\/run$|^LICENSE$/;
/** Written by tools; their form is not ours. */
const GENERATED = new Set(
  ['package-lock.json', 'server/src/platform/tables.ts', 'web/src/lib/api-types.ts', 'web/src/lib/i18n/keys.ts',
    'docs/openapi.json'],
);

const files = listFiles();
const sources = files.filter((file) => file.path.endsWith('.ts')).map(parse);
const findings: Finding[] = [
  ...checkImports(sources),
  ...checkCode(sources, files),
  ...checkText(files, root),
];
for (const { path, line, text } of findings.sort((a, b) => a.path.localeCompare(b.path) || a.line - b.line)) {
  console.log(`${path}:${line} ${text}`);
}
if (findings.length > 0) console.log(`\n${findings.length} findings. The rules are explained in STYLE.md.`);
process.exit(findings.length > 0 ? 1 : 0);

/** What git knows or would take in. */
function listFiles(): TextFile[] {
  const list = execFileSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' });
  return [...new Set(list.split('\0'))]
    .filter((path) => TEXT_FILE.test(path) && existsSync(join(root, path)))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8'), isGenerated: GENERATED.has(path) }));
}
