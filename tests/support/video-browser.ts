/** Chromium with a camera of our own, and looking at what a page's `<video>` really shows. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { findChromium } from './chromium.ts';

export interface CameraBrowser {
  browser: Browser;
  /** What stands before the camera: real footage, a moving test picture, or the browser's own. */
  footage: 'clip' | 'drawn' | 'browser';
  close(): Promise<void>;
}

/**
 * The camera shows a clip from the folder that `NACRE_CLIPS` names, else a picture that FFmpeg draws, else what the
 * browser draws by itself. Two cameras, so that they can be flipped; a microphone that beeps.
 */
export async function launchCameraBrowser(): Promise<CameraBrowser> {
  const executablePath = findChromium();
  if (!executablePath) {
    throw new Error('This needs Chromium: apt-get install chromium, or name it in NACRE_TEST_CHROMIUM.');
  }
  const folder = mkdtempSync(join(tmpdir(), 'nacre-camera-'));
  const { file, footage } = makeCameraFile(folder);
  const browser = await chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream=device-count=2',
      ...(file ? [`--use-file-for-fake-video-capture=${file}`] : []),
    ],
  });
  return {
    browser,
    footage,
    async close() {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function makeCameraFile(folder: string): { file: string | null; footage: CameraBrowser['footage'] } {
  const file = join(folder, 'camera.mjpeg');
  const clip = process.env.NACRE_CLIPS ? join(process.env.NACRE_CLIPS, 'bottles.mp4') : '';
  const shape = 'scale=720:1280:force_original_aspect_ratio=increase,crop=720:1280';
  const output = ['-t', '6', '-vf', shape, '-r', '30', '-q:v', '4', '-pix_fmt', 'yuvj420p', '-f', 'mjpeg', file];
  const render = (input: readonly string[]): boolean =>
    spawnSync('ffmpeg', ['-v', 'error', '-y', ...input, ...output]).status === 0;
  if (clip && existsSync(clip) && render(['-i', clip])) return { file, footage: 'clip' };
  if (render(['-f', 'lavfi', '-i', 'testsrc2=size=720x1280:rate=30'])) return { file, footage: 'drawn' };
  return { file: null, footage: 'browser' };
}

/** What a `<video>` shows now, as 36 × 64 grey values. */
export async function pixelsOf(page: Page): Promise<number[]> {
  return await page.evaluate(() => {
    const canvas = document.createElement('canvas');
    canvas.width = 36;
    canvas.height = 64;
    const context = canvas.getContext('2d', { willReadFrequently: true });
    const video = document.querySelector('video');
    if (!context || !video) throw new Error('no picture to look at');
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const grey: number[] = [];
    for (let at = 0; at < data.length; at += 4) {
      grey.push(Math.round(((data[at] ?? 0) + (data[at + 1] ?? 0) + (data[at + 2] ?? 0)) / 3));
    }
    return grey;
  });
}

/** How much two looks differ, as mean of grey values; a standing picture gives 0, moving bottles 2 and more. */
export function difference(before: readonly number[], after: readonly number[]): number {
  return before.reduce((sum, value, at) => sum + Math.abs(value - (after[at] ?? 0)), 0) / before.length;
}

/** How much is in a picture: the spread of its grey values; a black or grey screen gives 0. */
export function contrast(pixels: readonly number[]): number {
  const mean = pixels.reduce((sum, value) => sum + value, 0) / pixels.length;
  return Math.sqrt(pixels.reduce((sum, value) => sum + (value - mean) ** 2, 0) / pixels.length);
}

/** Waits until the page shows a picture that moves; throws after `withinMs`. Returns how long it took. */
export async function waitForMovement(page: Page, withinMs: number): Promise<number> {
  const startMs = performance.now();
  let before = await pixelsOf(page);
  let seen = '';
  while (performance.now() - startMs < withinMs) {
    await new Promise((done) => setTimeout(done, 200));
    const after = await pixelsOf(page);
    const moved = difference(before, after);
    if (moved > 0.15 && contrast(after) > 8) return Math.round(performance.now() - startMs);
    seen = `difference ${moved.toFixed(2)}, contrast ${contrast(after).toFixed(1)}`;
    before = after;
  }
  throw new Error(`no moving picture within ${withinMs} ms (${seen})`);
}
