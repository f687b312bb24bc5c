/**
 * The publisher as a process of its own:
 * `node media/src/publisher/main.ts --url http://localhost:3000/whip --clip server/demo/show.mp4`
 *
 * The stream key is the first line of standard input: never in the arguments or the environment, where others can
 * read it. Standard input stays open while publishing; the process ends when it closes, on SIGTERM and on SIGINT.
 * Prints `up` and `down` as pictures begin and stop to flow.
 */
import { createInterface, type Interface } from 'node:readline';
import { parseArgs } from 'node:util';
import { loadClip } from './clip.ts';
import { EXIT_KEY_REFUSED } from './exit-codes.ts';
import { startPublisher } from './publisher.ts';

const usage = 'Usage: node media/src/publisher/main.ts --url WHIP_URL --clip FILE.mp4 (stream key on standard input)';
/** A stalled server must not keep the process: it is ended even when the goodbye does not come through. */
const stopTimeoutMs = 4000;

function fail(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function readArguments(): { url: string; clip: string } {
  try {
    const { values } = parseArgs({ options: { url: { type: 'string' }, clip: { type: 'string' } } });
    if (values.url !== undefined && values.clip !== undefined && URL.canParse(values.url)) {
      return { url: values.url, clip: values.clip };
    }
  } catch (error) {
    fail(`${describe(error)}\n${usage}`);
  }
  return fail(usage);
}

function readKey(lines: Interface): Promise<string> {
  return new Promise((resolve) => {
    lines.once('line', (line) => resolve(line.trim()));
    lines.once('close', () => resolve(''));
  });
}

async function main(): Promise<void> {
  const { url, clip: path } = readArguments();
  const lines = createInterface({ input: process.stdin });
  let isInputOpen = true;
  lines.once('close', () => (isInputOpen = false));
  const key = await readKey(lines);
  if (key === '') fail(`There is no stream key.\n${usage}`);
  const clip = await loadClip(path).catch((error: unknown) => fail(describe(error)));
  const publisher = startPublisher({
    url,
    key,
    clip,
    log: (message) => process.stderr.write(`${message}\n`),
    onState: (state) => process.stdout.write(`${state}\n`),
  });
  void publisher.ended.then((why) => {
    if (why === 'key refused') process.exit(EXIT_KEY_REFUSED);
  });
  let isStopping = false;
  const stop = (): void => {
    if (isStopping) return;
    isStopping = true;
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), stopTimeoutMs).unref();
    // Native threads would keep an orderly end waiting.
    void publisher.stop().finally(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  lines.on('close', stop);
  // Whoever read our output is gone: the end of standard input follows.
  process.stdout.on('error', stop);
  process.stderr.on('error', stop);
  if (!isInputOpen) stop();
}

await main();
