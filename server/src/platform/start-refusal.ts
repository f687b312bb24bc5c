/**
 * A reason not to start that a person can do something about.
 *
 * The message is a whole sentence with what to do next; the program prints it alone, without a stack, and ends with
 * `exitCode`.
 */

/** Exit code when something outside stands in the way: a port, a folder, a database. */
export const EXIT_CANNOT_START = 1;
/** Exit code when the command itself is wrong: an unknown option, a value out of range. */
export const EXIT_WRONG_USE = 2;

export class StartRefusal extends Error {
  readonly exitCode: number;

  constructor(message: string, options: { exitCode?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'StartRefusal';
    this.exitCode = options.exitCode ?? EXIT_CANNOT_START;
  }
}

/** The `code` of a system or PostgreSQL error, or '' when there is none. */
export function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return String(error.code);
}

/** The first line of an error's text, for use inside a sentence. */
export function errorText(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return errorText(error.errors[0]);
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0] ?? '';
}
