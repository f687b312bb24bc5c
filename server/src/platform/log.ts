/** Structured logs: one JSON object a line, or readable lines on a terminal. Secrets never get in. */
import pino, { type Logger } from 'pino';
import pretty from 'pino-pretty';

export type Log = Logger;

const SECRETS = [
  'req.headers.authorization', 'req.headers.cookie', 'headers.authorization', 'headers.cookie',
  'password', 'key', 'token',
];

/** @param level pino's levels, `silent` for none. @param readable lines for people instead of JSON. */
export function createLog(level: string, readable: boolean): Log {
  const options = { level, redact: SECRETS, base: undefined };
  if (!readable) return pino(options);
  return pino(options, pretty({ colorize: true, sync: true, ignore: 'pid,hostname,reqId', translateTime: 'HH:MM:ss' }));
}
