/**
 * A publishing session by socket in browsers that cannot encode for a page (Safari before 26): what they record
 * (MediaRecorder, fragmented MP4) is sent as it is made. It comes in pieces of about a second, so viewers see it that
 * much later; the server lets it go on at its own pace (media/src/socket/pace.ts).
 *
 * A recorder can be told nothing while it runs: another track or another bitrate is another recording, which the server
 * takes for more of the same stream.
 */
import type { BroadcastStats } from './face.ts';
import type { PictureShape } from './picture-encoder.ts';
import type { Publication } from './publication.ts';
import { lineStats, openLine, type PublishLine } from './publish-line.ts';
import type { SocketPublicationOptions } from './socket-publication.ts';

/** Asked for; browsers end a piece at a key picture, which they make as often as they like. */
const pieceMs = 250;
const keyEveryMs = 1_000;
const soundBps = 48_000;
/** A message's length (contract/src/publish.ts) less its head, with room. */
const messageBytes = 512 * 1024;
/** Several changes come together, as when cameras are changed. */
const changesWithinMs = 150;
/** What is within so much of the bitrate that is recorded now is not worth another recording. */
const bitrateTolerance = 0.2;
/** The line is behind by so much, in ms at the bitrate: what is recorded is thrown away until it has drained. */
const queueMostMs = 2_000;
const queueDrainedMs = 300;
const lookEveryMs = 200;
const longestPieceMs = 1_100;

/** What this browser records that the server reads: H.264 with AAC or Opus; null when there is nothing. */
export function recordableType(): string | null {
  if (typeof MediaRecorder === 'undefined') return null;
  const types = ['avc1.42E01F,mp4a.40.2', 'avc1.42E01F,opus'].map((codecs) => `video/mp4;codecs=${codecs}`);
  return types.find((type) => MediaRecorder.isTypeSupported(type)) ?? null;
}

/** Resolves when the server takes pictures. Throws `PublishFailure`. @param mimeType of `recordableType` */
export async function publishRecorded(options: SocketPublicationOptions, mimeType: string): Promise<Publication> {
  let recorder: Recorder | null = null;
  const lost = (): void => {
    recorder?.stop();
    options.onLost();
  };
  const line = await openLine({
    url: options.socketUrl,
    streamKey: options.streamKey,
    signal: options.signal,
    hasSound: options.stream.getAudioTracks().length > 0,
    // A recording's key pictures come by themselves.
    onKeyNeeded: () => undefined,
    onLost: lost,
  });
  const running = recorder = createRecorder({
    mimeType, line, stream: options.stream, shape: options.shape,
    onFailed() {
      line.close(false);
      lost();
    },
  });
  return {
    way: 'socket',
    async replaceTrack(track) {
      running.follow(track);
    },
    // A recorder does not tell.
    pictures: async () => null,
    async setShape(wanted) {
      running.setShape(wanted);
    },
    stats: () => statsOf(line, running.picture()),
    carriesBps: () => line.carriesBps(),
    checkSoon: () => line.beImpatient(),
    wasReplaced: async () => line.wasReplaced(),
    end(goodbye) {
      running.stop();
      line.close(goodbye);
    },
  };
}

interface Recorder {
  follow(track: MediaStreamTrack): void;
  setShape(shape: PictureShape): void;
  picture(): MediaStreamTrack | null;
  stop(): void;
}

function createRecorder(options: {
  mimeType: string;
  line: PublishLine;
  stream: MediaStream;
  shape: PictureShape;
  onFailed(): void;
}): Recorder {
  const { line, mimeType } = options;
  const tracks = new Map(options.stream.getTracks().map((track) => [track.kind, track]));
  let { bitrateBps } = options.shape;
  let recordedBps = 0;
  let running: MediaRecorder | null = null;
  /** In the order in which it was recorded. */
  let sending: Promise<void> = Promise.resolve();
  let isDraining = false;
  let isOver = false;
  let change: ReturnType<typeof setTimeout> | undefined;

  const send = async (piece: Blob, beganMs: number): Promise<void> => {
    const bytes = new Uint8Array(await piece.arrayBuffer());
    for (let at = 0; at < bytes.length && !isOver && !isDraining; at += messageBytes) {
      line.send({ kind: 'recorded', capturedMs: beganMs, bytes: bytes.subarray(at, at + messageBytes) });
    }
  };

  const record = (): void => {
    if (isOver || isDraining) return;
    const live = [...tracks.values()].filter(({ readyState }) => readyState === 'live');
    if (!live.some(({ kind }) => kind === 'video')) return;
    recordedBps = bitrateBps;
    const settings = { videoKeyFrameIntervalDuration: keyEveryMs };
    const own = new MediaRecorder(new MediaStream(live), {
      mimeType, videoBitsPerSecond: bitrateBps, audioBitsPerSecond: soundBps, ...settings,
    });
    let beganMs = performance.now();
    own.onstart = () => (beganMs = performance.now());
    own.ondataavailable = ({ data }) => {
      if (data.size > 0) sending = sending.then(() => send(data, beganMs));
    };
    own.onerror = () => running === own && options.onFailed();
    own.start(pieceMs);
    running = own;
  };

  /** What was recorded so far is sent, then more with what has changed. */
  const again = (): void => {
    clearTimeout(change);
    change = setTimeout(() => {
      const old = running;
      running = null;
      if (old === null || old.state === 'inactive') return record();
      old.onstop = record;
      old.stop();
    }, changesWithinMs);
  };

  const look = setInterval(() => {
    const waitingMs = (line.queuedBytes() * 8_000) / recordedBps;
    if (!isDraining && waitingMs > queueMostMs) {
      isDraining = true;
      running?.stop();
      running = null;
    } else if (isDraining && waitingMs < queueDrainedMs) {
      isDraining = false;
      again();
    }
  }, lookEveryMs);

  record();
  return {
    follow(track) {
      if (tracks.get(track.kind) === track) return;
      tracks.set(track.kind, track);
      again();
    },
    setShape(wanted) {
      ({ bitrateBps } = wanted);
      if (Math.abs(bitrateBps - recordedBps) > bitrateTolerance * recordedBps) again();
    },
    picture: () => tracks.get('video') ?? null,
    stop() {
      isOver = true;
      clearInterval(look);
      clearTimeout(change);
      if (running?.state === 'recording') running.stop();
      running = null;
    },
  };
}

/** A piece goes out at once, and what was behind it waits for that. */
function statsOf(line: PublishLine, picture: MediaStreamTrack | null): BroadcastStats {
  const { width = 0, height = 0, frameRate = 0 } = picture?.getSettings() ?? {};
  const shown = { width, height, framesPerSecond: Math.round(frameRate), limitedByCpu: false };
  return { ...lineStats(line, longestPieceMs), ...shown };
}
