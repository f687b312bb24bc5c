/**
 * A device's own clock put onto the page's (`performance.now()`), in ms: by the quickest way that a picture or sound
 * took so far. Follows the drift of two crystals, at some 300 in a million.
 */
const riseMs = 0.01;

export function createPageClock(): (deviceMs: number, nowMs: number) => number {
  let offsetMs: number | null = null;
  return (deviceMs, nowMs) => {
    offsetMs = offsetMs === null ? nowMs - deviceMs : Math.min(offsetMs + riseMs, nowMs - deviceMs);
    return deviceMs + offsetMs;
  };
}
