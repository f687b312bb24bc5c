/** One suite for both mailers; SMTP against a real server. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import pino from 'pino';
import { SMTPServer } from 'smtp-server';
import { writeLetter } from './letter.ts';
import { createLog } from './log.ts';
import { createLogMailer, createSmtpMailer, type Mail, type Mailer } from './mailer.ts';

interface Arrived {
  to: string[];
  subject: string;
  text: string;
}

interface Place {
  mailer: Mailer;
  arrived: Arrived[];
}

const LETTER = writeLetter({
  locale: 'ar', subject: 'كلمة مرور جديدة 🐚', paragraphs: ['مرحبًا <b>بك</b>', 'ثانيًا'],
  action: { label: 'افتح', url: 'http://localhost:3000/new-password#abc' }, closing: [],
});
const mail = (changes: Partial<Mail> = {}): Mail => ({ ...LETTER, to: 'mei@example.test', askedBy: null, ...changes });

const ofLog = async (): Promise<Place> => {
  const arrived: Arrived[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const { to, subject, text } = JSON.parse(chunk.toString()) as { to: string; subject: string; text: string };
      arrived.push({ to: [to], subject, text });
      done();
    },
  });
  return { mailer: createLogMailer({ log: pino({ base: undefined }, stream), keeps: false }), arrived };
};

interface Smtp extends Place {
  /** As they came over the wire. */
  raw: string[];
  /** What the server answers to the next recipient, when it is a code. */
  refuse: { code: number | null };
}

const ofSmtp = async (t: TestContext): Promise<Smtp> => {
  const arrived: Arrived[] = [];
  const raw: string[] = [];
  const refuse: Smtp['refuse'] = { code: null };
  const server = new SMTPServer({
    authOptional: true, disabledCommands: ['STARTTLS'],
    onRcptTo(_address, _session, done) {
      const { code } = refuse;
      refuse.code = null;
      done(code === null ? null : Object.assign(new Error('not this one'), { responseCode: code }));
    },
    onData(stream, session, done) {
      let text = '';
      stream.on('data', (chunk: Buffer) => { text += chunk; });
      stream.on('end', () => {
        raw.push(text);
        arrived.push({
          to: session.envelope.rcptTo.map(({ address }) => address),
          subject: subjectOf(text),
          text: partOf(text, 'plain'),
        });
        done();
      });
    },
  });
  const listening = server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const { port } = listening.address() as AddressInfo;
  const mailer = createSmtpMailer({
    url: `smtp://127.0.0.1:${port}`, from: 'Nacre <shop@example.test>', log: createLog('silent', false),
  });
  t.after(async () => {
    mailer.stop();
    await new Promise<void>((resolve) => { server.close(() => resolve()); });
  });
  return { mailer, arrived, raw, refuse };
};

/** RFC 2047 words, as far as mails of ours have them. */
function subjectOf(raw: string): string {
  const line = /^Subject: ((?:.*)(?:\r\n[ \t].*)*)/m.exec(raw)?.[1] ?? '';
  return line.replace(/\r\n/g, '').replace(/\?=\s+=\?/g, '?==?').replace(/=\?UTF-8\?([BQ])\?(.*?)\?=/gi,
    (_whole, kind: string, words: string) => (kind.toUpperCase() === 'B' ? Buffer.from(words, 'base64').toString()
      : quotedPrintable(words.replaceAll('_', ' '))));
}

function partOf(raw: string, kind: 'plain' | 'html'): string {
  const boundary = /boundary="([^"]+)"/.exec(raw)?.[1] ?? '';
  const part = raw.split(`--${boundary}`).find((piece) => piece.includes(`Content-Type: text/${kind}`)) ?? '';
  const [head = '', ...body] = part.split('\r\n\r\n');
  const text = body.join('\r\n\r\n').replace(/\r\n$/, '');
  const decoded = /encoding: base64/i.test(head) ? Buffer.from(text, 'base64').toString()
    : /encoding: quoted-printable/i.test(head) ? quotedPrintable(text) : text;
  return decoded.replaceAll('\r\n', '\n');
}

