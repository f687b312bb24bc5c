/**
 * A worker thread that makes AAC out of Opus, for several streams at once: libopus and libavcodec's AAC-LC encoder,
 * both as WebAssembly. Messages are in `transcoder.ts`.
 *
 * Invariant: a packet's time is that of the sound in it. The encoder's first packet holds what lies before the first
 * sample (1,024 ticks of priming); it is dropped, and each packet is dated one packet back.
 */
import { parentPort } from 'node:worker_threads';
import { registerAacEncoder } from '@mediabunny/aac-encoder';
import { AudioSample, AudioSampleSource, Mp4OutputFormat, NullTarget, Output } from 'mediabunny';
import { OpusDecoder } from 'opus-decoder';
import { aacBitrate } from './aac-init.ts';
import { aacPacketTicks, type FromWorker, type SoundFrame, type ToWorker } from './transcoder.ts';

const sampleRate = 48_000;
const channels = 2;
/** Sound follows itself without gap (media/README.md, M11); should it not, so much at most is filled with silence. */
const maxGapTicks = 10 * sampleRate;
/**
 * Sound that may wait for the encoder: a whole playlist at the start, and a busy machine takes seconds to start one;
 * more and it cannot keep up.
 */
const maxWaitingTicks = 30 * sampleRate;

interface Line {
  output: Output;
  decoder: OpusDecoder;
  source: AudioSampleSource;
  work: Promise<void>;
  /** In ticks. */
  waiting: number;
  /** Where encoding begins, in ticks: what lies before only warms the decoder up. Null before the first sample. */
  from: number | null;
  /** Of the first sample that was decoded, in ticks; null before it. */
  heardFrom: number | null;
  /** Samples decoded or made up from there on, and packets that came. */
  heard: number;
  packets: number;
}

const lines = new Map<number, Line>();
registerAacEncoder();
const tell = (message: FromWorker): void => parentPort?.postMessage(message);

parentPort?.on('message', (message: ToWorker) => {
  if (message.type === 'open') lines.set(message.line, openLine(message.line, message.from));
  else if (message.type === 'sound') take(message.line, message.time, message.frames);
  else close(message.line);
});

function openLine(id: number, from: number | null): Line {
  const source = new AudioSampleSource({
    codec: 'aac',
    bitrate: aacBitrate,
    onEncodedPacket({ data }) {
      if (line.packets > 0) {
        tell({ line: id, type: 'packet', time: (line.from ?? 0) + (line.packets - 1) * aacPacketTicks, data });
      }
      line.packets += 1;
    },
  });
  // Written nowhere; fragmented, so that nothing is remembered of what went by.
  const output = new Output({ format: new Mp4OutputFormat({ fastStart: 'fragmented' }), target: new NullTarget() });
  output.addAudioTrack(source);
  const decoder = new OpusDecoder({ channels, forceStereo: true });
  const line: Line = {
    output, decoder, source, from, heardFrom: null, heard: 0, packets: 0, waiting: 0,
    work: Promise.all([decoder.ready, output.start()]).then(() => undefined),
  };
  return line;
}

function take(id: number, time: number, frames: readonly SoundFrame[]): void {
  const line = lines.get(id);
  if (line === undefined) return;
  if (line.waiting >= maxWaitingTicks) return fail(id, 'the encoder does not keep up');
  const ticks = frames.reduce((sum, { duration }) => sum + duration, 0);
  line.waiting += ticks;
  line.work = line.work.then(() => encode(line, time, frames)).then(
    () => void (line.waiting -= ticks),
    (error: unknown) => fail(id, String(error)),
  );
}

async function encode(line: Line, time: number, frames: readonly SoundFrame[]): Promise<void> {
  line.from ??= time;
  line.heardFrom ??= Math.min(time, line.from);
  const gap = time - line.heardFrom - line.heard;
  if (gap > maxGapTicks) throw new Error('the sound jumped');
  if (gap > 0) await feed(line, new Float32Array(gap * channels));
  for (const { data, duration } of frames) {
    const { channelData: [first, second], samplesDecoded } = line.decoder.decodeFrame(data);
    // As long as the stream says: what is missing is silence.
    const samples = new Float32Array(duration * channels);
    for (let at = 0; at < Math.min(duration, samplesDecoded); at += 1) {
      samples[at * 2] = first?.[at] ?? 0;
      samples[at * 2 + 1] = second?.[at] ?? first?.[at] ?? 0;
    }
    await feed(line, samples);
  }
}

async function feed(line: Line, samples: Float32Array): Promise<void> {
  const at = (line.heardFrom ?? 0) + line.heard - (line.from ?? 0);
  line.heard += samples.length / channels;
  const data = at < 0 ? samples.subarray(-at * channels) : samples;
  if (data.length === 0) return;
  const sample = new AudioSample({
    data, format: 'f32', numberOfChannels: channels, sampleRate, timestamp: Math.max(0, at) / sampleRate,
  });
  await line.source.add(sample);
  sample.close();
}

function fail(id: number, reason: string): void {
  if (!lines.has(id)) return;
  close(id);
  tell({ line: id, type: 'failed', reason });
}

function close(id: number): void {
  const line = lines.get(id);
  if (line === undefined) return;
  lines.delete(id);
  // The encoder's own thread ends with its output.
  line.work.catch(() => undefined).then(async () => {
    line.decoder.free();
    await line.output.cancel();
  }).catch(() => undefined);
}
