/**
 * What crosses the pipe between the main process and the media process, and the face of its supervisor.
 *
 * The media process owns WebRTC, RTP and fMP4 and knows no business: a stream is an opaque id chosen by the main
 * process, which has already decided that the publisher may publish. Commands go down, events come up.
 *
 * Order that a listener may rely on, per session: `up` → (`init` → `fragment`…)… → `down`. After `down` nothing of
 * that session arrives any more. A takeover is `down {replaced}` of the old session, then `up` of the new one.
 *
 * Of a publisher that sends its picture in two sizes (simulcast, RFC 8853) the same order holds for each layer, each
 * with generations of its own; `small` begins after `full`, ends with `layer-down`, and may begin again.
 */

/**
 * `full`: the largest picture that the publisher sends, the only one of most. `small`: the smallest of two sizes of the
 * same picture. Both count from the same 0, within ±20 ms, and the sound comes once, with `full`: a viewer of `small`
 * plays its fragments too, for which the init segment of `small` has the same second track.
 */
export type PictureLayer = 'full' | 'small';

/** A stream that is (again) ready to be watched: everything a player needs before the first fragment. */
export interface StreamInit {
  /** Chosen by the main process when it asked to publish; opaque here. */
  streamId: string;
  /** One publisher's session; a takeover or a return after a lost network has a new one. */
  sessionId: string;
  layer: PictureLayer;
  /** Counts init segments of a session's layer from 1; a change of resolution makes a new one. */
  generation: number;
  /** For `MediaSource.isTypeSupported`, e.g. `video/mp4; codecs="avc1.42e01f,opus"`. */
  mime: string;
  /** Pixels to show (after cropping). A session has no init before its first picture, so never 0. */
  width: number;
  height: number;
  hasVideo: boolean;
  /** True when the publisher negotiated sound; pauses in it are filled with silence, so that players never wait. */
  hasAudio: boolean;
  /** `ftyp` + `moov` (ISO/IEC 14496-12). Track 1 is the picture (90 kHz), track 2 the sound (48 kHz). */
  initSegment: Buffer;
}

/** One `moof`+`mdat` pair: one access unit of the picture, or a short run of sound frames. */
export interface StreamFragment {
  streamId: string;
  sessionId: string;
  /** Always `full` for sound. */
  layer: PictureLayer;
  /** The init segment of its layer that it belongs to. The first picture of a generation is a key. */
  generation: number;
  track: 'video' | 'audio';
  /** True when decoding can start here (IDR); always true for sound. */
  isKey: boolean;
  /**
   * When the first sample is shown, on the session's timeline (the decode times of the boxes), in milliseconds. Where
   * pictures are shown in another order than they come (B-frames): of key pictures, and the others follow on.
   */
  timeMs: number;
  /** Exact; for one track the next fragment begins where this one ends, save after a stall of the picture over 1 s. */
  durationMs: number;
  /** When the first packet arrived, on the media process's clock (Unix epoch, ms). */
  arrivedAtMs: number;
  data: Buffer;
}

export type StreamDownReason =
  /** The publisher said goodbye (DELETE), or the supervisor was stopped. */
  | 'closed'
  /** No packet for longer than the media timeout, or ICE/DTLS failed. */
  | 'lost'
  /** Another publisher with the same key took over. */
  | 'replaced'
  /** The media process itself ended. */
  | 'crashed';

export type MediaEvent =
  /** ICE and DTLS are through: the publisher is connected. Pictures follow with `init`. */
  | { type: 'up'; streamId: string; sessionId: string }
  | ({ type: 'init' } & StreamInit)
  | ({ type: 'fragment' } & StreamFragment)
  /** No small picture comes any more, for now or for good; the full one goes on. Only after an `init` of `small`. */
  | { type: 'layer-down'; streamId: string; sessionId: string; layer: 'small' }
  /**
   * How long pictures take from the publisher's camera to `arrivedAtMs`, in ms (`rtp/uplink.ts`). Sent when it is first
   * known and when it has changed, every 2 s at most; never for publishers that do not answer reference times.
   * `placedMs`: to where they lie on the timeline that begins as the first picture comes and goes on by `timeMs`.
   */
  | { type: 'uplink'; streamId: string; sessionId: string; uplinkMs: number; placedMs: number }
  /** Also sent for a session that never came `up` (its publisher posted an offer and was not heard of again). */
  | { type: 'down'; streamId: string; sessionId: string; reason: StreamDownReason }
  /** The media process ended by itself and a new one is ready; its sessions went `down {crashed}` before. */
  | { type: 'child-restarted'; pid: number; restarts: number };

