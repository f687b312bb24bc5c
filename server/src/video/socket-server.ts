/** What the sockets of viewers and publishers have in common: one subprotocol, bounded messages, an end in time. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { refuseUpgrade } from '../http/upgrade.ts';

/** What a closing client has to answer in. Shorter may lose the close code on a slow line, longer keeps dead lines. */
const closeLingerMs = 2_000;
const lookEveryMs = 20;

/** @param maxMessageBytes of a client's message; a larger one closes its socket */
export function createSocketServer(subprotocol: string, maxMessageBytes: number): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    clientTracking: true,
    // Costs 100 times the write itself per viewer, and video does not shrink.
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
  });
}

/** Refuses who offers other subprotocols only. @returns whether it did */
export function refusesProtocol(request: IncomingMessage, socket: Duplex, subprotocol: string): boolean {
  const offered = request.headers['sec-websocket-protocol'];
  if (offered === undefined || offered.split(',').some((name) => name.trim() === subprotocol)) return false;
  refuseUpgrade(socket, 'request.invalid', { detail: `This server speaks ${subprotocol}.` });
  return true;
}

/** Says why, and cuts who does not answer. */
export function closeSoon(webSocket: WebSocket, code: number): void {
  webSocket.close(code);
  const cut = setTimeout(() => webSocket.terminate(), closeLingerMs);
  cut.unref();
  webSocket.once('close', () => clearTimeout(cut));
}

/** Waits for clients that have been told to go, and cuts those that do not. */
export async function endSockets(server: WebSocketServer): Promise<void> {
  for (let waitedMs = 0; server.clients.size > 0 && waitedMs < closeLingerMs; waitedMs += lookEveryMs) {
    await new Promise((done) => setTimeout(done, lookEveryMs));
  }
  for (const webSocket of server.clients) webSocket.terminate();
  server.close();
}
