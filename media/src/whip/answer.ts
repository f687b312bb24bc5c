/**
 * Our answer to a WHIP offer, written by hand: one transport, ice-lite with all candidates, H.264 and Opus only.
 *
 * `urn:3gpp:video-orientation` is left out on purpose: without it a phone turns the picture itself, and no player has
 * to.
 */
import type { Offer, OfferedCodec, OfferedSection } from './offer.ts';
import { answerSimulcast } from './simulcast.ts';

export interface AnswerTransport {
  iceUfrag: string;
  icePwd: string;
  /** E.g. `sha-256 AA:BB…`. */
  fingerprint: string;
  setup: 'active' | 'passive';
  addresses: readonly string[];
  udpPort: number;
}

const transportSequenceUri = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';

/** Host candidates (RFC 8839 §5.1), in the order given. */
function candidateLines(transport: AnswerTransport): string[] {
  return transport.addresses.map((address, index) => {
    const priority = 126 * 2 ** 24 + (65_535 - index) * 2 ** 8 + 255;
    return `a=candidate:${index + 1} 1 udp ${priority} ${address} ${transport.udpPort} typ host`;
  });
}

function refusedSection(section: OfferedSection): string[] {
  const media = `m=${section.kind} 0 ${section.protocol} ${section.formats.join(' ')}`;
  return [media, 'c=IN IP4 0.0.0.0', `a=mid:${section.mid}`];
}

function codecLines(codec: OfferedCodec, name: string, feedback: readonly string[]): string[] {
  const type = codec.payloadType;
  const lines = [`a=rtpmap:${type} ${name}`];
  if (codec.parameters !== '') lines.push(`a=fmtp:${type} ${codec.parameters}`);
  for (const kind of feedback) lines.push(`a=rtcp-fb:${type} ${kind}`);
  if (codec.rtxPayloadType !== null) {
    lines.push(`a=rtpmap:${codec.rtxPayloadType} rtx/90000`, `a=fmtp:${codec.rtxPayloadType} apt=${type}`);
  }
  if (codec.transportSequenceId !== null) lines.push(`a=extmap:${codec.transportSequenceId} ${transportSequenceUri}`);
  return lines;
}

function section(offered: OfferedSection, codec: OfferedCodec, transport: AnswerTransport, codecs: string[]): string[] {
  const types = [codec.payloadType, ...(codec.rtxPayloadType === null ? [] : [codec.rtxPayloadType])];
  return [
    `m=${offered.kind} ${transport.udpPort} ${offered.protocol} ${types.join(' ')}`,
    'c=IN IP4 0.0.0.0',
    `a=mid:${offered.mid}`,
    'a=recvonly',
    'a=rtcp-mux',
    ...(offered.attributes.includes('rtcp-rsize') ? ['a=rtcp-rsize'] : []),
    `a=ice-ufrag:${transport.iceUfrag}`,
    `a=ice-pwd:${transport.icePwd}`,
    `a=fingerprint:${transport.fingerprint}`,
    `a=setup:${transport.setup}`,
    ...codecs,
    ...candidateLines(transport),
    'a=end-of-candidates',
  ];
}

export function buildAnswer(offer: Offer, transport: AnswerTransport): string {
  const accepted = [offer.videoIndex, offer.audioIndex].filter((index) => index >= 0).sort((a, b) => a - b);
  const mids = accepted.map((index) => offer.sections[index]!.mid);
  const videoFeedback = ['nack', 'nack pli', ...(offer.video.transportSequenceId === null ? [] : ['transport-cc'])];
  const audioFeedback = ['nack', ...(offer.audio?.transportSequenceId == null ? [] : ['transport-cc'])];
  const lines = [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=ice-lite',
    `a=group:BUNDLE ${mids.join(' ')}`,
    'a=msid-semantic:WMS *',
  ];
  offer.sections.forEach((offered, index) => {
    if (index === offer.videoIndex) {
      const sizes = offer.simulcast === null ? [] : answerSimulcast(offer.simulcast, offer.video.payloadType);
      const codec = codecLines(offer.video, 'H264/90000', videoFeedback);
      lines.push(...section(offered, offer.video, transport, [...codec, ...sizes]));
    } else if (index === offer.audioIndex && offer.audio !== null) {
      lines.push(...section(offered, offer.audio, transport, codecLines(offer.audio, 'opus/48000/2', audioFeedback)));
    } else {
      lines.push(...refusedSection(offered));
    }
  });
  return `${lines.join('\r\n')}\r\n`;
}