function quotedPrintable(text: string): string {
  const bytes = text.replace(/=\r\n/g, '').replace(/(?:=[0-9A-F]{2})+/gi, (run) =>
    Buffer.from(run.replaceAll('=', ''), 'hex').toString());
  return bytes;
}

for (const [name, open] of [['log', ofLog], ['smtp', ofSmtp]] as const) {
  describe(`mailer: ${name}`, () => {
    it('[P90] a mail arrives as it was written, once, in any script', async (t) => {
      const { mailer, arrived } = await open(t);
      assert.equal(await mailer.send(mail()), 'sent');
      assert.deepEqual(arrived.map((one) => ({ ...one, text: one.text.trim() })), [
        { to: ['mei@example.test'], subject: LETTER.subject, text: LETTER.text.trim() },
      ]);
    });

    it('[P91] a mail goes to exactly one address', async (t) => {
      const { mailer, arrived } = await open(t);
      for (const to of ['mei@example.test, other@example.test', 'mei@example.test\r\nBcc: other@example.test']) {
        await mailer.send(mail({ to })).catch(() => 'refused');
      }
      assert.ok(arrived.every(({ to }) => to.length === 1), JSON.stringify(arrived));
      assert.ok(!arrived.some(({ to }) => to.includes('other@example.test')));
    });

    it('[P92] nothing is kept for a page where the demo is not', async (t) => {
      const { mailer } = await open(t);
      await mailer.send(mail({ askedBy: 'guest/a' }));
      assert.deepEqual(mailer.keptFor('guest/a'), []);
    });
  });
}

it('[P92] in the demo the last ten are kept, each for whoever asked for it', async () => {
  const mailer = createLogMailer({ log: createLog('silent', false), keeps: true });
  await mailer.send(mail({ askedBy: null }));
  for (let n = 0; n < 12; n += 1) await mailer.send(mail({ to: `n${n}@example.test`, askedBy: 'guest/a' }));
  await mailer.send(mail({ to: 'b@example.test', askedBy: 'guest/b' }));
  assert.deepEqual(mailer.keptFor('guest/b').map(({ to }) => to), ['b@example.test']);
  const kept = mailer.keptFor('guest/a').map(({ to }) => to);
  assert.equal(kept.length, 9);
  assert.equal(kept[0], 'n11@example.test');
  assert.deepEqual(mailer.keptFor('null'), []);
});

it('[P93] what is refused for good is not tried again, what may come right is', async (t) => {
  const { mailer, arrived, refuse } = await ofSmtp(t);
  refuse.code = 550;
  assert.equal(await mailer.send(mail()), 'refused');
  refuse.code = 451;
  await assert.rejects(mailer.send(mail()), { responseCode: 451 });
  assert.equal(await mailer.send(mail()), 'sent');
  assert.equal(arrived.length, 1);
  const log = createLog('silent', false);
  const nobody = createSmtpMailer({ url: 'smtp://127.0.0.1:1', from: 'a@example.test', log });
  await assert.rejects(nobody.send(mail()), /ECONNREFUSED/);
  nobody.stop();
});

it('[P94] a mail has text and html, and turns right to left in Arabic', async (t) => {
  const { mailer, raw } = await ofSmtp(t);
  await mailer.send(mail());
  const html = partOf(raw[0] ?? '', 'html');
  assert.match(html, /<html lang="ar" dir="rtl">/);
  assert.match(html, /href="http:\/\/localhost:3000\/new-password#abc"/);
  assert.match(raw[0] ?? '', /^From: Nacre <shop@example\.test>/m);
  assert.match(writeLetter({ locale: 'zh', subject: '', paragraphs: [], action: null, closing: [] }).html,
    /<html lang="zh" dir="ltr">/);
});

it('[P95] nothing in a letter becomes markup or a header', () => {
  const evil = '"><img src=x onerror=alert(1)>\'&';
  const { html, subject } = writeLetter({
    locale: 'en', subject: `Hello\r\nBcc: other@example.test ${evil}`, paragraphs: [evil],
    action: { label: evil, url: `https://example.test/${evil}` }, closing: [evil],
  });
  assert.ok(!html.includes('<img'), html);
  assert.equal(html.match(/&lt;img src=x/g)?.length, 6);
  assert.ok(!/[\r\n]/.test(subject));
});
