/**
 * What each answer forbids browsers to do with it (H9): what helmet sets, worked out once. Working it out for each
 * request cost more than asking whose request it is.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import helmet from 'helmet';

const setSafeHeaders = helmet({
  // For data. Pages bring a policy of their own, which takes the place of this one.
  contentSecurityPolicy: { directives: { defaultSrc: ["'none'"], frameAncestors: ["'self'"], imgSrc: ["'self'"] } },
  crossOriginEmbedderPolicy: false,
  crossOriginResourcePolicy: { policy: 'same-origin' },
  xFrameOptions: { action: 'sameorigin' },
  // Over plain http on the own machine there is nothing to upgrade to; a proxy in front sets it.
  strictTransportSecurity: false,
  referrerPolicy: { policy: 'strict-origin-when-cross-origin' },
});

export const SAFE_HEADERS: ReadonlyArray<readonly [name: string, value: string]> = workOut();

function workOut(): Array<[name: string, value: string]> {
  const headers: Array<[name: string, value: string]> = [];
  const answer = {
    setHeader: (name: string, value: string) => headers.push([name, value]),
    removeHeader: () => {},
  } as unknown as ServerResponse;
  setSafeHeaders({} as IncomingMessage, answer, (error) => {
    if (error !== undefined) throw error;
  });
  return headers;
}
