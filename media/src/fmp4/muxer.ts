/**
 * One publisher's access units and sound packets to an init segment and fragments on one timeline.
 *
 * Invariants:
 * - time 0 is when the first key picture is decoded. Where pictures are shown in another order it is shown some
 *   pictures later, and what is told of each fragment's time counts from there, so that it is a key picture's own.
 *   (Shifted to 0 with negative offsets, as CMAF has it, FFmpeg would show all pictures late against the sound.)
 * - the picture's fragments follow each other without gap or overlap (a picture is
 *   held until the next one begins, so its duration is exact; after a loss the next one begins where the last ended),
 *   save after a stall longer than `maxHoldMs`;
 * - the sound's fragments follow each other without gap or overlap: gaps are filled with silence, late sound is
 *   dropped, and a publisher that sends no sound gets silence up to the picture, because players stop where either is
 *   missing;
 * - a new sequence parameter set or another sound codec makes a new init segment with the next generation, and begins
 *   with a key picture.
 */
import { nalType, type AccessUnit, type NalUnit } from '../rtp/h264.ts';
import { avcCodecString, parseSps, type SpsInfo } from './avc.ts';
import { buildPictureFragment, buildSoundFragment, type SoundSample } from './fragment.ts';
import { buildInitSegment, pictureTimescale } from './init-segment.ts';
import type { SoundCodec } from './sound.ts';

/** How long a picture waits for the next one. Shorter: slow cameras get gaps; longer: a stalled one is shown later. */
export const maxHoldMs = 1000;
/**
 * No sound packet for so long means that none is sent, and silence takes its place. Below the wait for a lost sound
 * packet (200 ms) plus the network's jitter, mended sound is thrown away; above, players without sound wait longer.
 */
export const maxSoundPauseMs = 350;
/** Sound waits this long for a picture to travel with. Longer: it arrives later; shorter: more messages per viewer. */
const maxSoundRunMs = 60;
/** The longest silence put in at once; after a longer one the publisher was lost anyway (media timeout). */
const maxSilenceMs = 10_000;

const ticksPerMs = pictureTimescale / 1000;

export interface MuxerInit {
  generation: number;
  mime: string;
  info: SpsInfo;
  hasSound: boolean;
  initSegment: Buffer;
}

export interface MuxerFragment {
  generation: number;
  track: 'video' | 'audio';
  isKey: boolean;
  timeMs: number;
  durationMs: number;
  /** Steady clock, ms. */
  arrivedMs: number;
  data: Buffer;
}

export interface MuxerDeps {
  /** Null for a publisher without. */
  sound: SoundCodec | null;
  /**
   * For the small picture of a publisher, beside the muxer of its full one: where that begins, which is 0 here too;
   * null before it does. The init segment has the sound's track, of which the other muxer makes all fragments.
   */
  beside?: { zero(): number | null };
  /** Where a sound timestamp lies behind the picture with timestamp `zero`, in ms; null while unknown. */
  soundMs(timestamp: number, zero: number): number | null;
  onInit(init: MuxerInit): void;
  onFragment(fragment: MuxerFragment): void;
}

export interface Muxer {
  /** The picture with this timestamp has begun to arrive: the one before lasts until here. */
  pictureStarts(timestamp: number): void;
  picture(unit: AccessUnit): void;
  /** What is sent from now on, from the next key picture on; sound of before is silent until there. */
  changeSound(codec: SoundCodec | null): void;
  /** One packet of the codec with its timestamp, in whatever `soundMs` takes. */
  sound(packet: Buffer, timestamp: number, arrivedMs: number): void;
  /** Lets go what waited too long. Call every 100 ms or oftener. */
  tick(nowMs: number): void;
  /** Emits what is held, e.g. at the end. */
  flush(): void;
  /** No picture comes for now. The next key picture begins with an init segment, at its own time. */
  pause(): void;
  /** Timestamp of the first picture; null before it. */
  zero(): number | null;
}

interface HeldPicture {
  nals: NalUnit[];
  isKey: boolean;
  timestamp: number;
  offset: number;
  arrivedMs: number;
}

