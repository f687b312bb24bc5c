/**
 * Runs in the main process: starts the media process, watches it, and starts it again when it dies.
 *
 * Invariants: a listener sees `down` exactly once for every session that `publish` answered, whatever happens to the
 * process; requests never wait longer than `requestTimeoutMs`; after `stop` nothing of it runs and no event comes.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Command, ProcessStats, Reply } from './commands.ts';
import {
  PublishRefusal,
  type MediaEvent,
  type MediaSupervisor,
  type MediaSupervisorOptions,
  type PublishRefusalCode,
} from './hooks.ts';
import { createPipeEnd, type PipeEnd, type PipeMessage } from './pipe.ts';

/** Shorter: a busy process is taken for a dead one; longer: publishers wait in vain. */
export const requestTimeoutMs = 5000;
const heartbeatIntervalMs = 1000;
/**
 * Without a sign of life for so long the process is killed. Shorter: a laptop's sleep kills it; longer: a frozen
 * picture.
 */
export const heartbeatTimeoutMs = 6000;
/** Publishing requests that may wait at once; each is one host pressing a button. */
const maxPendingRequests = 500;
const firstRestartMs = 50;
/** Longer: hosts wait after a cause that is gone; shorter: a process that cannot start eats a core. */
const longestRestartMs = 5000;
/** After so long without a fault the next one is a first one again. */
const calmAfterMs = 30_000;
const stopTimeoutMs = 2000;
const startTimeoutMs = 10_000;
/** A process that has never come up is not tried for ever: what keeps it down (a missing library) stays. */
const maxFirstStarts = 5;

type NumberedCommand = Extract<Command, { id: number }>;
type Unnumbered<C> = C extends unknown ? Omit<C, 'id'> : never;
type ReplyOf = Extract<Reply, { type: 'reply' }>;

