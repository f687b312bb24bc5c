/** Peak level of a microphone, for a meter on the page. */

/** Samples looked at: about 40 ms at 48 kHz. Fewer misses peaks between two pictures, more costs time in each. */
const windowSamples = 2048;

/** A peak sinks back by this share in each call, so that the meter falls softly. */
const fall = 0.85;

export interface LevelMeter {
  follow(stream: MediaStream | null): void;
  /** 0…1. */
  level(): number;
  stop(): void;
}

/** @param onInterrupted Safari's word for a phone call or another program that has all sound for now, and its end */
export function createLevelMeter(onInterrupted: (isInterrupted: boolean) => void): LevelMeter {
  let context: AudioContext | null = null;
  let source: MediaStreamAudioSourceNode | null = null;
  let analyser: AnalyserNode | null = null;
  const samples = new Float32Array(windowSamples);
  let shown = 0;
  let isInterrupted = false;

  function create(): AudioContext {
    const fresh = new AudioContext();
    fresh.addEventListener('statechange', () => {
      const isNow = fresh.state === 'interrupted';
      if (isNow !== isInterrupted && fresh.state !== 'closed') onInterrupted((isInterrupted = isNow));
    });
    return fresh;
  }

  return {
    follow(stream) {
      source?.disconnect();
      source = null;
      if (!stream?.getAudioTracks().length) return;
      context ??= create();
      analyser ??= new AnalyserNode(context, { fftSize: windowSamples });
      source = context.createMediaStreamSource(new MediaStream(stream.getAudioTracks()));
      source.connect(analyser);
    },
    level() {
      if (!analyser || !source || !context) return 0;
      // Browsers start it asleep when there was no tap yet; an interrupted one resumes only after the call.
      if (context.state !== 'running') context.resume().catch(() => undefined);
      analyser.getFloatTimeDomainData(samples);
      let peak = 0;
      for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
      shown = Math.max(Math.min(1, peak), shown * fall);
      return shown;
    },
    stop() {
      source?.disconnect();
      source = null;
      void context?.close();
      context = null;
      analyser = null;
    },
  };
}
