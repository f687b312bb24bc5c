/** Somebody else's object store that checks signatures in its own way: moto (pip install 'moto[server]'). */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { S3Settings } from '../../server/src/platform/blobs-s3.ts';
import { freePort } from './nacre.ts';

/** Python takes its time to load it all. */
const startWithinMs = 60_000;

/** With a bucket and the one key that opens it; null where there is no moto. */
export async function startMoto(): Promise<{ settings: S3Settings; stop(): void } | null> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  // The first four requests are the ones below; from then on keys are checked.
  const env = { ...process.env, INITIAL_NO_AUTH_ACTION_COUNT: '4' };
  const child = spawn('moto_server', ['-p', String(port)], { env, stdio: 'ignore' });
  const missing = new Promise<'missing'>((resolve) => child.once('error', () => resolve('missing')));
  const started = (async () => {
    for (let waitedMs = 0; waitedMs < startWithinMs; waitedMs += 200) {
      if (child.exitCode !== null) return 'missing';
      if (await fetch(`${url}/moto-api/`).then(({ ok }) => ok, () => false)) return 'there';
      await sleep(200);
    }
    child.kill();
    throw new Error('moto did not start');
  })();
  if ((await Promise.race([missing, started])) === 'missing') return null;

  const scope = (service: string) => ({
    authorization: `AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, `
      + 'Signature=x',
  });
  const iam = async (fields: Record<string, string>): Promise<string> => {
    const answer = await fetch(url, {
      method: 'POST', headers: scope('iam'),
      body: new URLSearchParams({ Version: '2010-05-08', UserName: 'nacre', ...fields }),
    });
    if (!answer.ok) throw new Error(`moto: ${await answer.text()}`);
    return answer.text();
  };
  await iam({ Action: 'CreateUser' });
  const may = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] };
  await iam({ Action: 'PutUserPolicy', PolicyName: 'all', PolicyDocument: JSON.stringify(may) });
  const keys = await iam({ Action: 'CreateAccessKey' });
  const bucket = await fetch(`${url}/pearls`, { method: 'PUT', headers: scope('s3') });
  if (!bucket.ok) throw new Error(`moto: ${await bucket.text()}`);
  const part = (name: string): string => new RegExp(`<${name}>([^<]+)<`).exec(keys)?.[1] ?? '';
  return {
    settings: { url, bucket: 'pearls', key: part('AccessKeyId'), secret: part('SecretAccessKey'), region: 'us-east-1' },
    stop: () => void child.kill('SIGKILL'),
  };
}
