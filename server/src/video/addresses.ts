/** Under which addresses publishers are told to reach the UDP port. */
import { isIP } from 'node:net';

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

/**
 * A server that listens on loopback offers loopback only: other machines could not ask it for an answer anyway. With an
 * address of its own it offers that; else the media process finds the machine's.
 * @param mediaHost the configured public address, which is offered first.
 */
export function addressesToOffer(host: string, mediaHost: string | null): string[] | undefined {
  const own = isLoopback(host) ? ['127.0.0.1'] : isIP(host) !== 0 && !/^(0\.0\.0\.0|::)$/.test(host) ? [host] : null;
  if (mediaHost !== null) return [mediaHost, ...(own ?? ['127.0.0.1'])];
  return own ?? undefined;
}
