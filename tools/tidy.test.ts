import assert from 'node:assert/strict';
import test from 'node:test';
import { checkCode } from './tidy-code.ts';
import { checkImports } from './tidy-imports.ts';
import { parse } from './tidy-source.ts';
import type { TextFile } from './tidy-source.ts';
import { checkText } from './tidy-text.ts';

const HEADER = '/** What it is for. */\n';
const ROOT = `${import.meta.dirname}/..`;

function file(path: string, text: string): TextFile {
  return { path, text: path.endsWith('.ts') && !path.includes('.test.') ? HEADER + text : text, isGenerated: false };
}

function imports(path: string, text: string): string[] {
  return checkImports([parse(file(path, text))]).map((finding) => finding.text);
}

function code(path: string, text: string): string[] {
  const one = file(path, text);
  return checkCode([parse(one)], [one]).filter((finding) => finding.path === path).map((finding) => finding.text);
}

function text(path: string, content: string): string[] {
  return checkText([file(path, content)], ROOT).filter((finding) => finding.path === path).map((each) => each.text);
}

test('a module uses only those above it, by face, and their types only', () => {
  const orders = 'server/src/orders/orders.ts';
  const ofOrders = 'import type { O } from \'../orders/orders.ts\';';
  assert.deepEqual(imports(orders, 'import type { Catalog } from \'../catalog/catalog.ts\';'), []);
  assert.match(imports('server/src/catalog/catalog.ts', ofOrders)[0] ?? '', /catalog may not use orders/);
  assert.match(imports(orders, 'import type { R } from \'../catalog/store.ts\';')[0] ?? '', /only the face/);
  assert.match(imports(orders, 'import { create } from \'../catalog/catalog.ts\';')[0] ?? '', /import its types only/);
  assert.match(imports('server/src/platform/jobs.ts', ofOrders)[0] ?? '', /knows no business/);
  assert.match(imports(orders, 'import { compose } from \'../compose.ts\';')[0] ?? '', /wires/);
  assert.deepEqual(imports('server/src/compose.ts', 'import { createOrders } from \'./orders/orders.ts\';'), []);
});

test('a module that is not in the map is found', () => {
  assert.match(imports('server/src/surprises/surprises.ts', '')[0] ?? '', /not in the module map/);
});

test('workspaces keep apart', () => {
  assert.match(imports('media/src/main.ts', 'import type { O } from \'@nacre/server/orders/orders\';')[0] ?? '',
    /media may not use server/);
  assert.match(imports('server/src/orders/orders.ts', 'import { hub } from \'@nacre/media/stream/hub\';')[0] ?? '',
    /orders may not use media/);
  const relative = 'import { x } from \'../../../contract/src/money.ts\';';
  assert.match(imports('web/src/lib/a.ts', relative)[0] ?? '', /by name/);
});

test('a circle of imports is found, one of types is none', () => {
  const a = parse(file('media/src/a.ts', 'import { b } from \'./b.ts\';'));
  const b = (kind: string) => parse(file('media/src/b.ts', `import ${kind}{ a } from './a.ts';`));
  assert.match(checkImports([a, b('')])[0]?.text ?? '', /in a circle: media\/src\/a\.ts → media\/src\/b\.ts → media/);
  assert.deepEqual(checkImports([a, b('type ')]), []);
});

test('sizes are measured without the functions inside', () => {
  const lines = (count: number) => '  console.log(1);\n'.repeat(count);
  assert.match(code('media/src/a.ts', `function long() {\n${lines(80)}}\n`)[0] ?? '', /long has 82 lines/);
  assert.deepEqual(code('media/src/a.ts', `function all() {\nfunction one() {\n${lines(50)}}\n${lines(50)}}\n`), []);
  assert.match(code('media/src/a.ts', lines(510))[0] ?? '', /511 lines/);
  assert.match(code('media/src/a.ts', `const a = '${'x'.repeat(120)}';\n`)[0] ?? '', /characters of 120/);
});

