/**
 * One publishing session: offer, WHIP POST (RFC 9725), connection, and the watch over it. It ends once and for good;
 * who wants to stay on air makes another.
 *
 * The server is ice-lite and its answer holds its addresses, so the offer goes out without waiting for our own.
 */
import { createLinkMeter } from './link-meter.ts';
import type { LinkMeter } from './link-meter.ts';
import { iceServersOf } from './ice-servers.ts';
import type { BroadcastStats } from './face.ts';
import type { PictureShape } from './picture-encoder.ts';
import { addPicture, createPictureSizes } from './picture-sizes.ts';
import { PublishFailure } from './publish-failure.ts';
import { createSmallPicture, startBps } from './small-picture.ts';
import type { Way } from './ways.ts';

/**
 * Media that is not through by then is blocked on the way. Connecting takes 0.1 s here, 2 s on a bad mobile network.
 * Longer keeps hosts waiting whose networks let no UDP through.
 */
const connectWithinMs = 5_000;

/** An offer not answered by then is asked anew. The server answers within 50 ms; a bad mobile network takes seconds. */
const answerWithinMs = 6_000;

/** Of the browser's estimate. An encoder that sends less needs no more, and the estimate does not rise by itself. */
const filledRatio = 0.7;

/** How often the connection is looked at. Rarer notices losses later, more often costs battery. */
const lookEveryMs = 300;

export interface Publication {
  way: Way;
  replaceTrack(track: MediaStreamTrack): Promise<void>;
  /** How many pictures came from the camera to the encoder so far; null where the browser does not tell. */
  pictures(): Promise<number | null>;
  /** What is sent at most from now on. */
  setShape(shape: PictureShape): Promise<void>;
  stats(): BroadcastStats;
  /** What the line carries, bits per second; null while what is sent does not fill it, and nobody knows. */
  carriesBps(): number | null;
  /** Whether the server still hears us, asked with more impatience: after a change of network. */
  checkSoon(): void;
  /** Whether another publisher took the show over since. */
  wasReplaced(): Promise<boolean>;
  /** Lets go of the connection. `goodbye` also tells the server (DELETE), in a way that outlives the page. */
  end(goodbye: boolean): void;
}

export interface PublicationOptions {
  whipUrl: string;
  streamKey: string;
  stream: MediaStream;
  maxBitrateBps: number;
  signal: AbortSignal;
  /** The connection is lost; called once, never after `end`. */
  onLost: () => void;
}

/** Resolves when media flows. Throws `PublishFailure`. */
export async function publish(options: PublicationOptions): Promise<Publication> {
  const iceServers = await iceServersOf(options.whipUrl, options.streamKey);
  const connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle', iceServers });
  let sessionUrl = '';
  const auth = { authorization: `Bearer ${options.streamKey}` };
  const goodbye = (): void => {
    if (!sessionUrl) return;
    // Nobody waits for the answer: without it the server's own timeout ends the session.
    fetch(sessionUrl, { method: 'DELETE', headers: auth, keepalive: true }).catch(() => undefined);
  };
  try {
    const senders = await addSenders(connection, options);
    await connection.setLocalDescription();
    const answer = await post(options, connection.localDescription?.sdp ?? '');
    sessionUrl = answer.sessionUrl;
    await connection.setRemoteDescription({ type: 'answer', sdp: startingHigh(answer.sdp, options.maxBitrateBps) });
    await connected(connection, options.signal);
    return watch(connection, senders, sessionUrl, auth, goodbye, options);
  } catch (error) {
    connection.close();
    if (sessionUrl) goodbye();
    throw error instanceof PublishFailure ? error : new PublishFailure('refused', true, String(error));
  }
}

interface Senders {
  video: RTCRtpSender;
  audio: RTCRtpSender;
}

/**
 * One for the picture, one for the sound. Also without a microphone, which may be plugged in during the show: until
 * then the server makes silence (media/README.md, M11).
 */
async function addSenders(connection: RTCPeerConnection, options: PublicationOptions): Promise<Senders> {
  const { stream } = options;
  const init: RTCRtpTransceiverInit = { direction: 'sendonly', streams: [stream] };
  const picture = addPicture(connection, stream.getVideoTracks()[0] ?? 'video', init, options.maxBitrateBps);
  picture.setCodecPreferences(h264First());
  const { sender: video } = picture;
  const parameters = video.getParameters();
  // Goods must stay sharp: rather fewer pictures than smaller ones.
  parameters.degradationPreference = 'maintain-resolution';
  await video.setParameters(parameters);
  const { sender: audio } = connection.addTransceiver(stream.getAudioTracks()[0] ?? 'audio', init);
  return { video, audio };
}

/** H.264 constrained baseline with packetization-mode 1 first, then its siblings, and retransmission; nothing else. */
function h264First(): RTCRtpCodec[] {
  const codecs = RTCRtpSender.getCapabilities('video')?.codecs ?? [];
  const rank = ({ mimeType, sdpFmtpLine = '' }: RTCRtpCodec): number => {
    if (/rtx$/i.test(mimeType)) return 3;
    if (!/h264$/i.test(mimeType) || !/packetization-mode=1/.test(sdpFmtpLine)) return 0;
    return /profile-level-id=42e0/i.test(sdpFmtpLine) ? 1 : 2;
  };
  const wanted = codecs.filter((codec) => rank(codec) > 0).sort((a, b) => rank(a) - rank(b));
  if (!wanted.some((codec) => rank(codec) < 3)) throw new PublishFailure('codec-missing', false);
  return wanted;
}