interface Pending {
  resolve(reply: ReplyOf): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

interface Child {
  process: ChildProcess;
  pipe: PipeEnd;
  isReady: boolean;
  startedMs: number;
  lastSignMs: number;
  fatal: string | null;
}

const mediaProgram = fileURLToPath(new URL('./main.ts', import.meta.url));
const restarting = (): PublishRefusal =>
  new PublishRefusal('unavailable', 'Video is restarting. Try again in a few seconds.');

export function createMediaSupervisor(options: MediaSupervisorOptions): MediaSupervisor {
  const { log } = options;
  /** Each session that is not down. */
  const sessions = new Map<string, { streamId: string; isUp: boolean }>();
  const pending = new Map<number, Pending>();
  const started = Promise.withResolvers<{ udpPort: number }>();
  started.promise.catch(() => undefined);
  let child: Child | null = null;
  let udpPort = options.udpPort;
  let hasStarted = false;
  let isStopped = false;
  let restarts = 0;
  let backoffMs = firstRestartMs;
  let nextId = 1;
  let restartTimer: NodeJS.Timeout | null = null;
  let stopping: Promise<void> | null = null;

  const emit = (event: MediaEvent): void => {
    try {
      options.onEvent(event);
    } catch (error) {
      log.error({ err: error, type: event.type }, 'A listener of media events failed');
    }
  };

  const down = (sessionId: string, reason: 'crashed' | 'closed' | 'replaced'): void => {
    const session = sessions.get(sessionId);
    if (session === undefined) return;
    sessions.delete(sessionId);
    emit({ type: 'down', streamId: session.streamId, sessionId, reason });
  };

  const receiveEvent = (event: MediaEvent, body: Buffer): void => {
    if (event.type === 'child-restarted') return;
    const session = sessions.get(event.sessionId);
    if (session === undefined) return;
    if (event.type === 'up') session.isUp = true;
    if (event.type === 'down') sessions.delete(event.sessionId);
    if (event.type === 'init') emit({ ...event, initSegment: body });
    else if (event.type === 'fragment') emit({ ...event, data: body });
    else emit(event);
  };

  const settle = (reply: Extract<Reply, { id: number }>): void => {
    const waiting = pending.get(reply.id);
    if (waiting === undefined) return;
    pending.delete(reply.id);
    clearTimeout(waiting.timer);
    if (reply.type === 'reply') waiting.resolve(reply);
    else waiting.reject(new PublishRefusal(reply.code as PublishRefusalCode, reply.message));
  };

  const becomeReady = (current: Child, port: number): void => {
    current.isReady = true;
    udpPort = port;
    if (hasStarted) emit({ type: 'child-restarted', pid: current.process.pid ?? 0, restarts });
    hasStarted = true;
    started.resolve({ udpPort: port });
  };

  const receive = (current: Child, { head, body }: PipeMessage): void => {
    current.lastSignMs = performance.now();
    const message = head as unknown as Reply | MediaEvent;
    switch (message.type) {
      case 'pong':
        break;
      case 'ready':
        becomeReady(current, message.udpPort);
        break;
      case 'fatal':
        current.fatal = fatalSentence(message.code, message.message, options);
        break;
      case 'log':
        log[message.level](message.fields, message.message);
        break;
      case 'reply':
      case 'refusal':
        settle(message);
        break;
      default:
        receiveEvent(message, body);
    }
  };

  const ended = (current: Child, how: string): void => {
    if (child !== current) return;
    child = null;
    for (const [id, waiting] of pending) {
      clearTimeout(waiting.timer);
      waiting.reject(restarting());
      pending.delete(id);
    }
    for (const sessionId of sessions.keys()) down(sessionId, isStopped ? 'closed' : 'crashed');
    if (performance.now() - current.startedMs > calmAfterMs) backoffMs = firstRestartMs;
    comeBack(how, current.fatal);
  };

  /** The next try after one that ended, or none where that would be in vain. */
  const comeBack = (how: string, fatal: string | null): void => {
    if (isStopped) return;
    restarts += 1;
    if (!hasStarted && (fatal !== null || restarts >= maxFirstStarts)) {
      isStopped = true;
      clearInterval(heartbeat);
      started.reject(new Error(fatal ?? `Video cannot start: its process ended ${restarts} times (${how}).`));
      return;
    }
    log.error({ how, restartInMs: backoffMs, fatal }, 'The media process ended');
    restartTimer = setTimeout(launch, backoffMs);
    backoffMs = Math.min(backoffMs * 2, longestRestartMs);
  };

  const launch = (): void => {
    restartTimer = null;
    try {
      child = open();
    } catch (error) {
      // Too many processes or open files: it may pass.
      comeBack(String(error), null);
    }
  };

  const open = (): Child => {
    const args = ['--disable-warning=ExperimentalWarning', options.program ?? mediaProgram];
    const spawned = spawn(process.execPath, args, {
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
      // The media process needs nothing of the environment, and should hold no secret when it is taken over.
      env: {},
    });
    // Without a listener an error of the process would be one of ours.
    let opened: Child | null = null;
    const onEnd = (how: string): void => {
      if (opened !== null) ended(opened, how);
    };
    spawned.once('error', (error) => onEnd(error.message));
    spawned.once('exit', (code, signal) => onEnd(signal ?? `exit code ${code}`));
    const line = spawned.stdio?.[3] as Duplex | undefined;
    if (line === undefined) throw new Error('the media process has no pipe');
    const nowMs = performance.now();
    const current: Child = {
      process: spawned,
      isReady: false,
      startedMs: nowMs,
      lastSignMs: nowMs + startTimeoutMs - heartbeatTimeoutMs,
      fatal: null,
      pipe: createPipeEnd(line, {
        onMessage: (message) => receive(current, message),
        // A process without a pipe is of no use; its exit does the rest.
        onEnd: () => spawned.kill('SIGKILL'),
      }),
    };
    opened = current;
    const { bindAddress, addresses } = options;
    current.pipe.send({
      type: 'start',
      udpPort,
      ...(bindAddress === undefined ? {} : { bindAddress }),
      ...(addresses === undefined ? {} : { addresses }),
    } satisfies Command);
    return current;
  };

  const request = (command: Unnumbered<NumberedCommand>): Promise<ReplyOf> => {
    const current = child;
    if (current === null || !current.isReady || isStopped || pending.size >= maxPendingRequests) {
      return Promise.reject(restarting());
    }
    const id = nextId;
    nextId += 1;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        pending.delete(id);
        reject(restarting());
      }, requestTimeoutMs);
      pending.set(id, { resolve, reject, timer });
      current.pipe.send({ ...command, id });
    });
  };

  const isFound = async (command: Unnumbered<NumberedCommand>): Promise<boolean> => {
    try {
      const reply = await request(command);
      return 'isFound' in reply && reply.isFound;
    } catch (error) {
      // A process that restarts has no sessions any more.
      if (error instanceof PublishRefusal) return false;
      throw error;
    }
  };

  let lastBeatMs = performance.now();
  const heartbeat = setInterval(() => {
    const nowMs = performance.now();
    // This process itself was held up (a laptop's sleep, a busy start): what the other one said lies unread.
    const wasHeldUp = nowMs - lastBeatMs > 2 * heartbeatIntervalMs;
    lastBeatMs = nowMs;
    const current = child;
    if (current === null) return;
    if (wasHeldUp) current.lastSignMs = Math.max(current.lastSignMs, nowMs);
    if (nowMs - current.lastSignMs > heartbeatTimeoutMs) {
      log.error({ pid: current.process.pid }, 'The media process gives no sign of life and is ended');
      current.process.kill('SIGKILL');
      return;
    }
    current.pipe.send({ type: 'ping' } satisfies Command);
  }, heartbeatIntervalMs);

  const stop = async (): Promise<void> => {
    isStopped = true;
    clearInterval(heartbeat);
    if (restartTimer !== null) clearTimeout(restartTimer);
    started.reject(new Error('The media supervisor was stopped.'));
    const current = child;
    if (current === null) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => current.process.kill('SIGKILL'), stopTimeoutMs);
      current.process.once('exit', () => {
        clearTimeout(timer);
        resolve();
      });
      current.pipe.send({ type: 'stop' } satisfies Command);
    });
  };

  launch();
  return {
    ready: () => started.promise,
    async publish({ streamId, offerSdp }) {
      const sessionId = randomUUID();
      // Known before the answer: the process may send events of it ahead of the reply.
      sessions.set(sessionId, { streamId, isUp: false });
      try {
        const reply = await request({ type: 'publish', streamId, sessionId, offerSdp });
        if (!('answerSdp' in reply)) throw restarting();
        return { sessionId, answerSdp: reply.answerSdp };
      } catch (error) {
        sessions.delete(sessionId);
        if (child !== null && error instanceof PublishRefusal && error.code === 'unavailable') {
          void isFound({ type: 'remove', sessionId });
        }
        throw error;
      }
    },
    patch: (sessionId, sdpFragment) => isFound({ type: 'patch', sessionId, sdpFragment }),
    remove: (sessionId) => isFound({ type: 'remove', sessionId }),
    replace(streamId) {
      for (const [sessionId, session] of sessions) {
        if (session.streamId !== streamId || !session.isUp) continue;
        down(sessionId, 'replaced');
        void isFound({ type: 'remove', sessionId });
      }
    },
    async stats() {
      try {
        const reply = await request({ type: 'stats' });
        return 'stats' in reply ? { ...(reply.stats satisfies ProcessStats), restarts } : null;
      } catch (error) {
        if (error instanceof PublishRefusal) return null;
        throw error;
      }
    },
    pid: () => (child?.isReady === true ? (child.process.pid ?? null) : null),
    stop: () => (stopping ??= stop()),
  };
}

function fatalSentence(code: string, message: string, options: MediaSupervisorOptions): string {
  if (code === 'EADDRINUSE') {
    return `UDP port ${options.udpPort} is taken by another program. Choose another one, or 0 for any free one.`;
  }
  if (code === 'EADDRNOTAVAIL') return `This machine has no address ${options.bindAddress ?? ''} to receive video on.`;
  if (code === 'EACCES') return `This user may not open UDP port ${options.udpPort}. Choose one above 1023.`;
  return `Video cannot start: ${message}`;
}
