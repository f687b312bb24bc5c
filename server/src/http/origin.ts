/** Under which address people reach the server: what is set, else where their request came to. */
import type { FastifyRequest } from 'fastify';
import { usualRtmpPort } from '@nacre/contract/encoder';

/** For a request whose `Host` is no host: somebody tries something, and gets an address that leads nowhere else. */
const NOWHERE = 'http://localhost';

/** `https://host`, without a path. @param publicUrl the setting; null: of the request, as trusted proxies tell it */
export function originOf(request: Pick<FastifyRequest, 'protocol' | 'host'>, publicUrl: string | null): string {
  if (publicUrl !== null) return publicUrl;
  const asked = URL.parse(`${request.protocol}://${request.host}`);
  return asked === null || asked.pathname !== '/' || asked.username !== '' ? NOWHERE : asked.origin;
}

/** Where encoders publish by RTMP; null while they cannot. @param origin of the server, as `originOf` gives it */
export function rtmpUrlAt(origin: string, port: number | null): string | null {
  if (port === null) return null;
  const { hostname } = new URL(origin);
  return `rtmp://${hostname}${port === usualRtmpPort ? '' : `:${port}`}/live`;
}
