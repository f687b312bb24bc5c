import assert from 'node:assert/strict';
import test from 'node:test';
import { PublishRefusal, type PublishRefusalCode } from '../hooks.ts';
import { buildAnswer } from './answer.ts';
import { maxOfferBytes, parseOffer } from './offer.ts';

const fingerprint = `sha-256 ${Array(32).fill('AB').join(':')}`;
const transportSequence = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';

/** What a Chromium page offers for a camera and a microphone, shortened. */
const chromium = [
  'v=0', 'o=- 263 2 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=group:BUNDLE 0 1', 'a=extmap-allow-mixed',
  'a=msid-semantic: WMS',
  'm=video 9 UDP/TLS/RTP/SAVPF 96 97 106 107 108 109',
  'c=IN IP4 0.0.0.0', 'a=rtcp:9 IN IP4 0.0.0.0', 'a=ice-ufrag:Og68', 'a=ice-pwd:57acReSbJxyjL4zrlQ47OZ1a',
  'a=ice-options:trickle', `a=fingerprint:${fingerprint}`, 'a=setup:actpass', 'a=mid:0',
  'a=extmap:3 urn:3gpp:video-orientation', `a=extmap:4 ${transportSequence}`,
  'a=sendonly', 'a=rtcp-mux', 'a=rtcp-rsize',
  'a=rtpmap:96 VP8/90000', 'a=rtpmap:97 rtx/90000', 'a=fmtp:97 apt=96',
  'a=rtpmap:106 H264/90000', 'a=fmtp:106 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f',
  'a=rtpmap:107 H264/90000', 'a=fmtp:107 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=640c1f',
  'a=rtpmap:108 H264/90000', 'a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
  'a=rtcp-fb:108 transport-cc', 'a=rtpmap:109 rtx/90000', 'a=fmtp:109 apt=108',
  'a=ssrc-group:FID 3079450496 2466879732', 'a=ssrc:3079450496 cname:gqhz', 'a=ssrc:2466879732 cname:gqhz',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111 0', 'c=IN IP4 0.0.0.0', 'a=ice-ufrag:Og68',
  'a=ice-pwd:57acReSbJxyjL4zrlQ47OZ1a', `a=fingerprint:${fingerprint}`, 'a=setup:actpass', 'a=mid:1',
  `a=extmap:4 ${transportSequence}`, 'a=sendonly', 'a=rtcp-mux',
  'a=rtpmap:111 opus/48000/2', 'a=fmtp:111 minptime=10;useinbandfec=1', 'a=rtpmap:0 PCMU/8000', '',
].join('\r\n');

const [head, videoLines, audioLines] = chromium.split(/(?=^m=)/m) as [string, string, string];

const transport = {
  iceUfrag: 'ours',
  icePwd: 'p'.repeat(32),
  fingerprint,
  setup: 'active',
  addresses: ['192.0.2.7', '::1'],
  udpPort: 4000,
} as const;

function refused(sdp: string, code: PublishRefusalCode, words: RegExp): void {
  assert.throws(
    () => parseOffer(sdp),
    (error) => error instanceof PublishRefusal && error.code === code && words.test(error.message),
    `${code} ${words}`,
  );
}

test('[M14] of a browser’s offer, H.264 in the plain profile with its retransmissions, and Opus are chosen', () => {
  const offer = parseOffer(chromium);
  assert.equal(offer.video.payloadType, 108);
  assert.equal(offer.video.rtxPayloadType, 109);
  assert.equal(offer.video.ssrc, 3079450496);
  assert.equal(offer.video.transportSequenceId, 4);
  assert.equal(offer.audio?.payloadType, 111);
  assert.equal(offer.iceUfrag, 'Og68');
  assert.equal(parseOffer(chromium.replaceAll('\r\n', '\n')).video.payloadType, 108, 'bare line ends are read too');
});

test('[M14] offers without H.264 that browsers can show are refused in words', () => {
  refused(chromium.replaceAll('H264', 'H265'), 'no_h264', /H\.264.*vp8, h265/);
  refused(chromium.replaceAll('packetization-mode=1', 'packetization-mode=0'), 'no_h264', /packetization-mode=1/);
  refused(chromium.replaceAll(/profile-level-id=\w+/g, 'profile-level-id=f4001f'), 'no_h264', /42e01f/);
  const soundOnly = chromium.slice(0, chromium.indexOf('m=video')) + chromium.slice(chromium.indexOf('m=audio'));
  refused(soundOnly, 'no_h264', /no picture/);
});

test('[M14] constrained baseline is taken in each spelling of RFC 6184 table 5, and before the other profiles', () => {
  const withProfile = (id: string): string => chromium.replaceAll(/profile-level-id=\w+/g, `profile-level-id=${id}`);
  for (const id of ['42e01f', '42401f', '42c01f', '42E01F', '42001f', '4d001f', '4d401f', '64001f', '640c1f']) {
    assert.equal(parseOffer(withProfile(id)).video.payloadType, 107, id);
  }
  for (const id of ['42', '4200', '42zz1f', '420f1f', '6e001f', '58e01f', 'f4001f', '']) {
    assert.throws(() => parseOffer(withProfile(id)), PublishRefusal, id);
  }
  const spelt = chromium.replace('mode=1;profile-level-id=42e01f', 'mode=1;profile-level-id=42401f');
  assert.equal(parseOffer(spelt).video.payloadType, 108);
});

