/** How much room a folder's disk has for an ordinary user, and for how long a show that is. */
import { statfs } from 'node:fs/promises';

/** A show at full bitrate: 2.5 Mbit/s of picture and sound with what wraps them. */
export const showBytesPerHour = (2_700_000 / 8) * 3_600;

/** In bytes; null where the system cannot tell. */
export async function freeBytesOf(folder: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return null;
  }
}
