/**
 * A small stage for tests of live video: the real media process, the real video routes and sockets on a port of their
 * own, and two bare pages, one with the broadcaster and one with the player, without the rest of the site.
 *
 * Stream keys are `key-<showId>`; a show is open when its id is in `openShows`.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import { rolldown } from 'rolldown';
import { createMediaSupervisor } from '@nacre/media/supervisor';
import type { StreamHubLimits } from '@nacre/media/stream/hub';
import { createFastPath } from '../../server/src/http/fast-path.ts';
import { createUpgrades } from '../../server/src/http/upgrade.ts';
import { createVideo } from '../../server/src/video/video.ts';
import type { Video } from '../../server/src/video/video.ts';

/** What the two pages hold. */
declare global {
  var lib: {
    createBroadcaster: typeof import('../../web/src/lib/broadcast/broadcaster.ts').createBroadcaster;
    createPlayer: typeof import('../../web/src/lib/player/player.ts').createPlayer;
  };
  var ready: boolean;
  var host: import('../../web/src/lib/broadcast/face.ts').Broadcaster;
  var player: import('../../web/src/lib/player/face.ts').Player;
  var reloads: number;
}

export interface VideoStage {
  /** `http://127.0.0.1:<port>`; `/host.html` and `/viewer.html` hold the pages. */
  url: string;
  video: Video;
  openShows: Set<string>;
  /**
   * Takes viewers' sockets at a local socket too. In front of a reader that has paused the kernel holds back 0.2 MB of
   * it, instead of the 4 MB to which it widens a TCP connection.
   */
  openNarrowDoor(path: string): Promise<void>;
  /** Lets no WebSocket through any more, or again. */
  blockSockets(isBlocked: boolean): void;
  /** `up <showId>` and `down <showId> <reason>`, as the server heard them. */
  pictureNews: string[];
  stop(): Promise<void>;
}

export const stageKeyOf = (showId: string): string => `key-${showId}`;

export const silentLog = { info() {}, warn() {}, error: (fields: object, text: string) => console.error(text, fields) };

export async function startVideoStage(options: {
  openShows: readonly string[];
  limits?: Partial<StreamHubLimits>;
  port?: number;
  /** On which publishers' media arrives. */
  mediaAddress?: string;
  turn?: { urls: readonly string[]; secret: string };
}): Promise<VideoStage> {
  const { mediaAddress = '127.0.0.1', turn = null } = options;
  const openShows = new Set(options.openShows);
  const pictureNews: string[] = [];
  const video = createVideo({
    startMedia: (onEvent) => createMediaSupervisor({
      udpPort: 0, bindAddress: mediaAddress, addresses: [mediaAddress], log: silentLog, onEvent,
    }),
    authorizeStreamKey: async (key) => {
      const showId = key.replace(/^key-/, '');
      return key === stageKeyOf(showId) && openShows.has(showId) ? { showId } : null;
    },
    mayWatch: async (showId) => (openShows.has(showId) ? [] : null),
    hasBans: async () => false,
    isPublic: async (showId) => openShows.has(showId),
    onDelay: () => {},
    onEncoderProblem: () => {},
    onPictureUp: (showId) => void pictureNews.push(`up ${showId}`),
    onPictureDown: (showId, reason) => void pictureNews.push(`down ${showId} ${reason}`),
    log: silentLog,
    now: Date.now,
    turn,
    ...(options.limits ? { limits: options.limits } : {}),
  });
  const app = fastify({ forceCloseConnections: true });
  await app.register(video.routes);
  await app.register(pages);
  const upgrades = createUpgrades({ log: silentLog });
  video.attach(upgrades);
  upgrades.listenOn(app.server);
  const fastPath = createFastPath({ handler: video.fastPath, now: Date.now, log: silentLog });
  fastPath.listenOn(app.server);
  await app.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  await video.ready();
  const door = createServer();
  door.on('request', (request, response) => app.server.emit('request', request, response));
  door.on('upgrade', (request, socket, head) => {
    Object.defineProperty(request.socket, 'remoteAddress', { value: '127.0.0.1' });
    app.server.emit('upgrade', request, socket, head);
  });
  return {
    async openNarrowDoor(path) {
      await once(door.listen(path), 'listening');
    },
    blockSockets(isBlocked) {
      // Without a listener an upgrade is an ordinary request, as behind a proxy that knows nothing of WebSockets.
      if (isBlocked) upgrades.stop();
      else upgrades.listenOn(app.server);
    },
    url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`,
    video,
    openShows,
    pictureNews,
    async stop() {
      upgrades.stop();
      fastPath.stop();
      door.close();
      await video.stop();
      await app.close();
    },
  };
}

async function pages(app: FastifyInstance): Promise<void> {
  const root = new URL('../../web/src/lib/', import.meta.url).pathname;
  const scripts = {
    host: await bundle(`${root}broadcast/broadcaster.ts`),
    viewer: await bundle(`${root}player/player.ts`),
  };
  const tap = await readFile(new URL('../../web/static/sound-tap.js', import.meta.url));
  app.get('/sound-tap.js', async (_request, reply) => reply.type('text/javascript').send(tap));
  for (const [name, code] of Object.entries(scripts)) {
    app.get(`/${name}.js`, async (_request, reply) => reply.type('text/javascript').send(code));
    app.get(`/${name}.html`, async (_request, reply) =>
      reply.type('text/html').send(
        `<!doctype html><title>${name}</title><style>video{width:270px;height:480px;background:#000}</style>
        <video muted playsinline autoplay></video>
        <script type="module">
          import * as lib from '/${name}.js';
          Object.assign(globalThis, { lib, ready: true });
        </script>`,
      ),
    );
  }
}

/** One file for the browser, as the site's own build makes it. */
export async function bundle(input: string, minify = false): Promise<string> {
  const build = await rolldown({ input, platform: 'browser', tsconfig: false, logLevel: 'silent' });
  const { output } = await build.generate({ format: 'es', minify, codeSplitting: false });
  await build.close();
  return output[0].code;
}
