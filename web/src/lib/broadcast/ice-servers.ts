/**
 * TURN servers that the server tells by WHIP (RFC 9725 §4.6). A browser needs them before it makes an offer, so they
 * are asked for with OPTIONS, once for some hours: each publication anew would cost it a round trip.
 */

/** Shorter than the names hold (`server/src/video/ice-servers.ts`), so that one is never used at its end. */
const keepMs = 3 * 3_600_000;
/** An answer that takes longer must not hold up a publication that does not need it. */
const answerWithinMs = 3_000;

let known: { whipUrl: string; streamKey: string; untilMs: number; servers: RTCIceServer[] } | null = null;

/** Empty when there are none, or when the server did not say. */
export async function iceServersOf(whipUrl: string, streamKey: string): Promise<RTCIceServer[]> {
  if (known?.whipUrl === whipUrl && known.streamKey === streamKey && performance.now() < known.untilMs) {
    return known.servers;
  }
  try {
    const response = await fetch(whipUrl, {
      method: 'OPTIONS',
      headers: { authorization: `Bearer ${streamKey}` },
      signal: AbortSignal.timeout(answerWithinMs),
    });
    if (!response.ok) return [];
    const servers = readIceServers(response.headers.get('link') ?? '');
    known = { whipUrl, streamKey, untilMs: performance.now() + keepMs, servers };
    return servers;
  } catch {
    // The offer that follows says what is wrong with the network.
    return [];
  }
}

/** Of a `Link` header (RFC 8288) those with `rel="ice-server"`. */
export function readIceServers(link: string): RTCIceServer[] {
  const servers: RTCIceServer[] = [];
  for (const [, url = '', parameters = ''] of link.matchAll(/<([^>]*)>((?:\s*;\s*[\w-]+="[^"]*")*)/g)) {
    const values = new Map([...parameters.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
    if (values.get('rel') !== 'ice-server' || !/^(stun|turn)s?:/.test(url)) continue;
    const [username, credential] = [values.get('username'), values.get('credential')];
    servers.push(username && credential ? { urls: url, username, credential } : { urls: url });
  }
  return servers;
}
