/**
 * The media process. Started by the supervisor only, with the pipe as file descriptor 3.
 *
 * It lives exactly as long as the pipe: when the main process goes, however it goes, the pipe closes and this ends at
 * once.
 */
import { Socket } from 'node:net';
import { setPriority } from 'node:os';
import type { Command, Reply } from './commands.ts';
import { PublishRefusal, type MediaEvent, type MediaLog } from './hooks.ts';
import { createMediaServer, type MediaServer } from './media-server.ts';
import { createPipeEnd, type PipeEnd, type PipeMessage } from './pipe.ts';

const pipeDescriptor = 3;
/** Before ordinary work (0), behind the system's own. */
const wantedPriority = -10;

/**
 * An arrival that is stamped late looks like a full network to the sender, which then lowers its bitrate. Takes effect
 * where this user may do so; called before native threads begin, which inherit it.
 */
function hurry(): void {
  try {
    setPriority(wantedPriority);
  } catch {
    // Ordinary users may not: then it is as fast as everything else.
  }
}

/** Native threads may still run: an orderly exit could hang in their destructors. */
function leave(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('unreachable');
}

function run(): void {
  let server: MediaServer | null = null;
  const reply = (message: Reply): void => pipe.send(message);
  const logAt =
    (level: 'info' | 'warn' | 'error') =>
    (fields: object, message: string): void => {
      reply({ type: 'log', level, fields: plain(fields), message });
    };
  const log: MediaLog = { info: logAt('info'), warn: logAt('warn'), error: logAt('error') };

  const onEvent = (event: MediaEvent): boolean => {
    if (event.type === 'fragment') return pipe.offer({ ...event, data: undefined }, event.data);
    if (event.type === 'init') pipe.send({ ...event, initSegment: undefined }, event.initSegment);
    else pipe.send(event);
    return true;
  };

  const start = async (command: Extract<Command, { type: 'start' }>): Promise<void> => {
    try {
      server = await createMediaServer({ ...command, log, onEvent, queuedBytes: () => pipe.queuedBytes() });
      reply({ type: 'ready', udpPort: server.udpPort });
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN';
      reply({ type: 'fatal', code, message: String(error) });
      pipe.close();
    }
  };

  const handle = (command: Command): void => {
    if (command.type === 'ping') reply({ type: 'pong' });
    else if (command.type === 'start') void start(command);
    else if (command.type === 'stop') {
      server?.stop();
      pipe.close();
    } else if (server === null) {
      reply({ type: 'refusal', id: command.id, code: 'unavailable', message: 'The video process is starting.' });
    } else answer(server, command);
  };

  const answer = (
    media: MediaServer,
    command: Exclude<Command, { type: 'ping' | 'start' | 'stop' }>,
  ): void => {
    const { id } = command;
    if (command.type === 'publish') {
      try {
        reply({ type: 'reply', id, answerSdp: media.publish(command) });
      } catch (error) {
        if (!(error instanceof PublishRefusal)) log.error({ err: error }, 'Publishing failed');
        const refusal =
          error instanceof PublishRefusal ? error : new PublishRefusal('unavailable', 'The video process failed.');
        reply({ type: 'refusal', id, code: refusal.code, message: refusal.message });
      }
    } else if (command.type === 'remove') {
      reply({ type: 'reply', id, isFound: media.remove(command.sessionId, 'closed') });
    } else if (command.type === 'patch') {
      // Our answer is ice-lite and complete: the publisher's candidates are learnt from its checks.
      reply({ type: 'reply', id, isFound: media.has(command.sessionId) });
    } else reply({ type: 'reply', id, stats: media.stats() });
  };

  const pipe: PipeEnd = createPipeEnd(new Socket({ fd: pipeDescriptor, readable: true, writable: true }), {
    onMessage: (message: PipeMessage) => handle(message.head as unknown as Command),
    onEnd: leave,
  });
  // Ctrl-C in a terminal reaches the whole group; the main process decides when this one ends.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => undefined);
  process.on('uncaughtException', (error) => log.error({ err: plain(error) }, 'An exception reached the top'));
  process.on('unhandledRejection', (error) => log.error({ err: plain({ error }) }, 'A rejection reached the top'));
}

/** Errors have no enumerable fields, so JSON would lose them. */
function plain(fields: object): object {
  return JSON.parse(
    JSON.stringify(fields, (_key, value: unknown) =>
      value instanceof Error ? { message: value.message, stack: value.stack } : value,
    ),
  ) as object;
}

hurry();
run();
