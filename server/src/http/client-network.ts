/** Whom a limit by address counts as one. */
import { normalizeIP } from '@fastify/rate-limit';

/** What a line is given: one machine chooses freely among 2^64 addresses (RFC 6177, RFC 4291 section 2.5.4). */
const IPV6_PREFIX = 64;
/** As some proxies say it in X-Forwarded-For, with the port: each connection would be somebody else. */
const WITH_PORT = /^(?:\[([^\]]+)\](?::\d+)?|([^:]+):\d+)$/;

/** The address without a port, of IPv6 only its network; IPv4 that is written as IPv6 is IPv4. */
export function networkOf(address: string): string {
  return normalizeIP(address.replace(WITH_PORT, '$1$2'), IPV6_PREFIX);
}
