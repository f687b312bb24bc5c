/**
 * Plays a replay: HLS by hls.js where the browser has Media Source Extensions, else by the browser itself. Knows
 * places, not moments, and no words.
 */
import Hls from 'hls.js/light';
import { getOverErrors } from '#lib/player/hls-errors.ts';
import { mediaSourceClass } from '#lib/player/media-feed.ts';
import { feedsOpus, playsOpus } from '#lib/player/opus.ts';
import type { ReplayPlaylist } from './playlists.ts';

export type ReplayPlayerState =
  /** Nothing was asked for yet: a tap starts it. */
  | 'ready'
  | 'playing' | 'paused'
  /** Pictures are on their way. */
  | 'loading'
  /** The network or the server is away; it goes on by itself. */
  | 'lost'
  | 'ended'
  /** This browser cannot play it. */
  | 'unsupported';

/** Seconds that are loaded ahead. Less stalls in a tunnel, more is data that a viewer who leaves has paid for. */
const ahead = 30;
const hlsType = 'application/vnd.apple.mpegurl';

export interface ReplayPlayer {
  readonly state: ReplayPlayerState;
  /** Place of the picture on the screen, in ms. */
  readonly placeMs: number;
  readonly isMuted: boolean;
  readonly rate: number;
  /** @param from where, when it has not begun */
  play(from?: number): void;
  pause(): void;
  /** While it plays it goes on from there. */
  seek(placeMs: number): void;
  mute(isMuted: boolean): void;
  setRate(rate: number): void;
  destroy(): void;
}

export function createReplayPlayer(video: HTMLVideoElement, urlOf: ReplayPlaylist): ReplayPlayer {
  let state = $state<ReplayPlayerState>('ready');
  let placeMs = $state(0);
  let isMuted = $state(false);
  let rate = $state(1);
  let source: { destroy(): void } | null = null;

  const on = (names: string, listener: () => void): void => {
    for (const name of names.split(' ')) video.addEventListener(name, listener, { signal: leaving.signal });
  };
  const leaving = new AbortController();
  on('timeupdate seeking', () => (placeMs = Math.round(video.currentTime * 1_000)));
  on('playing', () => (state = 'playing'));
  on('waiting', () => (state = state === 'ready' ? state : 'loading'));
  on('pause', () => (state = state === 'playing' || state === 'loading' ? 'paused' : state));
  on('ended', () => (state = 'ended'));
  on('volumechange', () => (isMuted = video.muted));
  on('ratechange', () => (rate = video.playbackRate));

  function begin(fromMs: number): void {
    const become = (next: ReplayPlayerState): void => void (state = next);
    const urlFor = (takesOpus: boolean): string => urlOf(takesOpus ? 'opus' : 'aac');
    if (mediaSourceClass() && Hls.isSupported()) source = beginHls(video, urlFor(feedsOpus()), fromMs, become);
    else if (video.canPlayType(hlsType) !== '') source = beginNative(video, urlFor(playsOpus(video)), fromMs, become);
    else state = 'unsupported';
  }

  function play(fromMs = 0): void {
    if (state === 'unsupported') return;
    if (source === null) {
      state = 'loading';
      placeMs = fromMs;
      begin(fromMs);
    }
    if (state === 'ended') video.currentTime = 0;
    video.play().catch(() => {
      if (state !== 'unsupported') state = 'paused';
    });
  }

  return {
    get state() {
      return state;
    },
    get placeMs() {
      return placeMs;
    },
    get isMuted() {
      return isMuted;
    },
    get rate() {
      return rate;
    },
    play,
    pause: () => video.pause(),
    seek(toMs) {
      if (source === null) return play(toMs);
      placeMs = toMs;
      video.currentTime = toMs / 1_000;
      if (state === 'ended') void video.play();
    },
    mute: (next) => void (video.muted = next),
    setRate: (next) => void (video.playbackRate = next),
    destroy() {
      leaving.abort();
      source?.destroy();
    },
  };
}

function beginHls(
  video: HTMLVideoElement, url: string, fromMs: number, become: (state: ReplayPlayerState) => void,
): { destroy(): void } {
  const hls = new Hls({
    startPosition: fromMs / 1_000,
    maxBufferLength: ahead,
    backBufferLength: ahead,
    // There is nothing to transmux, and pages allow no workers made from text.
    enableWorker: false,
  });
  const stopTrying = getOverErrors(hls, {
    away: () => become('lost'),
    again: () => hls.startLoad(video.currentTime),
    impossible: () => become('unsupported'),
  });
  hls.attachMedia(video);
  hls.loadSource(url);
  return {
    destroy() {
      stopTrying();
      hls.destroy();
    },
  };
}

function beginNative(
  video: HTMLVideoElement, url: string, fromMs: number, become: (state: ReplayPlayerState) => void,
): { destroy(): void } {
  const start = () => (video.currentTime = fromMs / 1_000);
  const fail = () => become(navigator.onLine ? 'unsupported' : 'lost');
  video.addEventListener('loadedmetadata', start, { once: true });
  video.addEventListener('error', fail);
  video.src = url;
  return {
    destroy() {
      video.removeEventListener('loadedmetadata', start);
      video.removeEventListener('error', fail);
      video.removeAttribute('src');
      video.load();
    },
  };
}
