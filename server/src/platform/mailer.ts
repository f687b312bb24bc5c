/**
 * The port for mail, and its two implementations: the log, for a server that has nothing to send by, and SMTP.
 *
 * Invariants: sending waits for another machine, so it is called by jobs only, never in a transaction; a mail goes to
 * exactly one address, whatever is written in it.
 */
import { createTransport } from 'nodemailer';
import type { Letter } from './letter.ts';
import type { Log } from './log.ts';

export interface Mail extends Letter {
  /** One e-mail address. */
  to: string;
  /** For whom the log mailer may keep it, as `viewerOf` names them; null: for nobody. */
  askedBy: string | null;
}

export interface Mailer {
  /**
   * `refused`: the receiving side does not take this mail and never will.
   * Throws when it could not be handed over and another try may help. Twice is two mails.
   */
  send(mail: Mail): Promise<'sent' | 'refused'>;
  /** What is kept for whoever asked for it, newest first; always empty where mail is really sent. */
  keptFor(askedBy: string): Mail[];
  stop(): void;
}

/** Kept by the log mailer in all. A demo has one person or two; more would only hold memory. */
const KEPT_MAX = 10;
/** Side by side to one server: most take three from one address; more are held off there. */
const CONNECTIONS_MAX = 3;
/** Three steps of this stay below the time a job may take; shorter gives up on slow servers that greet late. */
const STEP_TIMEOUT_MS = 15_000;
/** From here on an SMTP answer is for good (RFC 5321, section 4.2.1). */
const PERMANENT_FROM = 500;

/** Writes mails to the log, which is then the letter box. @param keeps whether the demo's page may read them. */
export function createLogMailer(deps: { log: Log; keeps: boolean }): Mailer {
  const kept: Mail[] = [];
  return {
    async send(mail) {
      const { to, subject, text } = mail;
      deps.log.info({ to, subject, text }, 'a mail, written here because NACRE_SMTP_URL is not set');
      if (deps.keeps && mail.askedBy !== null) {
        kept.unshift(mail);
        kept.splice(KEPT_MAX);
      }
      return 'sent';
    },
    keptFor: (askedBy) => kept.filter((mail) => mail.askedBy === askedBy),
    stop() {
      kept.length = 0;
    },
  };
}

/** @param from `Name <address>` or an address alone. */
export function createSmtpMailer(deps: { url: string; from: string; log: Log }): Mailer {
  const transport = createTransport({
    url: deps.url,
    pool: true,
    maxConnections: CONNECTIONS_MAX,
    connectionTimeout: STEP_TIMEOUT_MS,
    greetingTimeout: STEP_TIMEOUT_MS,
    socketTimeout: STEP_TIMEOUT_MS,
    // Nothing in a mail may make this machine read a file or fetch an address.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async send({ to, subject, text, html }) {
      try {
        // As an object: in a string a comma would be a second address.
        await transport.sendMail({ from: deps.from, to: { name: '', address: to }, subject, text, html });
        return 'sent';
      } catch (error) {
        const { code, responseCode } = error as { code?: string; responseCode?: number };
        if (code !== 'EENVELOPE' || (responseCode ?? 0) < PERMANENT_FROM) throw error;
        deps.log.warn({ responseCode }, 'a mail was refused for good');
        return 'refused';
      }
    },
    keptFor: () => [],
    stop: () => transport.close(),
  };
}
