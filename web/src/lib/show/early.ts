/**
 * The picture first. This small script starts the player on the markup that the server drew, before the framework has
 * been fetched; the page itself starts when the picture stands, when somebody touches it, or after a short wait.
 * Taps in between are kept (app.html) and done again once the page answers.
 *
 * Bundled on its own (see Stage.svelte); the page takes the running player over through `globalThis.nacreEarly`.
 */
import type { Player } from '#lib/player/face.ts';
import { createPlayer } from '#lib/player/player.ts';
import { rememberedRendition } from '#lib/player/remembered-rendition.ts';

export interface Early {
  showId: string;
  video: HTMLVideoElement;
  player: Player;
}

declare global {
  var nacreEarly: Early | undefined;
  /** Set by the page's inline script (hooks.server.ts): lets the framework be fetched. */
  var nacreGo: (() => void) | undefined;
}

function begin(): void {
  // Only in a page that waits for this script; coming here from another page of ours, the framework is there already.
  if (!globalThis.nacreGo) return;
  const stage = document.querySelector<HTMLElement>('.stage[data-live]');
  const video = stage?.querySelector('video');
  const showId = stage?.dataset.live;
  if (!video || !showId) return go();

  document.addEventListener('click', go, { once: true, capture: true });
  document.addEventListener('keydown', go, { once: true });
  document.addEventListener('focusin', go, { once: true });
  video.addEventListener('loadeddata', () => {
    if (video.videoWidth > 0) video.classList.add('shown');
    go();
  });

  globalThis.nacreEarly = {
    showId,
    video,
    player: createPlayer({ video, url: `/live/${showId}/socket`, rendition: rememberedRendition() }),
  };
}

function go(): void {
  for (const link of document.querySelectorAll<HTMLLinkElement>('link[rel=later]')) link.rel = 'modulepreload';
  globalThis.nacreGo?.();
}

begin();
