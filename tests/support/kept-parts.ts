/** What a publisher's device keeps of a show, made of the demo market's clip, over and over. */
import { packPart } from '@nacre/contract/healing';
import { encodePublished, type PublishedMedia } from '@nacre/contract/publish';
import { loadClip } from '@nacre/media/publisher/clip';
import { demoClip } from './publisher-stage.ts';

export interface KeptPart {
  startedAtMs: number;
  media: PublishedMedia[];
  /** The same, as it is sent. */
  body: Buffer;
}

const startCode = Buffer.from([0, 0, 0, 1]);
const clip = await loadClip(demoClip);
export const clipMs = clip.pictures.at(-1)!.ticks / 90 + 40;

/** Parts of one time through the clip each, the first picture at `fromMs` (Unix epoch), until `toMs` at least. */
export function keptParts(fromMs: number, toMs: number): KeptPart[] {
  const parts: KeptPart[] = [];
  for (let startedAtMs = fromMs; startedAtMs < toMs; startedAtMs += clipMs) {
    const pictures = clip.pictures.map(({ ticks, nals }) => ({
      kind: 'picture' as const, capturedMs: startedAtMs + ticks / 90,
      bytes: Buffer.concat(nals.flatMap((nal) => [startCode, nal])),
    }));
    const sounds = clip.sounds.map(({ ticks, data }) => ({
      kind: 'sound' as const, capturedMs: startedAtMs + ticks / 48, bytes: data,
    }));
    const media: PublishedMedia[] = [...pictures, ...sounds].sort((a, b) => a.capturedMs - b.capturedMs);
    parts.push({ startedAtMs, media, body: Buffer.from(packPart(media.map(encodePublished))) });
  }
  return parts;
}
