/**
 * Money, counts and time for a reader: their language and region, the shop's currency. Pure, no clock: the caller says
 * what time it is.
 */
export interface Money {
  /** In minor units of the currency (cents, fen, halalas); a safe integer on the wire. */
  amountMinor: number | bigint;
  /** ISO 4217. */
  currency: string;
}

export interface Format {
  readonly locale: string;
  /** For cards: no empty cents. */
  price: (money: Money) => string;
  /** For paying, orders and money pages: always the full amount. */
  money: (money: Money) => string;
  number: (value: number) => string;
  /** Viewers: exact up to 9,999, then compact with one digit (48.2K). */
  viewers: (value: number) => string;
  /** Likes: compact from 1,000. */
  likes: (value: number) => string;
  percent: (share: number) => string;
  /** 0.8: one digit, for "0.8 s behind". */
  tenths: (value: number) => string;
  time: (at: string | Date) => string;
  date: (at: string | Date) => string;
  dateTime: (at: string | Date) => string;
  /** "4 min ago" within an hour, then the clock time, then the date. */
  ago: (at: string | Date, nowMs: number) => string;
  /** The same, without the year as long as it goes without saying: for where there is little room. */
  agoShort: (at: string | Date, nowMs: number) => string;
  /** "Today, 8:00 PM", "Tomorrow, …", else the date with the time. */
  startsAt: (at: string | Date, nowMs: number) => string;
  /** Day, time and zone in full, for paper: whoever reads it does not see what today is. */
  appointment: (at: string | Date) => string;
  /** 28 MB, 1.2 GB: of data that was moved (a million bytes, a thousand million). */
  bytes: (value: number) => string;
  /** 42:17, 1:02:03. */
  duration: (seconds: number) => string;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
// Of a date that long ago one wonders which year it was.
const sameYearMs = 300 * 24 * hourMs;
const exactViewersLimit = 9_999;
const exactLikesLimit = 999;

function fractionDigits(currency: string): number {
  return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
}

/** The decimal number as text, exactly: 1050 and 2 digits give "10.50". No floating point on the way. */
export function minorToDecimal(amountMinor: number | bigint, digits: number): `${number}` {
  const minor = BigInt(amountMinor);
  const negative = minor < 0n;
  const text = (negative ? -minor : minor).toString().padStart(digits + 1, '0');
  const whole = text.slice(0, text.length - digits);
  const decimal = digits === 0 ? whole : `${whole}.${text.slice(text.length - digits)}`;
  return `${negative ? '-' : ''}${decimal}` as `${number}`;
}

/** "49.00": for machines, in the digits that they read. */
export function decimalOf({ amountMinor, currency }: Money): `${number}` {
  return minorToDecimal(amountMinor, fractionDigits(currency));
}

/** A Latin currency sign (US$) is kept together: among Arabic digits its parts would change places ($US). */
function isolateLatin({ type, value }: Intl.NumberFormatPart): string {
  return type === 'currency' && /[A-Za-z]/.test(value) ? `\u2066${value}\u2069` : value;
}

function moneyFormats(locale: string) {
  const rightToLeft = /^ar\b/.test(locale);
  const cache = new Map<string, { format: Intl.NumberFormat; digits: number }>();
  return (money: Money, short: boolean): string => {
    const key = `${money.currency}${short ? 's' : ''}`;
    let entry = cache.get(key);
    if (!entry) {
      const format = new Intl.NumberFormat(locale, {
        style: 'currency',
        currency: money.currency,
        currencyDisplay: 'narrowSymbol',
        trailingZeroDisplay: short ? 'stripIfInteger' : 'auto',
      });
      entry = { format, digits: fractionDigits(money.currency) };
      cache.set(key, entry);
    }
    const decimal = minorToDecimal(money.amountMinor, entry.digits);
    if (!rightToLeft) return entry.format.format(decimal);
    return entry.format.formatToParts(decimal).map(isolateLatin).join('');
  };
}

/** Made when it is first asked for: a formatter costs a phone some milliseconds, and a page needs a few of them. */
function lazily<Made>(make: () => Made): () => Made {
  let made: Made | undefined;
  return () => (made ??= make());
}

/** Regions times zones of readers. Fewer makes a server build them anew, which costs a tenth of a page. */
const formatsKept = 200;
const formats = new Map<string, Format>();

/** The same each time for the same reader. `timeZone` undefined means the browser's own. */
export function formatFor(locale: string, timeZone?: string): Format {
  const key = `${locale} ${timeZone ?? ''}`;
  const known = formats.get(key);
  if (known) return known;
  const made = createFormat(locale, timeZone);
  if (formats.size >= formatsKept) formats.clear();
  formats.set(key, made);
  return made;
}

/** `timeZone` undefined means the browser's own. */
export function createFormat(locale: string, timeZone?: string): Format {
  const money = moneyFormats(locale);
  const numbers = (options: Intl.NumberFormatOptions) => lazily(() => new Intl.NumberFormat(locale, options));
  const times = (options: Intl.DateTimeFormatOptions) =>
    lazily(() => new Intl.DateTimeFormat(locale, { ...options, timeZone }));
  const plain = numbers({});
  const compact = numbers({ notation: 'compact', maximumFractionDigits: 1 });
  const two = numbers({ minimumIntegerDigits: 2 });
  const tenth = numbers({ minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const share = numbers({ style: 'percent', maximumFractionDigits: 1 });
  const clock = times({ hour: 'numeric', minute: '2-digit' });
  const day = times({ day: 'numeric', month: 'short', year: 'numeric' });
  const dayShort = times({ day: 'numeric', month: 'short' });
  const dayNear = times({ weekday: 'short', day: 'numeric', month: 'short' });
  const full = times({
    weekday: 'long', day: 'numeric', month: 'long', hour: 'numeric', minute: '2-digit', timeZoneName: 'short',
  });
  const megabytes = numbers({ style: 'unit', unit: 'megabyte', maximumSignificantDigits: 2 });
  const gigabytes = numbers({ style: 'unit', unit: 'gigabyte', maximumFractionDigits: 1 });
  const relative = lazily(() => new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' }));
  const relativeDay = lazily(() => new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }));
  const isoDay = lazily(() => new Intl.DateTimeFormat('en-CA', {
    timeZone, year: 'numeric', month: '2-digit', day: '2-digit',
  }));
  const dayNumber = (at: Date): number => Math.round(Date.parse(`${isoDay().format(at)}T00:00:00Z`) / (24 * hourMs));
  const toDate = (at: string | Date): Date => (typeof at === 'string' ? new Date(at) : at);
  const capital = (text: string): string => text.charAt(0).toLocaleUpperCase(locale) + text.slice(1);

  const ago = (at: string | Date, nowMs: number, isShort: boolean): string => {
    const date = toDate(at);
    const passedMs = nowMs - date.getTime();
    if (passedMs < minuteMs) return relative().format(0, 'second');
    if (passedMs < hourMs) return relative().format(-Math.floor(passedMs / minuteMs), 'minute');
    if (dayNumber(date) === dayNumber(new Date(nowMs))) return clock().format(date);
    return (isShort && passedMs < sameYearMs ? dayShort() : day()).format(date);
  };

  return {
    locale,
    price: (value) => money(value, true),
    money: (value) => money(value, false),
    number: (value) => plain().format(value),
    viewers: (value) => (value <= exactViewersLimit ? plain() : compact()).format(value),
    likes: (value) => (value <= exactLikesLimit ? plain() : compact()).format(value),
    percent: (value) => share().format(value),
    tenths: (value) => tenth().format(value),
    bytes: (value) => (value < 995e6 ? megabytes().format(value / 1e6) : gigabytes().format(value / 1e9)),
    time: (at) => clock().format(toDate(at)),
    date: (at) => day().format(toDate(at)),
    dateTime: (at) => `${day().format(toDate(at))} · ${clock().format(toDate(at))}`,
    ago: (at, nowMs) => ago(at, nowMs, false),
    agoShort: (at, nowMs) => ago(at, nowMs, true),
    startsAt(at, nowMs) {
      const date = toDate(at);
      const days = dayNumber(date) - dayNumber(new Date(nowMs));
      const when = days >= 0 && days <= 1 ? capital(relativeDay().format(days, 'day')) : dayNear().format(date);
      return `${when} · ${clock().format(date)}`;
    },
    appointment: (at) => full().format(toDate(at)),
    duration(seconds) {
      const total = Math.max(0, Math.floor(seconds));
      const hours = Math.floor(total / 3600);
      const minutes = Math.floor((total % 3600) / 60);
      const head = hours > 0 ? `${plain().format(hours)}:${two().format(minutes)}` : plain().format(minutes);
      return `${head}:${two().format(total % 60)}`;
    },
  };
}
