/**
 * One publisher that comes by a socket: whole pictures and sound packets to the same events as by WHIP
 * (`../hooks.ts`). Nothing is lost or out of order on such a line, so there is nothing to mend.
 *
 * Pure but for what it is given: time comes as an argument, steady clock, ms. Nothing that a publisher sends throws;
 * what makes no sense is told by false.
 */
import { createMuxer, type MuxerFragment, type MuxerInit } from '../fmp4/muxer.ts';
import { opusSound } from '../fmp4/sound.ts';
import { opusClockRate } from '../rtp/opus.ts';
import { createUplinkMeter, type Uplink } from '../rtp/uplink.ts';
import { parameterSets, readNals } from '../rtmp/tags.ts';
import { parseAnnexB, type ParsedPicture } from './annex-b.ts';
import { createPace, type Pace } from './pace.ts';
import { createRecordedReader, type RecordedSample, type RecordedTracks } from './recorded.ts';

const ticksPerMs = 90;
const soundTicksPerMs = opusClockRate / 1000;
/**
 * A publisher's clock may be so far ahead of where ours has come to since its first message. Less ends sessions whose
 * first message was late; more lets one message make minutes of timeline.
 */
const maxAheadMs = 10_000;
/** How often a key picture is asked for until one comes. */
const keyRequestEveryMs = 500;
/** As long as for a WHIP offer: who has not sent a picture by then holds a place for nothing. */
export const firstPictureWithinMs = 15_000;
/** Kept to be found by when their answers came: some six seconds of them, and a line is lost sooner. */
const maxPings = 32;

export interface SocketSessionDeps {
  hasSound: boolean;
  nowMs: number;
  /** Without a message for so long it is lost. */
  silenceMs: number;
  /** The first picture that can be shown is here; `onInit` follows at once. */
  onUp(): void;
  onInit(init: MuxerInit): void;
  onFragment(fragment: MuxerFragment): void;
  onUplink(uplink: Uplink): void;
  onKeyNeeded(): void;
  onLost(): void;
}

export interface SocketSession {
  readonly isUp: boolean;
  /** One access unit. False when it is none, or its time makes no sense. */
  picture(bytes: Buffer, capturedMs: number, nowMs: number): boolean;
  /** One Opus packet. False as for a picture. */
  sound(bytes: Buffer, capturedMs: number, nowMs: number): boolean;
  /** The next piece of a recording. False when it is none, or its time makes no sense. */
  recorded(bytes: Buffer, beganMs: number, nowMs: number): boolean;
  ping(sentMs: number, before: { sentMs: number; roundTripMs: number } | undefined, nowMs: number): void;
  /** Call every 100 ms or oftener. */
  tick(nowMs: number): void;
  /** Emits what is held back; afterwards nothing comes any more. */
  end(): void;
}

