/**
 * The publisher as a process of its own:
 * `node media/src/publisher/main.ts --url http://localhost:3000/whip --clip server/demo/show.mp4`
 *
 * The stream key comes in the environment variable NACRE_STREAM_KEY, or else as the first line of standard input: never in
 * the arguments, which every user of the machine can read. Ends on SIGTERM, SIGINT, or when standard input closes.
 */
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { loadClip } from './clip.ts';
import { startPublisher } from './publisher.ts';

const usage =
  'Usage: NACRE_STREAM_KEY=… node media/src/publisher/main.ts --url WHIP_URL --clip FILE.mp4\n' +
  'Without the variable the key is read from the first line of standard input.\n';
/** A stalled server must not keep the process: it is ended even when the goodbye does not come through. */
const stopTimeoutMs = 4000;

function fail(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

function readArguments(): { url: string; clip: string } {
  try {
    const { values } = parseArgs({ options: { url: { type: 'string' }, clip: { type: 'string' } } });
    if (values.url !== undefined && values.clip !== undefined && URL.canParse(values.url)) {
      return { url: values.url, clip: values.clip };
    }
  } catch (error) {
    fail(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  }
  return fail(usage);
}

async function main(): Promise<void> {
  const { url, clip: path } = readArguments();
  const lines = createInterface({ input: process.stdin });
  const given = process.env.NACRE_STREAM_KEY ?? '';
  const key = given !== '' ? given : await new Promise<string>((resolve) => {
    lines.once('line', (line) => resolve(line.trim()));
    lines.once('close', () => resolve(''));
  });
  delete process.env.NACRE_STREAM_KEY;
  if (key === '') fail(`There is no stream key.\n${usage}`);
  const clip = await loadClip(path).catch((error: unknown) => fail(error instanceof Error ? error.message : String(error)));
  const publisher = startPublisher({
    url,
    key,
    clip,
    log: (message) => process.stderr.write(`${message}\n`),
    onState: (state) => process.stdout.write(`${state}\n`),
  });
  let isStopping = false;
  const stop = (): void => {
    if (isStopping) return;
    isStopping = true;
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), stopTimeoutMs).unref();
    // Native threads keep an orderly exit waiting.
    void publisher.stop().finally(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  lines.on('close', stop);
}

await main();
