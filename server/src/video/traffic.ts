/** What a publisher may send: so much on average, and so much at once after its line stood still. */
export interface TrafficLimits {
  messagesPerSecond: number;
  messagesAtOnce: number;
  bytesPerSecond: number;
  bytesAtOnce: number;
}

export interface Traffic {
  /** False when it is more. One call per message, or per piece that came (`messages` 0). */
  admits(bytes: number, messages?: number): boolean;
}

export function createTraffic(limits: TrafficLimits, now: () => number): Traffic {
  const { messagesAtOnce, messagesPerSecond, bytesAtOnce, bytesPerSecond } = limits;
  let atMs = now();
  let left = messagesAtOnce;
  let bytesLeft = bytesAtOnce;
  return {
    admits(bytes, messages = 1) {
      const seconds = Math.max(0, now() - atMs) / 1_000;
      atMs = now();
      left = Math.min(messagesAtOnce, left + seconds * messagesPerSecond) - messages;
      bytesLeft = Math.min(bytesAtOnce, bytesLeft + seconds * bytesPerSecond) - bytes;
      return left >= 0 && bytesLeft >= 0;
    },
  };
}
