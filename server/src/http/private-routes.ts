/** Routes whose answers are for who asks and nobody else. */
import type { App } from './app.ts';

/** Mounts them so that no cache keeps what they answer, refusals included. */
export async function privateRoutes(parent: App, mount: (app: App) => void): Promise<void> {
  await parent.register(async (scope) => {
    // The scope is the application with hooks of its own; only its type forgets that.
    const app = scope as unknown as App;
    app.addHook('onRequest', async (_request, reply) => {
      reply.header('Cache-Control', 'no-store');
    });
    mount(app);
  });
}
