/** A show's figures as the page shows them: renewed part by part, and the stretches of goods on screen. Pure. */
import type { FigureMinute, FigureProduct, FigureScreen, ShowMinutes } from '@nacre/contract/analytics';

export const minuteSeconds = 60;

/** What is known, with what came: newer minutes take the place of those they renew. */
export function renewed(known: ShowMinutes | null, came: ShowMinutes): ShowMinutes {
  if (known === null || known.showId !== came.showId || came.from > known.minutes.length) return came;
  return { ...came, from: 0, minutes: [...known.minutes.slice(0, came.from), ...came.minutes] };
}

/** From which minute to ask next: the one that ran may have grown, and the one before it may just have been written. */
export function nextFrom(known: ShowMinutes | null): number {
  return known === null ? 0 : Math.max(0, known.minutes.length - 2);
}

export interface Band {
  key: string;
  product: FigureProduct;
  fromSeconds: number;
  toSeconds: number;
  /** Of the whole, 0 to 1. */
  start: number;
  width: number;
}

/** Stretches of goods over the rows that there are; what is on screen still reaches to the last. */
export function bandsOf({ screens, products, minutes }: ShowMinutes): Band[] {
  const whole = minutes.length * minuteSeconds;
  if (whole === 0) return [];
  return screens.flatMap((screen, index) => {
    const product = products.find(({ productId }) => productId === screen.productId);
    const toSeconds = Math.min(whole, screen.toSeconds ?? whole);
    if (!product || screen.fromSeconds >= toSeconds) return [];
    const { fromSeconds } = screen;
    const key = `${index} ${screen.productId}`;
    const width = (toSeconds - fromSeconds) / whole;
    return [{ key, product, fromSeconds, toSeconds, start: fromSeconds / whole, width }];
  });
}

/** Each product once, in the order in which it came on screen in that minute. */
export function onScreenIn(screens: readonly FigureScreen[], minute: number): string[] {
  const fromSeconds = minute * minuteSeconds;
  return [
    ...new Set(
      screens
        .filter(
          (screen) =>
            screen.fromSeconds < fromSeconds + minuteSeconds && (screen.toSeconds ?? Infinity) > fromSeconds,
        )
        .map(({ productId }) => productId),
    ),
  ];
}

/** When the minute began. */
export function startOf(figures: Pick<ShowMinutes, 'wentLiveAt'>, minute: number): Date {
  return new Date(Date.parse(figures.wentLiveAt ?? '') + minute * minuteSeconds * 1000);
}

/** A line of the chart. Dashes tell lines apart for whoever cannot by colour. */
export interface Line {
  key: keyof FigureMinute;
  label: 'viewers' | 'paid' | 'sales' | 'chats' | 'cards' | 'sheets' | 'explains' | 'likes' | 'followers';
  /** Okabe and Ito's colours, which nobody confuses; lighter ones on a dark page. */
  color: readonly [light: string, dark: string];
  dash: number[];
  /** Which axis: people, money, or how often in the minute. */
  scale: 'people' | 'money' | 'events';
}

export const lines: readonly Line[] = [
  { key: 'viewers', label: 'viewers', color: ['#0072b2', '#56b4e9'], dash: [], scale: 'people' },
  { key: 'paid', label: 'paid', color: ['#b34700', '#ff9d5c'], dash: [], scale: 'events' },
  { key: 'chats', label: 'chats', color: ['#007a59', '#3fd0a4'], dash: [6, 3], scale: 'events' },
  { key: 'salesMinor', label: 'sales', color: ['#14161a', '#f6f4ef'], dash: [2, 3], scale: 'money' },
  { key: 'cardsOpened', label: 'cards', color: ['#9c4a7d', '#e79fca'], dash: [10, 3], scale: 'events' },
  { key: 'sheetsOpened', label: 'sheets', color: ['#8a6a00', '#f0e442'], dash: [4, 4], scale: 'events' },
  { key: 'explains', label: 'explains', color: ['#5b5bd6', '#a9a9ff'], dash: [8, 3, 2, 3], scale: 'events' },
  { key: 'likes', label: 'likes', color: ['#a3204f', '#ff8fb3'], dash: [2, 2], scale: 'events' },
  { key: 'followers', label: 'followers', color: ['#3d7a00', '#a6e05c'], dash: [12, 4], scale: 'events' },
];
