/**
 * Answers the most frequent plain GETs (live video by HLS: three hundred thousand a minute for a thousand viewers)
 * straight on the connection, past Node's HTTP server and Fastify, which cost several times what the answer does
 * (docs/decisions/0013-hls-past-the-framework.md).
 *
 * Invariants: whatever is not certainly such a GET – another path or method, a body, an upgrade, more than one request
 * at a time, half a request – goes to Node's server with every byte that came, and so does all that follows on that
 * connection. One answer at a time is under way on a connection, so a client that does not read holds one and no more.
 */
import { STATUS_CODES, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { SAFE_HEADERS } from './safe-headers.ts';

export interface FastAnswer {
  status: number;
  /** Names in lower case. Length, date, connection and what each answer forbids browsers are added. */
  headers: Record<string, string>;
  body: Buffer;
}

/**
 * @param query with its question mark, or empty
 * @returns null for what is not answered here
 */
export type FastPathHandler = (
  path: string, query: string, acceptEncoding: string | undefined,
) => Promise<FastAnswer | null> | null;

export interface FastPath {
  /** Takes the server's connections from now on; once, before it listens. */
  listenOn(server: Server): void;
  /** Connections that it holds: those that have asked for nothing else yet. */
  open(): number;
  /** Ends idle connections at once, the others with their answer. */
  stop(): void;
}

/** A GET's head in front of a proxy or from a browser is 0.5–2 KB; cookies bring it to 8. */
const maxHeadBytes = 16_384;
/** A client that neither asks nor reads is cut. As long as Fastify keeps idle connections. */
const defaultIdleMs = 72_000;
/** After a stop a client has so long to take the next bytes of its answer. Longer holds up the stop. */
const lingerMs = 2_000;

const requestLine = /^GET (\/[^ ?]*)(\?[^ ]*)? HTTP\/1\.1\r\n/;
/** Field lines as RFC 9112 §5 has them, without folding and without bare line ends. */
const fieldLines = /^(?:[\w!#$%&'*+.^`|~-]+:[^\r\n\0]*\r\n)+\r\n$/;
/** What makes of a GET something else: a body, another protocol, the wish to end. Without a host it is refused. */
const isSpecial = /\n(?:content-length|transfer-encoding|expect|upgrade|connection:(?! *keep-alive *\r)|trailer|te:)/i;
const hasHost = /\nhost:/i;
const acceptEncodingLine = /\naccept-encoding: *([^\r\n]*)/i;

const safeLines = SAFE_HEADERS.map(([name, value]) => `${name}: ${value}\r\n`).join('');

export function createFastPath(deps: {
  handler: FastPathHandler;
  /** Unix epoch, ms. */
  now: () => number;
  log: { error(fields: object, message: string): void };
  idleMs?: number;
}): FastPath {
  const { handler, now, log, idleMs = defaultIdleMs } = deps;
  const connections = new Map<Socket, { isBusy: boolean }>();
  let isStopped = false;

  function serve(socket: Socket, handOver: (socket: Socket) => void): void {
    const state = { isBusy: false };
    connections.set(socket, state);
    const close = (): void => void socket.destroy();
    const forget = (): void => void connections.delete(socket);

    /** Node's server has the connection from here on. */
    function release(bytes: Buffer): void {
      connections.delete(socket);
      socket.off('data', onData).off('error', close).off('timeout', close).off('close', forget);
      socket.setTimeout(0);
      socket.pause();
      socket.unshift(bytes);
      handOver(socket);
      socket.resume();
    }

    /** Another request before the first has its answer: in order, and not by us. */
    let early: Buffer | null = null;

    async function answer(request: Buffer, asked: Promise<FastAnswer | null>): Promise<void> {
      state.isBusy = true;
      const found = await asked.catch((error: unknown) => {
        log.error({ err: error }, 'a request failed on the fast path');
        return null;
      });
      state.isBusy = false;
      if (socket.destroyed) return;
      if (found === null) return release(early === null ? request : Buffer.concat([request, early]));
      write(socket, found, { atMs: now(), isLast: isStopped });
      if (isStopped) return endSoon(socket);
      if (early !== null) release(early);
      else if (socket.writableNeedDrain) drained(socket);
    }

    function onData(bytes: Buffer): void {
      if (state.isBusy) {
        early = early === null ? bytes : Buffer.concat([early, bytes]);
        socket.pause();
        return;
      }
      const asked = isStopped ? null : readRequest(bytes, handler);
      if (asked === null) release(bytes);
      else void answer(bytes, asked);
    }

    socket.setTimeout(idleMs);
    socket.on('data', onData).on('error', close).on('timeout', close).on('close', forget);
  }

  return {
    listenOn(server) {
      // With a certificate it is the decrypted connection that speaks HTTP.
      const event = 'setSecureContext' in server ? 'secureConnection' : 'connection';
      const listeners = server.listeners(event);
      server.removeAllListeners(event);
      server.on(event, (socket: Socket) => serve(socket, () => {
        for (const listener of listeners) listener.call(server, socket);
      }));
    },
    open: () => connections.size,
    stop() {
      isStopped = true;
      for (const [socket, { isBusy }] of connections) if (!isBusy) endSoon(socket);
    },
  };
}

/** Null when it is not one whole plain GET, or not one of those that are answered here. */
function readRequest(bytes: Buffer, handler: FastPathHandler): Promise<FastAnswer | null> | null {
  if (bytes.length > maxHeadBytes) return null;
  const head = bytes.toString('latin1');
  const [line, path, query = ''] = requestLine.exec(head) ?? [];
  if (line === undefined || path === undefined) return null;
  const fields = head.slice(line.length);
  if (!fieldLines.test(fields)) return null;
  // With the end of the request line, so that each field begins behind a line end.
  const lines = head.slice(line.length - 1);
  if (isSpecial.test(lines) || !hasHost.test(lines)) return null;
  return handler(path, query, acceptEncodingLine.exec(lines)?.[1]);
}

function write(
  socket: Socket, { status, headers, body }: FastAnswer, { atMs, isLast }: { atMs: number; isLast: boolean },
): void {
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
  for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
  head += `content-length: ${body.length}\r\ndate: ${new Date(atMs).toUTCString()}\r\n`
    + `connection: ${isLast ? 'close' : 'keep-alive'}\r\n${safeLines}\r\n`;
  socket.cork();
  socket.write(head, 'latin1');
  socket.write(body);
  socket.uncork();
}

function endSoon(socket: Socket): void {
  socket.setTimeout(lingerMs);
  socket.destroySoon();
}

/** Reads on once the answer has been taken. */
function drained(socket: Socket): void {
  socket.pause();
  socket.once('drain', () => socket.resume());
}