test('time, chance, the environment and SQL are found where they do not belong', () => {
  assert.match(code('server/src/orders/a.ts', 'const a = Date.now();')[0] ?? '', /the clock arrives/);
  assert.match(code('server/src/orders/a.ts', 'const a = new Date();')[0] ?? '', /the clock arrives/);
  assert.deepEqual(code('server/src/orders/a.ts', 'const a = new Date(5);'), []);
  assert.match(code('server/src/orders/a.ts', 'const a = Math.random();')[0] ?? '', /chance arrives/);
  assert.match(code('server/src/orders/a.ts', 'const a = process.env;')[0] ?? '', /config\.ts/);
  assert.match(code('server/src/orders/a.ts', 'const a = db.selectFrom(\'x\');')[0] ?? '', /belongs into the store/);
  assert.deepEqual(code('server/src/orders/store.ts', 'const a = db.selectFrom(\'x\');'), []);
  assert.match(code('server/src/orders/store.ts', 'const a = sql`select now()`;')[0] ?? '', /are parameters/);
});

test('syntax that the house does without is found', () => {
  assert.match(code('media/src/a.ts', 'enum A { B }')[0] ?? '', /no enum/);
  assert.match(code('media/src/a.ts', 'export default 1;')[0] ?? '', /no default export/);
  assert.match(code('media/src/a.ts', 'const a: any = 1;')[0] ?? '', /no any/);
  assert.match(code('media/src/a.ts', 'class A {}')[0] ?? '', /no classes/);
  assert.deepEqual(code('media/src/a.ts', 'export class A extends Error {}'), []);
  assert.match(code('media/src/a.ts', 'try { a(); } catch {}')[0] ?? '', /an empty catch/);
});

test('a rule without a test and a test without a rule are found', () => {
  const readme = { path: 'server/src/orders/README.md', text: '- **Q1** One.\n- **Q2** Two.\n', isGenerated: false };
  const tests = 'test(\'[Q1] one\');\ntest(\'[Q3] three\');';
  assert.deepEqual(checkText([readme, file('server/src/orders/a.test.ts', tests)], ROOT).map((finding) => finding.text),
    ['rule Q2 has no test named [Q2]', 'there is no rule Q3']);
});

test('documents name only what exists', () => {
  assert.deepEqual(text('docs/a.md', 'See `tools/tidy.ts`, [this](../README.md), `npm run check`, `text/plain`.'), []);
  assert.match(text('docs/a.md', 'See `tools/gone.ts`.')[0] ?? '', /does not exist/);
  assert.match(text('docs/a.md', 'See [that](gone.md).')[0] ?? '', /does not exist/);
  assert.match(text('docs/a.md', 'Use `npm run gone`.')[0] ?? '', /no npm script gone/);
});

test('words that do not belong here are found', () => {
  assert.match(text('docs/a.md', `made by a language ${'model'}`)[0] ?? '', /how something was made/);
  assert.match(text('docs/a.md', `in ${'/ro'}ot/clone`)[0] ?? '', /one machine/);
  assert.match(text('media/src/a.ts', `// ${'TO'}${'DO'}: later`)[0] ?? '', /left for later/);
  assert.deepEqual(text('docs/a.md', 'framework/lib, /healthz, model'), []);
});

test('physical sides in styles are found', () => {
  const style = (rule: string) => text('web/src/a.svelte', `<p>left: right</p>\n<style>\np { ${rule} }\n</style>`);
  for (const rule of ['margin-left: 1px;', 'left: 0;', 'text-align: right;', 'border-top-left-radius: 1px;']) {
    assert.match(style(rule)[0] ?? '', /use the logical property/, rule);
  }
  for (const rule of ['margin-inline-start: 1px;', 'inset-inline-start: 0;', 'text-align: start;']) {
    assert.deepEqual(style(rule), [], rule);
  }
});
