/** Where a shop is and when it is open, in the reader's words. Pure. */
import type { ShopAddress, ShopHours } from '@nacre/contract/shops';

// 2024 began on a Monday.
const mondayMs = Date.UTC(2024, 0, 1);
const dayMs = 86_400_000;

/** As it goes on a label, without a name: one line each, none of them empty. */
export function placeLines(address: ShopAddress, locale: string): string[] {
  const country = new Intl.DisplayNames([locale], { type: 'region', fallback: 'code' }).of(address.country);
  const town = [address.postalCode, address.city, address.region].filter((part) => part.trim()).join(' ');
  return [address.line1, address.line2, town, country ?? address.country].filter((line) => line.trim());
}

/** A search on OpenStreetMap, which every device opens: nothing of it is loaded by our page. */
export function mapUrl(address: ShopAddress): string {
  const { line1, city, region, postalCode, country } = address;
  const words = [line1, postalCode, city, region, country].filter((part) => part.trim()).join(', ');
  return `https://www.openstreetmap.org/search?${new URLSearchParams({ query: words })}`;
}

/** The name of a day, 0 for Monday. */
export function dayName(day: number, locale: string, width: 'long' | 'short' = 'long'): string {
  const format = new Intl.DateTimeFormat(locale, { weekday: width, timeZone: 'UTC' });
  return format.format(mondayMs + day * dayMs);
}

function clockText(time: string, locale: string): string {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  const format = new Intl.DateTimeFormat(locale, { timeStyle: 'short', timeZone: 'UTC' });
  return format.format(mondayMs + (hours * 60 + minutes) * 60_000);
}

export interface HoursRow {
  days: string;
  /** Null: closed. */
  times: string | null;
}

/** Neighbouring days with the same times stand together: Mon – Fri, 10:00 – 19:30. */
export function hoursRows(hours: ShopHours, locale: string): HoursRow[] {
  const runs: { from: number; to: number; day: ShopHours[number] }[] = [];
  hours.forEach((day, index) => {
    const last = runs.at(-1);
    if (last && last.day?.opens === day?.opens && last.day?.closes === day?.closes) last.to = index;
    else runs.push({ from: index, to: index, day });
  });
  return runs.map(({ from, to, day }) => {
    const names = [from, ...(to > from ? [to] : [])].map((index) => dayName(index, locale, 'short'));
    const times = day ? [day.opens, day.closes].map((time) => clockText(time, locale)).join(' – ') : null;
    return { days: names.join(' – '), times };
  });
}
