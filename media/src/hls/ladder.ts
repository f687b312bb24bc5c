/**
 * The renditions of one show by HLS, without transcoding: the whole as it came, and its sound alone. Each is a stream
 * with numbers of its own; both have the same clock and come from the same fragments.
 */
import type { MediaEvent } from '../hooks.ts';
import type { Recorder } from '../recording/recorder.ts';
import { wholeOf } from '../stream/layers.ts';
import { soundMime, soundOf } from '../stream/sound-rendition.ts';
import { createHls, type Hls, type HlsAnswer, type WrittenPlaylist } from './hls.ts';
import type { HlsVariant } from './playlist.ts';

/** What is read of one rendition. */
export type HlsReader = Pick<Hls, 'playlist' | 'file'>;

export interface HlsLadder extends Pick<Hls, 'recent' | 'has' | 'size' | 'forget' | 'end' | 'dismiss' | 'stop'> {
  /** Feed it every event of the media supervisor, in order. Never throws. */
  onMediaEvent(event: MediaEvent): void;
  whole: HlsReader;
  /** Below `sound/`. Not found where the publisher sends none. */
  sound: HlsReader;
  /** @param offered what is offered in place of these, the whole first */
  multivariant(
    streamId: string, offered?: (variants: HlsVariant[]) => HlsVariant[],
  ): Promise<HlsAnswer<WrittenPlaylist>>;
}

const wholeUri = 'media.m3u8';
const soundUri = `sound/${wholeUri}`;
/** Of a sound that has not been measured: more than Opus and AAC take. */
const assumedSoundBps = 160_000;

export const hasSound = (mime: string): boolean => /codecs="[^"]+,/.test(mime);

export function createHlsLadder(deps: {
  /** Unix epoch, ms. */
  now: () => number;
  waitMs?: number;
  /** Told of each part and each segment of the whole, for recording. Must not throw. */
  recorder?: Pick<Recorder, 'onPart' | 'onSegment'>;
}): HlsLadder {
  const { now, waitMs, recorder } = deps;
  const patience = waitMs === undefined ? {} : { waitMs };
  const whole: Hls = createHls({
    now, ...patience, ...(recorder ? { recorder } : {}), reports: (streamId) => [sound.report(streamId, soundUri)],
  });
  const sound: Hls = createHls({ now, ...patience, reports: (streamId) => [whole.report(streamId, `../${wholeUri}`)] });
  const both = [whole, sound];
  return {
    whole,
    sound,
    onMediaEvent(event) {
      const seen = wholeOf(event);
      if (seen === null) return;
      whole.onMediaEvent(seen);
      const heard = soundOf(seen);
      if (heard !== null) sound.onMediaEvent(heard);
    },
    multivariant: (streamId, offered = (variants) => variants) => whole.multivariant(streamId, (asItCame) => {
      if (!hasSound(asItCame.mime)) return offered([asItCame]);
      const unmeasured = { uri: soundUri, mime: soundMime(asItCame.mime), width: 0, height: 0 };
      return offered([
        asItCame,
        sound.variant(streamId, soundUri) ?? { ...unmeasured, peakBps: assumedSoundBps, averageBps: assumedSoundBps },
      ]);
    }),
    recent: whole.recent,
    has: whole.has,
    size: whole.size,
    forget: (streamId) => both.forEach((hls) => hls.forget(streamId)),
    end: (streamId) => both.forEach((hls) => hls.end(streamId)),
    dismiss: (streamId) => both.forEach((hls) => hls.dismiss(streamId)),
    stop: () => both.forEach((hls) => hls.stop()),
  };
}
