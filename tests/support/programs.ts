/** Programs of the system that single tests want. */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** Servers lie where an ordinary user's PATH does not lead. */
const FOLDERS = ['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

/** The program's path, or null when it is not installed. */
export function findProgram(name: string): string | null {
  for (const path of FOLDERS.map((folder) => join(folder, name))) {
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here; the next place.
    }
  }
  return null;
}
