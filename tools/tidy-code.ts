/** Code: sizes, names, and where time, chance, the environment and SQL may appear. */
import { basename } from 'node:path';
import ts from 'typescript';
import { AMBIENT_FILES, LONG_FILES, LONG_FUNCTIONS, SQL_FILES } from './modules.ts';
import { lineOf } from './tidy-source.ts';
import type { Finding, Source, TextFile } from './tidy-source.ts';

const MAX_FILE_LINES = 500;
const MAX_FUNCTION_LINES = 70;
const MAX_LINE = 120;
/** Addresses, hashes and pictures cannot be broken. */
const UNBREAKABLE = /https?:\/\/|sha(256|384|512)-|<path |\bd="/;
const CODE_FILE = /\.(ts|mjs|js|svelte|css)$/;
const EMPTY_NAMES = /^(index|utils?|helpers?|types|common|misc)\.ts$|(service|manager)\.ts$/;
const SQL_CALLS = new Set(['selectFrom', 'insertInto', 'updateTable', 'deleteFrom', 'replaceInto', 'mergeInto']);

export function checkCode(sources: Source[], files: TextFile[]): Finding[] {
  return [
    ...files.filter((file) => CODE_FILE.test(file.path) && !file.isGenerated).flatMap(checkSize),
    ...sources.filter((source) => !source.isGenerated).flatMap(checkSource),
    ...staleExceptions(files),
  ];
}

function checkSize(file: TextFile): Finding[] {
  const lines = file.text.split('\n');
  const findings = lines.flatMap((line, index) => line.length > MAX_LINE && !UNBREAKABLE.test(line)
    ? [{ path: file.path, line: index + 1, text: `the line has ${line.length} characters of ${MAX_LINE} allowed` }]
    : []);
  if (lines.length - 1 > MAX_FILE_LINES && !LONG_FILES[file.path]) {
    findings.push({ path: file.path, line: 0, text: `${lines.length - 1} lines, ${MAX_FILE_LINES} are allowed` });
  }
  return findings;
}

function checkSource(source: Source): Finding[] {
  const findings: Finding[] = [];
  const report = (node: ts.Node, text: string) => {
    findings.push({ path: source.path, line: lineOf(source.ast, node), text });
  };
  const isOurs = /^(contract|media|server|tools)\//.test(source.path);
  const name = basename(source.path);
  if (isOurs && EMPTY_NAMES.test(name) && !source.path.startsWith('contract/')) {
    findings.push({ path: source.path, line: 0, text: 'the name says nothing about what the file is for' });
  }
  if (!source.path.startsWith('web/src/routes') && !/^\+?[a-z0-9]+([.-][a-z0-9]+)*\.ts$/.test(name)) {
    findings.push({ path: source.path, line: 0, text: 'files are named in kebab-case' });
  }
  if (isOurs && !/^\s*(#!.*\n)?\/\*\*/.test(source.text) && !source.isTest) {
    findings.push({ path: source.path, line: 1, text: 'a file begins with a docblock that says what it is for' });
  }
  const visit = (node: ts.Node) => {
    checkFunction(source, node, report);
    checkSyntax(source, node, report);
    if (isOurs && !source.isTest) checkAmbient(source, node, report);
    if (source.path.startsWith('server/src/') && !source.isTest) checkSql(source, node, report);
    ts.forEachChild(node, visit);
  };
  visit(source.ast);
  return findings;
}

type Report = (node: ts.Node, text: string) => void;

function checkFunction(source: Source, node: ts.Node, report: Report): void {
  if (source.isTest || !ts.isFunctionLike(node) || !('body' in node) || !node.body) return;
  const lines = ownLines(source.ast, node);
  if (lines <= MAX_FUNCTION_LINES) return;
  const name = functionName(node);
  if (LONG_FUNCTIONS[`${source.path}#${name}`]) return;
  report(node, `${name} has ${lines} lines, ${MAX_FUNCTION_LINES} are allowed`);
}

/** A function's lines without those of the functions inside it: `createX` holds its verbs, each measured alone. */
function ownLines(ast: ts.SourceFile, node: ts.Node): number {
  const linesOf = (part: ts.Node) => ast.getLineAndCharacterOfPosition(part.end).line
    - ast.getLineAndCharacterOfPosition(part.getStart(ast)).line + 1;
  let lines = linesOf(node);
  const visit = (child: ts.Node) => {
    if (ts.isFunctionLike(child) && 'body' in child && child.body) lines -= linesOf(child) - 1;
    else ts.forEachChild(child, visit);
  };
  ts.forEachChild(node, visit);
  return lines;
}

function functionName(node: ts.SignatureDeclaration): string {
  if (node.name) return node.name.getText();
  const { parent } = node;
  return (ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent)) ? parent.name.getText() : 'a function';
}

