/**
 * One encoder that comes by RTMP: tags to the same events as by WHIP (`../hooks.ts`). Nothing is lost or out of order
 * on such a line, so there is nothing to mend; pictures may be shown in another order than they come in (B-frames).
 *
 * Pure but for what it is given: time comes as an argument, steady clock, ms. Nothing that an encoder sends throws.
 */
import { parseSps } from '../fmp4/avc.ts';
import { createMuxer, type MuxerFragment, type MuxerInit } from '../fmp4/muxer.ts';
import type { EncoderProblem } from './problems.ts';
import type { RtmpMessage } from './protocol.ts';
import { parameterSets, readAudioTag, readNals, readVideoTag, type AvcConfiguration } from './tags.ts';

const ticksPerMs = 90;
/**
 * An encoder's clock may be so far ahead of where ours has come to since its first message. Less ends sessions whose
 * first message was late; more lets one message make minutes of timeline.
 */
const maxAheadMs = 10_000;
/** Times may go back by rounding; farther is another clock. */
const maxBackMs = 1_000;
/** From decoding to showing: sixteen pictures at 15 a second; more is no order of pictures. */
const maxOffsetMs = 1_100;
/** As long as for a WHIP offer: who has not sent a picture by then holds a place for nothing. */
const firstPictureWithinMs = 15_000;
/** HLS cuts segments without a key picture after 3.4 s; viewers wait for one after each loss. */
const rareKeysMs = 4_000;
/** H.264 profiles that browsers play (ITU-T H.264 annex A): baseline, main, high. */
const playable = new Set([66, 77, 100]);
const profileNames: Record<number, string> = { 88: 'Extended', 110: 'High 10', 122: 'High 4:2:2', 244: 'High 4:4:4' };
/** Of the longer and the shorter side: what phones decode in hardware. */
const maxSides = [1920, 1920] as const;

export interface RtmpSessionDeps {
  nowMs: number;
  /** Without a message for so long it is lost. */
  silenceMs: number;
  /** The first picture that can be shown is here; `onInit` follows at once. */
  onUp(): void;
  onInit(init: MuxerInit): void;
  onFragment(fragment: MuxerFragment): void;
  onLost(): void;
  /** `isRefused`: nothing is taken any more, end the session. Otherwise told once. */
  onProblem(problem: EncoderProblem, isRefused: boolean): void;
}

export interface RtmpSession {
  readonly isUp: boolean;
  take(message: RtmpMessage, nowMs: number): void;
  /** Call every 100 ms or oftener. */
  tick(nowMs: number): void;
  /** Emits what is held back; afterwards nothing comes any more. */
  end(): void;
}

