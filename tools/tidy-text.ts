/** Texts: rules and their tests, what documents name, words that do not belong here, right-to-left styles. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { MODULES } from './modules.ts';
import { lineAt } from './tidy-source.ts';
import type { Finding, TextFile } from './tidy-source.ts';

/** `- **O3** Placing twice …` in a module's README. */
const RULE = /^- \*\*([A-Z]{1,3}\d+)\*\* /gm;
const TEST_NAME = /\[([A-Z]{1,3}\d+)\]/g;
/** Written apart, so that this file does not contain them. */
const FORBIDDEN: { pattern: RegExp; why: string }[] = [
  {
    pattern: new RegExp(`(^|[\\s"'\`(=:])/(${['work', 'root', 'home'].join('|')})/[\\w.]`, 'g'),
    why: 'a path of one machine',
  },
  { pattern: new RegExp(`/tmp/${'nacre'}/`, 'g'), why: 'a path of one machine' },
  {
    pattern: new RegExp(
      `\\b(${['registry', 'mirror', 'artifactory'].join('|')})\\.[a-z][\\w-]*\\.(org|com|net|io|internal)\\b`, 'g'),
    why: 'a host that packages came from',
  },
  {
    pattern: new RegExp(`\\b(${['Clau-de', 'Anthro-pic', 'Chat-GPT', 'Open-AI', 'Co-pilot', 'L-LM']
      .map((word) => word.replace('-', '')).join('|')})\\b`, 'gi'),
    why: 'how something was made',
  },
  {
    pattern: new RegExp(
      `\\b(sub-?${'agent'}|${'A'}I[- ](generated|written|assist\\w*)|language ${'model'})s?\\b`, 'gi'),
    why: 'how something was made',
  },
  {
    pattern: new RegExp(`\\b(${['TO-DO', 'FIX-ME', 'X-XX'].map((word) => word.replace('-', '')).join('|')})\\b`, 'g'),
    why: 'work left for later',
  },
];
const PHYSICAL_CSS = [
  /(?<![\w-])(margin|padding|border|inset|scroll-margin|scroll-padding)-(left|right)(-\w+)*\s*:/g,
  /(?<![\w-])(left|right)\s*:\s*[^;{}]+;/g,
  /(?<![\w-])(float|clear|text-align)\s*:\s*(left|right)\b/g,
  /(?<![\w-])border-(top|bottom)-(left|right)-radius\s*:/g,
];

export function checkText(files: TextFile[], root: string): Finding[] {
  return [
    ...checkRules(files),
    ...files.filter((file) => file.path.endsWith('.md')).flatMap((file) => checkDocument(file, root)),
    ...files.flatMap(checkWords),
    ...files.filter((file) => /^web\/.*\.(svelte|css|html)$/.test(file.path)).flatMap(checkStyles),
  ];
}

function checkRules(files: TextFile[]): Finding[] {
  const findings: Finding[] = [];
  const tests = files.filter((file) => /\.(test|e2e)\.ts$|^tests\//.test(file.path));
  const tested = new Set(tests.flatMap((file) => [...file.text.matchAll(TEST_NAME)].map((match) => match[1] ?? '')));
  const readmes = files.filter((file) => /^(server|media|contract|web)\/.*README\.md$/.test(file.path));
  const rules = new Map<string, string>();
  for (const readme of readmes) {
    for (const match of readme.text.matchAll(RULE)) {
      const id = match[1] ?? '';
      const line = lineAt(readme.text, match.index);
      const other = rules.get(id);
      if (other) findings.push({ path: readme.path, line, text: `rule ${id} is in ${other} as well` });
      rules.set(id, readme.path);
      if (!tested.has(id)) findings.push({ path: readme.path, line, text: `rule ${id} has no test named [${id}]` });
    }
  }
  const folders = new Set(files.map((file) => /^server\/src\/([^/]+)\//.exec(file.path)?.[1]));
  for (const name of Object.keys(MODULES)) {
    const path = `server/src/${name}/README.md`;
    if (folders.has(name) && !readmes.some((readme) => readme.path === path)) {
      findings.push({ path, line: 0, text: 'a module says in one page what it is and which rules hold' });
    }
  }
  for (const file of files) {
    if (!/\.(test|e2e)\.ts$/.test(file.path)) continue;
    for (const match of file.text.matchAll(/\b(?:test|it)\(\s*['"`]\[([A-Z]{1,3}\d+)\]/g)) {
      if (rules.has(match[1] ?? '')) continue;
      findings.push({ path: file.path, line: lineAt(file.text, match.index), text: `there is no rule ${match[1]}` });
    }
  }
  return findings;
}

/** Paths in backticks or links, and npm scripts, exist. */
function checkDocument(file: TextFile, root: string): Finding[] {
  const findings: Finding[] = [];
  const report = (index: number, text: string) => {
    findings.push({ path: file.path, line: lineAt(file.text, index), text });
  };
  const here = dirname(file.path);
  const bases = ['', here, join(here, 'src'), 'server/src', 'web/src'];
  const isThere = (path: string) => bases.map((base) => join(base, path))
    .some((candidate) => existsSync(join(root, normalize(candidate))));
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
  const scripts = Object.keys(manifest.scripts);
  for (const match of file.text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)/g)) {
    if (!isThere(match[1] ?? '')) report(match.index, `${match[1]} does not exist`);
  }
  for (const match of file.text.matchAll(/`((?:\.{0,2}\/)?[\w.-]+(?:\/[\w.+()[\]-]+)+\/?)`/g)) {
    const path = match[1] ?? '';
    // Only what begins like something of ours: `and/or`, `text/plain` are no paths.
    const begins = /^(\.{1,2}\/|(contract|docs|media|server|tests|tools|web|bench|\.ci)\/)/.test(path);
    const isMadeLater = /^(web\/build|\.\.\/shared)/.test(path);
    if (begins && !isMadeLater && !isThere(path)) report(match.index, `${path} does not exist`);
  }
  for (const match of file.text.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)) {
    const script = match[1] ?? match[2] ?? '';
    if (!scripts.includes(script)) report(match.index, `there is no npm script ${script}`);
  }
  return findings;
}

function checkWords(file: TextFile): Finding[] {
  return FORBIDDEN.flatMap(({ pattern, why }) => [...file.text.matchAll(pattern)].map((match) => ({
    path: file.path, line: lineAt(file.text, match.index), text: `"${match[0].trim()}" is ${why}`,
  })));
}

function checkStyles(file: TextFile): Finding[] {
  const styles = file.path.endsWith('.css') ? file.text
    : file.text.replace(/^[\s\S]*?(?=<style|$)/, (before) => before.replace(/[^\n]/g, ' '));
  return PHYSICAL_CSS.flatMap((pattern) => [...styles.matchAll(pattern)].map((match) => ({
    path: file.path, line: lineAt(styles, match.index),
    text: `${match[0].trim()} is wrong in right-to-left languages: use the logical property`,
  })));
}
