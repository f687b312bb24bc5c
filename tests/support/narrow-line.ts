/** A line by TCP to a server that carries so much a second and no more, as a weak mobile network does. */
import { createServer, connect, type Socket } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export interface NarrowLine {
  /** In the place of the server's own. */
  url: string;
  /** Bits per second in its narrow direction, of all connections together; null: as much as there is. */
  setRate(bps: number | null): void;
  stop(): void;
}

const tickMs = 10;
const longestTickMs = 100;
/** What waits at the line's entry. More than routers hold hides from the sender that the line is full. */
const queueBytes = 24 * 1024;

/**
 * @param target its URL, or the path of a local socket
 * @param narrow the direction: towards the server or from it
 */
export async function startNarrowLine(target: string, narrow: 'up' | 'down' = 'up'): Promise<NarrowLine> {
  let rateBps: number | null = null;
  const lines = new Set<{ from: Socket; to: Socket; queue: Buffer[]; queued: number }>();
  const server = createServer((near) => {
    const far = target.startsWith('/') ? connect(target) : connect(Number(new URL(target).port), '127.0.0.1');
    const [from, to] = narrow === 'up' ? [near, far] : [far, near];
    const line = { from, to, queue: [] as Buffer[], queued: 0 };
    lines.add(line);
    const end = (): void => {
      near.destroy();
      far.destroy();
      lines.delete(line);
    };
    for (const socket of [near, far]) socket.on('error', end).on('close', end);
    to.pipe(from);
    from.on('data', (data: Buffer) => {
      if (rateBps === null && line.queued === 0) return void to.write(data);
      line.queue.push(data);
      line.queued += data.length;
      if (line.queued > queueBytes) from.pause();
    });
  });
  let tickedMs = performance.now();
  const ticker = setInterval(() => {
    // A busy machine's timers are late: by their count the line would carry less than it is said to.
    const passedMs = Math.min(longestTickMs, performance.now() - tickedMs);
    tickedMs = performance.now();
    let left = rateBps === null ? Infinity : (rateBps / 8_000) * passedMs;
    for (const line of lines) {
      while (left > 0 && line.queue[0]) {
        const part = line.queue[0].subarray(0, Math.max(1, Math.floor(left)));
        line.to.write(part);
        left -= part.length;
        line.queued -= part.length;
        if (part.length === line.queue[0].length) line.queue.shift();
        else line.queue[0] = line.queue[0].subarray(part.length);
      }
      if (line.queued <= queueBytes) line.from.resume();
    }
  }, tickMs);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    setRate(bps) {
      rateBps = bps;
    },
    stop() {
      clearInterval(ticker);
      for (const { from } of lines) from.destroy();
      server.close();
    },
  };
}
