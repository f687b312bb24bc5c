/**
 * https and http on one port: whoever types the address without `https://` is led to it instead of seeing a fault of the
 * connection. The first byte tells them apart.
 *
 * Invariants: nothing is answered over http but the way to https; a connection that says nothing, and one that speaks
 * http, lives for seconds.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** The first byte of a TLS connection: a record of type handshake (RFC 8446, section 5.1). No HTTP begins with it. */
const TLS_HANDSHAKE = 22;
/** Shorter cuts off phones on a bad network, longer lets silent connections be held. */
const PLAIN_LIFE_MS = 10_000;
/** Name or address with a port, and nothing that would lead to another place. */
const HOST = /^[\w.:[\]-]+$/;

export interface OnePort {
  /** Ends the connections that are not https. */
  stop(): void;
}

/** @param server one of https that has not been asked to listen yet */
export function answerPlainHttp(server: Server, options: { plainLifeMs?: number } = {}): OnePort {
  const secure = server.listeners('connection');
  const plain = createServer(leadToHttps);
  const sockets = new Set<Socket>();

  function onConnection(socket: Socket): void {
    const cut = () => void socket.destroy();
    const timer = setTimeout(cut, options.plainLifeMs ?? PLAIN_LIFE_MS);
    const forget = () => {
      clearTimeout(timer);
      sockets.delete(socket);
    };
    sockets.add(socket);
    socket.on('error', cut);
    socket.once('close', forget);
    socket.once('readable', () => {
      const first = socket.read(1) as Buffer | null;
      if (first === null) return cut();
      socket.unshift(first);
      if (first[0] !== TLS_HANDSHAKE) return void plain.emit('connection', socket);
      forget();
      socket.off('error', cut);
      for (const listener of secure) listener.call(server, socket);
    });
  }

  server.removeAllListeners('connection');
  server.on('connection', onConnection);
  return {
    stop() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

function leadToHttps(request: IncomingMessage, response: ServerResponse): void {
  const host = request.headers.host ?? '';
  const path = request.url?.startsWith('/') ? request.url : '/';
  const address = HOST.test(host) ? URL.parse(`https://${host}`) : null;
  response.setHeader('Connection', 'close');
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  if (address === null) {
    response.writeHead(400).end('This port speaks https: begin the address with https://\n');
    return;
  }
  // 308 keeps the method (RFC 9110, section 15.4.9), which an encoder's POST needs.
  response.writeHead(308, { Location: `${address.origin}${path}` })
    .end(`This port speaks https: ${address.origin}${path}\n`);
}