/** Counts since the session began, unless said otherwise. */
export interface SessionStats {
  streamId: string;
  sessionId: string;
  state: 'connecting' | 'up';
  /** Seconds since the offer was answered. */
  ageMs: number;
  packets: number;
  bytes: number;
  /** Over the last second or so, all tracks, in bits per second. */
  bitrateBps: number;
  /** Packets that were asked for again (each counted once, however often it was asked). */
  nacked: number;
  /** Of those, the ones that came in time. */
  mended: number;
  /** Packets given up on. */
  lost: number;
  /** Interarrival jitter of the picture (RFC 3550 §6.4.1), in ms. */
  jitterMs: number;
  /** Access units passed on, and those dropped because a packet before them was lost. */
  pictures: number;
  picturesDropped: number;
  keyPictures: number;
  soundFrames: number;
  /** Times that a key picture was asked for. */
  keyRequests: number;
  /** From the publisher's camera to here, in ms; null while unknown. */
  uplinkMs: number | null;
  /** Of the full picture. */
  width: number;
  height: number;
  /** Each size of the picture that the publisher may send; one without simulcast. */
  layers: LayerStats[];
}

/** Of one size of the picture what a session counts of all. */
export interface LayerStats extends Pick<
  SessionStats, 'packets' | 'bytes' | 'bitrateBps' | 'nacked' | 'mended' | 'lost' | 'jitterMs' | 'pictures'
  | 'picturesDropped' | 'keyPictures' | 'keyRequests' | 'width' | 'height'
> {
  /** Its name in the offer (RFC 8851); null without simulcast. */
  rid: string | null;
  /** What it is now; null while it is not sent. */
  layer: PictureLayer | null;
}

export interface MediaStats {
  pid: number;
  uptimeMs: number;
  /** How often the media process ended by itself since the supervisor started. */
  restarts: number;
  /** User + system time of the media process since it started, in microseconds. */
  cpuUs: number;
  rssBytes: number;
  /**
   * How late its timers ran since the last look, in ms: the sign of overload, since native code has no backpressure.
   */
  eventLoopDelayMs: { p50: number; p99: number; max: number };
  /** Bytes waiting in the pipe to the main process, and fragments dropped because it was full. */
  pipeQueuedBytes: number;
  fragmentsDropped: number;
  udpPort: number;
  sessions: SessionStats[];
}

/** Why an offer was refused; `message` of the error is a sentence for the person who publishes. */
export type PublishRefusalCode =
  /** Not SDP, or without ICE and DTLS parameters, or over the size limit. → 400; what can be read only → 422 */
  | 'offer_malformed'
  /** No H.264 that a browser can show, e.g. VP8 only. */
  | 'no_h264'
  /** There is sound, but not Opus. */
  | 'no_opus'
  /** A track is recvonly or inactive; sendonly and sendrecv both send (RFC 9725 §4.2). */
  | 'not_sending'
  /** More than one picture and one sound: taking a part would mislead (RFC 9725 §4.4.2, §4.4.3). */
  | 'too_many_tracks'
  /** More than one transport. */
  | 'not_bundled'
  /** As many publishers as one media process carries. → 503 */
  | 'too_many_publishers'
  /** The media process is restarting or did not answer in time. → 503 with Retry-After */
  | 'unavailable';

export class PublishRefusal extends Error {
  readonly code: PublishRefusalCode;
  constructor(code: PublishRefusalCode, message: string) {
    super(message);
    this.name = 'PublishRefusal';
    this.code = code;
  }
}

export interface MediaLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface MediaSupervisorOptions {
  /** The one UDP port of all publishers; 0 = any free one. */
  udpPort: number;
  /** Address to bind to; without it all interfaces. */
  bindAddress?: string;
  /**
   * Addresses offered to publishers; without it 127.0.0.1 and this machine's own. Put a public address here behind NAT.
   */
  addresses?: readonly string[];
  /** For tests: another program in the place of the media process. */
  program?: string;
  log: MediaLog;
  /** Called for every event, in order. Must not throw (a throw is logged and dropped). */
  onEvent(event: MediaEvent): void;
}

/** Runs in the main process: `createMediaSupervisor(options): MediaSupervisor` in `supervisor.ts`. */
export interface MediaSupervisor {
  /**
   * Resolves with the UDP port when the media process takes publishers; rejects with a clear sentence when it cannot.
   */
  ready(): Promise<{ udpPort: number }>;
  /**
   * Answers a WHIP offer. A publisher already on this stream is replaced (`down {replaced}`) once the new one is
   * connected. Rejects with `PublishRefusal`. A session not connected within 15 s goes `down {lost}`.
   */
  publish(request: { streamId: string; offerSdp: string }): Promise<{ sessionId: string; answerSdp: string }>;
  /**
   * Trickle ICE (RFC 8840 fragment). Our answer holds all candidates and is ice-lite, so the publisher's own are not
   * needed: accepted, and `false` when there is no such session. ICE restarts are not possible: publish anew.
   */
  patch(sessionId: string, sdpFragment: string): Promise<boolean>;
  /** Ends a session (`down {closed}`); `false` when there is no such session. */
  remove(sessionId: string): Promise<boolean>;
  /** Another publisher came by another way: those connected on this stream are `down {replaced}` before it returns. */
  replace(streamId: string): void;
  /** Null while the media process is restarting. */
  stats(): Promise<MediaStats | null>;
  /** Of the media process; null while it restarts. */
  pid(): number | null;
  /** Ends all sessions (`down {closed}`) and the process. Idempotent. */
  stop(): Promise<void>;
}
