/**
 * What crosses the pipe between the main process and the media process.
 *
 * The media process owns WebRTC, RTP and fMP4 and knows no business: a stream is an opaque id chosen by the main
 * process, which has already decided that the publisher may publish. Commands go down, events come up.
 */

/** A stream that is (again) ready to be watched: everything a player needs before the first fragment. */
export interface StreamInit {
  /** Chosen by the main process when it asked to publish; opaque here. */
  streamId: string;
  /** One publisher's session; a takeover or a return after a lost network has a new one. */
  sessionId: string;
  /** Counts init segments of a session from 1; a change of resolution makes a new one. */
  generation: number;
  /** For `MediaSource.isTypeSupported`, e.g. `video/mp4; codecs="avc1.42e01f,opus"`. */
  mime: string;
  /** Pixels as coded; 0 when the stream has no picture yet. */
  width: number;
  height: number;
  hasVideo: boolean;
  hasAudio: boolean;
  /** `ftyp` + `moov` (ISO/IEC 14496-12). */
  initSegment: Buffer;
}

/** One or more `moof`+`mdat` pairs of one access unit or a run of sound frames. */
export interface StreamFragment {
  streamId: string;
  sessionId: string;
  generation: number;
  track: 'video' | 'audio';
  /** True when decoding can start here (IDR); always true for sound. */
  isKey: boolean;
  /** Decode time of the first sample on the session's timeline, in milliseconds, from 0. */
  timeMs: number;
  durationMs: number;
  /** When the first packet arrived, on the media process's clock (Unix epoch, ms). */
  arrivedAtMs: number;
  data: Buffer;
}

export type StreamDownReason =
  /** The publisher said goodbye (DELETE). */
  | 'closed'
  /** No packet for longer than the media timeout, or ICE/DTLS failed. */
  | 'lost'
  /** Another publisher with the same key took over. */
  | 'replaced'
  /** The media process itself ended. */
  | 'crashed';

export type MediaEvent =
  | { type: 'up'; streamId: string; sessionId: string }
  | ({ type: 'init' } & StreamInit)
  | ({ type: 'fragment' } & StreamFragment)
  | { type: 'down'; streamId: string; sessionId: string; reason: StreamDownReason };
