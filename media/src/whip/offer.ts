/**
 * A WHIP offer (RFC 9725, SDP of RFC 8866): what this server needs of it, or a refusal in words.
 *
 * Text from outside: lengths and counts are bounded, and every value that goes into our own SDP is checked by pattern.
 */
import { PublishRefusal } from '../hooks.ts';
import { extensionId, parseSimulcast, type Simulcast } from './simulcast.ts';

/**
 * A browser's offer with all its codecs has 6 to 10 KB. Smaller: some are refused; larger: only work for the parser.
 */
export const maxOfferBytes = 64 * 1024;
/** A publisher sends one picture and one sound; more lines may stand there only switched off. */
const maxSections = 8;

export interface OfferedSection {
  kind: string;
  mid: string;
  protocol: string;
  formats: string[];
  /** The publisher does not use it: port 0 without `bundle-only` (RFC 3264 §8.2, RFC 9143 §6). */
  isOff: boolean;
  /** `a=` lines without the prefix. */
  attributes: string[];
}

export interface OfferedCodec {
  payloadType: number;
  /** Retransmissions of it (RFC 4588); null when not offered. */
  rtxPayloadType: number | null;
  /** The `fmtp` parameters as offered; empty when there are none. */
  parameters: string;
  feedback: string[];
  /** Transport-wide-cc extension id; null when not offered. */
  transportSequenceId: number | null;
  /** First SSRC named in the offer; null when none is. */
  ssrc: number | null;
}

export interface Offer {
  sections: OfferedSection[];
  iceUfrag: string;
  icePwd: string;
  fingerprint: string;
  setup: string;
  videoIndex: number;
  video: OfferedCodec;
  /** The picture's sizes; null when it comes in one. */
  simulcast: Simulcast | null;
  /** -1 without sound. */
  audioIndex: number;
  audio: OfferedCodec | null;
  /** Sections on the transport (`a=group:BUNDLE`). */
  bundle: string[];
  hasReducedSize: boolean;
}

const transportSequenceUri = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';
const malformed = (what: string): PublishRefusal =>
  new PublishRefusal('offer_malformed', `The offer cannot be read: ${what}.`);

export function parseOffer(sdp: string): Offer {
  if (Buffer.byteLength(sdp) > maxOfferBytes) throw malformed(`it is larger than ${maxOfferBytes} bytes`);
  const { session, sections } = splitSections(sdp);
  const used = sections.filter(({ isOff }) => !isOff);
  const first = (kind: string): OfferedSection | undefined =>
    used.find((section) => section.kind === kind && section.protocol.includes('RTP/SAVP'));
  const [videoSection, audioSection] = [first('video'), first('audio')];
  if (videoSection === undefined) {
    throw new PublishRefusal('no_h264', 'The offer has no picture. Send one video track in H.264.');
  }
  requireNoMore(used, [videoSection, audioSection]);
  for (const section of used) requireSending(section, session);
  const bundle = readBundle(session, videoSection, audioSection);
  // Lines that are `bundle-only` leave the transport to the first of their group (RFC 9143 §7.2.1).
  const tagged = sections.find(({ mid }) => mid === bundle[0])?.attributes ?? [];
  const find = (name: string): string | null =>
    attribute(tagged, name) ?? attribute(videoSection.attributes, name) ?? attribute(session, name);
  const take = (name: string, pattern: RegExp): string => {
    const value = find(name);
    if (value === null || !pattern.test(value)) throw malformed(`a=${name} is missing or wrong`);
    return value;
  };
  const video = chooseH264(videoSection);
  return {
    sections,
    // Lengths and letters by RFC 8839 §5.4, fingerprint by RFC 8122 §5.
    iceUfrag: take('ice-ufrag', /^[A-Za-z0-9+/]{4,256}$/),
    icePwd: take('ice-pwd', /^[A-Za-z0-9+/]{22,256}$/),
    fingerprint: take('fingerprint', /^sha-(1|224|256|384|512) ([0-9A-Fa-f]{2}:){19,63}[0-9A-Fa-f]{2}$/i),
    setup: take('setup', /^(actpass|active|passive)$/),
    videoIndex: sections.indexOf(videoSection),
    video,
    simulcast: parseSimulcast(videoSection.attributes, video.payloadType),
    audioIndex: audioSection === undefined ? -1 : sections.indexOf(audioSection),
    audio: audioSection === undefined ? null : chooseOpus(audioSection),
    bundle,
    hasReducedSize: videoSection.attributes.includes('rtcp-rsize'),
  };
}