function checkSyntax(source: Source, node: ts.Node, report: Report): void {
  if (ts.isEnumDeclaration(node)) report(node, 'no enum: use a union of literals');
  if (ts.isModuleDeclaration(node) && node.body && !ts.isStringLiteral(node.name) && node.name.text !== 'global'
    && node.name.text !== 'App') report(node, 'no namespace');
  if (node.kind === ts.SyntaxKind.AnyKeyword) report(node, 'no any: use unknown and look');
  if (ts.isExportAssignment(node) && !source.path.startsWith('web/')) report(node, 'no default export');
  if (ts.canHaveModifiers(node) && !source.path.startsWith('web/')
    && ts.getModifiers(node)?.some((modifier) => modifier.kind === ts.SyntaxKind.DefaultKeyword)) {
    report(node, 'no default export');
  }
  if (ts.isClassDeclaration(node) && !node.heritageClauses?.some((clause) => /Error\b/.test(clause.getText()))) {
    report(node, 'no classes except errors: a function that returns an object');
  }
  if (ts.isCatchClause(node) && node.block.statements.length === 0 && !/\/[/*]/.test(node.block.getText())) {
    report(node, 'an empty catch says why nothing needs doing');
  }
}

function checkAmbient(source: Source, node: ts.Node, report: Report): void {
  if (source.path in AMBIENT_FILES || source.path.startsWith('tools/')) return;
  const text = ts.isPropertyAccessExpression(node) || ts.isNewExpression(node) ? node.getText(source.ast) : '';
  if (['Date.now', 'new Date()', 'new Date'].includes(text)) report(node, `${text}: the clock arrives as a dep`);
  if (text === 'Math.random') report(node, 'Math.random: chance arrives as a dep');
  if (text === 'process.env') report(node, 'process.env: settings come from config.ts');
}

function checkSql(source: Source, node: ts.Node, report: Report): void {
  const { path } = source;
  const name = basename(path);
  const isAllowed = /(^|-)store\.ts$/.test(name) || /^server\/src\/(platform|cli)\//.test(path) || path in SQL_FILES;
  if (!isAllowed) {
    if (ts.isTaggedTemplateExpression(node) && node.tag.getText() === 'sql') report(node, 'SQL belongs into the store');
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)
      && SQL_CALLS.has(node.expression.name.text)) report(node, 'SQL belongs into the store');
  }
  if (path.startsWith('server/src/platform/')) return;
  if (ts.isTaggedTemplateExpression(node) && node.tag.getText() === 'sql'
    && /\b(now|random|clock_timestamp|gen_random_uuid)\(\)|\bcurrent_timestamp\b/i.test(node.template.getText())) {
    report(node, 'time and chance are parameters of a statement');
  }
}

/** An exception for what is no longer there hides the next one. */
function staleExceptions(files: TextFile[]): Finding[] {
  const paths = new Set(files.map((file) => file.path));
  return [LONG_FILES, LONG_FUNCTIONS, SQL_FILES, AMBIENT_FILES]
    .flatMap((list) => Object.keys(list))
    .filter((key) => !paths.has(key.split('#')[0] ?? ''))
    .map((key) => ({ path: 'tools/modules.ts', line: 0, text: `the exception for ${key} leads nowhere` }));
}