export function createSocketSession(deps: SocketSessionDeps): SocketSession {
  let isUp = false;
  let isOver = false;
  let lastHeardMs = deps.nowMs;
  let first: { capturedMs: number; nowMs: number } | null = null;
  let lastPictureTicks = -1;
  /** The last ones, in their order. */
  const pings: { sentMs: number; atMs: number }[] = [];
  let keyAskedMs = deps.nowMs;
  /** A key picture with its parameter sets has come; nothing is lost after it. */
  let hasKey = false;
  const uplink = createUplinkMeter();
  /** When the first picture came of which something is seen. */
  let beganMs: number | null = null;
  const muxer = createMuxer({
    sound: deps.hasSound ? opusSound : null,
    soundMs: (timestamp, zero) => timestamp / soundTicksPerMs - zero / ticksPerMs,
    onInit(init) {
      hasKey = true;
      if (!isUp) {
        isUp = true;
        deps.onUp();
      }
      deps.onInit(init);
    },
    onFragment: (fragment) => deps.onFragment(fragment),
  });

  const pictureAt = (
    { nals, isKey }: ParsedPicture, times: { decodedMs: number; shownMs: number }, nowMs: number,
  ): void => {
    // Two pictures at one time would be one frame's duration of nothing.
    const timestamp = Math.max(Math.round(times.decodedMs * ticksPerMs), lastPictureTicks + 1);
    lastPictureTicks = timestamp;
    const compositionOffset = Math.max(0, Math.round(times.shownMs * ticksPerMs) - timestamp);
    muxer.pictureStarts(timestamp);
    muxer.picture({ timestamp, compositionOffset, isKey, nals, arrivedMs: nowMs });
    const zero = muxer.zero();
    if (zero !== null) {
      beganMs ??= nowMs;
      uplink.picture(times.shownMs, nowMs, beganMs + (timestamp - zero) / ticksPerMs);
    }
  };

  const isTimely = (capturedMs: number, nowMs: number): boolean => {
    first ??= { capturedMs, nowMs };
    return capturedMs - first.capturedMs - (nowMs - first.nowMs) < maxAheadMs;
  };

  const sound = (bytes: Buffer, capturedMs: number, nowMs: number): void => (
    muxer.sound(bytes, Math.round(capturedMs * soundTicksPerMs), nowMs)
  );
  const recording = createRecording({ isTimely, pictureAt, sound, changeSound: muxer.changeSound });

  const askForKey = (nowMs: number): void => {
    if (nowMs - keyAskedMs < keyRequestEveryMs) return;
    keyAskedMs = nowMs;
    deps.onKeyNeeded();
  };

  return {
    get isUp() {
      return isUp;
    },
    picture(bytes, capturedMs, nowMs) {
      if (isOver) return true;
      lastHeardMs = nowMs;
      const parsed = parseAnnexB(bytes);
      if (parsed === null || !isTimely(capturedMs, nowMs)) return false;
      pictureAt(parsed, { decodedMs: capturedMs, shownMs: capturedMs }, nowMs);
      // Until then the muxer leaves out what comes.
      if (!hasKey) askForKey(nowMs);
      return true;
    },
    sound(bytes, capturedMs, nowMs) {
      if (isOver) return true;
      lastHeardMs = nowMs;
      if (!isTimely(capturedMs, nowMs)) return false;
      sound(bytes, capturedMs, nowMs);
      return true;
    },
    recorded(bytes, recordingMs, nowMs) {
      if (isOver) return true;
      lastHeardMs = nowMs;
      return recording.push(bytes, recordingMs, nowMs);
    },
    ping(sentMs, before, nowMs) {
      lastHeardMs = nowMs;
      const answered = pings.find((one) => one.sentMs === before?.sentMs);
      if (before !== undefined && answered !== undefined) {
        uplink.answered(before.sentMs, before.roundTripMs, answered.atMs);
      }
      pings.push({ sentMs, atMs: nowMs });
      if (pings.length > maxPings) pings.shift();
    },
    tick(nowMs) {
      if (isOver) return;
      const isSilent = nowMs - lastHeardMs > deps.silenceMs;
      if (isSilent || (!isUp && nowMs - deps.nowMs > firstPictureWithinMs)) {
        isOver = true;
        deps.onLost();
        return;
      }
      recording.tick(nowMs);
      muxer.tick(nowMs);
      const news = uplink.news(nowMs);
      if (news !== null && isUp) deps.onUplink(news);
    },
    end() {
      recording.flush(lastHeardMs);
      isOver = true;
      muxer.flush();
    },
  };
}

interface Recording extends Omit<Pace, 'push'> {
  /** False as for `recorded`. */
  push(bytes: Buffer, beganMs: number, nowMs: number): boolean;
}

/** Pieces of a recording, as what is in them at its own pace. */
function createRecording(to: {
  isTimely(capturedMs: number, nowMs: number): boolean;
  pictureAt(picture: ParsedPicture, times: { decodedMs: number; shownMs: number }, nowMs: number): void;
  sound(packet: Buffer, capturedMs: number, nowMs: number): void;
  changeSound(codec: RecordedTracks['sound']): void;
}): Recording {
  const pace = createPace();
  let tracks: RecordedTracks | null = null;
  let samples: RecordedSample[] = [];
  const reader = createRecordedReader({
    onTracks: (found) => (tracks = found),
    onSample: (sample) => void samples.push(sample),
  });

  const go = (
    of: RecordedTracks, { track, data, offsetMs }: RecordedSample, capturedMs: number, nowMs: number,
  ): void => {
    if (track === 'sound') return to.sound(data, capturedMs, nowMs);
    const picture = readNals(data, of.picture.lengthBytes);
    if (picture === null) return;
    to.changeSound(of.sound);
    const nals = picture.isKey ? [...parameterSets(of.picture), ...picture.nals] : picture.nals;
    to.pictureAt({ ...picture, nals }, { decodedMs: capturedMs, shownMs: capturedMs + offsetMs }, nowMs);
  };

  return {
    push(bytes, beganMs, nowMs) {
      samples = [];
      const isRead = reader.push(bytes);
      const of = tracks;
      if (of === null) return isRead;
      const items = samples.map((sample) => {
        const timeMs = beganMs + sample.timeMs;
        return { timeMs, go: (atMs: number) => go(of, sample, timeMs, atMs) };
      });
      if (!isRead || !items.every(({ timeMs }) => to.isTimely(timeMs, nowMs))) return false;
      pace.push(items, nowMs);
      return true;
    },
    tick: pace.tick,
    flush: pace.flush,
  };
}
