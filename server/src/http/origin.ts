/** Under which address people reach the server: what is set, else where their request came to. */
import type { FastifyRequest } from 'fastify';

/** For a request whose `Host` is no host: somebody tries something, and gets an address that leads nowhere else. */
const NOWHERE = 'http://localhost';

/** `https://host`, without a path. @param publicUrl the setting; null: of the request, as trusted proxies tell it */
export function originOf(request: Pick<FastifyRequest, 'protocol' | 'host'>, publicUrl: string | null): string {
  if (publicUrl !== null) return publicUrl;
  const asked = URL.parse(`${request.protocol}://${request.host}`);
  return asked === null || asked.pathname !== '/' || asked.username !== '' ? NOWHERE : asked.origin;
}
