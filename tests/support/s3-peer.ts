/**
 * An object store on this machine, as far as blobs ask one: it takes nothing whose signature is not right (AWS
 * Signature Version 4, written from its description and not from the library that signs), and can be made to fail.
 */
import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { S3Settings } from '../../server/src/platform/blobs-s3.ts';

export interface S3Peer {
  settings: S3Settings;
  objects: Map<string, Buffer>;
  /** What the next requests are answered with, then it works again. `silence`: nothing; `cut`: a closed connection. */
  troubles: Array<number | 'silence' | 'cut'>;
  requests: string[];
  stop(): Promise<void>;
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const sha256 = (bytes: string | Buffer, as: 'hex' | 'base64' = 'hex'): string => (
  createHash('sha256').update(bytes).digest(as)
);

export async function createS3Peer(): Promise<S3Peer> {
  const objects = new Map<string, Buffer>();
  const troubles: S3Peer['troubles'] = [];
  const requests: string[] = [];
  const [bucket, key, secret, region] = ['pearls', 'opener', 'hush', 'nowhere-1'];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    const trouble = troubles.shift();
    requests.push(`${request.method} ${request.url}`);
    if (trouble === 'silence') return;
    if (trouble === 'cut') return void request.once('data', () => request.socket.destroy());
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      if (trouble !== undefined) return response.writeHead(trouble).end('<Error><Code>SlowDown</Code></Error>');
      if (!isSigned(request, body, { key, secret, region })) return response.writeHead(403).end();
      return answer(request, response, body);
    });
  });

  function answer({ method, url = '' }: IncomingMessage, response: ServerResponse, body: Buffer): ServerResponse {
    const [, inBucket, name = ''] = /^\/([^/]+)(?:\/(.*))?$/.exec(url) ?? [];
    if (inBucket !== bucket) return response.writeHead(404).end();
    if (method === 'HEAD' && name === '') return response.writeHead(200).end();
    if (method === 'PUT') {
      objects.set(name, body);
      return response.writeHead(200).end();
    }
    const found = objects.get(name);
    if (method === 'DELETE') {
      objects.delete(name);
      return response.writeHead(found === undefined ? 404 : 204).end();
    }
    if (found === undefined) return response.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>');
    return response.writeHead(200, { 'content-length': found.length }).end(found);
  }

  await new Promise<void>((go) => void server.listen(0, '127.0.0.1', go));
  return {
    settings: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bucket, key, secret, region },
    objects, troubles, requests,
    async stop() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
function isSigned(
  { method, url = '', headers }: IncomingMessage, body: Buffer,
  { key, secret, region }: Omit<S3Settings, 'url' | 'bucket'>,
): boolean {
  const given = /Credential=([^/]+)\/(\d+)\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=(\w+)$/
    .exec(headers.authorization ?? '');
  const [, byKey, day = '', inRegion, names = '', signature] = given ?? [];
  if (byKey !== key || inRegion !== region) return false;
  if (method === 'PUT' && !names.split(';').includes('x-amz-checksum-sha256')) return false;
  if (method === 'PUT' && headers['x-amz-checksum-sha256'] !== sha256(body, 'base64')) return false;
  const [path = '', query = ''] = url.split('?');
  const canonical = [
    method, path, query, ...names.split(';').map((name) => `${name}:${String(headers[name]).trim()}`), '', names,
    headers['x-amz-content-sha256'],
  ].join('\n');
  const scope = `${day}/${region}/s3/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  const signing = hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), 's3'), 'aws4_request');
  return hmac(signing, toSign).toString('hex') === signature;
}
