/**
 * Whether a request may use demo accounts, whose passwords everybody knows: only a browser on this machine, speaking to
 * it directly. Pure.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { isProxyHeader } from '../lib/proxy-header.ts';

/** What is known of a request or an upgrade without believing what a proxy says. */
export interface Origin {
  headers: IncomingHttpHeaders;
  /** Of the socket itself, not of X-Forwarded-For. */
  remoteAddress: string | undefined;
  /** Of HTTP, as Node.js gives it; where it is known. */
  httpVersion?: string;
}

const LOOPBACK = /^(::1|(::ffff:)?127(\.\d{1,3}){3})$/;
/** By host name, so that a name which somebody points at 127.0.0.1 (DNS rebinding) does not open the demo. */
const OWN_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);
/** @param hasDemo whether this installation has a demo at all */
export function mayUseDemo(hasDemo: boolean, { headers, remoteAddress, httpVersion }: Origin): boolean {
  if (!hasDemo) return false;
  // No browser speaks it, and nginx does by default, without a header of its own and with our name as the host.
  if (httpVersion === '1.0') return false;
  if (remoteAddress === undefined || !LOOPBACK.test(remoteAddress)) return false;
  if (Object.keys(headers).some(isProxyHeader)) return false;
  const host = (headers.host ?? headers[':authority'])?.toString().toLowerCase() ?? '';
  return OWN_NAMES.has(host.replace(/:\d{1,5}$/, ''));
}
