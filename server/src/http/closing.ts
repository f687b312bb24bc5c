/**
 * The end of the public port: nothing new is taken, what is under way is answered, sockets are told to go.
 *
 * Invariants: it never waits longer than asked, so that what stands behind it is stopped too; a connection that has its
 * answer is closed, not waited for.
 */
import type { Server } from 'node:http';

export interface ClosingApp {
  server: Server;
  close(): PromiseLike<unknown>;
}

/** How often to look for connections that have become idle. Longer is felt at each stop, shorter only spins. */
const LOOK_EVERY_MS = 50;

/**
 * @param options.timeoutMs what requests under way are waited for; after it they are cut
 * @param options.closeSockets ends the WebSockets, which the server counts as connections and would wait for
 */
export async function closeApp(
  app: ClosingApp,
  options: { timeoutMs: number; closeSockets: () => Promise<unknown> },
): Promise<void> {
  const { server } = app;
  // Taken off idle once when the server closes; those that get their answer later would be kept alive.
  const look = setInterval(() => server.closeIdleConnections(), LOOK_EVERY_MS);
  const cut = setTimeout(() => server.closeAllConnections(), options.timeoutMs);
  try {
    const outcomes = await Promise.allSettled([app.close(), options.closeSockets()]);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  } finally {
    clearInterval(look);
    clearTimeout(cut);
  }
}
