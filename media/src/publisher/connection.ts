/**
 * The sending side of node-datachannel: one WHIP publication's ICE, DTLS and SRTP, raw packets through one synthetic
 * line.
 *
 * As on the receive side (`whip/transport.ts`) every callback is guarded, because an exception there aborts the
 * process.
 */
import { cleanup, initLogger, PeerConnection, Video } from 'node-datachannel';

export interface SenderConnectionOptions {
  hasSound: boolean;
  profileLevelId: string;
  onUp(): void;
  /** RTCP from the server. */
  onPacket(packet: Buffer): void;
  onGone(): void;
  onError(error: unknown): void;
}

export interface SenderConnection {
  readonly offerSdp: string;
  accept(answerSdp: string): void;
  send(packet: Buffer): void;
  close(): void;
}

export const payloadTypes = { h264: 102, rtx: 103, opus: 111 } as const;
export const transportExtensionId = 3;
const transportSequenceUri = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';
/** Gathering local addresses takes milliseconds; longer than this it hangs. */
const gatherTimeoutMs = 5000;

interface LocalParameters {
  transport: string[];
  candidates: string[];
}

function readLocal(sdp: string): LocalParameters {
  const lines = sdp.split(/\r?\n/);
  const keep = /^a=(ice-ufrag|ice-pwd|fingerprint|setup):/;
  return {
    transport: lines.filter((line) => keep.test(line)),
    candidates: lines.filter((line) => line.startsWith('a=candidate:')),
  };
}

function buildOffer(local: LocalParameters, options: SenderConnectionOptions): string {
  const { h264, rtx, opus } = payloadTypes;
  const common = ['c=IN IP4 0.0.0.0', ...local.transport, 'a=sendonly', 'a=rtcp-mux', 'a=rtcp-rsize'];
  const extension = `a=extmap:${transportExtensionId} ${transportSequenceUri}`;
  const lines = [
    'v=0',
    'o=nacre 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    `a=group:BUNDLE 0${options.hasSound ? ' 1' : ''}`,
    `m=video 9 UDP/TLS/RTP/SAVPF ${h264} ${rtx}`,
    ...common,
    'a=mid:0',
    extension,
    `a=rtpmap:${h264} H264/90000`,
    `a=fmtp:${h264} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=${options.profileLevelId}`,
    `a=rtcp-fb:${h264} nack`,
    `a=rtcp-fb:${h264} nack pli`,
    `a=rtcp-fb:${h264} transport-cc`,
    `a=rtpmap:${rtx} rtx/90000`,
    `a=fmtp:${rtx} apt=${h264}`,
    ...local.candidates,
  ];
  if (options.hasSound) {
    lines.push(
      `m=audio 9 UDP/TLS/RTP/SAVPF ${opus}`,
      ...common,
      'a=mid:1',
      extension,
      `a=rtpmap:${opus} opus/48000/2`,
      `a=fmtp:${opus} minptime=10;useinbandfec=1;stereo=1`,
      `a=rtcp-fb:${opus} nack`,
      `a=rtcp-fb:${opus} transport-cc`,
    );
  }
  return `${lines.join('\r\n')}\r\n`;
}

/** The server's transport parameters on one synthetic line. */
function syntheticAnswer(answerSdp: string): string {
  const { transport, candidates } = readLocal(answerSdp);
  const unique = (lines: string[]): string[] => [...new Set(lines)];
  const lines = [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    ...(answerSdp.includes('a=ice-lite') ? ['a=ice-lite'] : []),
    'a=group:BUNDLE 0',
    'm=video 9 UDP/TLS/RTP/SAVPF 96',
    'c=IN IP4 0.0.0.0',
    'a=mid:0',
    'a=recvonly',
    'a=rtcp-mux',
    'a=rtpmap:96 H264/90000',
    ...unique(transport),
    ...unique(candidates),
  ];
  return `${lines.join('\r\n')}\r\n`;
}

/** Ends the native threads, which keep a process alive. Call once, when every connection is closed. */
export function releaseSenders(): void {
  cleanup();
}

export function openSenderConnection(options: SenderConnectionOptions): Promise<SenderConnection> {
  const { onError } = options;
  const guard =
    <A extends unknown[]>(run: (...args: A) => void): ((...args: A) => void) =>
    (...args) => {
      try {
        run(...args);
      } catch (error) {
        onError(error);
      }
    };
  initLogger('Fatal', () => undefined);
  const pc = new PeerConnection('publisher', { iceServers: [], disableAutoNegotiation: true });
  // As on the receive side: native code keeps its callbacks for ever, so they lead nowhere once it is closed.
  let listener: SenderConnectionOptions | null = options;
  const close = (): void => {
    if (listener === null) return;
    listener = null;
    guard(() => pc.close())();
  };
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      clearTimeout(timer);
      close();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    const timer = setTimeout(() => fail(new Error('no local address was found in time')), gatherTimeoutMs);
    try {
      const video = new Video('0', 'SendOnly');
      video.addH264Codec(96);
      const track = pc.addTrack(video);
      track.onMessage(guard((packet: Buffer) => listener?.onPacket(packet)));
      pc.onStateChange(
        guard((state: string) => {
          if (state === 'connected') listener?.onUp();
          if (state === 'failed' || state === 'closed' || state === 'disconnected') listener?.onGone();
        }),
      );
      pc.onGatheringStateChange(
        guard((state: string) => {
          if (state !== 'complete' || listener === null) return;
          clearTimeout(timer);
          resolve({
            offerSdp: buildOffer(readLocal(pc.localDescription()?.sdp ?? ''), options),
            accept: (answerSdp) => pc.setRemoteDescription(syntheticAnswer(answerSdp), 'answer'),
            send: guard((packet: Buffer) => {
              if (listener !== null && track.isOpen()) track.sendMessageBinary(packet);
            }),
            close,
          });
        }),
      );
      pc.setLocalDescription('offer');
    } catch (error) {
      fail(error);
    }
  });
}
