/** Under which addresses publishers are told to reach the UDP port. */
import { isIP } from 'node:net';

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

/**
 * A server that listens on loopback offers loopback only: other machines could not ask it for an answer anyway. With an
 * address of its own it offers that; else all of the machine's. The public ones come first: browsers try in this order.
 */
export function addressesToOffer(
  host: string, known: { publicAddresses: string[]; ownAddresses: string[] },
): string[] {
  return [...new Set([...known.publicAddresses, ...localAddresses(host, known.ownAddresses)])];
}

function localAddresses(host: string, ownAddresses: string[]): string[] {
  if (isLoopback(host)) return ['127.0.0.1'];
  if (isIP(host) !== 0 && !/^(0\.0\.0\.0|::)$/.test(host)) return [host];
  // 127.0.0.1 for a publisher on this machine.
  return [...ownAddresses, '127.0.0.1'];
}
