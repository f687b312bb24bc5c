/**
 * `npm start`: installs what running needs, builds the pages, and hands over to the server on the pinned Node.
 *
 * Plain JavaScript that any Node ≥ 20.19 runs. Signals go on to the server and its exit code comes back. When this
 * process, or the npm that runs it, is killed outright, the server notices and stops cleanly: nothing is left behind
 * that would hold the port.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT, Trouble, ensureInstalled, ensureWebBuilt, pinnedNode } from './install.mjs';
import { startHelp, wrongOption } from './options.mjs';

const EXIT_WRONG_USE = 2;
/** How soon a server whose npm was killed notices; each look costs microseconds. */
const PARENT_POLL_MS = 250;

const args = process.argv.slice(2);
if (args.includes('--help') || args.includes('-h')) {
  console.log(startHelp());
  process.exit(0);
}
const wrong = wrongOption(args);
if (wrong) {
  console.error(`\n${wrong}\n`);
  process.exit(EXIT_WRONG_USE);
}

try {
  await ensureInstalled('run');
  await ensureWebBuilt();
} catch (error) {
  if (!(error instanceof Trouble)) throw error;
  console.error(`\n${error.message}\n`);
  process.exit(1);
}
handOver();

function handOver() {
  const server = spawn(pinnedNode(), [join(ROOT, 'server/src/main.ts'), ...args], {
    // The channel carries nothing: it closes when this process ends, and the server stops then.
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { NODE_ENV: 'production', ...process.env },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => server.kill(signal));
  watchParent(() => server.kill('SIGTERM'));
  server.once('error', (error) => {
    console.error(`\nNode 24 does not run here: ${error.message}. Delete node_modules and start again.\n`);
    process.exit(1);
  });
  server.once('exit', (code, signal) => {
    if (signal) console.error(`\nNacre was ended by ${signal}. The next start recovers what was under way.\n`);
    process.exit(code ?? 1);
  });
}

/** Under npm, the end of npm is the end of the command. */
function watchParent(onGone) {
  if (!process.env.npm_lifecycle_event) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    onGone();
  }, PARENT_POLL_MS);
  timer.unref();
}