function splitSections(sdp: string): { session: string[]; sections: OfferedSection[] } {
  const lines = sdp.split(/\r?\n/);
  if (lines[0] !== 'v=0') throw malformed('it does not begin with v=0');
  const session: string[] = [];
  const sections: OfferedSection[] = [];
  for (const line of lines) {
    if (line.startsWith('m=')) {
      const [kind = '', port = '', protocol = '', ...formats] = line.slice(2).trim().split(' ');
      if (!/^[a-z]+$/.test(kind) || !/^\d+$/.test(port) || !/^[A-Z/]+$/.test(protocol) || formats.length === 0) {
        throw malformed(`the line “${line.slice(0, 60)}” is no m= line`);
      }
      if (sections.length >= maxSections) throw malformed(`it has more than ${maxSections} m= lines`);
      sections.push({ kind, mid: '', protocol, formats, isOff: Number(port) === 0, attributes: [] });
    } else if (line.startsWith('a=')) {
      (sections.at(-1)?.attributes ?? session).push(line.slice(2).trim());
    }
  }
  sections.forEach((section, index) => {
    section.mid = attribute(section.attributes, 'mid') ?? String(index);
    section.isOff &&= !section.attributes.includes('bundle-only');
    if (!/^[A-Za-z0-9!#$%&'*+.^_`{|}~-]{1,32}$/.test(section.mid)) throw malformed('a=mid is wrong');
    if (section.formats.some((format) => !/^[A-Za-z0-9-]{1,32}$/.test(format))) throw malformed('a format is wrong');
  });
  return { session, sections };
}

function attribute(attributes: readonly string[], name: string): string | null {
  const found = attributes.find((line) => line.startsWith(`${name}:`));
  return found === undefined ? null : found.slice(name.length + 1).trim();
}

function attributesOf(attributes: readonly string[], name: string): string[] {
  return attributes.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).trim());
}

function requireNoMore(used: readonly OfferedSection[], taken: readonly (OfferedSection | undefined)[]): void {
  const surplus = used.find((section) => !taken.includes(section));
  if (surplus === undefined) return;
  throw new PublishRefusal(
    'too_many_tracks',
    `Send one picture and at most one sound; this offer has another line (m=${surplus.kind.slice(0, 20)}).`,
  );
}

function requireSending(section: OfferedSection, session: readonly string[]): void {
  const directions = ['sendonly', 'recvonly', 'sendrecv', 'inactive'];
  const own = section.attributes.find((line) => directions.includes(line));
  const direction = own ?? session.find((line) => directions.includes(line)) ?? 'sendrecv';
  if (direction.startsWith('send')) return;
  throw new PublishRefusal('not_sending', `The ${section.kind} track is ${direction}. A publisher sends: sendonly.`);
}

function readBundle(session: readonly string[], video: OfferedSection, audio: OfferedSection | undefined): string[] {
  const group = attributesOf(session, 'group').find((line) => line.startsWith('BUNDLE'));
  const mids = group === undefined ? [] : group.split(' ').slice(1);
  if (audio === undefined) return [video.mid];
  if (mids.includes(video.mid) && mids.includes(audio.mid)) return mids;
  throw new PublishRefusal('not_bundled', 'Picture and sound must share one transport (a=group:BUNDLE, max-bundle).');
}

function parameter(parameters: string, name: string): string | null {
  for (const part of parameters.split(';')) {
    const [key, value] = part.split('=');
    if (key?.trim().toLowerCase() === name) return (value ?? '').trim();
  }
  return null;
}

interface MappedCodec {
  payloadType: number;
  codec: string;
  parameters: string;
}

