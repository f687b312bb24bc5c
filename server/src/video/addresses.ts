/** Under which addresses publishers are told to reach the UDP port. */
import { isIP } from 'node:net';

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

/**
 * A server that listens on loopback and has no proxy in front offers loopback only: other machines could not ask it for
 * an answer anyway. With an address of its own it offers that; else all of the machine's. The public ones come first:
 * browsers try in this order.
 *
 * @param known.isPublic others reach it by a public URL
 */
export function addressesToOffer(
  host: string, known: { isPublic: boolean; publicAddresses: string[]; ownAddresses: string[] },
): string[] {
  return [...new Set([...known.publicAddresses, ...localAddresses(host, known)])];
}

function localAddresses(host: string, known: { isPublic: boolean; ownAddresses: string[] }): string[] {
  if (isLoopback(host)) return known.isPublic ? [...known.ownAddresses, '127.0.0.1'] : ['127.0.0.1'];
  if (isIP(host) !== 0 && !/^(0\.0\.0\.0|::)$/.test(host)) return [host];
  // 127.0.0.1 for a publisher on this machine.
  return [...known.ownAddresses, '127.0.0.1'];
}
