import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { covers, ownCertificate, selfMadeCertificate } from './certificate.ts';
import { StartRefusal } from './start-refusal.ts';

const base = mkdtempSync(join(tmpdir(), 'nacre-certificate-'));
after(() => rmSync(base, { recursive: true, force: true }));

const DAY_MS = 24 * 3600_000;
const NOW = new Date('2026-11-26T12:00:00Z');
const inDays = (days: number): Date => new Date(NOW.getTime() + days * DAY_MS);
const needed = ['localhost', '127.0.0.1', '::1', 'pearl.local', '192.0.2.7'];

function folder(name: string): string {
  return mkdtempSync(join(base, `${name}-`));
}

function save(where: string, name: string, text: string): string {
  const file = join(where, name);
  writeFileSync(file, text);
  return file;
}

test('[P80] the certificate is P-256, for all names and addresses, and phones take its length', async () => {
  const where = folder('made');
  const tls = await selfMadeCertificate(where, { needed, welcome: ['2001:db8::7'] }, NOW);
  const certificate = new X509Certificate(tls.certificate);
  for (const name of [...needed, '2001:db8::7']) assert.ok(covers(certificate, name), name);
  assert.ok(!covers(certificate, '192.0.2.8') && !covers(certificate, 'other.local'));
  assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
  assert.ok(certificate.verify(certificate.publicKey) && !certificate.ca);
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1'], 'for servers');
  const days = (certificate.validToDate.getTime() - certificate.validFromDate.getTime()) / DAY_MS;
  assert.ok(days > 365 && days <= 825, `${days} days`);
  assert.ok(certificate.validFromDate < NOW);
  assert.equal(tls.fingerprint, certificate.fingerprint256);
  assert.deepEqual(readdirSync(where), ['lan-certificate.json']);
  assert.equal(statSync(join(where, 'lan-certificate.json')).mode & 0o777, 0o600);
});

test('[P81] the certificate stays while it is good, and is made anew for a new address or near its end', async () => {
  const where = folder('renewed');
  const at = (date: Date, names = needed, welcome: string[] = []) => (
    selfMadeCertificate(where, { needed: names, welcome }, date)
  );
  const first = await at(NOW);
  assert.deepEqual(await at(inDays(300)), first);
  assert.deepEqual(await at(NOW, needed.slice(1)), first, 'an address that went away is no reason');
  assert.deepEqual(await at(NOW, needed, ['2001:db8::9']), first, 'nor one that comes and goes');
  const moved = await at(NOW, [...needed, '192.0.2.99']);
  assert.notEqual(moved.fingerprint, first.fingerprint);
  assert.ok(covers(new X509Certificate(moved.certificate), '192.0.2.99'));
  const late = await at(inDays(720));
  assert.notEqual(late.fingerprint, moved.fingerprint);
  assert.ok(new X509Certificate(late.certificate).validToDate > inDays(1_400));
  const early = await at(inDays(-5));
  assert.notEqual(early.fingerprint, late.fingerprint, 'a clock that was wrong is forgiven');
});

test('[P81] a damaged file is replaced', async () => {
  const where = folder('damaged');
  const first = await selfMadeCertificate(where, { needed, welcome: [] }, NOW);
  const other = await selfMadeCertificate(folder('other'), { needed, welcome: [] }, NOW);
  for (const text of ['{', '{}', JSON.stringify({ certificate: first.certificate, key: other.key })]) {
    save(where, 'lan-certificate.json', text);
    const next = await selfMadeCertificate(where, { needed, welcome: [] }, NOW);
    assert.notEqual(next.fingerprint, first.fingerprint);
  }
});

test('[P82] a certificate of one\'s own is used as it is', async () => {
  const where = folder('own');
  const made = await selfMadeCertificate(folder('source'), { needed, welcome: [] }, NOW);
  const files = { certificate: save(where, 'c.pem', made.certificate), key: save(where, 'k.pem', made.key) };
  const tls = ownCertificate(files, NOW);
  assert.deepEqual(tls, { ...made, isSelfMade: false });
  assert.equal(readFileSync(files.key, 'utf8'), made.key);
});

test('[P82] one that cannot be used is refused in a sentence', async () => {
  const where = folder('refused');
  const made = await selfMadeCertificate(folder('source'), { needed, welcome: [] }, NOW);
  const other = await selfMadeCertificate(folder('source'), { needed, welcome: [] }, NOW);
  const certificate = save(where, 'c.pem', made.certificate);
  const key = save(where, 'k.pem', made.key);
  const text = save(where, 'text.pem', 'not a certificate\n');
  const foreign = save(where, 'other.pem', other.key);
  const gone = join(where, 'gone.pem');
  const refused: [{ certificate: string; key: string }, Date, RegExp][] = [
    [{ certificate: gone, key }, NOW, /The certificate \S+gone\.pem cannot be read: there is no such file.*--cert/],
    [{ certificate: where, key }, NOW, /cannot be read: it is a folder/],
    [{ certificate, key: gone }, NOW, /The key \S+gone\.pem cannot be read: there is no such file.*--key/],
    [{ certificate: text, key }, NOW, /text\.pem holds no certificate/],
    [{ certificate, key: text }, NOW, /text\.pem holds no private key/],
    [{ certificate, key: foreign }, NOW, /key \S+other\.pem does not belong to the certificate \S+c\.pem/],
    [{ certificate, key }, inDays(801), /c\.pem expired on 2029-02-03\. Renew it/],
    [{ certificate, key }, inDays(-2), /c\.pem is valid only from 2026-11-25 on/],
  ];
  for (const [files, now, sentence] of refused) {
    assert.throws(() => ownCertificate(files, now), (error) => {
      assert.ok(error instanceof StartRefusal);
      assert.match(error.message, sentence);
      return true;
    });
  }
});
