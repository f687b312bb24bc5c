/** In the demo no mail or text leaves the machine: what one would say is shown by the page that asked for it. */
import type { DemoMails } from '@nacre/contract/accounts';
import { demoAccounts, demoMails } from '#lib/auth.ts';

/** A job writes within a second. Fewer looks miss it on a slow machine; more ask for what nobody will write. */
const LOOKS_MAX = 15;
const LOOK_EVERY_MS = 700;

/** What the demo keeps for this page, newest first; empty without a demo. */
export const keptMessages = (): Promise<DemoMails> => demoMails().catch(() => ({ mails: [], texts: [] }));

/**
 * What `find` finds in what the demo keeps, as soon as it is there.
 * @param isWanted looks no more once it is false
 * @returns null where nothing came, and at once without a demo
 */
export async function untilKept<Found>(
  find: (kept: DemoMails) => Found | null | undefined, isWanted: () => boolean, looks = LOOKS_MAX,
): Promise<Found | null> {
  if ((await demoAccounts().catch(() => [])).length === 0) return null;
  for (let look = 0; look < looks && isWanted(); look += 1) {
    const found = find(await keptMessages());
    if (found !== null && found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return null;
}
