/**
 * Writes the files that follow from others, or says which are out of date.
 *
 * Usage: node tools/generate.ts [--check] [NAME…]; without names, all:
 *   tables         server/src/platform/tables.ts, from the migrated database
 *   configuration  docs/configuration.md, from the config schema
 *   refusals       docs/refusals.md, from the codes in the contract
 *   messages       web/src/lib/i18n/keys.ts, from the English catalogues
 *   openapi        docs/openapi.json, from the routes
 *   api-types      web/src/lib/api-types.ts, from docs/openapi.json
 * With --check nothing is written and the exit code is 1 when a file would change.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');

interface Generated {
  file: string;
  /** @param current the text of a file that may just have been made */
  make(current: (file: string) => string): Promise<string>;
}

const generated: Record<string, Generated> = {
  tables: { file: 'server/src/platform/tables.ts', make: makeTables },
  configuration: { file: 'docs/configuration.md', make: makeConfiguration },
  refusals: { file: 'docs/refusals.md', make: makeRefusals },
  messages: { file: 'web/src/lib/i18n/keys.ts', make: makeMessages },
  openapi: { file: 'docs/openapi.json', make: makeOpenapi },
  'api-types': { file: 'web/src/lib/api-types.ts', make: makeApiTypes },
};

await main(process.argv.slice(2));

async function main(args: string[]): Promise<void> {
  const check = args.includes('--check');
  const names = args.filter((arg) => !arg.startsWith('--'));
  const unknown = names.filter((name) => !generated[name]);
  if (unknown.length > 0) {
    console.error(`Unknown: ${unknown.join(', ')}. Known are ${Object.keys(generated).join(', ')}.`);
    process.exit(2);
  }
  const fresh = new Map<string, string>();
  const current = (file: string) => fresh.get(file) ?? readFileSync(join(root, file), 'utf8');
  let stale = 0;
  for (const [name, { file, make }] of Object.entries(generated)) {
    if (names.length > 0 && !names.includes(name)) continue;
    const text = await make(current);
    fresh.set(file, text);
    const path = join(root, file);
    if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
    if (check) {
      stale += 1;
      console.error(`${file} is out of date; run: npm run generate`);
    } else {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      console.log(`wrote ${file}`);
    }
  }
  process.exit(stale > 0 ? 1 : 0);
}

async function makeTables(): Promise<string> {
  const { createTestDatabase } = await import('../tests/support/database.ts');
  const database = await createTestDatabase('generate_tables');
  const text = throughFile('tables.ts', (file) => run('kysely-codegen', [
    '--dialect', 'postgres', '--url', database.ownerUrl, '--out-file', file, '--default-schema', 'public',
    '--include-pattern', 'public.*', '--exclude-pattern', 'public.schema_migration', '--log-level', 'error',
    // A 64-bit number is read as bigint (platform/database.ts): money and positions exceed 2^53 in sums.
    '--type-mapping', JSON.stringify({ int8: 'bigint' }),
  ]));
  return withHeader(text, 'The tables as the migrations leave them.');
}

async function makeConfiguration(): Promise<string> {
  const { configurationDocument } = await import('../server/src/config.ts');
  return configurationDocument();
}

async function makeRefusals(): Promise<string> {
  const { REFUSALS } = await import('../contract/src/refusals.ts');
  const rows = Object.entries(REFUSALS).map(([code, { status, title }]) => `| \`${code}\` | ${status} | ${title} |`);
  return '# Refusals\n\nGenerated from `contract/src/refusals.ts` by `npm run generate`; do not edit.\n\n'
    + 'Every expected "no" of the API: an RFC 9457 problem document whose `code` is stable and whose `type` is '
    + '`urn:nacre:refusal:<code>`.\n\n'
    + `| code | status | title |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
}

async function makeMessages(): Promise<string> {
  const { keysSource } = await import('../web/src/lib/i18n/catalogue.ts');
  return keysSource();
}

/** Asks a whole server, so that the document holds what is really mounted. */
async function makeOpenapi(): Promise<string> {
  const { createTestDatabase } = await import('../tests/support/database.ts');
  const { compose } = await import('../server/src/compose.ts');
  const { readConfig } = await import('../server/src/config.ts');
  const { findReach } = await import('../server/src/reach.ts');
  const { openDataFolder } = await import('../server/src/platform/data-folder.ts');
  const { createLog } = await import('../server/src/platform/log.ts');
  const database = await createTestDatabase('generate_openapi');
  const path = mkdtempSync(join(tmpdir(), 'nacre-generate-'));
  const folder = await openDataFolder({ path, version: '0' });
  const config = readConfig({ args: ['--port', '0', '--udp-port', '0', '--empty'], env: {} });
  const composed = await compose({
    config, reach: await findReach(config, { dataFolder: path, root, now: new Date() }),
    log: createLog('error', false), folder, databaseUrl: database.serverUrl, isEmbedded: false, version: '0',
  });
  try {
    const answer = await fetch(`${composed.address}/api/openapi.json`);
    const document = await answer.json() as { openapi: string; servers?: object };
    // Where this one happened to listen is no part of the interface.
    delete document.servers;
    return `${JSON.stringify(document, null, 2)}\n`;
  } finally {
    await composed.stop();
    folder.release();
    rmSync(path, { recursive: true, force: true });
  }
}

async function makeApiTypes(current: (file: string) => string): Promise<string> {
  const text = throughFile('api-types.ts', (file) => {
    const source = `${file}.json`;
    writeFileSync(source, current('docs/openapi.json'));
    run('openapi-typescript', [source, '-o', file]);
  });
  return withHeader(text, 'The HTTP API\'s types.');
}

/** Our words instead of the tool's. */
function withHeader(text: string, what: string): string {
  return text.replace(/^\/\*\*[\s\S]*?\*\//, `/** ${what} Generated by \`npm run generate\`; do not edit. */`);
}

function throughFile(name: string, write: (file: string) => void): string {
  const folder = mkdtempSync(join(tmpdir(), 'nacre-generate-'));
  try {
    write(join(folder, name));
    return readFileSync(join(folder, name), 'utf8');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(program: string, args: string[]): void {
  const result = spawnSync(join(root, 'node_modules/.bin', program), args, { cwd: root, encoding: 'utf8' });
  if (result.status === 0) return;
  console.error(`${program} failed:\n${result.stdout}${result.stderr}`);
  process.exit(1);
}
