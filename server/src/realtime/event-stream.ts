/**
 * The room without WebSockets: the same messages as server-sent events (WHATWG HTML §9.2), the page's own by POST. For
 * networks that let no socket through. Costs a request per join; nothing else of the room differs.
 */
import type { ServerResponse } from 'node:http';
import { randomBytes } from 'node:crypto';
import type { FastifyPluginAsync } from 'fastify';
import { viewerOf, type Actor } from '../http/actor.ts';
import { payloadOf } from '../http/websocket-frame.ts';
import { Refusal } from '../lib/refusal.ts';
import { CLOSE } from '@nacre/contract/realtime';
import type { Connection } from './connection.ts';
import type { Gateway, Line } from './gateway.ts';
import type { RealtimeLimits } from './limits.ts';
import { message } from './rooms.ts';

/** Shorter than the silence after which a page connects anew, and than what proxies cut (30 to 60 s). */
const pongEveryMs = 10_000;
const lineBytes = 16;

interface OpenLine {
  viewer: string;
  receive(text: string): void;
}

export function eventStreamRoutes(deps: {
  gateway: Pick<Gateway, 'openStream'>;
  limits: Pick<RealtimeLimits, 'queuedBytes' | 'messageBytes' | 'closeLingerMs'>;
  now: () => Date;
}): FastifyPluginAsync {
  const lines = new Map<string, OpenLine>();

  return async (app) => {
    app.get('/realtime/events', { schema: { hide: true } }, async (request, reply) => {
      const name = randomBytes(lineBytes).toString('base64url');
      const { v } = request.query as { v?: unknown };
      const cookie = reply.getHeader('set-cookie');
      const { line, receive } = await deps.gateway.openStream({
        request: request.raw,
        guest: request.actor,
        version: typeof v === 'string' ? v : null,
        name,
        open(actor) {
          reply.hijack();
          reply.raw.writeHead(200, {
            'content-type': 'text/event-stream; charset=utf-8',
            'cache-control': 'no-store, no-transform',
            // nginx would keep the events until its buffer is full.
            'x-accel-buffering': 'no',
            ...(cookie === undefined ? {} : { 'set-cookie': cookie as string | string[] }),
          });
          return createStreamLine(reply.raw, actor, deps);
        },
      });
      lines.set(name, { viewer: viewerOf(line.connection.actor), receive });
      line.onClose(() => lines.delete(name));
      return reply;
    });

    app.post<{ Params: { line: string } }>(
      '/realtime/messages/:line',
      { schema: { hide: true }, bodyLimit: deps.limits.messageBytes },
      async (request, reply) => {
        const line = lines.get(request.params.line);
        if (line === undefined || line.viewer !== viewerOf(request.actor)) throw new Refusal('realtime.line_gone');
        line.receive(JSON.stringify(request.body));
        return reply.code(204).send();
      },
    );
  };
}

function createStreamLine(
  response: ServerResponse,
  actor: Actor,
  deps: { limits: Pick<RealtimeLimits, 'queuedBytes' | 'closeLingerMs'>; now: () => Date },
): Line {
  const { limits } = deps;
  const rooms = new Set<string>();
  let isOpen = true;

  const close = (code: number): void => {
    if (!isOpen) return;
    isOpen = false;
    response.end(`event: close\ndata: ${code}\n\n`);
    const cut = setTimeout(() => response.destroy(), limits.closeLingerMs);
    cut.unref();
    response.once('close', () => clearTimeout(cut));
  };

  const connection: Connection = {
    actor,
    rooms,
    close,
    isOpen: () => isOpen,
    write(frame) {
      if (!isOpen) return;
      if (response.writableLength > limits.queuedBytes) return close(CLOSE.tooSlow);
      response.cork();
      response.write('data: ');
      response.write(payloadOf(frame));
      response.write('\n\n');
      response.uncork();
    },
  };
  const pulse = setInterval(() => {
    connection.write(message({ type: 'pong', serverTime: deps.now().toISOString() }));
  }, pongEveryMs);
  pulse.unref();
  response.once('close', () => {
    isOpen = false;
    clearInterval(pulse);
  });
  response.on('error', () => response.destroy());
  return { connection, onClose: (listener) => response.once('close', listener) };
}
