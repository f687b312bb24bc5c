/**
 * Commands for the person who runs Nacre: `npm run nacre -- COMMAND [options]`.
 *
 * Each says what it did in a sentence. Exit codes: 0 done, 1 could not be done, 2 wrongly asked.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describeConfig, readConfig } from '../config.ts';
import type { Config } from '../config.ts';
import { nearest } from '../lib/nearest.ts';
import { prepareDatabase } from '../platform/prepare-database.ts';
import { EXIT_CANNOT_START, EXIT_WRONG_USE, StartRefusal } from '../platform/start-refusal.ts';
import { openDatabaseAccess } from './database-access.ts';
import { examineServer, report } from './doctor.ts';
import { makeOperator } from './operator.ts';

interface Command {
  usage: string;
  text: string;
  /** How many words it takes besides options. */
  words: number;
  run(config: Config, words: string[]): Promise<string>;
}

const commands: Record<string, Command> = {
  operator: {
    usage: 'operator EMAIL', words: 1,
    text: 'make the account with that e-mail an operator of the market',
    run: (config, [email = '']) => withDatabase(config, (access) => makeOperator(access.ownerUrl, email)),
  },
  migrate: {
    usage: 'migrate', words: 0,
    text: 'bring the database to the shape of this version without starting the server',
    run: (config) => withDatabase(config, async (access) => {
      const { ran } = await prepareDatabase({ ...access, serverUrl: config.databaseServerUrl ?? undefined });
      return ran.length === 0 ? 'The database is up to date.' : `Ran ${ran.join(', ')}.`;
    }),
  },
  doctor: {
    usage: 'doctor', words: 0,
    text: 'say what would stop a show: disk, ports, https, addresses, TURN, and how to mend it',
    run: async (config) => {
      const found = await examineServer(config, Date.now);
      if (found.some(({ grade }) => grade === 'bad')) process.exitCode = EXIT_CANNOT_START;
      return report(found);
    },
  },
  'check-config': {
    usage: 'check-config', words: 0,
    text: 'say which settings hold, or which one is wrong',
    run: async (config) => describeConfig(config).join('\n'),
  },
};

const HELP = ['npm run nacre -- COMMAND [options]', '',
  ...Object.values(commands).map(({ usage, text }) => `  ${usage.padEnd(18)} ${text}`), '',
  'Options are those of npm start, above all --data DIR. docs/configuration.md explains them.'].join('\n');

try {
  console.log(await main(process.argv.slice(2)));
} catch (error) {
  if (error instanceof StartRefusal) console.error(`\n${error.message}\n`);
  else console.error(error);
  process.exitCode = error instanceof StartRefusal ? error.exitCode : EXIT_CANNOT_START;
}

async function main(args: string[]): Promise<string> {
  const [name] = args;
  if (name === undefined || ['help', '--help', '-h'].includes(name)) return HELP;
  const command = commands[name];
  if (!command) {
    const meant = nearest(name, Object.keys(commands));
    throw wrongUse(`There is no command ${name}.${meant ? ` Did you mean ${meant}?` : ''}\n\n${HELP}`);
  }
  const words = args.slice(1, 1 + command.words);
  if (words.length < command.words || words.some((word) => word.startsWith('-'))) {
    throw wrongUse(`npm run nacre -- ${command.usage}: ${command.text}`);
  }
  return command.run(readConfig({ args: args.slice(1 + command.words), env: process.env }), words);
}

async function withDatabase(
  config: Config, work: (access: { ownerUrl: string; serverPassword: string }) => Promise<string>,
): Promise<string> {
  const manifest = readFileSync(join(resolve(import.meta.dirname, '../../..'), 'package.json'), 'utf8');
  const access = await openDatabaseAccess(config, (JSON.parse(manifest) as { version: string }).version);
  try {
    return await work(access);
  } finally {
    await access.stop();
  }
}

function wrongUse(message: string): StartRefusal {
  return new StartRefusal(message, { exitCode: EXIT_WRONG_USE });
}
