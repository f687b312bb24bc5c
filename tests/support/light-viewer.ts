/**
 * A viewer without a browser: the real API and the real sockets, no decoding. Keeps what it received, so that a test
 * can say whether anything was missing, doubled or out of order.
 */
import type { RoomEvent, ServerMessage } from '@nacre/contract/realtime';
import { REALTIME_VERSION } from '@nacre/contract/realtime';
import { decodeLiveBinary, liveSubprotocol } from '@nacre/contract/live';
import { WebSocket } from 'ws';

export interface LightViewer {
  /** Bytes of video, headers included. */
  videoBytes(): number;
  fragments(): number;
  /** Everything that happened in the room since joining, in the order received. */
  events(): RoomEvent[];
  /** Empty, or what was wrong with the offsets. */
  disorder(): string[];
  /** Last count of viewers that was told. */
  viewers(): number | null;
  close(): Promise<void>;
}

/** @param cookie the `Cookie` header of a person or guest; without one the server makes a guest for each socket. */
export async function joinAsLightViewer(options: {
  /** `http://127.0.0.1:port` */
  url: string;
  showId: string;
  cookie: string;
  video?: boolean;
}): Promise<LightViewer> {
  const room = `show/${options.showId}`;
  const base = options.url.replace(/^http/, 'ws');
  const headers = { cookie: options.cookie, origin: options.url };
  const events: RoomEvent[] = [];
  const disorder: string[] = [];
  let offset: number | null = null;
  let viewers: number | null = null;
  let videoBytes = 0;
  let fragments = 0;

  const realtime = new WebSocket(`${base}/realtime?v=${REALTIME_VERSION}`, { headers });
  const joined = new Promise<void>((resolve, reject) => {
    realtime.on('error', reject);
    realtime.on('close', (code) => reject(new Error(`room closed: ${code}`)));
    realtime.on('message', (data) => {
      const message = JSON.parse(String(data)) as ServerMessage;
      if (message.type === 'welcome') realtime.send(JSON.stringify({ type: 'join', room }));
      else if (message.type === 'joined') {
        offset = message.position.offset;
        viewers = message.snapshot?.viewers ?? viewers;
        resolve();
      } else if (message.type === 'refused') reject(new Error(`room refused: ${message.code}`));
      else if (message.type === 'events') {
        const first = message.offset - message.events.length + 1;
        if (offset !== null && first !== offset + 1) disorder.push(`after ${offset} came ${first}`);
        offset = message.offset;
        for (const event of message.events) {
          events.push(event);
          if (event.type === 'viewers') viewers = event.count;
        }
      }
    });
  });

  const live = options.video === false
    ? null
    : new WebSocket(`${base}/live/${options.showId}/socket`, liveSubprotocol, { headers });
  live?.on('error', (error) => disorder.push(`video: ${error.message}`));
  live?.on('message', (data, isBinary) => {
    if (!isBinary) return;
    const bytes = data as Buffer;
    videoBytes += bytes.length;
    const copy = new Uint8Array(bytes).buffer;
    if (decodeLiveBinary(copy)?.kind === 'fragment') fragments += 1;
  });
  await joined;

  return {
    videoBytes: () => videoBytes,
    fragments: () => fragments,
    events: () => events,
    disorder: () => disorder,
    viewers: () => viewers,
    async close() {
      const sockets = live === null ? [realtime] : [realtime, live];
      await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => {
        if (socket.readyState === WebSocket.CLOSED) return resolve();
        socket.once('close', () => resolve());
        socket.close();
      })));
    },
  };
}
