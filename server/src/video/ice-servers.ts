/**
 * TURN servers for publishers who cannot reach our UDP port, with names and passwords that hold for hours: coturn's
 * REST scheme (draft-uberti-behave-turn-rest-00), told by WHIP in `Link` headers (RFC 9725 §4.6).
 */
import { createHmac } from 'node:crypto';

export interface IceServer {
  /** `turn:` or `turns:` (RFC 7065). */
  url: string;
  username: string;
  credential: string;
}

/**
 * From when a name is given out until it opens no more connections; those that are open stay. Shorter than a show makes
 * its return after a lost network fail; longer lets a name that leaked be used for longer.
 */
export const turnValidSeconds = 6 * 3_600;

/** @param nowMs Unix epoch; @param who appears in the TURN server's log: the show, not a person */
export function iceServersFor(
  turn: { urls: readonly string[]; secret: string } | null, who: string, nowMs: number,
): IceServer[] {
  if (turn === null) return [];
  const username = `${Math.floor(nowMs / 1000) + turnValidSeconds}:${who}`;
  const credential = createHmac('sha1', turn.secret).update(username).digest('base64');
  return turn.urls.map((url) => ({ url, username, credential }));
}

/** The value of one `Link` header (RFC 8288) that names them all; null when there is none. */
export function iceServerLinks(servers: readonly IceServer[]): string | null {
  if (servers.length === 0) return null;
  return servers.map(({ url, username, credential }) => (
    `<${url}>; rel="ice-server"; username="${username}"; credential="${credential}"; credential-type="password"`
  )).join(', ');
}
