/**
 * How long pictures take to get here from the publisher's camera: encoding, waiting to be sent, and the way.
 *
 * A picture carries when it was captured, on the sender's clock (sender reports, RFC 3550 §6.4.1). That clock is set
 * against ours as NTP does it: a report tells the sender's clock as it leaves and comes half a round trip later, and
 * the round trip is measured with a reference time that the sender sends back (RFC 3611 §4.4, §4.5). Browsers do so
 * unasked; whoever does not (OBS) is not measured, and nothing is assumed instead.
 *
 * What no clock can tell: by how much the way here is longer than the way back, at most half the round trip.
 *
 * A stream's timeline begins as its first picture comes, and goes on by the sender's clock: so how long after its
 * capture a picture lies on it stays what the first one's way was, whatever later ones take. What was captured then and
 * came another way (recording/healing.ts) is put beside them by it.
 */

/** A picture's part in the mean: about the last second counts. More jumps with each picture, less lags behind. */
const newestShare = 1 / 32;
/**
 * How fast two clocks part, in ms per ms (100 in a million; crystals stay below). By it what was measured gets less
 * certain, and gives way to a newer measure. Less keeps an old one after the clocks have parted; more takes full queues
 * for the way.
 */
const clockDrift = 1e-4;
/** Of the times in the packets, together. */
const precisionMs = 1;
/** Nothing that people watch live takes longer: such times make no sense. */
const longestMs = 10_000;
/** The viewer's page shows tenths of a second. Finer is not seen and costs each viewer a message; coarser is seen. */
const worthTellingMs = 25;
const tellEveryMs = 2_000;
/** Of where pictures lie: a tenth of what is seen or heard. It changes with what is known of the clocks alone. */
const placeWorthTellingMs = 5;

export interface UplinkMeter {
  /**
   * A report with an answered reference time came.
   * @param sentMs the sender's clock as it left
   * @param roundTripMs without the time that the sender took to answer
   */
  answered(sentMs: number, roundTripMs: number, nowMs: number): void;
  /**
   * A picture captured then on the sender's clock, whose first packet came then on ours.
   * @param placedMs where it lies on the stream's timeline, on our clock
   */
  picture(capturedMs: number, arrivedMs: number, placedMs: number): void;
  /** In ms; null while it is unknown. */
  read(): number | null;
  /** What is worth telling and was not told yet; else null. */
  news(nowMs: number): Uplink | null;
}

export interface Uplink {
  /** From the camera to here, in ms. */
  uplinkMs: number;
  /** From the camera to the picture's place on the stream's timeline, in ms. */
  placedMs: number;
}

export function createUplinkMeter(): UplinkMeter {
  /** Our clock minus the sender's, from the report with the least uncertainty. */
  let clocks: { differenceMs: number; uncertaintyMs: number; atMs: number } | null = null;
  let meanMs: number | null = null;
  /** How much earlier than they come pictures lie on the timeline; in the same mean. */
  let earlyMs = 0;
  let told: (Uplink & { atMs: number }) | null = null;
  const read = (): number | null => (meanMs === null ? null : Math.max(0, meanMs));
  return {
    answered(sentMs, roundTripMs, nowMs) {
      if (!(roundTripMs >= 0 && roundTripMs < longestMs)) return;
      const measured = { differenceMs: nowMs - roundTripMs / 2 - sentMs, uncertaintyMs: roundTripMs / 2, atMs: nowMs };
      if (clocks !== null) {
        const knownToMs = clocks.uncertaintyMs + (nowMs - clocks.atMs) * clockDrift;
        const apartMs = Math.abs(measured.differenceMs - clocks.differenceMs);
        const isSetAnew = apartMs > knownToMs + measured.uncertaintyMs + precisionMs;
        if (!isSetAnew && measured.uncertaintyMs > knownToMs) return;
        if (isSetAnew) meanMs = null;
      }
      clocks = measured;
    },
    picture(capturedMs, arrivedMs, placedMs) {
      if (clocks === null) return;
      const ms = arrivedMs - clocks.differenceMs - capturedMs;
      const early = arrivedMs - placedMs;
      if (Math.abs(ms) > longestMs || Math.abs(early) > longestMs) {
        clocks = null;
        meanMs = null;
        return;
      }
      earlyMs = meanMs === null ? early : earlyMs + (early - earlyMs) * newestShare;
      meanMs = meanMs === null ? ms : meanMs + (ms - meanMs) * newestShare;
    },
    read,
    news(nowMs) {
      const ms = read();
      if (ms === null || meanMs === null || (told !== null && nowMs - told.atMs < tellEveryMs)) return null;
      const placedMs = meanMs - earlyMs;
      const isSame = told !== null && Math.abs(ms - told.uplinkMs) < worthTellingMs;
      if (told !== null && isSame && Math.abs(placedMs - told.placedMs) < placeWorthTellingMs) return null;
      const uplinkMs = told !== null && isSame ? told.uplinkMs : ms;
      told = { uplinkMs, placedMs, atMs: nowMs };
      return { uplinkMs, placedMs };
    },
  };
}
