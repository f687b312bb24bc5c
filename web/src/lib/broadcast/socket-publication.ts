/**
 * One publishing session by socket: the browser encodes (WebCodecs), a WebSocket carries. For networks that let no UDP
 * through, where WHIP cannot connect. Like a WHIP session it ends once and for good. Where a browser encodes nothing
 * for a page, what it records is sent (`recorded-publication.ts`).
 *
 * The encoders run on threads of the browser's own; the page hands their packets on, some 80 a second, and needs no
 * worker for that.
 */
import type { BroadcastStats } from './face.ts';
import { canEncodePictures, createPictureEncoder, type PictureEncoder, type PictureShape } from './picture-encoder.ts';
import type { Publication, PublicationOptions } from './publication.ts';
import { PublishFailure } from './publish-failure.ts';
import { lineStats, openLine, type PublishLine } from './publish-line.ts';
import { publishRecorded, recordableType } from './recorded-publication.ts';
import { canEncodeSound, createSoundEncoder, type SoundEncoder } from './sound-encoder.ts';

/**
 * The line may be behind by so much before pictures are left out. Less stutters at each hiccup and at each key picture;
 * more is what viewers are late by, times the rate before by the rate after, when a line breaks down.
 */
const backlogMaxMs = 300;
/** Of what the browser has not handed to the network yet, at the bitrate that is meant to be sent. */
const queueMaxMs = 300;
/** A key picture alone may be larger than `queueMaxMs` of a low bitrate. */
const queueMinBytes = 48 * 1024;

let isEncoding: Promise<boolean> | null = null;

/** Whether this browser encodes picture and sound for a page. Asked of the browser once. */
export function canEncode(): Promise<boolean> {
  isEncoding ??= Promise.all([canEncodePictures(), canEncodeSound()]).then((answers) => answers.every(Boolean));
  return isEncoding;
}

/** Whether there is a second way here: encoded, or recorded. */
export async function canPublishBySocket(): Promise<boolean> {
  return (await canEncode()) || recordableType() !== null;
}

export type SocketPublicationOptions = Omit<PublicationOptions, 'whipUrl'> & { socketUrl: string; shape: PictureShape };

/** Resolves when the server takes pictures. Throws `PublishFailure`. */
export async function publishBySocket(options: SocketPublicationOptions): Promise<Publication> {
  if (await canEncode()) return publishEncoded(options);
  const type = recordableType();
  if (type === null) throw new PublishFailure('codec-missing', false);
  return publishRecorded(options, type);
}

async function publishEncoded(options: SocketPublicationOptions): Promise<Publication> {
  let pictures: PictureEncoder | null = null;
  let sound: SoundEncoder | null = null;
  const stop = (): void => {
    pictures?.stop();
    sound?.stop();
  };
  const lost = (): void => {
    stop();
    options.onLost();
  };
  const line = await openLine({
    url: options.socketUrl,
    streamKey: options.streamKey,
    // Also without a microphone, which may be plugged in during the show.
    hasSound: true,
    signal: options.signal,
    onKeyNeeded: () => pictures?.needKey(),
    onLost: lost,
  });
  let { shape } = options;
  pictures = createPictureEncoder({
    shape,
    hasRoom: () => hasRoom(line, shape),
    onPicture: (bytes, capturedMs) => line.send({ kind: 'picture', bytes, capturedMs }),
    onFailed() {
      line.close(false);
      lost();
    },
  });
  // A page whose sound cannot be had shows its picture all the same.
  sound = await createSoundEncoder((bytes, capturedMs) => line.send({ kind: 'sound', bytes, capturedMs }))
    .catch(() => null);
  const follow = (track: MediaStreamTrack): void => (track.kind === 'video' ? pictures : sound)?.follow(track);
  for (const track of options.stream.getTracks()) follow(track);
  return {
    way: 'socket',
    async replaceTrack(track) {
      follow(track);
    },
    pictures: async () => pictures.taken(),
    async setShape(wanted) {
      shape = wanted;
      pictures.setShape(wanted);
    },
    stats: () => statsOf(line, pictures),
    carriesBps: () => line.carriesBps(),
    checkSoon: () => line.beImpatient(),
    wasReplaced: async () => line.wasReplaced(),
    end(goodbye) {
      stop();
      line.close(goodbye);
    },
  };
}

function hasRoom(line: PublishLine, shape: PictureShape): boolean {
  const queueMaxBytes = Math.max(queueMinBytes, (shape.bitrateBps / 8_000) * queueMaxMs);
  return line.queuedBytes() < queueMaxBytes && line.backlogMs() < backlogMaxMs;
}

function statsOf(line: PublishLine, pictures: PictureEncoder): BroadcastStats {
  const { isOverloaded, ...shown } = pictures.stats();
  return { ...lineStats(line), ...shown, limitedByCpu: isOverloaded };
}
