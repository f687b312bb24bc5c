/**
 * Hands the microphone's sound to the page in frames of 20 ms, mono, for the encoder (`sound-encoder.ts`). Runs on the
 * browser's sound thread, which must not wait: it copies and posts, nothing else.
 */
const frameSamples = 960;

class SoundTap extends AudioWorkletProcessor {
  frame = new Float32Array(frameSamples);
  filled = 0;

  /** @param {Float32Array[][]} inputs without a channel while nothing is connected */
  process([channels = []]) {
    const length = channels[0]?.length ?? 0;
    for (let at = 0; at < length; at += 1) {
      let sum = 0;
      for (const channel of channels) sum += channel[at];
      this.frame[this.filled] = sum / channels.length;
      this.filled += 1;
      if (this.filled < frameSamples) continue;
      this.port.postMessage(this.frame, [this.frame.buffer]);
      this.frame = new Float32Array(frameSamples);
      this.filled = 0;
    }
    return true;
  }
}

registerProcessor('sound-tap', SoundTap);
