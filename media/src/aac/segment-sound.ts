/**
 * AAC for one segment of a recording, made by itself and yet a piece of the whole: asked for in any order it has the
 * same bytes, and decoded behind its neighbours it has no seam.
 *
 * Packets lie on one grid of 1,024 ticks from the stream's 0 on; a segment has those that begin in its sound. What a
 * packet sounds like hangs on what lies before it (decoder and encoder remember) and behind it (windows overlap), so
 * the neighbours' sound goes through with it and is thrown away. Where there is none, there is silence.
 */
import { buildSoundFragment, sequenceOf } from '../fmp4/fragment.ts';
import type { ReadFragment } from '../fmp4/fragment-reader.ts';
import { aacPacketTicks, type SoundFrame, type Transcoder } from './transcoder.ts';

/** Sound without a gap, in ticks of 48 kHz. */
export interface SoundRun {
  from: number;
  to: number;
  frames: SoundFrame[];
}

/** AAC packets that follow each other. */
export interface MadeSound {
  /** Of the first, in ticks of 48 kHz; a multiple of 1,024. */
  from: number;
  packets: Buffer[];
}

/** The encoder's choice of windows has settled by then, so that it chooses at a seam as who came from before it. */
const encoderLeadTicks = 16 * aacPacketTicks;
/** A decoder of Opus that begins anew sounds as one that did not after 80 ms (RFC 7845 §4.6). */
const decoderLeadTicks = 3_840;
/** What is wanted of the sound before. */
export const leadTicks = encoderLeadTicks + decoderLeadTicks;
/** A packet's window is two long, and the encoder looks on by one more. */
const trailTicks = 4 * aacPacketTicks;
/** A segment takes 0.2 s, and a second to start with on a busy machine; a thread that hangs must not hold a place. */
const longestMs = 20_000;

/** The sound of these fragments; null without. Throws RangeError when it does not follow itself. */
export function soundOf(fragments: readonly ReadFragment[]): SoundRun | null {
  let run: SoundRun | null = null;
  for (const { track, decodeTime, ticks, samples } of fragments) {
    if (track !== 'audio') continue;
    run ??= { from: decodeTime, to: decodeTime, frames: [] };
    if (decodeTime !== run.to) throw new RangeError('the sound has a gap');
    run.to += ticks;
    // Copied, for a view keeps the pictures around it in memory.
    run.frames.push(...samples.map(({ data, duration }) => ({ data: new Uint8Array(data), duration })));
  }
  return run;
}

const gridFrom = (time: number): number => Math.ceil(time / aacPacketTicks) * aacPacketTicks;

/**
 * The packets that begin in `own`.
 * @param before what ends where it begins, from `leadTicks` before it on or less; empty where nothing does
 * @param after what begins where it ends; null where nothing does
 */
export function makeSegmentSound(
  transcoder: Pick<Transcoder, 'open'>, own: SoundRun, before: readonly SoundRun[], after: SoundRun | null,
): Promise<MadeSound> {
  const from = gridFrom(own.from);
  const count = Math.max(0, (gridFrom(own.to) - from) / aacPacketTicks);
  if (count === 0) return Promise.resolve({ from, packets: [] });
  const heardFrom = before[0]?.from ?? own.from;
  const encodeFrom = Math.max(gridFrom(heardFrom), from - encoderLeadTicks);
  return new Promise((resolve, reject) => {
    const packets: Buffer[] = [];
    const end = (): void => {
      clearTimeout(tooLong);
      line.close();
    };
    const fail = (reason: string): void => {
      end();
      reject(new Error(`AAC of a segment: ${reason}`));
    };
    const tooLong = setTimeout(() => fail('it takes too long'), longestMs);
    const line = transcoder.open({
      onPacket(time, data) {
        if (time >= from && packets.length < count) packets.push(Buffer.from(data));
        if (packets.length < count) return;
        end();
        resolve({ from, packets });
      },
      onFailed: fail,
    }, encodeFrom);
    for (const run of [...before, own]) line.sound(run.from, run.frames);
    if (after !== null) line.sound(after.from, startOf(after));
    // Silence, where there is less.
    line.sound(own.to + trailTicks, []);
  });
}

/** Its frames up to where they are of no more use. */
function startOf({ frames }: SoundRun): SoundFrame[] {
  let ticks = 0;
  const used = frames.findIndex(({ duration }) => (ticks += duration) >= trailTicks);
  return used === -1 ? frames : frames.slice(0, used + 1);
}

/** The run's end, from `leadTicks` before its end on. */
export function endOf({ from, to, frames }: SoundRun, ticks: number): SoundRun {
  let at = from;
  const first = frames.findIndex(({ duration }) => (at += duration) > to - ticks);
  if (first <= 0) return { from, to, frames };
  return { from: at - frames[first]!.duration, to, frames: frames.slice(first) };
}

/** The segment with `made` in place of its sound: pictures as they are, each packet where its sound was. */
export function withMadeSound(fragments: readonly ReadFragment[], made: MadeSound): Buffer {
  const left = [...made.packets];
  let time = made.from;
  return Buffer.concat(fragments.flatMap(({ track, decodeTime, ticks, data }) => {
    if (track === 'video') return [data];
    const count = Math.max(0, Math.ceil((decodeTime + ticks - time) / aacPacketTicks));
    const packets = left.splice(0, count);
    if (packets.length === 0) return [];
    const samples = packets.map((packet) => ({ data: packet, duration: aacPacketTicks }));
    const fragment = buildSoundFragment(sequenceOf(data), time, samples);
    time += packets.length * aacPacketTicks;
    return [fragment];
  }));
}
