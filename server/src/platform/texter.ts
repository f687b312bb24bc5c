/**
 * The port for text messages (SMS), and its two implementations: the log, for a server that has nothing to send by, and
 * a POST to any gateway.
 *
 * Invariants: sending waits for another machine, so it is called by jobs only, never in a transaction; what is sent
 * goes to exactly one number.
 */
import type { Log } from './log.ts';

export interface TextMessage {
  /** E.164, as `+8613800138000`. */
  to: string;
  text: string;
  /** For whom the log may keep it, as `viewerOf` names them; null: for nobody. */
  askedBy: string | null;
}

export interface Texter {
  /** Whether a message gets to a telephone; false where it only stands in the log. */
  readonly reaches: boolean;
  /** Messages a day, in all: each costs money, and strangers can ask for them. */
  readonly perDay: number;
  /**
   * `refused`: the gateway does not take this message and never will.
   * Throws when it could not be handed over and another try may help. Twice is two messages.
   */
  send(message: TextMessage): Promise<'sent' | 'refused'>;
  /** What is kept for whoever asked for it, newest first; always empty where messages are really sent. */
  keptFor(askedBy: string): TextMessage[];
  stop(): void;
}

/** Kept by the log in all. A demo has one person or two; more would only hold memory. */
const KEPT_MAX = 10;
/** A gateway takes a second or two. Shorter sends twice what was taken late; longer keeps a code from its minutes. */
const SEND_TIMEOUT_MS = 10_000;
/** What a gateway takes that says nothing else. */
export const PLAIN_BODY = '{"to":"{to}","text":"{text}"}';
/** Of the 4xx, those after which another try may help (RFC 9110, section 15.5.9; RFC 6585, section 4). */
const WORTH_ANOTHER_TRY = new Set([408, 425, 429]);

/** Writes messages to the log, which is then the telephone. @param keeps whether the demo's page may read them. */
export function createLogTexter(deps: { log: Log; keeps: boolean; perDay: number }): Texter {
  const kept: TextMessage[] = [];
  return {
    reaches: false,
    perDay: deps.perDay,
    async send(message) {
      const { to, text } = message;
      deps.log.info({ to, text }, 'a text message, written here because NACRE_SMS_URL is not set');
      if (deps.keeps && message.askedBy !== null) {
        kept.unshift(message);
        kept.splice(KEPT_MAX);
      }
      return 'sent';
    },
    keptFor: (askedBy) => kept.filter((message) => message.askedBy === askedBy),
    stop() {
      kept.length = 0;
    },
  };
}

export interface GatewayDeps {
  /** `user:password@` in it is sent as HTTP Basic (RFC 7617). */
  url: string;
  /** The whole `Authorization` header; null: none, or that of the address. */
  authorization: string | null;
  /** With `{to}` and `{text}`: JSON when it begins with `{` or `[`, else a form. */
  body: string;
  perDay: number;
  log: Log;
}

export function createGatewayTexter(deps: GatewayDeps): Texter {
  const url = new URL(deps.url);
  const basic = Buffer.from(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`);
  const authorization = deps.authorization ?? (url.username === '' ? null : `Basic ${basic.toString('base64')}`);
  url.username = url.password = '';
  const isJson = /^\s*[[{]/.test(deps.body);
  const headers = {
    'content-type': isJson ? 'application/json' : 'application/x-www-form-urlencoded',
    ...(authorization === null ? {} : { authorization }),
  };
  const stopping = new AbortController();
  return {
    reaches: true,
    perDay: deps.perDay,
    async send({ to, text }) {
      const answer = await fetch(url, {
        method: 'POST', headers, body: filled(deps.body, isJson, { to, text }),
        // A code that follows somebody's redirect is a code given away.
        redirect: 'error',
        signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(SEND_TIMEOUT_MS)]),
      });
      // Not read: how each gateway words its answer is its own.
      await answer.body?.cancel();
      if (answer.ok) return 'sent';
      const { status } = answer;
      if (status >= 500 || WORTH_ANOTHER_TRY.has(status)) throw new Error(`the SMS gateway answered ${status}`);
      deps.log.warn({ status }, 'a text message was refused for good');
      return 'refused';
    },
    keptFor: () => [],
    stop: () => stopping.abort(),
  };
}

/** The pattern with its two values, each written as the format wants it. */
function filled(pattern: string, isJson: boolean, values: { to: string; text: string }): string {
  const write = (value: string) => (isJson ? JSON.stringify(value).slice(1, -1) : encodeURIComponent(value));
  return pattern.replaceAll(/\{(to|text)\}/g, (_all, name: 'to' | 'text') => write(values[name]));
}
