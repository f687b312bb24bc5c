/** Under which address people reach the server: what is set, else where their request came to. */
import type { FastifyRequest } from 'fastify';

/** `https://host`, without a path. @param publicUrl the setting; null: of the request, as trusted proxies tell it */
export function originOf(request: Pick<FastifyRequest, 'protocol' | 'host'>, publicUrl: string | null): string {
  return publicUrl ?? `${request.protocol}://${request.host}`;
}
