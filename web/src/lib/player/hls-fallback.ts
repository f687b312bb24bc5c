/**
 * The picture without sockets: Low-Latency HLS, by hls.js where the browser has Media Source Extensions, else by the
 * browser itself. Loaded only when it is needed. The player (`player.ts`) steers it and says what it is doing.
 */
import Hls from 'hls.js/light';
import { liveDelay, liveRenditions, type LiveRendition } from '@nacre/contract/live';
import { getOverErrors, tryAgainMs } from './hls-errors.ts';
import { mediaSourceClass } from './media-feed.ts';
import { feedsOpus, playsOpus } from './opus.ts';

/** Where playing begins, in seconds behind the end of the playlist; the player's steering does the rest. */
const startBehind = 0.5;
/** Further behind, in seconds, hls.js jumps by itself: after a tab slept. */
const furthestBehind = 8;
const keepBehind = 15;

export interface Fallback {
  /** End of what is buffered, in seconds; null while nothing is, or where the browser steers itself. */
  edge(): number | null;
  /** When what is on the screen arrived at the server (its clock, ms), from the playlist; null while unknown. */
  shownMs(): number | null;
  /** 0 where the browser fetches by itself. */
  receivedBytes(): number;
  /** No more pictures are fetched until `resume`. */
  pause(): void;
  resume(): void;
  destroy(): void;
}

export interface FallbackDeps {
  video: HTMLVideoElement;
  /** `/live/<showId>/`, under which the playlists are. */
  url: string;
  rendition: LiveRendition;
  /** How old the picture on the screen is, in ms; null while it is unknown. Told to the server now and then. */
  delayMs: () => number | null;
  /** There is something to play. */
  onReady: () => void;
  /** What comes now; where the browser plays by itself nobody tells. */
  onRendition: (rendition: LiveRendition) => void;
  /** It goes on trying. */
  onTrouble: (reason: 'offline' | 'unreachable') => void;
  onEnded: () => void;
  /** This browser cannot play it either. */
  onImpossible: () => void;
}

export function startFallback(deps: FallbackDeps): Fallback {
  const fallback = mediaSourceClass() && Hls.isSupported() ? startHls(deps) : startNative(deps);
  const url = new URL(`${deps.url}delay`, location.href);
  const telling = setInterval(() => {
    const delayMs = deps.delayMs();
    if (delayMs === null) return;
    const body = JSON.stringify({ delayMs });
    // Lost, the next one tells.
    fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body }).catch(() => undefined);
  }, liveDelay.tellEveryMs);
  return {
    ...fallback,
    destroy() {
      clearInterval(telling);
      fallback.destroy();
    },
  };
}

function startHls(deps: FallbackDeps): Fallback {
  const { video } = deps;
  const url = playlistOf(deps, feedsOpus());
  let receivedBytes = 0;
  const hls = new Hls({
    lowLatencyMode: true,
    liveSyncDuration: startBehind,
    liveMaxLatencyDuration: furthestBehind,
    // Ours steers more finely.
    maxLiveSyncPlaybackRate: 1,
    backBufferLength: keepBehind,
    // There is nothing to transmux, and pages allow no workers made from text.
    enableWorker: false,
  });
  hls.on(Hls.Events.MANIFEST_PARSED, () => deps.onReady());
  hls.on(Hls.Events.LEVEL_SWITCHED, (_event, { level }) => {
    deps.onRendition(renditionAt(hls.levels[level]?.uri ?? url));
  });
  hls.on(Hls.Events.FRAG_LOADED, (_event, { frag, part }) => {
    receivedBytes += (part ?? frag).stats.loaded;
  });
  hls.on(Hls.Events.LEVEL_LOADED, (_event, { stats }) => {
    receivedBytes += stats.loaded;
  });
  const stopTrying = getOverErrors(hls, {
    away: () => deps.onTrouble(navigator.onLine ? 'unreachable' : 'offline'),
    again: () => hls.loadSource(url),
    impossible: deps.onImpossible,
  });
  video.addEventListener('ended', deps.onEnded);
  hls.attachMedia(video);
  hls.loadSource(url);
  return {
    edge() {
      const { buffered } = video;
      return buffered.length === 0 ? null : buffered.end(buffered.length - 1);
    },
    shownMs: () => hls.playingDate?.getTime() ?? null,
    receivedBytes: () => receivedBytes,
    pause: () => hls.stopLoad(),
    resume: () => hls.startLoad(-1),
    destroy() {
      stopTrying();
      video.removeEventListener('ended', deps.onEnded);
      hls.destroy();
    },
  };
}

function startNative(deps: FallbackDeps): Fallback {
  const { video } = deps;
  let retry: ReturnType<typeof setTimeout> | undefined;
  const load = (): void => {
    video.src = playlistOf(deps, playsOpus(video));
    deps.onReady();
  };
  const onError = (): void => {
    // MEDIA_ERR_DECODE and MEDIA_ERR_SRC_NOT_SUPPORTED are also what a playlist gives that is not there (yet).
    if (!canPlayNatively(video)) return deps.onImpossible();
    deps.onTrouble(navigator.onLine ? 'unreachable' : 'offline');
    clearTimeout(retry);
    retry = setTimeout(load, tryAgainMs);
  };
  video.addEventListener('error', onError);
  video.addEventListener('ended', deps.onEnded);
  if (canPlayNatively(video)) load();
  else queueMicrotask(deps.onImpossible);
  return {
    edge: () => null,
    shownMs() {
      // Safari's; elsewhere the browser does not tell.
      const startedMs = (video as { getStartDate?: () => Date }).getStartDate?.().getTime() ?? Number.NaN;
      return Number.isNaN(startedMs) ? null : startedMs + video.currentTime * 1_000;
    },
    receivedBytes: () => 0,
    pause: () => video.pause(),
    resume: () => undefined,
    destroy() {
      clearTimeout(retry);
      video.removeEventListener('error', onError);
      video.removeEventListener('ended', deps.onEnded);
      video.removeAttribute('src');
      video.load();
    },
  };
}

/** @param takesOpus else the server makes AAC of it (media/src/aac), of the whole and of the sound alone */
function playlistOf({ url, rendition }: FallbackDeps, takesOpus: boolean): string {
  if (rendition === 'sound') return `${url}${takesOpus ? '' : 'aac/'}sound/media.m3u8`;
  const size = rendition === 'small' ? '&size=small' : '';
  return `${url}index.m3u8?audio=${takesOpus ? 'opus' : 'aac'}${size}`;
}

/** Of a media playlist (server/src/video/hls-routes.ts). */
function renditionAt(uri: string): LiveRendition {
  return liveRenditions.find((rendition) => uri.includes(`/${rendition}/`)) ?? 'whole';
}

function canPlayNatively(video: HTMLVideoElement): boolean {
  return video.canPlayType('application/vnd.apple.mpegurl') !== '';
}
