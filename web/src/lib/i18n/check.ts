/**
 * Checks the catalogues: every key in all languages, the same arguments, every plural form the language has, a text for
 * every refusal, and a keys.ts that matches. `node web/src/lib/i18n/check.ts` ends with 1 and a list on any difference;
 * `--write` renews keys.ts first.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REFUSALS } from '@nacre/contract/refusals';
import { catalogueDir, catalogueProblems, keysSource, namespaces, refusalProblems } from './catalogue.ts';

const keysFile = join(catalogueDir, 'keys.ts');
const problems = [...catalogueProblems(), ...refusalProblems(Object.keys(REFUSALS))];

if (problems.length === 0) {
  const wanted = keysSource();
  if (process.argv.includes('--write')) writeFileSync(keysFile, wanted);
  const found = existsSync(keysFile) ? readFileSync(keysFile, 'utf8') : '';
  if (found !== wanted) problems.push('keys.ts is out of date; run: node web/src/lib/i18n/check.ts --write');
}

for (const problem of problems) process.stderr.write(`${problem}\n`);
if (problems.length === 0)
  process.stdout.write(`messages: ${namespaces().length} catalogues agree in all languages\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
