/**
 * A publisher as OBS Studio is one since 30: libdatachannel with a line for sound and one for the picture, its own
 * offer as it writes it (sound first, groups BUNDLE and LS), no retransmission stream, no transport-wide feedback; what
 * is asked for again is sent again as it was. Since 32 it may send several sizes: each packet names its own, and of
 * these one SSRC is in the offer.
 */
import { Audio, PeerConnection, Video } from 'node-datachannel';
import type { Clip } from '@nacre/media/publisher/clip';
import { packetiseH264 } from '@nacre/media/publisher/packetise';
import { createRtpSender, type RtpSender } from '@nacre/media/publisher/rtp-sender';
import { parseRtcp } from '@nacre/media/rtp/rtcp';
import { withNames } from '../support/named-packets.ts';

const [opusType, h264Type] = [111, 96];
const [audioSsrc, videoSsrc] = [3_388_068_600, 3_388_068_601];
const stepMs = 5;
const reportMs = 500;

export interface ForeignPublisher {
  offer: string;
  stop(): void;
}

/** As libdatachannel up to 0.20 wrote it (OBS 30.0 and 30.1): the transport once, before the first line of media. */
function withTransportAtTop(offer: string): string {
  const transport = /^a=(setup|ice-ufrag|ice-pwd):.*\r\n/gm;
  const lines = [...new Set(offer.match(transport))].join('');
  return offer.replaceAll(transport, '').replace(/^m=/m, `${lines}m=`);
}

/** As libdatachannel's `addExtMap` and `addRid` write it, which its binding for Node lacks. */
function withSizes(offer: string, count: number): string {
  const rids = Array.from({ length: count }, (_, index) => index);
  const names = rids.map((rid) => `a=rid:${rid} send\r\n`).join('');
  const extensions = 'a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\n'
    + 'a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n';
  return offer.replace(/(?<=^m=video [\s\S]*)^a=mid:1\r\n/m, `$&${extensions}`)
    .replace(/(?<=^m=video [\s\S]*)^a=rtcp-mux\r\n/m, `$&${names}a=simulcast:send ${rids.join(';')}\r\n`);
}

/** As OBS counts how many of its sizes were taken. */
function sizesIn(answer: string): number {
  return /^a=simulcast:recv (\S+)/m.exec(answer)?.[1]?.split(';').length ?? 0;
}

/**
 * Publishes the clip once, from its beginning, as soon as it is connected.
 * @param smaller the same pictures in smaller sizes, the largest first
 */
export async function publishLikeObs(
  url: string, key: string, clip: Clip, spelling: 'at top' | 'in each line', smaller: readonly Clip[] = [],
): Promise<ForeignPublisher> {
  const pc = new PeerConnection('obs', { iceServers: [], disableAutoNegotiation: true });
  const audio = new Audio('0', 'SendOnly');
  audio.addOpusCodec(opusType);
  audio.addSSRC(audioSsrc, 'cname', 'stream', 'stream-audio');
  const video = new Video('1', 'SendOnly');
  video.addH264Codec(h264Type);
  video.addSSRC(videoSsrc, 'cname', 'stream', 'stream-video');
  const [audioTrack, videoTrack] = [pc.addTrack(audio), pc.addTrack(video)];
  const common = { rtx: null, cname: 'cname', firstSequence: 1, firstTimestamp: 1, transport: null };
  const sounds = createRtpSender({
    ...common, ssrc: audioSsrc, payloadType: opusType, clockRate: 48_000,
    send: (packet) => void audioTrack.sendMessageBinary(packet),
  });
  const sizes = [clip, ...smaller].map((sized, rid) => {
    const ssrc = videoSsrc + rid;
    const sender = createRtpSender({
      ...common, ssrc, payloadType: h264Type, clockRate: 90_000,
      send: (packet) => void videoTrack.sendMessageBinary(
        smaller.length === 0 ? packet : withNames(packet, { 1: '1', 2: String(rid) }),
      ),
    });
    return { ssrc, sender, clip: sized };
  });
  videoTrack.onMessage((packet) => {
    for (const message of parseRtcp(packet)) {
      if (message.type !== 'nack') continue;
      sizes.find(({ ssrc }) => ssrc === message.mediaSsrc)?.sender.repeat(message.sequences);
    }
  });
  const connected = new Promise<void>((resolve) => pc.onStateChange((state) => state === 'connected' && resolve()));
  const gathered = new Promise<void>((resolve) => (
    pc.onGatheringStateChange((state) => state === 'complete' && resolve())
  ));
  pc.setLocalDescription('offer');
  await gathered;
  const described = pc.localDescription()?.sdp ?? '';
  const spelt = spelling === 'at top' ? withTransportAtTop(described) : described;
  const offer = smaller.length === 0 ? spelt : withSizes(spelt, sizes.length);
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/sdp' };
  const response = await fetch(url, { method: 'POST', headers, body: offer });
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}\n${offer}`);
  const answer = await response.text();
  const taken = sizesIn(answer);
  if (smaller.length > 0 && taken !== sizes.length) throw new Error(`${taken} of ${sizes.length} sizes are taken`);
  pc.setRemoteDescription(answer, 'answer');
  await connected;
  const stopPlaying = play(clip, sizes, sounds, {
    picture: (packet) => videoTrack.sendMessageBinary(packet),
    sound: (packet) => audioTrack.sendMessageBinary(packet),
  });
  return {
    offer,
    stop() {
      stopPlaying();
      pc.close();
    },
  };
}

function play(
  clip: Clip, sizes: readonly { sender: RtpSender; clip: Clip }[], sounds: RtpSender,
  sendReport: { picture(packet: Buffer): void; sound(packet: Buffer): void },
): () => void {
  const startMs = performance.now();
  let [nextPicture, nextSound, nextReportMs] = [0, 0, 0];
  const timer = setInterval(() => {
    const elapsedMs = performance.now() - startMs;
    for (; (clip.pictures[nextPicture]?.ticks ?? Infinity) <= elapsedMs * 90; nextPicture += 1) {
      for (const { sender, clip: sized } of sizes) {
        const picture = sized.pictures[nextPicture];
        if (picture !== undefined) sender.send(picture.ticks, packetiseH264(picture.nals), true);
      }
    }
    for (; (clip.sounds[nextSound]?.ticks ?? Infinity) <= elapsedMs * 48; nextSound += 1) {
      const { ticks, data } = clip.sounds[nextSound]!;
      sounds.send(ticks, [[data]], false);
    }
    if (elapsedMs < nextReportMs) return;
    nextReportMs += reportMs;
    const ntpMs = performance.timeOrigin + performance.now();
    for (const { sender } of sizes) sendReport.picture(sender.report(Math.round(elapsedMs * 90), ntpMs));
    sendReport.sound(sounds.report(Math.round(elapsedMs * 48), ntpMs));
  }, stepMs);
  return () => clearInterval(timer);
}
