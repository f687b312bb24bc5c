/**
 * The renditions of one show by HLS, without transcoding: the whole as it came, the small picture where the publisher
 * sends one, and the sound alone. Each is a stream with numbers of its own; all have the same clock and come from the
 * same fragments.
 */
import type { MediaEvent } from '../hooks.ts';
import type { Recorder } from '../recording/recorder.ts';
import { wholeOf } from '../stream/layers.ts';
import { createSmallRendition } from '../stream/small-rendition.ts';
import { soundMime, soundOf } from '../stream/sound-rendition.ts';
import { createHls, type Hls, type HlsAnswer, type WrittenPlaylist } from './hls.ts';
import type { HlsVariant } from './playlist.ts';

/** What is read of one rendition. */
export type HlsReader = Pick<Hls, 'playlist' | 'file'>;

export interface HlsLadder extends Pick<Hls, 'recent' | 'has' | 'size' | 'forget' | 'end' | 'dismiss' | 'stop'> {
  /** Feed it every event of the media supervisor, in order. Never throws. */
  onMediaEvent(event: MediaEvent): void;
  whole: HlsReader;
  /** Below `small/`: from the first small picture on. Not found where the publisher never sent one. */
  small: HlsReader;
  /** Below `sound/`. Not found where the publisher sends none. */
  sound: HlsReader;
  /** @param offered what is offered in place of these: the whole, then the small one, then the sound alone */
  multivariant(
    streamId: string, offered?: (variants: HlsVariant[]) => HlsVariant[],
  ): Promise<HlsAnswer<WrittenPlaylist>>;
  /** With the small picture in place of the whole where there is one, or one has just begun. */
  smaller(streamId: string): Promise<HlsAnswer<WrittenPlaylist>>;
}

const wholeUri = 'media.m3u8';
const smallFolder = 'small/';
const smallUri = `${smallFolder}${wholeUri}`;
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
  const reportOf = (other: () => Hls, uri: string) => (streamId: string) => other().report(streamId, uri);
  const createOne = (
    reports: readonly ReturnType<typeof reportOf>[], more: Partial<Parameters<typeof createHls>[0]>,
  ): Hls => (
    createHls({ now, ...patience, ...more, reports: (streamId) => reports.map((report) => report(streamId)) })
  );
  /** One that begins later counts on from where the whole has come to (§6.2.4). */
  const besideWhole = { discontinuities: (streamId: string): number => whole.discontinuities(streamId) };
  const whole: Hls = createOne(
    [reportOf(() => small, smallUri), reportOf(() => sound, soundUri)], recorder ? { recorder } : {},
  );
  const wholeReport = reportOf(() => whole, `../${wholeUri}`);
  const small: Hls = createOne([wholeReport, reportOf(() => sound, `../${soundUri}`)], besideWhole);
  const sound: Hls = createOne([wholeReport, reportOf(() => small, `../${smallUri}`)], besideWhole);
  const all = [whole, small, sound];
  const smallRendition = createSmallRendition();
  const multivariant: HlsLadder['multivariant'] = (streamId, offered = (variants) => variants) => (
    whole.multivariant(streamId, (asItCame) => {
      const smaller = small.variant(streamId, smallUri);
      const pictures = smaller === null ? [asItCame] : [asItCame, smaller];
      if (!hasSound(asItCame.mime)) return offered(pictures);
      const unmeasured = { uri: soundUri, mime: soundMime(asItCame.mime), width: 0, height: 0 };
      const assumed = { ...unmeasured, peakBps: assumedSoundBps, averageBps: assumedSoundBps };
      return offered([...pictures, sound.variant(streamId, soundUri) ?? assumed]);
    })
  );
  return {
    whole,
    small,
    sound,
    onMediaEvent(event) {
      for (const shown of smallRendition.eventsOf(event)) small.onMediaEvent(shown);
      const seen = wholeOf(event);
      if (seen === null) return;
      whole.onMediaEvent(seen);
      const heard = soundOf(seen);
      if (heard !== null) sound.onMediaEvent(heard);
    },
    multivariant,
    async smaller(streamId) {
      // Players read it once: who comes a moment too early would have the whole for the rest of the show.
      if (small.has(streamId)) await small.multivariant(streamId);
      return multivariant(streamId, smallForWhole);
    },
    recent: whole.recent,
    has: whole.has,
    size: whole.size,
    forget(streamId) {
      smallRendition.forget(streamId);
      for (const hls of all) hls.forget(streamId);
    },
    end(streamId) {
      smallRendition.forget(streamId);
      for (const hls of all) hls.end(streamId);
    },
    dismiss: (streamId) => all.forEach((hls) => hls.dismiss(streamId)),
    stop: () => all.forEach((hls) => hls.stop()),
  };
}

function smallForWhole(variants: HlsVariant[]): HlsVariant[] {
  const hasSmall = variants.some(({ uri }) => uri.startsWith(smallFolder));
  return hasSmall ? variants.filter(({ uri }) => uri !== wholeUri) : variants;
}

/** The small picture is offered as it comes only. */
export function withoutSmall(variants: HlsVariant[]): HlsVariant[] {
  return variants.filter(({ uri }) => !uri.startsWith(smallFolder));
}
