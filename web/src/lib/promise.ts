/** What an order was promised, as the server keeps it, with the fingerprint of the file. */
import type { OrderPromise } from '@nacre/contract/promise';
import { api, ask } from './api.ts';

export type PromiseReader = 'buyer' | 'shop';

export interface Promised {
  promise: OrderPromise;
  /** SHA-256 in hexadecimal, as `sha256sum` writes it; empty where the answer named none. */
  fingerprint: string;
}

/** Where the file lies. */
export const promiseHref = (reader: PromiseReader, orderId: string): string =>
  `/api/${reader === 'shop' ? 'office/' : ''}orders/${orderId}/promise`;

export async function loadPromise(reader: PromiseReader, orderId: string): Promise<Promised> {
  const params = { params: { path: { orderId } } };
  let digest: string | null = null;
  const answer =
    reader === 'shop'
      ? api.GET('/api/office/orders/{orderId}/promise', params)
      : api.GET('/api/orders/{orderId}/promise', params);
  const promise = await ask(
    answer.then((got) => {
      digest = got.response.headers.get('repr-digest');
      return got;
    }),
  );
  return { promise: promise as OrderPromise, fingerprint: fingerprintOf(digest) };
}

/** Of `Repr-Digest` (RFC 9530). */
export function fingerprintOf(digest: string | null): string {
  const base64 = /sha-256=:([A-Za-z0-9+/=]+):/.exec(digest ?? '')?.[1];
  if (base64 === undefined) return '';
  return [...atob(base64)].map((sign) => sign.charCodeAt(0).toString(16).padStart(2, '0')).join('');
}