export function createMuxer(deps: MuxerDeps): Muxer {
  let generation = 0;
  let sequence = 0;
  let sps: Buffer | null = null;
  let pps: Buffer | null = null;
  /** When the first key picture is decoded, and from there to when it is shown. */
  let zero: number | null = null;
  let zeroOffset = 0;
  let held: HeldPicture | null = null;
  /** Where the next picture begins at the earliest, in ticks from 0. */
  let pictureEdge = 0;
  /** After a stall the next picture begins at its own time instead. */
  let hasStalled = false;
  /** False after a key picture whose parameter sets made no sense: what refers to it is useless. */
  let isDecodable = false;
  let lastDuration = pictureTimescale / 30;
  let codec = deps.sound;
  let nextCodec = deps.sound;
  const runOf = (ofCodec: SoundCodec | null, fromMs: number): SoundRun | null => ofCodec && createSoundRun({
    codec: ofCodec,
    fromMs,
    emit(decodeTime, durationTicks, samples, arrivedMs) {
      sequence += 1;
      deps.onFragment({
        generation,
        track: 'audio',
        isKey: true,
        timeMs: (decodeTime * 1000) / ofCodec.timescale,
        durationMs: (durationTicks * 1000) / ofCodec.timescale,
        arrivedMs,
        data: buildSoundFragment(sequence, decodeTime, samples),
      });
    },
  });
  let sound = deps.beside === undefined ? runOf(codec, 0) : null;

  const emitHeld = (endTimestamp: number): void => {
    const picture = held;
    if (picture === null || zero === null) return;
    held = null;
    const decodeTime = hasStalled ? Math.max(pictureEdge, picture.timestamp - zero) : pictureEdge;
    hasStalled = false;
    const duration = Math.max(1, endTimestamp - zero - decodeTime);
    lastDuration = duration;
    pictureEdge = decodeTime + duration;
    sequence += 1;
    const { nals, isKey, offset } = picture;
    deps.onFragment({
      generation,
      track: 'video',
      isKey,
      timeMs: (decodeTime + zeroOffset) / ticksPerMs,
      durationMs: duration / ticksPerMs,
      arrivedMs: picture.arrivedMs,
      data: buildPictureFragment(sequence, { nals, isKey, decodeTime, duration, offset }),
    });
    sound?.pictureReached(pictureEdge / ticksPerMs, picture.arrivedMs);
  };

  const takeParameterSets = (unit: AccessUnit): boolean => {
    let newSps: Buffer | null = null;
    let newPps: Buffer | null = null;
    for (const nal of unit.nals) {
      if (nal.type === nalType.sps) newSps = join(nal);
      if (nal.type === nalType.pps) newPps = join(nal);
    }
    newSps ??= sps;
    newPps ??= pps;
    if (newSps === null || newPps === null) return false;
    const isSame = sps !== null && pps !== null && sps.equals(newSps) && pps.equals(newPps);
    if (isSame && nextCodec === codec) return true;
    const info = parseSps(newSps);
    if (info === null) return false;
    sound?.flush();
    sps = newSps;
    pps = newPps;
    generation += 1;
    if (nextCodec !== codec) {
      codec = nextCodec;
      sound = runOf(codec, pictureEdge / ticksPerMs);
    }
    const codecs = codec === null ? avcCodecString(info) : `${avcCodecString(info)},${codec.codec}`;
    deps.onInit({
      generation,
      mime: `video/mp4; codecs="${codecs}"`,
      info,
      hasSound: codec !== null,
      initSegment: buildInitSegment({ info, sps, pps: [pps], sound: codec }),
    });
    return true;
  };

  /** Beside another muxer nothing is before its beginning. */
  const isTooEarly = ({ timestamp }: AccessUnit): boolean => {
    if (deps.beside === undefined) return false;
    const begin = deps.beside.zero();
    return begin === null || timestamp < begin;
  };

  const flush = (): void => {
    if (held !== null) emitHeld(held.timestamp + lastDuration);
    sound?.flush();
  };

  return {
    pictureStarts(timestamp) {
      if (held !== null && timestamp > held.timestamp) emitHeld(timestamp);
    },
    picture(unit) {
      if (held !== null) emitHeld(Math.max(unit.timestamp, held.timestamp + 1));
      if (unit.isKey) isDecodable = !isTooEarly(unit) && takeParameterSets(unit);
      if (!isDecodable) return;
      const offset = unit.compositionOffset ?? 0;
      if (zero === null) {
        zero = deps.beside?.zero() ?? unit.timestamp;
        zeroOffset = offset;
        hasStalled = deps.beside !== undefined;
      }
      const nals = unit.nals.filter((nal) => !isOutOfBand(nal.type));
      held = { nals, isKey: unit.isKey, timestamp: unit.timestamp, offset, arrivedMs: unit.arrivedMs };
    },
    changeSound(next) {
      const isSame = next === null ? codec === null : codec?.sampleEntry.equals(next.sampleEntry) === true;
      nextCodec = isSame ? codec : next;
    },
    sound(packet, timestamp, arrivedMs) {
      if (codec === null || codec !== nextCodec || sound === null || zero === null) return;
      const duration = codec.ticksOf(packet);
      const ms = duration === null ? null : deps.soundMs(timestamp, zero);
      if (duration !== null && ms !== null) {
        sound.add(packet, duration, Math.round((ms * codec.timescale) / 1000), arrivedMs);
      }
    },
    tick(nowMs) {
      if (held === null || nowMs - held.arrivedMs < maxHoldMs) return;
      emitHeld(held.timestamp + Math.round((nowMs - held.arrivedMs) * ticksPerMs));
      hasStalled = true;
    },
    flush,
    pause() {
      flush();
      isDecodable = false;
      hasStalled = true;
      sps = null;
      pps = null;
    },
    zero: () => zero,
  };
}

