/** The country that a browser's time zone and language speak for. Nobody's address is looked up. Pure. */
import { setImmediate as turn } from 'node:timers/promises';

/** ISO 3166-1 alpha-2. */
export type CountryOf = (timeZone: string | undefined, acceptLanguage: string | undefined) => string | null;

const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
/** Longer is no name of a zone. */
const ZONE_MAX = 64;

let known: Promise<CountryOf> | undefined;

/** Read when somebody first asks, and once: nothing in it ever changes while the process runs. */
export function countries(): Promise<CountryOf> {
  known ??= loadCountries();
  return known;
}

/**
 * Reads the zones of all countries from the runtime's own data, a letter at a time: all at once would hold everybody up
 * for some hundred milliseconds.
 *
 * What it gives: null when neither says. A zone is of one country; a language counts only where no zone is told, or one
 * without a country (`UTC`).
 */
async function loadCountries(): Promise<CountryOf> {
  const byZone = new Map<string, string>();
  for (const first of LETTERS) {
    for (const second of LETTERS) {
      const locale = new Intl.Locale(`und-${first}${second}`);
      // A country that is no more stands under its successor's name.
      if (locale.region !== first + second) continue;
      for (const zone of locale.getTimeZones() ?? []) byZone.set(zone, locale.region);
    }
    await turn();
  }
  const known = new Set(byZone.values());
  return (timeZone, acceptLanguage) => {
    const zone = timeZone === undefined || timeZone.length > ZONE_MAX ? null : canonical(timeZone);
    return byZone.get(zone ?? '') ?? regionsOf(acceptLanguage).find((region) => known.has(region)) ?? null;
  };
}

/** The name under which this runtime knows the zone: `Asia/Kolkata` and `Asia/Calcutta` are one. */
function canonical(zone: string): string | null {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return null;
  }
}

/** Regions of the languages that the browser names, the most wanted first. */
function regionsOf(acceptLanguage: string | undefined): string[] {
  return (acceptLanguage ?? '').slice(0, 500).split(',').flatMap((part) => (
    /^\s*[a-z]{2,3}(?:-[a-z]{4})?-([a-z]{2})\b/i.exec(part)?.[1]?.toUpperCase() ?? []
  ));
}
