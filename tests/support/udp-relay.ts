/**
 * A network between a browser's page and the media process, which a test can cut and make slow.
 *
 * Browsers' own "offline" stops HTTP and leaves WebRTC alone, so the page is made to send its media here: the answer's
 * port is replaced by the relay's. As behind a router each sender has a port of its own towards the server, and a new
 * one after the network was away.
 */
import type { BrowserContext } from 'playwright-core';
import { openLossyLink, type LossyLink, type Weather } from './lossy-link.ts';

export interface UdpRelay {
  link: LossyLink;
  /** Makes the pages of this context, opened from now on, send their media through the relay. */
  leadThrough(context: BrowserContext): Promise<void>;
  /** Nothing passes any more, in either direction; HTTP neither. */
  cut(context: BrowserContext): Promise<void>;
  mend(context: BrowserContext): Promise<void>;
  stop(): void;
}

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

export async function startUdpRelay(serverPort: number, weather: Weather = {}): Promise<UdpRelay> {
  const link = await openLossyLink({ serverPort, seed: 1, weather });
  return {
    link,
    async leadThrough(context) {
      await context.addInitScript(leadMedia, { from: serverPort, to: link.port });
    },
    async cut(context) {
      link.cut();
      await context.setOffline(true);
    },
    async mend(context) {
      link.mend();
      await context.setOffline(false);
    },
    stop: () => link.stop(),
  };
}
