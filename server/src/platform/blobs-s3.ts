/**
 * Blobs in an object store that speaks S3's protocol (AWS Signature Version 4, path-style addresses). A PUT there is
 * all or nothing by itself; its SHA-256 travels along and is signed, so that a byte that changed on the way is refused.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { setTimeout as sleep } from 'node:timers/promises';
import { S3mini } from 's3mini';
import { isBlobKey, type Blobs } from './blobs.ts';
import { StartRefusal } from './start-refusal.ts';

export interface S3Settings {
  /** Of the store, without the bucket. */
  url: string;
  bucket: string;
  key: string;
  secret: string;
  region: string;
}

/** Until an answer begins, a body that is sent included. Shorter gives up on slow lines, longer holds up who waits. */
const ANSWER_WITHIN_MS = 20_000;
/** Before each further try. Stores tell the hasty to slow down (503); more tries would make a request take minutes. */
const RETRY_AFTER_MS = [200, 1_000];

interface S3Deps {
  settings: S3Settings;
  /** For tests. Default: `ANSWER_WITHIN_MS`. */
  answerWithinMs?: number;
}

export function createS3Blobs(deps: S3Deps): Blobs {
  const s3 = connect(deps);
  return {
    async put(key, bytes) {
      mustBeKey(key);
      const sha256 = createHash('sha256').update(bytes).digest('base64');
      await again(() => s3.putObject(key, new Uint8Array(bytes), undefined, undefined, {
        'x-amz-checksum-sha256': sha256,
      }).then(drain));
    },
    async read(key) {
      if (!isBlobKey(key)) return null;
      const response = await again(() => s3.getObjectResponse(key));
      if (response === null) return null;
      const size = Number(response.headers.get('content-length') ?? Number.NaN);
      if (response.body === null || !Number.isSafeInteger(size)) throw new Error('the object store told no length');
      return { size, stream: Readable.fromWeb(response.body as ReadableStream) };
    },
    async remove(key) {
      mustBeKey(key);
      // Some stores say 404 of what is not there, others that it is gone.
      await again(() => s3.deleteObject(key).catch((error: unknown) => {
        if (statusOf(error) !== 404) throw error;
      }));
    },
  };
}

/**
 * Null when the bucket is there and may be used; else why not now, and it may come right.
 * @throws StartRefusal when bucket or key are wrong: everything would look as if it were missing
 */
export async function bucketTrouble(deps: S3Deps): Promise<string | null> {
  const { url, bucket } = deps.settings;
  try {
    if (await again(() => connect(deps).bucketExists())) return null;
  } catch (error) {
    return String(error);
  }
  throw new StartRefusal(`The bucket "${bucket}" at ${url} is not there, or NACRE_S3_KEY and NACRE_S3_SECRET do not `
    + 'open it. The key needs the rights to list the bucket and to read, write and delete what is in it.');
}

/** What is set, or null: blobs are on disk. Half of it was refused with the configuration. */
export function s3SettingsOf(config: {
  s3Url: string | null; s3Bucket: string | null; s3Key: string | null; s3Secret: string | null; s3Region: string;
}): S3Settings | null {
  const { s3Url: url, s3Bucket: bucket, s3Key: key, s3Secret: secret, s3Region: region } = config;
  return url === null || bucket === null || key === null || secret === null
    ? null : { url, bucket, key, secret, region };
}

function connect({ settings, answerWithinMs = ANSWER_WITHIN_MS }: S3Deps): S3mini {
  return new S3mini({
    accessKeyId: settings.key, secretAccessKey: settings.secret, region: settings.region,
    endpoint: `${settings.url.replace(/\/+$/, '')}/${settings.bucket}`,
    fetch: (input, init) => fetchWithin(answerWithinMs, input, init),
  });
}

/** The library's own limit would also cut a body short that a viewer on a thin line reads slowly. */
async function fetchWithin(
  limitMs: number, input: Parameters<typeof fetch>[0], init: RequestInit = {},
): Promise<Response> {
  const late = new AbortController();
  const timer = setTimeout(() => {
    late.abort(new Error(`the object store did not answer within ${limitMs} ms`));
  }, limitMs);
  try {
    // Packed, its length would not be the blob's. Keys and signatures are for this store and no other.
    const headers = { ...init.headers as Record<string, string>, 'accept-encoding': 'identity' };
    return await fetch(input, { ...init, headers, redirect: 'error', signal: late.signal });
  } finally {
    clearTimeout(timer);
  }
}

/** Each of our requests may be done twice. */
async function again<T>(request: () => Promise<T>): Promise<T> {
  for (const pauseMs of RETRY_AFTER_MS) {
    try {
      return await request();
    } catch (error) {
      const status = statusOf(error);
      if (status !== null && status < 500 && status !== 429) throw error;
      await sleep(pauseMs);
    }
  }
  return request();
}

/** Null when no answer came. */
function statusOf(error: unknown): number | null {
  const { status } = error as { status?: unknown };
  return typeof status === 'number' ? status : null;
}

/** A body that nobody reads would hold its connection. */
async function drain(response: Response): Promise<void> {
  await response.body?.cancel();
}

function mustBeKey(key: string): void {
  if (!isBlobKey(key)) throw new Error(`not a blob key: ${key}`);
}
