/** A microphone's sound as Opus packets of 20 ms, mono (WebCodecs), by way of the browser's sound thread. */
import { createPageClock } from './page-clock.ts';

/** Speech and music are clear at this; the picture needs the rest. */
const bitrateBps = 48_000;
const sampleRate = 48_000;
const frameMs = 20;
const tapUrl = '/sound-tap.js';
/** More wait only where the processor does not keep up. */
const maxWaiting = 10;

const config: AudioEncoderConfig = { codec: 'opus', sampleRate, numberOfChannels: 1, bitrate: bitrateBps };

export interface SoundEncoder {
  follow(track: MediaStreamTrack): void;
  stop(): void;
}

export async function canEncodeSound(): Promise<boolean> {
  if (typeof AudioEncoder === 'undefined' || typeof AudioWorkletNode === 'undefined') return false;
  const { supported } = await AudioEncoder.isConfigSupported(config).catch(() => ({ supported: false }));
  return supported === true;
}

/** @param onSound one packet, and when its sound was heard, on the page's clock */
export async function createSoundEncoder(
  onSound: (bytes: Uint8Array, capturedMs: number) => void,
): Promise<SoundEncoder> {
  const context = new AudioContext({ sampleRate, latencyHint: 'interactive' });
  await context.audioWorklet.addModule(tapUrl);
  const tap = new AudioWorkletNode(context, 'sound-tap', { numberOfOutputs: 0 });
  const encoder = new AudioEncoder({
    output(chunk) {
      const bytes = new Uint8Array(chunk.byteLength);
      chunk.copyTo(bytes);
      onSound(bytes, chunk.timestamp / 1_000);
    },
    // The picture goes on without: the server makes silence.
    error: () => undefined,
  });
  encoder.configure(config);
  let source: MediaStreamAudioSourceNode | null = null;
  let clock = createPageClock();
  let frames = 0;
  tap.port.onmessage = ({ data }: MessageEvent<Float32Array<ArrayBuffer>>) => {
    if (encoder.state !== 'configured') return;
    const capturedMs = clock(frames * frameMs, performance.now() - frameMs);
    frames += 1;
    if (encoder.encodeQueueSize > maxWaiting) return;
    const timestamp = Math.max(0, Math.round(capturedMs * 1_000));
    const sound = new AudioData({
      format: 'f32', sampleRate, numberOfFrames: data.length, numberOfChannels: 1, timestamp, data,
    });
    encoder.encode(sound);
    sound.close();
  };
  const wake = (): void => void (context.state === 'suspended' && context.resume().catch(() => undefined));
  const timer = setInterval(wake, 1_000);
  wake();
  return {
    follow(track) {
      source?.disconnect();
      source = context.createMediaStreamSource(new MediaStream([track]));
      clock = createPageClock();
      frames = 0;
      source.connect(tap);
    },
    stop() {
      clearInterval(timer);
      source?.disconnect();
      if (encoder.state !== 'closed') encoder.close();
      context.close().catch(() => undefined);
    },
  };
}
