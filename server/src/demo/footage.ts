/**
 * A clip as the recording of a show that was: played some times over, muxed and cut as if its publisher had been there
 * then, and kept by the server's own recorder. Much faster than it plays, and gently: others wait for the disk too.
 */
import { createMuxer } from '@nacre/media/fmp4/muxer';
import { opusSound } from '@nacre/media/fmp4/sound';
import { createPackager } from '@nacre/media/hls/packager';
import type { Clip, ClipPicture } from '@nacre/media/publisher/clip';
import type { Recorder } from '@nacre/media/recording/recorder';
import { setTimeout as sleep } from 'node:timers/promises';

const TICKS_PER_MS = 90;
const SOUND_TICKS_PER_MS = 48;
/** A segment is kept within milliseconds; where nothing is kept for so long, the disk is full or the store away. */
const KEPT_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 10;

export interface Footage {
  /** What the recorder calls it: the show's id. */
  streamId: string;
  clip: Clip;
  /** How often the clip plays. */
  times: number;
  /** When its first picture came: Unix epoch, ms. */
  startedAtMs: number;
}

/**
 * Resolves when all of it is kept. It is for the caller to finish the recording.
 * @throws Error when the recorder keeps nothing any more; the signal's reason when it is aborted
 */
export async function recordFootage(
  recorder: Pick<Recorder, 'onPart' | 'onSegment' | 'index'>, footage: Footage, signal: AbortSignal,
): Promise<void> {
  const { streamId, clip, times } = footage;
  const film = openFilm(recorder, footage);
  const clipTicks = Math.round(clip.durationMs * TICKS_PER_MS);
  for (let round = 0; round < times; round += 1) {
    const sounds = clip.sounds.values();
    let sound = sounds.next().value;
    for (const picture of clip.pictures) {
      // What waits in the recorder's memory is bounded, and what is over is lost.
      if (picture.isKey) await kept(recorder, streamId, film.segments(), signal);
      film.picture(picture, round * clipTicks + picture.ticks);
      for (; sound !== undefined && sound.ticks / SOUND_TICKS_PER_MS <= picture.ticks / TICKS_PER_MS;
        sound = sounds.next().value) film.sound(sound.data, round * clip.durationMs + sound.ticks / SOUND_TICKS_PER_MS);
    }
  }
  film.end(times * clipTicks);
  await kept(recorder, streamId, film.segments(), signal);
}

function openFilm(recorder: Pick<Recorder, 'onPart' | 'onSegment'>, { streamId, startedAtMs, clip }: Footage) {
  let segments = 0;
  const packager = createPackager({
    startedAtMs,
    onPart: (segment, part) => recorder.onPart(streamId, segment, part),
    onSegment(segment) {
      segments += 1;
      recorder.onSegment(streamId, segment);
    },
  });
  const stream = { streamId, sessionId: 'footage', layer: 'full' } as const;
  const muxer = createMuxer({
    sound: clip.sounds.length === 0 ? null : opusSound,
    soundMs: (timestampMs, zeroTicks) => timestampMs - zeroTicks / TICKS_PER_MS,
    onInit({ generation, mime, info: { width, height }, hasSound, initSegment }) {
      packager.begin({ ...stream, generation, mime, width, height, hasVideo: true, hasAudio: hasSound, initSegment });
    },
    onFragment: ({ arrivedMs, ...fragment }) => (
      packager.add({ ...stream, ...fragment, arrivedAtMs: startedAtMs + arrivedMs })
    ),
  });
  return {
    segments: () => segments,
    picture({ isKey, nals }: ClipPicture, ticks: number): void {
      muxer.pictureStarts(ticks);
      muxer.picture({
        timestamp: ticks, isKey, arrivedMs: ticks / TICKS_PER_MS,
        nals: nals.map((nal) => ({ type: nal[0]! & 0x1f, size: nal.length, chunks: [nal] })),
      });
    },
    sound: (packet: Buffer, atMs: number): void => muxer.sound(packet, atMs, atMs),
    end(ticks: number): void {
      muxer.pictureStarts(ticks);
      muxer.flush();
      packager.finish();
    },
  };
}

async function kept(
  recorder: Pick<Recorder, 'index'>, streamId: string, segments: number, signal: AbortSignal,
): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += LOOK_EVERY_MS) {
    signal.throwIfAborted();
    if ((recorder.index(streamId)?.segments.length ?? 0) >= segments) return;
    if (waitedMs > KEPT_WITHIN_MS) throw new Error(`of ${segments} segments of the footage not all are kept`);
    await sleep(LOOK_EVERY_MS);
  }
}
