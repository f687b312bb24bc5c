/**
 * A publisher as OBS Studio is one since 30: libdatachannel with a line for sound and one for the picture, its own
 * offer as it writes it (sound first, groups BUNDLE and LS), no retransmission stream, no transport-wide feedback; what
 * is asked for again is sent again as it was.
 */
import { Audio, PeerConnection, Video } from 'node-datachannel';
import type { Clip } from '@nacre/media/publisher/clip';
import { packetiseH264 } from '@nacre/media/publisher/packetise';
import { createRtpSender, type RtpSender } from '@nacre/media/publisher/rtp-sender';
import { parseRtcp } from '@nacre/media/rtp/rtcp';

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

/** Publishes the clip once, from its beginning, as soon as it is connected. */
export async function publishLikeObs(
  url: string, key: string, clip: Clip, spelling: 'at top' | 'in each line',
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
  const pictures = createRtpSender({
    ...common, ssrc: videoSsrc, payloadType: h264Type, clockRate: 90_000,
    send: (packet) => void videoTrack.sendMessageBinary(packet),
  });
  videoTrack.onMessage((packet) => {
    for (const message of parseRtcp(packet)) if (message.type === 'nack') pictures.repeat(message.sequences);
  });
  const connected = new Promise<void>((resolve) => pc.onStateChange((state) => state === 'connected' && resolve()));
  const gathered = new Promise<void>((resolve) => (
    pc.onGatheringStateChange((state) => state === 'complete' && resolve())
  ));
  pc.setLocalDescription('offer');
  await gathered;
  const described = pc.localDescription()?.sdp ?? '';
  const offer = spelling === 'at top' ? withTransportAtTop(described) : described;
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/sdp' };
  const response = await fetch(url, { method: 'POST', headers, body: offer });
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}\n${offer}`);
  pc.setRemoteDescription(await response.text(), 'answer');
  await connected;
  const stopPlaying = play(clip, pictures, sounds, {
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
  clip: Clip, pictures: RtpSender, sounds: RtpSender,
  sendReport: { picture(packet: Buffer): void; sound(packet: Buffer): void },
): () => void {
  const startMs = performance.now();
  let [nextPicture, nextSound, nextReportMs] = [0, 0, 0];
  const timer = setInterval(() => {
    const elapsedMs = performance.now() - startMs;
    for (; (clip.pictures[nextPicture]?.ticks ?? Infinity) <= elapsedMs * 90; nextPicture += 1) {
      const { ticks, nals } = clip.pictures[nextPicture]!;
      pictures.send(ticks, packetiseH264(nals), true);
    }
    for (; (clip.sounds[nextSound]?.ticks ?? Infinity) <= elapsedMs * 48; nextSound += 1) {
      const { ticks, data } = clip.sounds[nextSound]!;
      sounds.send(ticks, [[data]], false);
    }
    if (elapsedMs < nextReportMs) return;
    nextReportMs += reportMs;
    const ntpMs = performance.timeOrigin + performance.now();
    sendReport.picture(pictures.report(Math.round(elapsedMs * 90), ntpMs));
    sendReport.sound(sounds.report(Math.round(elapsedMs * 48), ntpMs));
  }, stepMs);
  return () => clearInterval(timer);
}