function startingHigh(sdp: string, maxBitrateBps: number): string {
  const kbps = Math.round(Math.min(startBps, maxBitrateBps) / 1000);
  return sdp.replace(/^a=fmtp:.*packetization-mode=1.*$/gm, `$&;x-google-start-bitrate=${kbps}`);
}

async function post(options: PublicationOptions, offer: string): Promise<{ sdp: string; sessionUrl: string }> {
  let response: Response;
  try {
    response = await fetch(options.whipUrl, {
      method: 'POST',
      headers: { authorization: `Bearer ${options.streamKey}`, 'content-type': 'application/sdp' },
      body: offer,
      signal: AbortSignal.any([options.signal, AbortSignal.timeout(answerWithinMs)]),
    });
    if (response.status === 201) {
      const sdp = await response.text();
      return { sdp, sessionUrl: new URL(response.headers.get('location') ?? '', response.url).href };
    }
  } catch (error) {
    throw new PublishFailure('server-unreachable', true, String(error));
  }
  const problem = (await response.json().catch(() => ({}))) as { code?: string; title?: string; detail?: string };
  const sentence = problem.detail ?? problem.title ?? '';
  // Without a code of ours it is a proxy that answers, whose server is away; with 503 our own, without media process.
  if (problem.code === undefined) throw new PublishFailure('server-unreachable', true, sentence);
  if (response.status === 401 || response.status === 403) throw new PublishFailure('key-refused', false, sentence);
  if (problem.code === 'video.full') throw new PublishFailure('server-full', true, sentence);
  if (problem.code === 'video.codec') throw new PublishFailure('codec-missing', false, sentence);
  if (response.status >= 500 || response.status === 429) throw new PublishFailure('server-unreachable', true, sentence);
  throw new PublishFailure('refused', false, sentence);
}

function connected(connection: RTCPeerConnection, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (failure?: PublishFailure): void => {
      clearTimeout(timer);
      connection.removeEventListener('connectionstatechange', look);
      signal.removeEventListener('abort', onAbort);
      if (failure) reject(failure);
      else resolve();
    };
    const look = (): void => {
      if (connection.connectionState === 'connected') settle();
      else if (connection.connectionState === 'failed') settle(new PublishFailure('media-blocked', true));
    };
    const onAbort = (): void => settle(new PublishFailure('server-unreachable', false));
    const timer = setTimeout(() => settle(new PublishFailure('media-blocked', true)), connectWithinMs);
    connection.addEventListener('connectionstatechange', look);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    else look();
  });
}

function watch(
  connection: RTCPeerConnection,
  senders: Senders,
  sessionUrl: string,
  auth: { authorization: string },
  goodbye: () => void,
  options: PublicationOptions,
): Publication {
  const meter: LinkMeter = createLinkMeter(options.maxBitrateBps);
  const sizes = createPictureSizes(senders.video, options.maxBitrateBps);
  const small = createSmallPicture(options.maxBitrateBps);
  let isOver = false;
  let asked: Promise<number> | null = null;
  const over = (): boolean => {
    if (isOver) return false;
    isOver = true;
    clearInterval(timer);
    connection.onconnectionstatechange = null;
    connection.close();
    return true;
  };
  const lost = (): void => {
    if (over()) options.onLost();
  };
  const look = async (): Promise<void> => {
    const report = await connection.getStats();
    if (isOver) return;
    const nowMs = performance.now();
    meter.read(report, nowMs);
    const { availableBps, limitedByCpu } = meter.stats();
    const isWhole = sizes.isWhole();
    void sizes.setSmall(small.decide({ nowMs, availableBps, limitedByCpu, isWhole, ...meter.fullPicture() }));
    if (meter.isLost()) lost();
    else if (!meter.inDoubt()) asked = null;
    else if (!asked) {
      asked = askStatus(sessionUrl, auth);
      const status = await asked;
      if (status === 404 || status === 410) lost();
    }
  };
  const timer = setInterval(() => void look(), lookEveryMs);
  connection.onconnectionstatechange = () => {
    // "disconnected" comes after 5 s without an answer: by then publishing anew is quicker than hoping.
    if (connection.connectionState !== 'connected') lost();
  };
  return {
    way: 'direct',
    async replaceTrack(track) {
      if (!isOver) await senders[track.kind === 'video' ? 'video' : 'audio'].replaceTrack(track);
    },
    async pictures() {
      const report = isOver ? new Map() : await senders.video.getStats();
      const entries = [...(report as ReadonlyMap<string, { type: string; frames?: number }>).values()];
      return entries.find(({ type }) => type === 'media-source')?.frames ?? null;
    },
    setShape: (shape) => sizes.setShape(shape),
    stats: () => meter.stats(),
    carriesBps() {
      const { availableBps, bitrateBps } = meter.stats();
      return availableBps !== null && bitrateBps > availableBps * filledRatio ? availableBps : null;
    },
    checkSoon: () => meter.beImpatient(performance.now()),
    wasReplaced: async () => (await (asked ?? askStatus(sessionUrl, auth))) === 410,
    end(withGoodbye) {
      // Said first: a server that hears the connection close takes the publisher for lost.
      if (withGoodbye) goodbye();
      over();
    },
  };
}

/** Whether the server knows the session: 204, 404, 410 when another device took over; 0 when it does not answer. */
async function askStatus(sessionUrl: string, auth: { authorization: string }): Promise<number> {
  const signal = AbortSignal.timeout(answerWithinMs);
  const response = await fetch(sessionUrl, { headers: auth, cache: 'no-store', signal }).catch(() => null);
  return response?.status ?? 0;
}
