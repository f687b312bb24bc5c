/** Structured logs: one JSON object a line, or readable lines on a terminal. Secrets never get in. */
import pino, { type Logger } from 'pino';
import pretty from 'pino-pretty';

export type Log = Logger;

const SECRETS = [
  'req.headers.authorization', 'req.headers.cookie', 'headers.authorization', 'headers.cookie',
  'password', 'key', 'token',
];

interface LoggedError {
  type: string;
  message: string;
  code?: string;
  stack?: string;
  cause?: LoggedError;
}

/** What helps to find the cause. Errors of drivers carry whole connections with them; those stay out. */
export function loggedError(error: unknown): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, message: wordsOf(error) };
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    message: error.message,
    ...(typeof code === 'string' ? { code } : {}),
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(error.cause === undefined ? {} : { cause: loggedError(error.cause) }),
  };
}

/** pg-boss hands on copies of errors, which are plain objects. */
function wordsOf(thrown: unknown): string {
  const { message } = (thrown ?? {}) as { message?: unknown };
  return typeof message === 'string' ? message : String(thrown);
}

/** @param level pino's levels, `silent` for none. @param readable lines for people instead of JSON. */
export function createLog(level: string, readable: boolean): Log {
  const options = { level, redact: SECRETS, base: undefined, serializers: { err: loggedError } };
  if (!readable) return pino(options);
  return pino(options, pretty({ colorize: true, sync: true, ignore: 'pid,hostname,reqId', translateTime: 'HH:MM:ss' }));
}