test('[M14] sound must be Opus or left out', () => {
  refused(chromium.replace('opus/48000/2', 'PCMA/8000'), 'no_opus', /Opus/);
  assert.equal(parseOffer(chromium.slice(0, chromium.indexOf('m=audio'))).audio, null);
});

test('[M14] publishers send: sendrecv, said or meant by saying nothing, is taken and answered with recvonly', () => {
  for (const sdp of [chromium.replaceAll('a=sendonly', 'a=sendrecv'), chromium.replaceAll('a=sendonly\r\n', '')]) {
    const answer = buildAnswer(parseOffer(sdp), transport);
    assert.equal(answer.match(/^a=recvonly\r$/gm)?.length, 2);
    assert.doesNotMatch(answer, /sendrecv/);
  }
  refused(chromium.replace('a=sendonly', 'a=recvonly'), 'not_sending', /video track is recvonly/);
  const silent = head + videoLines + audioLines.replace('a=sendonly', 'a=inactive');
  refused(silent, 'not_sending', /audio track is inactive/);
});

test('[M14] a second picture, a second sound and any other line refuse the whole offer', () => {
  const data = 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:2\r\n';
  refused(chromium + videoLines.replace('a=mid:0', 'a=mid:2'), 'too_many_tracks', /m=video/);
  refused(chromium + audioLines.replace('a=mid:1', 'a=mid:2'), 'too_many_tracks', /m=audio/);
  refused(chromium + data, 'too_many_tracks', /m=application/);
});

test('[M14] lines that are bundle-only leave the transport to the first of their group', () => {
  // As in RFC 9725 §4.2: sound first, with the transport; the picture with port 0 and no word about it.
  const soundFirst = head.replace('BUNDLE 0 1', 'BUNDLE 1 0') + audioLines;
  const bare = videoLines.replace('m=video 9', 'm=video 0').replaceAll(/a=(ice-\w+|fingerprint|setup):.*\r\n/g, '');
  const offer = parseOffer(`${soundFirst}${bare}a=bundle-only\r\n`);
  assert.deepEqual([offer.iceUfrag, offer.setup, offer.audioIndex, offer.videoIndex], ['Og68', 'actpass', 0, 1]);
  assert.equal(offer.video.payloadType, 108);
});

test('[M14] everything on one transport', () => {
  refused(chromium.replace('a=group:BUNDLE 0 1', 'a=group:BUNDLE 0'), 'not_bundled', /one transport/);
});

test('[M14] what is no offer is refused, whatever is wrong with it', () => {
  const tooMany = `v=0\r\n${'m=video 9 A 1\r\n'.repeat(9)}`;
  for (const text of ['', 'hello', '{"sdp":1}', 'v=1\r\n', 'v=0\r\nm=video\r\n', tooMany]) {
    assert.throws(() => parseOffer(text), PublishRefusal);
  }
  refused(chromium.replace('a=ice-pwd:57acReSbJxyjL4zrlQ47OZ1a', 'a=ice-pwd:short'), 'offer_malformed', /ice-pwd/);
  refused(chromium.replaceAll(/a=fingerprint.*\r\n/g, ''), 'offer_malformed', /fingerprint/);
  refused(chromium.replaceAll('a=setup:actpass', 'a=setup:holdconn'), 'offer_malformed', /setup/);
  refused(chromium + 'a=x\r\n'.repeat(maxOfferBytes / 5), 'offer_malformed', /larger/);
});

test('[M1] an offer with any line missing or garbled is taken or refused, never an exception of another kind', () => {
  const lines = chromium.split('\r\n');
  for (let index = 0; index < lines.length; index += 1) {
    for (const line of [[], [lines[index]!.slice(0, 5)], [`${lines[index]} \u0000x`], [lines[index]!, lines[index]!]]) {
      try {
        buildAnswer(parseOffer([...lines.slice(0, index), ...line, ...lines.slice(index + 1)].join('\r\n')), transport);
      } catch (error) {
        assert.ok(error instanceof PublishRefusal, String(error));
      }
    }
  }
});

test('[M15] the answer is ice-lite with all candidates, receives only, and repairs sound as well', () => {
  const answer = buildAnswer(parseOffer(chromium), transport);
  for (const line of [
    'a=ice-lite', 'a=group:BUNDLE 0 1', 'm=video 4000 UDP/TLS/RTP/SAVPF 108 109', 'a=rtcp-fb:108 nack pli',
    'a=rtcp-fb:108 transport-cc', 'm=audio 4000 UDP/TLS/RTP/SAVPF 111', 'a=rtcp-fb:111 nack', 'a=setup:active',
    'a=candidate:1 1 udp 2130706431 192.0.2.7 4000 typ host', 'a=candidate:2 1 udp 2130706175 ::1 4000 typ host',
    'a=end-of-candidates', 'a=recvonly', `a=extmap:4 ${transportSequence}`,
  ]) {
    assert.ok(answer.split('\r\n').includes(line), line);
  }
  assert.ok(!answer.includes('video-orientation'), 'the phone turns the picture itself');
  assert.ok(!answer.includes('VP8'));
});

test('[M15] lines that the publisher has switched off stay so, in their place', () => {
  const data = 'm=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:2\r\n';
  const answer = buildAnswer(parseOffer(chromium + data), transport);
  assert.match(answer, /m=application 0 UDP\/DTLS\/SCTP webrtc-datachannel\r\nc=IN IP4 0\.0\.0\.0\r\na=mid:2\r\n$/);
  assert.ok(answer.includes('a=group:BUNDLE 0 1\r\n'));
});
