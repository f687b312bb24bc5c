/**
 * Turns a picture somebody sent into ours: upright, WebP, without metadata (no place, no device), in a few widths.
 *
 * Invariants: no more decoding at a time than memory allows; a picture larger than the bound is refused by its header,
 * before anything of it is decoded.
 */
import sharp from 'sharp';
import { Refusal } from '../lib/refusal.ts';
import { pictureKind } from './kind.ts';

export interface EncodedImage {
  width: number;
  height: number;
  bytes: Buffer;
}

export interface Encoder {
  /**
   * Widths ascending, none wider than the picture.
   * @throws Refusal `images.not_an_image`, `images.too_large`, `images.too_small`, `server.busy`
   */
  encode(bytes: Buffer): Promise<EncodedImage[]>;
}

/** Tile, card, and the width of a middling and of a sharp phone. A picture is not enlarged. */
const WIDTHS = [160, 480, 720, 1080];
/** 50 MP is what phones make at most and 200 MB once decoded. */
const PIXELS_MAX = 50_000_000;
/** Smaller is a tracking pixel or an icon, which only looks broken on a card. */
const SIDE_MIN = 64;
/** WebP ends at 16,383 pixels; a picture taller than this is made narrower instead of failing. */
const HEIGHT_MAX = 8_000;
/** At 75–85 cloth and pearls show no blocks; more costs bytes that a phone pays for. */
const QUALITY = 80;
/** Pictures decoded at a time: two take 400 MB at worst and both cores. */
const PARALLEL = 2;
/** Uploads that wait for their turn, each up to 15 MB in memory. More wait longer than people do. */
const WAITING_MAX = 16;
/** A decoder that needs longer than this is fed something made to be slow. */
const DECODE_TIMEOUT_SECONDS = 20;

export function createEncoder(): Encoder {
  let running = 0;
  const waiting: Array<() => void> = [];

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (running >= PARALLEL) {
      if (waiting.length >= WAITING_MAX) throw new Refusal('server.busy', { retryAfterSeconds: 5 });
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running += 1;
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  }

  return {
    encode: (bytes) => {
      if (pictureKind(bytes) === null) return Promise.reject(new Refusal('images.not_an_image'));
      return inTurn(() => encode(bytes));
    },
  };
}

async function encode(bytes: Buffer): Promise<EncodedImage[]> {
  const { width, height } = await sizeOf(bytes);
  if (width * height > PIXELS_MAX) throw new Refusal('images.too_large');
  if (Math.min(width, height) < SIDE_MIN) throw new Refusal('images.too_small');
  const made: EncodedImage[] = [];
  for (const target of targetWidths(width, height)) made.push(await encodeOne(bytes, target));
  return made;
}

/** Widths to make of an upright picture of this size; ascending. */
export function targetWidths(width: number, height: number): number[] {
  const widest = Math.max(1, Math.min(width, Math.floor((width * HEIGHT_MAX) / height)));
  return [...new Set(WIDTHS.map((target) => Math.min(target, widest)))];
}

function open(bytes: Buffer) {
  return sharp(bytes, { failOn: 'error', limitInputPixels: PIXELS_MAX, autoOrient: true, pages: 1 });
}

async function sizeOf(bytes: Buffer): Promise<{ width: number; height: number }> {
  // The header alone, without the bound on pixels: what is too large shall hear that, not "no picture".
  const metadata = await sharp(bytes, { limitInputPixels: false }).metadata().catch(() => null);
  if (metadata === null) throw new Refusal('images.not_an_image');
  return metadata.autoOrient;
}

async function encodeOne(bytes: Buffer, width: number): Promise<EncodedImage> {
  try {
    const { data, info } = await open(bytes)
      .resize({ width, withoutEnlargement: true })
      .timeout({ seconds: DECODE_TIMEOUT_SECONDS })
      .webp({ quality: QUALITY, effort: 4 })
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, bytes: data };
  } catch (error) {
    // The decoder refuses: cut short, damaged, or not what its first bytes say.
    throw new Refusal('images.not_an_image', { details: { reason: decoderWords(error) } });
  }
}

function decoderWords(error: unknown): string {
  const text = error instanceof Error ? error.message : 'unreadable';
  return (text.split('\n')[0] ?? '').slice(0, 100);
}
