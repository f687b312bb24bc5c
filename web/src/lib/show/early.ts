/**
 * The picture first. This small script starts the player on the markup that the server drew, before the framework has
 * been fetched; the page itself starts when the picture stands, when somebody touches it, or after a short wait.
 * Taps on buttons in between are kept and done again once the page answers.
 *
 * Bundled on its own (see Stage.svelte); the page takes the running player over through `globalThis.nacreEarly`.
 */
import type { Player } from '#lib/player/face.ts';
import { createPlayer } from '#lib/player/player.ts';

export interface Early {
  showId: string;
  video: HTMLVideoElement;
  player: Player;
  /** The page answers now: does what was tapped meanwhile. */
  ready: () => void;
}

declare global {
  var nacreEarly: Early | undefined;
  /** Set by the page's inline script (hooks.server.ts): lets the framework be fetched. */
  var nacreGo: (() => void) | undefined;
}

function begin(): void {
  const stage = document.querySelector<HTMLElement>('.stage[data-live]');
  const video = stage?.querySelector('video');
  const showId = stage?.dataset.live;
  if (!video || !showId) return go();

  let tapped: HTMLButtonElement | null = null;
  const keep = (event: Event): void => {
    tapped = (event.target as Element).closest('button');
    go();
  };
  document.addEventListener('click', keep, true);
  document.addEventListener('keydown', go, { once: true });
  document.addEventListener('focusin', go, { once: true });
  video.addEventListener('loadeddata', () => {
    video.classList.add('shown');
    go();
  });

  globalThis.nacreEarly = {
    showId,
    video,
    player: createPlayer({ video, url: `/live/${showId}/socket` }),
    ready() {
      document.removeEventListener('click', keep, true);
      tapped?.click();
    },
  };
}

function go(): void {
  for (const link of document.querySelectorAll<HTMLLinkElement>('link[rel=later]')) link.rel = 'modulepreload';
  globalThis.nacreGo?.();
}

begin();
