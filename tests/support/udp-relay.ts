/**
 * A network between a browser's page and the media process, which a test can cut and make slow.
 *
 * Browsers' own "offline" stops HTTP and leaves WebRTC alone, so the page is made to send its media here: the answer's
 * port is replaced by the relay's. As behind a router each sender has a port of its own towards the server, and a new
 * one after the network was away.
 */
import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import type { BrowserContext } from 'playwright-core';

export interface UdpRelay {
  /** Packets that came through from the page. */
  forwarded(): number;
  /** Makes the pages of this context, opened from now on, send their media through the relay. */
  leadThrough(context: BrowserContext): Promise<void>;
  /** Nothing passes any more, in either direction; HTTP neither. */
  cut(context: BrowserContext): Promise<void>;
  mend(context: BrowserContext): Promise<void>;
  stop(): void;
}

const host = '127.0.0.1';

/** Runs in the page. */
function leadMedia({ from, to }: { from: number; to: number }): void {
  type SetAnswer = (this: RTCPeerConnection, answer: RTCSessionDescriptionInit) => Promise<void>;
  const { prototype } = RTCPeerConnection;
  const set: SetAnswer = prototype.setRemoteDescription;
  const setLed: SetAnswer = function ({ type, sdp = '' }) {
    return set.call(this, { type, sdp: sdp.replaceAll(` ${from} `, ` ${to} `) });
  };
  prototype.setRemoteDescription = setLed;
}

/** @param delayMs of each packet, each way */
export async function startUdpRelay(serverPort: number, delayMs = 0): Promise<UdpRelay> {
  const front = createSocket('udp4');
  const ways = new Map<string, Socket>();
  let isCut = false;
  let forwarded = 0;

  const pass = (send: () => void): void => {
    if (isCut) return;
    if (delayMs === 0) send();
    else setTimeout(() => isCut || send(), delayMs);
  };
  const wayOf = (page: RemoteInfo): Socket => {
    const name = `${page.address}:${page.port}`;
    const known = ways.get(name);
    if (known) return known;
    const way = createSocket('udp4');
    way.on('message', (packet) => pass(() => front.send(packet, page.port, page.address)));
    ways.set(name, way);
    return way;
  };
  const forgetWays = (): void => {
    for (const way of ways.values()) way.close();
    ways.clear();
  };

  front.on('message', (packet, page) => {
    pass(() => {
      forwarded += 1;
      wayOf(page).send(packet, serverPort, host);
    });
  });
  await new Promise<void>((resolve) => front.bind(0, host, resolve));
  const { port } = front.address();

  return {
    forwarded: () => forwarded,
    async leadThrough(context) {
      await context.addInitScript(leadMedia, { from: serverPort, to: port });
    },
    async cut(context) {
      isCut = true;
      forgetWays();
      await context.setOffline(true);
    },
    async mend(context) {
      isCut = false;
      await context.setOffline(false);
    },
    stop() {
      isCut = true;
      front.close();
      forgetWays();
    },
  };
}