function mappedCodecs(section: OfferedSection): MappedCodec[] {
  const parameters = new Map<string, string>();
  for (const line of attributesOf(section.attributes, 'fmtp')) {
    const space = line.indexOf(' ');
    if (space > 0) parameters.set(line.slice(0, space), line.slice(space + 1));
  }
  const codecs: MappedCodec[] = [];
  for (const line of attributesOf(section.attributes, 'rtpmap')) {
    const match = /^(\d{1,3}) (\S{1,40})$/.exec(line);
    const payloadType = Number(match?.[1]);
    if (match === null || payloadType > 127 || !section.formats.includes(match[1]!)) continue;
    codecs.push({ payloadType, codec: match[2]!.toLowerCase(), parameters: parameters.get(match[1]!) ?? '' });
  }
  return codecs;
}

function describe(section: OfferedSection, codecs: readonly MappedCodec[], chosen: MappedCodec): OfferedCodec {
  const type = String(chosen.payloadType);
  const rtx = codecs.find(({ codec, parameters }) => codec.startsWith('rtx/') && parameter(parameters, 'apt') === type);
  const ssrc = Number(/^(\d{1,10}) /.exec(attribute(section.attributes, 'ssrc') ?? '')?.[1] ?? -1);
  return {
    payloadType: chosen.payloadType,
    rtxPayloadType: rtx?.payloadType ?? null,
    // Only what an answer may hold; anything else of the offer is not repeated.
    parameters: /^[A-Za-z0-9=;.,+/ -]{0,400}$/.test(chosen.parameters) ? chosen.parameters : '',
    feedback: attributesOf(section.attributes, 'rtcp-fb')
      .filter((line) => line.startsWith(`${type} `) || line.startsWith('* '))
      .map((line) => line.slice(line.indexOf(' ') + 1)),
    transportSequenceId: extensionId(section.attributes, transportSequenceUri),
    ssrc: ssrc >= 0 && ssrc < 2 ** 32 ? ssrc : null,
  };
}

/**
 * How gladly a profile is taken, by profile_idc and profile-iop (RFC 6184 table 5); null for what browsers do not play.
 * Constrained baseline plays everywhere and has no B-frames; WebRTC senders use none in the others either. It has more
 * than one spelling: Chromium says 42e0, FFmpeg 4240.
 */
function profileRank(profileLevelId: string): number | null {
  if (!/^[0-9a-f]{6}$/.test(profileLevelId)) return null;
  const [profile, constraints] = [profileLevelId.slice(0, 2), Number.parseInt(profileLevelId.slice(2, 4), 16)];
  const isPlain = (constraints & 0x0f) === 0;
  if (profile === '42' && isPlain) return (constraints & 0x40) === 0 ? 1 : 0;
  if (profile === '4d' && isPlain) return 2;
  // Of the high profile's flags only those of its constrained form, which leaves B-frames out.
  if (profile === '64' && (constraints & ~0x0c) === 0) return 3;
  return null;
}

function chooseH264(section: OfferedSection): OfferedCodec {
  const codecs = mappedCodecs(section);
  const rank = (parameters: string): number | null => (
    profileRank((parameter(parameters, 'profile-level-id') ?? '42e01f').toLowerCase())
  );
  const usable = codecs
    .filter(({ codec, parameters }) => codec === 'h264/90000' && parameter(parameters, 'packetization-mode') === '1')
    .filter(({ parameters }) => rank(parameters) !== null)
    .sort((a, b) => rank(a.parameters)! - rank(b.parameters)!);
  const chosen = usable[0];
  if (chosen !== undefined) return describe(section, codecs, chosen);
  const names = [...new Set(codecs.map(({ codec }) => codec.split('/')[0]!))].filter((name) => name !== 'rtx');
  throw new PublishRefusal(
    'no_h264',
    'The picture must be offered in H.264 (profile-level-id=42e01f, packetization-mode=1); ' +
      `this offer has ${names.join(', ').slice(0, 120) || 'no codec'}.`,
  );
}

function chooseOpus(section: OfferedSection): OfferedCodec {
  const codecs = mappedCodecs(section);
  const chosen = codecs.find(({ codec }) => codec.startsWith('opus/48000'));
  if (chosen !== undefined) return describe(section, codecs, chosen);
  throw new PublishRefusal('no_opus', 'The sound must be offered in Opus (opus/48000/2), or left out.');
}
