/**
 * Draws the icons of the installed app from our own mark, web/static/logo.svg. Usage: node tools/make-icons.ts
 * The mark stands in the middle 60 % of the maskable ones, which any shape of a phone leaves whole.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import sharp from 'sharp';

const web = resolve(import.meta.dirname, '../web/static');
const out = join(web, 'icons');
const mark = readFileSync(join(web, 'logo.svg'));
const PEARL = '#faf9f6';
const CLEAR = { r: 0, g: 0, b: 0, alpha: 0 };
/** Android draws the badge in the bar from its alpha alone. */
const badge = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="#fff"><path d="M2.5 15.5C2.5 '
  + '24 8.5 29.5 16 29.5S29.5 24 29.5 15.5c-3.4 2.5-8.2 3.8-13.500 3.800S5.900 18 2.500 15.500z"/>'
  + '<circle cx="16" cy="9.500" r="7"/></svg>');

async function draw(file: string, svg: Buffer, size: number, share: number, background: string | typeof CLEAR) {
  const inner = Math.round(size * share);
  const drawing = await sharp(svg, { density: 72 * (inner / 32) * 1.1 }).resize(inner, inner).png().toBuffer();
  await sharp({ create: { width: size, height: size, channels: 4, background } })
    .composite([{ input: drawing }])
    .png({ palette: true, colours: 128, compressionLevel: 9 })
    .toFile(join(out, file));
}

mkdirSync(out, { recursive: true });
await draw('192.png', mark, 192, 0.92, CLEAR);
await draw('512.png', mark, 512, 0.92, CLEAR);
await draw('maskable-512.png', mark, 512, 0.6, PEARL);
await draw('apple-180.png', mark, 180, 0.7, PEARL);
await draw('badge-96.png', badge, 96, 0.9, CLEAR);