function isOutOfBand(type: number): boolean {
  return (
    type === nalType.sps || type === nalType.pps || type === nalType.delimiter || type === nalType.filler
  );
}

function join(nal: NalUnit): Buffer {
  return nal.chunks.length === 1 ? nal.chunks[0]! : Buffer.concat(nal.chunks);
}

interface SoundRunDeps {
  codec: SoundCodec;
  /** Where it begins. */
  fromMs: number;
  emit(decodeTime: number, durationTicks: number, samples: SoundSample[], arrivedMs: number): void;
}

interface SoundRun {
  add(packet: Buffer, duration: number, time: number, arrivedMs: number): void;
  /** The picture's edge: flushes what waits, and puts silence where no sound came for too long. */
  pictureReached(timeMs: number, arrivedMs: number): void;
  flush(): void;
}

/** The sound's own timeline, in ticks of its codec from 0. */
function createSoundRun({ codec, fromMs, emit }: SoundRunDeps): SoundRun {
  const { timescale, silence, silenceTicks } = codec;
  const ticksIn = (ms: number): number => Math.round((ms * timescale) / 1000);
  /** Half a frame: smaller differences are rounding and drift, not gaps. */
  const toleranceTicks = silenceTicks / 2;
  let samples: SoundSample[] = [];
  let runStart = ticksIn(fromMs);
  let runTicks = 0;
  let runArrivedMs = 0;
  /** No sound for too long: silence follows the picture until sound comes again. */
  let isAbsent = false;
  let lastHeardMs: number | null = null;

  const edge = (): number => runStart + runTicks;

  const flush = (): void => {
    if (samples.length === 0) return;
    emit(runStart, runTicks, samples, runArrivedMs);
    runStart += runTicks;
    runTicks = 0;
    samples = [];
  };

  const push = (data: Buffer, duration: number, arrivedMs: number): void => {
    if (samples.length === 0) runArrivedMs = arrivedMs;
    samples.push({ data, duration });
    runTicks += duration;
  };

  const fillTo = (time: number, arrivedMs: number): void => {
    let gap = time - edge();
    if (gap <= 0) return;
    const last = samples.at(-1);
    if (gap < silenceTicks && last !== undefined) {
      last.duration += gap;
      runTicks += gap;
      return;
    }
    const count = Math.max(1, Math.floor(gap / silenceTicks));
    for (let index = 1; index < count; index += 1) {
      push(silence, silenceTicks, arrivedMs);
      gap -= silenceTicks;
    }
    push(silence, gap, arrivedMs);
  };

  return {
    add(packet, duration, time, arrivedMs) {
      isAbsent = false;
      lastHeardMs = arrivedMs;
      const ahead = time - edge();
      if (ahead < -toleranceTicks || ahead > ticksIn(maxSilenceMs)) return;
      if (ahead > toleranceTicks) fillTo(time, arrivedMs);
      push(packet, duration, arrivedMs);
      if (runTicks >= ticksIn(maxSoundRunMs)) flush();
    },
    pictureReached(timeMs, arrivedMs) {
      const target = ticksIn(timeMs);
      const lag = target - edge();
      lastHeardMs ??= arrivedMs;
      if (arrivedMs - lastHeardMs > maxSoundPauseMs) isAbsent = true;
      if (isAbsent && lag >= silenceTicks) {
        fillTo(edge() + Math.floor(lag / silenceTicks) * silenceTicks, arrivedMs);
      }
      flush();
    },
    flush,
  };
}
