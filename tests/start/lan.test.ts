/** `--lan` from a fresh copy: what is printed is what is served, and a certificate that cannot be used is refused. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import test, { after } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';
import { selfMadeCertificate } from '../../server/src/platform/certificate.ts';
import { makeCheckout } from './checkout.ts';

const ANY_PORTS = ['--port', '0', '--udp-port', '0'];

const checkout = makeCheckout();
after(() => checkout.remove());

interface Answer {
  status: number;
  text: string;
  fingerprint: string;
}

/** Trusts that one certificate and no other. */
async function ask(url: string, ca: string, options: { method?: string } = {}): Promise<Answer> {
  const asked = request(url, { ca, agent: false, ...options });
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const { fingerprint256 } = (response.socket as TLSSocket).getPeerCertificate();
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode ?? 0, text, fingerprint: fingerprint256 };
}

/** As it stands in the terminal, on two lines. */
function printedFingerprint(output: string): string {
  return /((?:[0-9A-F]{2}:){16})\s+((?:[0-9A-F]{2}:){15}[0-9A-F]{2})/.exec(output)?.slice(1).join('') ?? '';
}

function keptCertificate(data: string): string {
  return (JSON.parse(readFileSync(join(data, 'lan-certificate.json'), 'utf8')) as { certificate: string }).certificate;
}

test('[H40] [P81] --lan serves page, API, WHIP and sockets with the certificate that it prints', async () => {
  const data = checkout.folder('lan');
  const first = checkout.start({ args: [...ANY_PORTS, '--data', data, '--lan', '--empty=false'] });
  const { port } = new URL(await first.ready());
  const url = `https://127.0.0.1:${port}`;
  const ca = keptCertificate(data);
  assert.equal(statSync(join(data, 'lan-certificate.json')).mode & 0o777, 0o600);
  const health = await ask(`${url}/healthz`, ca);
  assert.equal(health.status, 200);
  assert.equal(printedFingerprint(first.output()), health.fingerprint);
  assert.match(first.output(), /open https:\/\/\S+\/studio\n/);
  assert.match(first.output(), /The demo market is left out/);
  const page = await ask(`${url}/studio`, ca);
  assert.equal(page.status, 200);
  assert.match(page.text, /<html/);
  assert.equal(JSON.parse((await ask(`${url}/api/demo-accounts`, ca)).text).accounts.length, 0);
  assert.equal((await ask(`${url}/whip`, ca, { method: 'POST' })).status, 401);
  const socket = new WebSocket(`wss://127.0.0.1:${port}/realtime`, { ca, origin: url });
  await once(socket, 'open');
  const plain = await fetch(`http://127.0.0.1:${port}/studio`, { redirect: 'manual' });
  assert.deepEqual([plain.status, plain.headers.get('location')], [308, `${url}/studio`]);
  first.process.kill('SIGTERM');
  assert.equal(await first.exit(), 0, first.output());

  const second = checkout.start({ args: [...ANY_PORTS, '--data', data, '--lan'] });
  await second.ready();
  assert.equal(printedFingerprint(second.output()), health.fingerprint, 'the phone need not be asked again');
  second.process.kill('SIGTERM');
  assert.equal(await second.exit(), 0, second.output());
});

test('[P82] a certificate of one\'s own is served; one that cannot be used ends the start in a sentence', async () => {
  const files = checkout.folder('files');
  const make = (name: string, date: Date) => (
    selfMadeCertificate(checkout.folder(name), { needed: ['localhost', '127.0.0.1'], welcome: [] }, date)
  );
  const made = await make('made', new Date());
  const other = await make('other', new Date());
  const old = await make('old', new Date('2020-01-01'));
  const save = (name: string, text: string): string => {
    const file = join(files, name);
    writeFileSync(file, text);
    return file;
  };
  const certificate = save('c.pem', made.certificate);
  const key = save('k.pem', made.key);
  const data = checkout.folder('own-certificate');
  const start = (cert: string, keyFile: string) => (
    checkout.start({ args: [...ANY_PORTS, '--data', data, '--cert', cert, '--key', keyFile] })
  );
  const refused: [string, string, RegExp][] = [
    [join(files, 'gone.pem'), key, /gone\.pem cannot be read: there is no such file\. Check --cert/],
    [certificate, save('other.pem', other.key), /The key \S+other\.pem does not belong to the certificate/],
    [save('old.pem', old.certificate), save('old-key.pem', old.key), /old\.pem expired on 2022-/],
  ];
  for (const [cert, keyFile, sentence] of refused) {
    const nacre = start(cert, keyFile);
    assert.equal(await nacre.exit(), 1);
    assert.match(nacre.output(), sentence);
    assert.doesNotMatch(nacre.output(), /\bat .*\.ts:/, 'no stack');
  }
  assert.equal(existsSync(join(data, 'postgres')), false);
  const half = checkout.start({ args: ['--lan', '--cert', certificate] });
  assert.equal(await half.exit(), 2);

  const nacre = start(certificate, key);
  const url = await nacre.ready();
  assert.match(url, /^https:\/\/localhost:/);
  assert.equal((await ask(`${url}/healthz`, made.certificate)).fingerprint, made.fingerprint);
  nacre.process.kill('SIGTERM');
  assert.equal(await nacre.exit(), 0, nacre.output());
  assert.ok(!readdirSync(data).includes('lan-certificate.json'), 'none is made beside it');
});
