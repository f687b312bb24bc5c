/** Where this system's Chromium is. */
import { accessSync, constants } from 'node:fs';

const USUAL_PLACES = [
  '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/usr/bin/google-chrome-stable',
  '/snap/bin/chromium', '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** The program's path; `NACRE_TEST_CHROMIUM` comes first. Null when there is none. */
export function findChromium(): string | null {
  const named = process.env['NACRE_TEST_CHROMIUM'];
  for (const path of named ? [named] : USUAL_PLACES) {
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here; the next place.
    }
  }
  return null;
}
