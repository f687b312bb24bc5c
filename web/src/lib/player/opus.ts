/**
 * Whether this browser takes Opus in MP4, as most publishers send it: Safari does from 17 on. The server makes AAC of
 * it for who does not (media/src/aac).
 */
import { playableType } from './media-feed.ts';

const opusType = 'audio/mp4; codecs="opus"';

/** By Media Source Extensions. */
export const feedsOpus = (): boolean => playableType(opusType) !== null;

/** Where the browser fetches by itself. */
export const playsOpus = (video: HTMLVideoElement): boolean => video.canPlayType(opusType) !== '';
