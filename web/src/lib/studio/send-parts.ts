/** Sends what a device kept of a show to the server, part by part, on whatever network there is. */
import { ApiError } from '#lib/problem.ts';

/** Of one part: after the last a person decides. */
export const pausesMs = [1_000, 2_000, 4_000, 8_000, 16_000];

/** What a second try may change. */
export const mayPass = (error: unknown): boolean => (
  error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status >= 500)
);

/** Another device has sent that minute already, or this part is broken: the others may be of use all the same. */
const isUseless = (error: unknown): boolean => (
  error instanceof ApiError
  && (error.code === 'recordings.part_elsewhere' || error.code === 'recordings.part_unusable' || error.status === 413)
);

/**
 * @returns whether the server has it; false when it never will. Throws what a person has to decide about.
 * @param pause waits for so many ms
 */
export async function sendPatiently(
  send: () => Promise<void>, pause: (ms: number) => Promise<void>,
): Promise<boolean> {
  for (const waitMs of [...pausesMs, null]) {
    try {
      await send();
      return true;
    } catch (error) {
      if (isUseless(error)) return false;
      if (waitMs === null || !mayPass(error)) throw error;
      await pause(waitMs);
    }
  }
  return false;
}
