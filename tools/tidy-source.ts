/** What the parts of tidy share: files, findings, and TypeScript read once. */
import ts from 'typescript';

export interface Finding {
  path: string;
  /** From 1; 0 for the file as a whole. */
  line: number;
  text: string;
}

export interface TextFile {
  /** Relative to the repository, with slashes. */
  path: string;
  text: string;
  isGenerated: boolean;
}

export interface Import {
  /** As written. */
  specifier: string;
  line: number;
  /** `import type`, or only types inside the braces. */
  isType: boolean;
}

export interface Source extends TextFile {
  ast: ts.SourceFile;
  imports: Import[];
  isTest: boolean;
}

export function parse(file: TextFile): Source {
  const ast = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.ESNext, true, ts.ScriptKind.TS);
  return {
    ...file,
    ast,
    imports: ast.statements.flatMap((statement) => importOf(statement, ast)),
    isTest: /\.(test|e2e)\.ts$/.test(file.path) || /^(tests|bench)\//.test(file.path),
  };
}

function importOf(statement: ts.Statement, ast: ts.SourceFile): Import[] {
  if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return [];
  if (!statement.moduleSpecifier || !ts.isStringLiteral(statement.moduleSpecifier)) return [];
  return [{
    specifier: statement.moduleSpecifier.text,
    line: lineOf(ast, statement),
    isType: ts.isImportDeclaration(statement) ? isTypeImport(statement) : statement.isTypeOnly,
  }];
}

function isTypeImport(statement: ts.ImportDeclaration): boolean {
  const clause = statement.importClause;
  if (!clause) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const named = clause.namedBindings;
  return !clause.name && named !== undefined && ts.isNamedImports(named) && named.elements.length > 0
    && named.elements.every((element) => element.isTypeOnly);
}

export function lineOf(ast: ts.SourceFile, node: ts.Node): number {
  return ast.getLineAndCharacterOfPosition(node.getStart(ast)).line + 1;
}

/** The line, from 1, of a position in a text. */
export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}
