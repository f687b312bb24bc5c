/** A stream of fragments as the muxer writes them, of made-up pictures and sound, for what only looks at the shape. */
import { parseSps } from '@nacre/media/fmp4/avc';
import { buildInitSegment } from '@nacre/media/fmp4/init-segment';
import { aacSound, opusSound } from '@nacre/media/fmp4/sound';
import { buildPictureFragment, buildSoundFragment } from '@nacre/media/fmp4/fragment';
import type { MediaEvent } from '@nacre/media/hooks';

export interface DrawnStream {
  /** A publisher begins, or a new size. */
  begin(sessionId: string, generation?: number): void;
  /** So many ms of pictures, 25 a second or one each `everyMs`, with sound; a key picture each 2 s. */
  play(forMs: number, everyMs?: number): void;
  /** From the camera to their place on the timeline pictures take so long. */
  placed(placedMs: number): void;
  end(): void;
  /** Nothing came for so long. */
  wait(ms: number): void;
}

const sps = Buffer.from('6742c01fd900b40a1bff0040001b1000000300100000030320f1832480', 'hex');
/** An init segment that decoders take. */
export const initOf = (sound: 'opus' | 'aac'): Buffer => buildInitSegment({
  info: parseSps(sps)!, sps, pps: [Buffer.from('68cb83cb20', 'hex')],
  sound: sound === 'opus' ? opusSound : aacSound({ sampleRate: 48_000, channels: 2 }),
});

const frameMs = 40;
const soundMs = 20;
const gopMs = 2_000;

export function drawStream(options: {
  streamId: string;
  /** When the first picture arrives: Unix epoch, ms. */
  startedAtMs: number;
  send(event: MediaEvent): void;
  /** Of one picture. */
  pictureBytes?: number;
  /** Opus packets of 20 ms, in a loop; made up without. */
  sounds?: readonly Buffer[];
  initSegment?: Buffer;
  mime?: string;
}): DrawnStream {
  const { streamId, send, pictureBytes = 100, sounds, mime = 'video/mp4; codecs="avc1.42e01f,opus"' } = options;
  let clockMs = options.startedAtMs;
  let timeMs = 0;
  let keyAtMs = 0;
  let sessionId = '';
  let generation = 1;
  let sequence = 1;
  const soundAt = (ms: number): Buffer | undefined => sounds?.[(ms / soundMs) % sounds.length];
  const nal = Buffer.alloc(pictureBytes, 0x41);
  const fragment = (track: 'video' | 'audio', isKey: boolean, durationMs: number, data: Buffer): void => send({
    type: 'fragment', streamId, sessionId, layer: 'full', generation, track, isKey, timeMs, durationMs,
    arrivedAtMs: clockMs, data,
  });
  return {
    begin(session, ofGeneration = 1) {
      if (session !== sessionId) timeMs = 0;
      keyAtMs = timeMs;
      sessionId = session;
      generation = ofGeneration;
      send({
        type: 'init', streamId, sessionId, layer: 'full', generation, mime,
        width: 720, height: 1280, hasVideo: true, hasAudio: true,
        initSegment: options.initSegment ?? Buffer.from(`init ${session} ${ofGeneration}`),
      });
    },
    play(forMs, everyMs = frameMs) {
      for (const endMs = timeMs + forMs; timeMs < endMs; timeMs += everyMs, clockMs += everyMs) {
        const isKey = timeMs === keyAtMs;
        if (isKey) keyAtMs += gopMs;
        fragment('video', isKey, everyMs, buildPictureFragment(sequence++, {
          nals: [{ type: isKey ? 5 : 1, size: nal.length, chunks: [nal] }], isKey,
          decodeTime: timeMs * 90, duration: everyMs * 90, offset: 0,
        }));
        const frames = Array.from({ length: everyMs / soundMs }, (_, at) => ({
          data: soundAt(timeMs + at * soundMs) ?? Buffer.from([at === 0 ? timeMs & 0xff : 1]), duration: soundMs * 48,
        }));
        fragment('audio', true, everyMs, buildSoundFragment(sequence++, timeMs * 48, frames));
      }
    },
    placed: (placedMs) => send({ type: 'uplink', streamId, sessionId, uplinkMs: placedMs, placedMs }),
    end: () => send({ type: 'down', streamId, sessionId, reason: 'closed' }),
    wait(ms) {
      clockMs += ms;
    },
  };
}
