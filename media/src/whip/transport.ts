/**
 * The only file of the receive side that knows node-datachannel (libdatachannel): ICE, DTLS and SRTP on one UDP port.
 *
 * It is fed one synthetic video line without candidates, whatever the publisher offered: with several lines it drops
 * packets of SSRCs that were not declared, with one it hands over every RTP and RTCP packet as it came. Telling picture
 * from sound is our own affair.
 *
 * A JavaScript exception in a callback of it aborts the process, so every callback and call is guarded.
 * `track.close()` before `pc.close()` crashes: only the connection is closed.
 */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { cleanup, IceUdpMuxListener, initLogger, PeerConnection, Video } from 'node-datachannel';
import type { MediaLog } from '../hooks.ts';

export interface RemoteTransport {
  iceUfrag: string;
  icePwd: string;
  fingerprint: string;
  setup: string;
}

export interface LocalTransport {
  iceUfrag: string;
  icePwd: string;
  fingerprint: string;
  setup: 'active' | 'passive';
}

export interface TransportPeer {
  local: LocalTransport;
  /** An RTCP packet to the publisher; false when it could not be sent. */
  send(packet: Buffer): boolean;
  close(): void;
}

export interface TransportPeerEvents {
  onUp(): void;
  /** RTP or RTCP, decrypted. */
  onPacket(packet: Buffer): void;
  /** Failed or closed from the other side. Not called after `close`. */
  onGone(): void;
}

export interface Transport {
  readonly udpPort: number;
  /** Throws when libdatachannel does not take the parameters. */
  accept(name: string, remote: RemoteTransport, events: TransportPeerEvents): TransportPeer;
  stop(): void;
}

export interface TransportOptions {
  /** 0 = any free one. */
  udpPort: number;
  bindAddress?: string | undefined;
  log: MediaLog;
}

/**
 * This machine's addresses without link-local ones, which browsers cannot use, then 127.0.0.1: browsers try in this
 * order.
 */
export function localAddresses(): string[] {
  const found = Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .filter((entry) => !entry.internal && !/^(fe80|169\.254)/i.test(entry.address))
    .sort((a, b) => (a.family === b.family ? 0 : a.family === 'IPv4' ? -1 : 1))
    .map((entry) => entry.address);
  return [...found, '127.0.0.1'];
}

/** Rejects with the system's error code when the port is taken. */
function findUdpPort(udpPort: number, bindAddress: string | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(bindAddress?.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', reject);
    const address = bindAddress === undefined ? {} : { address: bindAddress };
    socket.bind({ port: udpPort, ...address, exclusive: true }, () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}

const wantedH264 = 'profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1';

function syntheticOffer(remote: RemoteTransport): string {
  const lines = [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    'm=video 9 UDP/TLS/RTP/SAVPF 96',
    'c=IN IP4 0.0.0.0',
    'a=mid:0',
    'a=sendonly',
    'a=rtcp-mux',
    'a=rtpmap:96 H264/90000',
    `a=fmtp:96 ${wantedH264}`,
    `a=ice-ufrag:${remote.iceUfrag}`,
    `a=ice-pwd:${remote.icePwd}`,
    `a=fingerprint:${remote.fingerprint}`,
    `a=setup:${remote.setup}`,
  ];
  return `${lines.join('\r\n')}\r\n`;
}

/** Letters that ICE allows (RFC 8839 §5.4), free of characters that SDP tools dislike. */
function iceToken(length: number): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from(randomBytes(length), (byte) => letters[byte % letters.length]!).join('');
}

export async function createTransport(options: TransportOptions): Promise<Transport> {
  const { log, bindAddress } = options;
  const guard =
    <A extends unknown[]>(name: string, run: (...args: A) => void): ((...args: A) => void) =>
    (...args) => {
      try {
        run(...args);
      } catch (error) {
        log.error({ err: error, callback: name }, 'A transport callback failed');
      }
    };
  initLogger('Fatal', guard('log', (level, message) => log.warn({ level }, message)));
  const udpPort = await findUdpPort(options.udpPort, bindAddress);
  // Keeps the port ours while nobody publishes.
  const holder = new IceUdpMuxListener(udpPort, bindAddress);
  holder.onUnhandledStunRequest(guard('stun', () => undefined));

  const accept = (name: string, remote: RemoteTransport, events: TransportPeerEvents): TransportPeer => {
    const pc = new PeerConnection(name, {
      iceServers: [],
      enableIceUdpMux: true,
      portRangeBegin: udpPort,
      portRangeEnd: udpPort,
      disableAutoNegotiation: true,
      ...(bindAddress === undefined ? {} : { bindAddress }),
    });
    // Native code never lets go of its callbacks: what they lead to would stay for ever, a whole session each.
    let listener: TransportPeerEvents | null = events;
    const close = (): void => {
      if (listener === null) return;
      listener = null;
      guard('close', () => pc.close())();
    };
    try {
      let fingerprint: string | null = null;
      let setup: string | null = null;
      pc.onLocalDescription(
        guard('description', (sdp: string) => {
          fingerprint ??= /^a=fingerprint:(.+)$/m.exec(sdp)?.[1]?.trim() ?? null;
          setup ??= /^a=setup:(.+)$/m.exec(sdp)?.[1]?.trim() ?? null;
        }),
      );
      pc.onStateChange(
        guard('state', (state: string) => {
          if (state === 'connected') listener?.onUp();
          if (state === 'failed' || state === 'closed') listener?.onGone();
        }),
      );
      const video = new Video('0', 'RecvOnly');
      video.addH264Codec(96, wantedH264);
      const track = pc.addTrack(video);
      track.onMessage(guard('packet', (packet: Buffer) => listener?.onPacket(packet)));
      const local = { iceUfrag: iceToken(8), icePwd: iceToken(32) };
      pc.setRemoteDescription(syntheticOffer(remote), 'offer');
      pc.setLocalDescription('answer', local);
      const described = pc.localDescription()?.sdp ?? '';
      fingerprint ??= /^a=fingerprint:(.+)$/m.exec(described)?.[1]?.trim() ?? null;
      setup ??= /^a=setup:(.+)$/m.exec(described)?.[1]?.trim() ?? null;
      if (fingerprint === null) throw new Error('libdatachannel gave no fingerprint');
      return {
        local: { ...local, fingerprint, setup: setup === 'passive' ? 'passive' : 'active' },
        send: (packet) => {
          try {
            return listener !== null && track.isOpen() && track.sendMessageBinary(packet);
          } catch (error) {
            log.warn({ err: error }, 'An RTCP packet could not be sent');
            return false;
          }
        },
        close,
      };
    } catch (error) {
      close();
      throw error;
    }
  };

  return {
    udpPort,
    accept,
    stop: () => {
      guard('stop', () => holder.stop())();
      guard('cleanup', () => cleanup())();
    },
  };
}
