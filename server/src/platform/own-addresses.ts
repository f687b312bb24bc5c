/** Under which addresses other machines of the network reach this one. */
import { networkInterfaces } from 'node:os';

type Interfaces = ReturnType<typeof networkInterfaces>;

/** Bridges of containers and virtual machines, tunnels: other machines' business, or nobody's. */
const VIRTUAL = /^(docker|br-|veth|virbr|vmnet|vboxnet|bridge|lxc|podman|cni|tun|tap|utun|wg|zt)/;

/**
 * Without loopback, and without link-local ones, which no address bar takes. The likeliest for a phone comes first:
 * IPv4 of a real network card, then IPv4 of what is virtual, then IPv6.
 */
export function ownAddresses(interfaces: Interfaces = networkInterfaces()): string[] {
  return ranked(interfaces).map(({ address }) => address);
}

/** Only the IPv4 ones of real network cards: those that stay for as long as the machine is in the same network. */
export function lastingAddresses(interfaces: Interfaces = networkInterfaces()): string[] {
  return ranked(interfaces).filter(({ rank }) => rank === 0).map(({ address }) => address);
}

function ranked(interfaces: Interfaces): { address: string; rank: number }[] {
  const rank = (name: string, family: string): number => (family === 'IPv4' ? 0 : 2) + (VIRTUAL.test(name) ? 1 : 0);
  return Object.entries(interfaces)
    .flatMap(([name, entries]) => (entries ?? []).map((entry) => ({ ...entry, rank: rank(name, entry.family) })))
    .filter((entry) => !entry.internal && !/^(fe80|169\.254)/i.test(entry.address))
    .sort((a, b) => a.rank - b.rank);
}

/** The host that means all addresses: of both kinds, where the system knows IPv6. */
export function everyAddress(interfaces: Interfaces = networkInterfaces()): '::' | '0.0.0.0' {
  const hasIPv6 = Object.values(interfaces).some((entries) => entries?.some(({ family }) => family === 'IPv6'));
  return hasIPv6 ? '::' : '0.0.0.0';
}

export function isEveryAddress(host: string): boolean {
  return host === '::' || host === '0.0.0.0';
}
