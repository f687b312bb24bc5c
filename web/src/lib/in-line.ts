/** Waiting out a rush: what the server has no room for is sent again until it is taken or refused for good. */
import { ApiError } from '#lib/api.ts';

/** Longer than a rush lasts. After that the person decides whether to go on. */
const inLineMaxMs = 60_000;
const retryAfterSeconds = 2;

export interface InLine {
  /** The refusal that says that nothing was tried, such as `orders.rush`. */
  rushCode: string;
  onInLine: () => void;
  /** Nobody waits for it any more. */
  isStopped?: () => boolean;
}

/** `send` has to be one that may be repeated. @throws ApiError; in a rush also when nobody waits any more */
export async function sendInLine<Result>(
  send: () => Promise<Result>, { rushCode, onInLine, isStopped = () => false }: InLine,
): Promise<Result> {
  const giveUpAtMs = Date.now() + inLineMaxMs;
  for (;;) {
    try {
      return await send();
    } catch (error) {
      const isRush = error instanceof ApiError && error.code === rushCode;
      if (!isRush || isStopped() || Date.now() > giveUpAtMs) throw error;
      onInLine();
      const waitMs = (error.retryAfterSeconds ?? retryAfterSeconds) * 1000;
      // Not all of those who were sent away come back in the same moment.
      await new Promise((resolve) => setTimeout(resolve, waitMs * (0.5 + Math.random())));
      if (isStopped()) throw error;
    }
  }
}
