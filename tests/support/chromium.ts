/** Where this system's Chromium is, and starting it. */
import assert from 'node:assert/strict';
import { accessSync, constants } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

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

/** A camera and a microphone that Chromium draws itself, and no question whether a page may have them. */
export const DRAWN_CAMERA = ['--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream'];

/** Without a display the graphics processor is one more program, which costs a tenth of all that a page does. */
const WITHOUT_DISPLAY = ['--disable-gpu', '--disable-software-rasterizer'];

export function launchChromium(args: readonly string[] = []): Promise<Browser> {
  const executablePath = findChromium() ?? assert.fail('no Chromium');
  return chromium.launch({ executablePath, args: ['--no-sandbox', ...WITHOUT_DISPLAY, ...args] });
}
