/**
 * Where the playlists of replays are. Most shows are recorded with Opus, as it came; the server makes AAC of it while
 * somebody watches who takes no Opus (server/src/recordings). Pure.
 */
import type { Clip } from '@nacre/contract/clips';

/** What a browser takes. */
export type ReplaySound = 'opus' | 'aac';
/** Addresses for a browser that takes this sound. */
export type ReplayPlaylist = (sound: ReplaySound) => string;

/** @param name `aired`: as it went out, without what took its place afterwards */
export const replayPlaylist = (showId: string, name: 'index' | 'aired'): ReplayPlaylist => (sound) => (
  `/replay/${showId}/${name}.m3u8${sound === 'aac' ? '?audio=aac' : ''}`
);

/** Of the clip's part of its show's replay. */
export const clipPlaylist = ({ showId, fromMs, toMs }: Pick<Clip, 'showId' | 'fromMs' | 'toMs'>): ReplayPlaylist => (
  (sound) => `/replay/${showId}/${sound === 'aac' ? 'aac/' : ''}${fromMs}-${toMs}.m3u8`
);
