/**
 * The sizes in which an offer has its picture (simulcast by RID: RFC 8853, RFC 8851), and which two of them are taken.
 *
 * Names and restrictions go back into our own SDP, so they are checked by pattern.
 */

/** Browsers offer three at most, OBS four. */
const maxLayers = 8;
const ridUri = 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id';
const repairedRidUri = 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id';
/** RFC 8851 §10; a one-byte header extension holds 16 letters. */
const ridPattern = /^[A-Za-z0-9_-]{1,16}$/;
const restrictionsPattern = /^[A-Za-z0-9=;.,-]{0,200}$/;
const pixelsPerMacroblock = 256;

export interface OfferedLayer {
  rid: string;
  /** Other than the payload types, e.g. `max-width=1280;max-height=720`; empty when there are none. */
  restrictions: string;
  /** Offered, and not sent for now. */
  isPaused: boolean;
  /** One of the two that become pictures here. The others are answered as paused: OBS takes a no for a failure. */
  isTaken: boolean;
}

export interface Simulcast {
  /** In the order of the offer; at least two. */
  layers: OfferedLayer[];
  /** Ids of the header extensions of RFC 8852; null when repairs are not named. */
  ridId: number;
  repairedRidId: number | null;
}

/**
 * @param attributes of the picture's section, without `a=`
 * @param payloadType the codec that was chosen
 * @returns null when there is one size only, or no way to tell the sizes apart
 */
export function parseSimulcast(attributes: readonly string[], payloadType: number): Simulcast | null {
  const ridId = extensionId(attributes, ridUri);
  const line = attributes.find((attribute) => attribute.startsWith('simulcast:'));
  const list = / ?send (\S+)/.exec(line?.slice('simulcast:'.length) ?? '')?.[1];
  if (ridId === null || list === undefined) return null;
  const offered = list.split(';').slice(0, maxLayers).flatMap((alternatives) => {
    const usable = alternatives.split(',').map((name) => layerOf(name, attributes, payloadType));
    return usable.find((layer) => layer !== null) ?? [];
  });
  const layers = offered.filter(({ rid }, index) => offered.findIndex((other) => other.rid === rid) === index);
  if (layers.length < 2) return null;
  for (const layer of largestAndSmallest(layers)) layer.isTaken = true;
  return { layers, ridId, repairedRidId: extensionId(attributes, repairedRidUri) };
}

/** @returns 1 to 14, as fits a one-byte header (RFC 8285 §4.2) */
export function extensionId(attributes: readonly string[], uri: string): number | null {
  for (const attribute of attributes) {
    const match = /^extmap:(\d{1,2})(?:\/\w+)? (\S+)/.exec(attribute);
    const id = Number(match?.[1]);
    if (match?.[2] === uri && id >= 1 && id <= 14) return id;
  }
  return null;
}

/** @param name as in the list: with `~` when it is paused */
function layerOf(name: string, attributes: readonly string[], payloadType: number): OfferedLayer | null {
  const isPaused = name.startsWith('~');
  const rid = isPaused ? name.slice(1) : name;
  if (!ridPattern.test(rid)) return null;
  const line = attributes.find((attribute) => attribute === `rid:${rid} send` || (
    attribute.startsWith(`rid:${rid} send `)
  ));
  if (line === undefined) return null;
  const all = line.slice(`rid:${rid} send `.length).replaceAll(' ', '');
  const types = /(?:^|;)pt=([\d,]+)/.exec(all)?.[1]?.split(',');
  if (!restrictionsPattern.test(all) || (types !== undefined && !types.includes(String(payloadType)))) return null;
  const restrictions = all.split(';').filter((one) => one !== '' && !one.startsWith('pt=')).join(';');
  return { rid, restrictions, isPaused, isTaken: false };
}

/** By their restrictions; without these by place, since everybody lists them up or down. */
function largestAndSmallest(layers: readonly OfferedLayer[]): OfferedLayer[] {
  const sizes = layers.map(({ restrictions }) => mostPixels(restrictions));
  const bySize = layers.map((layer, index) => ({ layer, pixels: sizes[index]! })).sort((a, b) => a.pixels - b.pixels);
  const isKnown = sizes.every(Number.isFinite) && new Set(sizes).size > 1;
  const ordered = isKnown ? bySize.map(({ layer }) => layer) : layers;
  return [ordered[0]!, ordered.at(-1)!];
}

/** RFC 8851 §5; infinite when they do not say. */
function mostPixels(restrictions: string): number {
  const value = (name: string): number => (
    Number(new RegExp(`(?:^|;)${name}=(\\d{1,9})(?:;|$)`).exec(restrictions)?.[1] ?? Number.POSITIVE_INFINITY)
  );
  return Math.min(value('max-width') * value('max-height'), value('max-fs') * pixelsPerMacroblock);
}

/** Of the answer's picture. */
export function answerSimulcast({ layers, ridId, repairedRidId }: Simulcast, payloadType: number): string[] {
  const restricted = ({ restrictions }: OfferedLayer): string => (
    restrictions === '' ? '' : ` pt=${payloadType};${restrictions}`
  );
  const listed = layers.map(({ rid, isPaused, isTaken }) => `${isPaused || !isTaken ? '~' : ''}${rid}`);
  return [
    `a=extmap:${ridId} ${ridUri}`,
    ...(repairedRidId === null ? [] : [`a=extmap:${repairedRidId} ${repairedRidUri}`]),
    ...layers.map((layer) => `a=rid:${layer.rid} recv${restricted(layer)}`),
    `a=simulcast:recv ${listed.join(';')}`,
  ];
}
