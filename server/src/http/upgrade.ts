/**
 * Hands WebSocket upgrades of the one public port to whoever registered the path.
 *
 * Fastify does not see upgrades, so what it does for requests is done here: unknown paths are answered with 404, pages
 * of other sites with 403 (a browser sends cookies along with a foreign page's WebSocket), and one address may hold
 * only so many sockets at a time.
 */
import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import proxyAddr from '@fastify/proxy-addr';
import type { RefusalCode } from '@nacre/contract/refusals';
import { networkOf } from './client-network.ts';
import { PROBLEM_TYPE, problemOf } from './error-reply.ts';

export type UpgradeParams = Readonly<Record<string, string>>;

/**
 * Owns the socket from now on: upgrades it, or refuses it with `refuseUpgrade`. A throw is logged and answered with
 * 500.
 */
export type UpgradeHandler = (
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  params: UpgradeParams,
) => void | Promise<void>;

export interface Upgrades {
  /** Registers a path such as `/live/:showId/socket`; a parameter is one segment of 1–64 letters, digits, `-`, `_`. */
  route(path: string, handler: UpgradeHandler): void;
  /** Takes the server's upgrades from now on. */
  listenOn(server: Server): void;
  /** Sockets open now, over all paths. */
  open(): number;
  /** Takes no more upgrades; open sockets are their owners' to close. */
  stop(): void;
}

/**
 * A household, an office or a mobile carrier's gateway shares one address: fewer would turn real viewers away. More
 * would let one machine take all the places that a process has.
 */
export const defaultSocketsPerAddress = 2_000;

/** A client that does not read its refusal is cut after this. Shorter may lose the answer, longer keeps sockets. */
const refusalLingerMs = 1_000;

export function createUpgrades(deps: {
  log: { error(fields: object, message: string): void };
  /**
   * Hosts or addresses of proxies, as Fastify takes them: what these say of the client's address (X-Forwarded-For) and
   * of the host that was asked (X-Forwarded-Host) is believed. False for none.
   */
  trustProxy?: string | boolean;
  socketsPerAddress?: number;
}): Upgrades {
  const trusts = trustOf(deps.trustProxy ?? false);
  const socketsPerAddress = deps.socketsPerAddress ?? defaultSocketsPerAddress;
  const routes: { pattern: RegExp; handler: UpgradeHandler }[] = [];
  const perAddress = new Map<string, number>();
  let openSockets = 0;
  let server: Server | null = null;

  function take(address: string, socket: Duplex): void {
    openSockets += 1;
    perAddress.set(address, (perAddress.get(address) ?? 0) + 1);
    socket.once('close', () => {
      openSockets -= 1;
      const left = (perAddress.get(address) ?? 1) - 1;
      if (left > 0) perAddress.set(address, left);
      else perAddress.delete(address);
    });
  }

  function onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Without a listener an error of the socket would end the process.
    socket.on('error', () => socket.destroy());
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    const found = match(routes, path);
    if (!found) return refuseUpgrade(socket, 'request.not_found');
    const origin = request.headers.origin;
    if (origin !== undefined && !isSameHost(origin, hostOf(request, trusts))) {
      return refuseUpgrade(socket, 'request.origin');
    }
    const address = networkOf(proxyAddr(request, trusts));
    if ((perAddress.get(address) ?? 0) >= socketsPerAddress) {
      return refuseUpgrade(socket, 'request.too_many', { detail: 'Too many sockets are open from this address.' });
    }
    take(address, socket);
    void (async () => found.handler(request, socket, head, found.params))().catch((error: unknown) => {
      deps.log.error({ err: error, path }, 'an upgrade failed');
      refuseUpgrade(socket, 'server.failed');
    });
  }

  return {
    route(path, handler) {
      const source = path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:(\w+)/g, '(?<$1>[A-Za-z0-9_-]{1,64})');
      routes.push({ pattern: new RegExp(`^${source}$`), handler });
    },
    listenOn(target) {
      server = target;
      target.on('upgrade', onUpgrade);
    },
    open: () => openSockets,
    stop() {
      server?.off('upgrade', onUpgrade);
      server = null;
    },
  };
}

/**
 * Answers an upgrade with problem details (RFC 9457) and closes the connection.
 *
 * @param more.detail a sentence for whoever wrote the client; more.retryAfterSeconds when another try may succeed
 */
export function refuseUpgrade(
  socket: Duplex,
  code: RefusalCode,
  more: { detail?: string; retryAfterSeconds?: number } = {},
): void {
  if (socket.destroyed || socket.writableEnded) return;
  const problem = problemOf(code);
  const body = JSON.stringify(more.detail === undefined ? problem : { ...problem, detail: more.detail });
  const lines = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? 'Refused'}`,
    'Connection: close',
    'Cache-Control: no-store',
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(more.retryAfterSeconds === undefined ? [] : [`Retry-After: ${more.retryAfterSeconds}`]),
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
  const cut = setTimeout(() => socket.destroy(), refusalLingerMs);
  cut.unref();
  socket.once('close', () => clearTimeout(cut));
}

function match(
  routes: readonly { pattern: RegExp; handler: UpgradeHandler }[],
  path: string,
): { handler: UpgradeHandler; params: UpgradeParams } | null {
  for (const { pattern, handler } of routes) {
    const found = pattern.exec(path);
    if (found) return { handler, params: found.groups ?? {} };
  }
  return null;
}

type Trust = (address: string, hop: number) => boolean;

function trustOf(trustProxy: string | boolean): Trust {
  if (typeof trustProxy === 'boolean') return () => trustProxy;
  return proxyAddr.compile(trustProxy.split(',').map((name) => name.trim()));
}

function hostOf(request: IncomingMessage, trusts: Trust): string {
  const told = request.headers['x-forwarded-host'];
  if (told !== undefined && trusts(request.socket.remoteAddress ?? '', 0)) {
    // Each proxy adds what it saw at the end: the last one is the trusted one's.
    return String(told).split(',').at(-1)?.trim().toLowerCase() ?? '';
  }
  return request.headers.host?.toLowerCase() ?? '';
}

function isSameHost(origin: string, host: string): boolean {
  return URL.parse(origin)?.host === host;
}
