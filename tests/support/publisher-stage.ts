/**
 * A WHIP endpoint with nothing behind it but the real media supervisor and its process, for tests and measurements of
 * the receiving side. The key is the stream's id, so several streams need no set-up.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { MediaEvent, MediaSupervisor } from '@nacre/media/hooks';
import { createMediaSupervisor } from '@nacre/media/supervisor';

export const demoClip = fileURLToPath(new URL('../../server/demo/show.mp4', import.meta.url));

type EventOf<T extends MediaEvent['type']> = Extract<MediaEvent, { type: T }>;

export interface PublisherStage {
  /** To post offers to. */
  url: string;
  supervisor: MediaSupervisor;
  events: MediaEvent[];
  of<T extends MediaEvent['type']>(type: T): EventOf<T>[];
  /** Resolves as soon as the condition holds; rejects with the events so far when it does not in time. */
  until(what: string, condition: () => boolean, withinMs?: number): Promise<void>;
  stop(): Promise<void>;
}

const quietLog = { info: () => undefined, warn: () => undefined, error: () => undefined };
const pollMs = 20;

async function readBody(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}

export interface PublisherStageOptions {
  port?: number;
  /** What a GET is answered with. */
  page?: string;
  /** Where publishers are told to send their media instead of to the media process itself. */
  mediaPort?(): number;
  /** False: requests stay without an answer, as when the network is away. */
  isReachable?(): boolean;
  onEvent?(event: MediaEvent): void;
}

export async function startPublisherStage(options: PublisherStageOptions = {}): Promise<PublisherStage> {
  const events: MediaEvent[] = [];
  const onEvent = (event: MediaEvent): void => {
    events.push(event);
    options.onEvent?.(event);
  };
  const supervisor = createMediaSupervisor({ udpPort: 0, log: quietLog, onEvent });
  const led = async (answer: string): Promise<string> => {
    if (options.mediaPort === undefined) return answer;
    const { udpPort } = await supervisor.ready();
    // Other addresses would lead past the network that is played.
    return answer.replaceAll(` ${udpPort} `, ` ${options.mediaPort()} `)
      .replaceAll(/^a=candidate:(?!.* 127\.0\.0\.1 ).*\r\n/gm, '');
  };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(request);
    if (options.isReachable?.() === false) return;
    if (request.method === 'HEAD') {
      response.writeHead(204).end();
    } else if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'text/html' }).end(options.page ?? '');
    } else if (request.method === 'DELETE') {
      response.writeHead((await supervisor.remove((request.url ?? '').slice(6))) ? 200 : 404).end();
    } else {
      const streamId = (request.headers.authorization ?? '').replace('Bearer ', '');
      const { sessionId, answerSdp } = await supervisor.publish({ streamId, offerSdp: body });
      const headers = { location: `/whip/${sessionId}`, 'content-type': 'application/sdp' };
      response.writeHead(201, headers).end(await led(answerSdp));
    }
  };
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.writeHead(503).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  await supervisor.ready();
  const of = <T extends MediaEvent['type']>(type: T): EventOf<T>[] =>
    events.filter((event): event is EventOf<T> => event.type === type);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/whip`,
    supervisor,
    events,
    of,
    async until(what, condition, withinMs = 10_000) {
      const deadline = performance.now() + withinMs;
      while (!condition()) {
        if (performance.now() > deadline) {
          const told = events.filter((event) => event.type !== 'fragment').map((event) => event.type);
          throw new Error(`not within ${withinMs} ms: ${what}; ${told.join(' ')}, ${of('fragment').length} fragments`);
        }
        await new Promise((resolve) => setTimeout(resolve, pollMs));
      }
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await supervisor.stop();
    },
  };
}