export function createRtmpSession(deps: RtmpSessionDeps): RtmpSession {
  let isUp = false;
  let isOver = false;
  let lastHeardMs = deps.nowMs;
  let avc: AvcConfiguration | null = null;
  const clock = createClock();
  const keys = createKeyWatch((seconds) => deps.onProblem({ code: 'keys_rare', found: `${seconds}` }, false));
  const muxer = createMuxer({
    sound: null,
    soundMs: (ms, zeroTicks) => ms - zeroTicks / ticksPerMs,
    onInit(init) {
      if (!isUp) {
        isUp = true;
        deps.onUp();
      }
      deps.onInit(init);
    },
    onFragment: deps.onFragment,
  });

  const refuse = (problem: EncoderProblem): void => {
    if (isOver) return;
    isOver = true;
    deps.onProblem(problem, true);
  };

  const configure = (next: AvcConfiguration): void => {
    const problem = problemOf(next.sps);
    if (problem !== null) return refuse(problem);
    avc = next;
  };

  const picture = (data: Buffer, dtsMs: number, offsetMs: number, nowMs: number): void => {
    if (avc === null) return;
    const parsed = readNals(data, avc.lengthBytes);
    // A message without a slice, such as parameter sets or information alone, is no picture and no fault.
    if (parsed === null) return;
    if (Math.abs(offsetMs) > maxOffsetMs) return refuse({ code: 'clock', found: null });
    const { isKey } = parsed;
    const nals = isKey ? [...parameterSets(avc), ...parsed.nals] : parsed.nals;
    const timestamp = clock.pictureTicks(dtsMs);
    const compositionOffset = Math.round((dtsMs + offsetMs) * ticksPerMs) - timestamp;
    muxer.pictureStarts(timestamp);
    muxer.picture({ timestamp, compositionOffset, isKey, nals, arrivedMs: nowMs });
    keys.picture(isKey, dtsMs);
  };

  const takeVideo = (payload: Buffer, ms: number, nowMs: number): void => {
    const tag = readVideoTag(payload);
    if (tag.kind === 'refused') refuse(tag.problem);
    else if (tag.kind === 'configuration') configure(tag.avc);
    else if (tag.kind === 'picture') picture(tag.data, ms, tag.offsetMs, nowMs);
  };

  const takeAudio = (payload: Buffer, ms: number, nowMs: number): void => {
    const tag = readAudioTag(payload);
    if (tag.kind === 'refused') refuse(tag.problem);
    else if (tag.kind === 'configuration') muxer.changeSound(tag.sound);
    else if (tag.kind === 'packet') muxer.sound(tag.data, ms, nowMs);
  };

  return {
    get isUp() {
      return isUp;
    },
    take({ kind, timestamp, payload }, nowMs) {
      if (isOver) return;
      lastHeardMs = nowMs;
      // Of what is said about the stream in words (onMetaData) nothing is needed.
      if (kind === 'data') return;
      const ms = clock.unwrap(timestamp, nowMs);
      if (ms === null) return refuse({ code: 'clock', found: null });
      if (kind === 'video') takeVideo(payload, ms, nowMs);
      else takeAudio(payload, ms, nowMs);
    },
    tick(nowMs) {
      if (isOver) return;
      if (nowMs - lastHeardMs > deps.silenceMs) {
        isOver = true;
        deps.onLost();
      } else if (!isUp && nowMs - deps.nowMs > firstPictureWithinMs) {
        refuse({ code: 'no_picture', found: null });
      } else {
        muxer.tick(nowMs);
      }
    },
    end() {
      isOver = true;
      muxer.flush();
    },
  };
}

function problemOf(sps: Buffer): EncoderProblem | null {
  const info = parseSps(sps);
  const profile = info?.profile ?? sps[1] ?? 0;
  if (!playable.has(profile)) return { code: 'picture_profile', found: profileNames[profile] ?? `profile ${profile}` };
  const [longer, shorter] = maxSides;
  const isFit = info !== null && Math.max(info.width, info.height) <= longer
    && Math.min(info.width, info.height) <= shorter;
  return isFit ? null : { code: 'picture_size', found: info && `${info.width} x ${info.height}` };
}

interface Clock {
  /** On from the first message's time, over 32 bit; null when it runs away from ours or jumps back. */
  unwrap(timestamp: number, nowMs: number): number | null;
  /** Two pictures at one time would be one frame's duration of nothing: each at least a tick behind the last. */
  pictureTicks(dtsMs: number): number;
}

function createClock(): Clock {
  let first: { ms: number; nowMs: number } | null = null;
  let lastMs = 0;
  let lastTicks = -Infinity;
  return {
    unwrap(timestamp, nowMs) {
      first ??= { ms: (lastMs = timestamp), nowMs };
      // The difference to the last one as a signed number of 32 bit.
      const ms = lastMs + ((timestamp - lastMs) | 0);
      const isAhead = ms - first.ms - (nowMs - first.nowMs) > maxAheadMs;
      if (isAhead || ms < lastMs - maxBackMs) return null;
      lastMs = Math.max(lastMs, ms);
      return ms;
    },
    pictureTicks(dtsMs) {
      lastTicks = Math.max(Math.round(dtsMs * ticksPerMs), lastTicks + 1);
      return lastTicks;
    },
  };
}

/** Tells once that key pictures are rare. */
function createKeyWatch(tell: (seconds: number) => void): { picture(isKey: boolean, dtsMs: number): void } {
  let keyMs: number | null = null;
  let isTold = false;
  return {
    picture(isKey, dtsMs) {
      const sinceMs = keyMs === null ? 0 : dtsMs - keyMs;
      if (isKey) keyMs = dtsMs;
      if (isTold || keyMs === null) return;
      // While none comes it is told at the bound and a bit, so that the figure is not always the bound.
      if ((isKey && sinceMs > rareKeysMs) || sinceMs > rareKeysMs * 2) {
        isTold = true;
        tell(Math.round(sinceMs / 1_000));
      }
    },
  };
}
