/** A client of the API, as a browser that is signed in. */
import type { Client } from './nacre.ts';

/** For `context.addCookies`; none for a guest. */
export function cookiesOf(client: Pick<Client, 'cookie'> | null, url: string) {
  return (client?.cookie() ?? '').split('; ').filter((pair) => pair !== '').map((pair) => {
    const at = pair.indexOf('=');
    return { name: pair.slice(0, at), value: pair.slice(at + 1), url };
  });
}
