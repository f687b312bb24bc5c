/** Headers by which proxies, tunnels and content networks show themselves. */
const PROXY_HEADER = /^(x-forwarded($|-)|forwarded$|via$|x-real-ip$|x-client-ip$|true-client-ip$|cf-)/;

/** @param name in lower case, as Node.js gives it */
export function isProxyHeader(name: string): boolean {
  return PROXY_HEADER.test(name);
}
