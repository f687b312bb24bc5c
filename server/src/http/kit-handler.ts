/** Loads the built pages. adapter-node reads its settings from the environment when it is imported. */
import { existsSync } from 'node:fs';
import { StartRefusal } from '../platform/start-refusal.ts';
import type { PageHandler } from './pages.ts';

/** The protocol that the request came by; pages.ts sets it from what trusted proxies said, never the client alone. */
export const PROTOCOL_HEADER = 'x-forwarded-proto';

/** @throws StartRefusal when the web has not been built. */
export async function loadPages(): Promise<PageHandler> {
  const built = new URL('../../../web/build/handler.js', import.meta.url);
  if (!existsSync(built)) {
    throw new StartRefusal('The pages have not been built. `npm start` does that; so does `npx vite build` in web/.');
  }
  process.env['PROTOCOL_HEADER'] = PROTOCOL_HEADER;
  const { handler } = (await import(built.href)) as { handler: PageHandler };
  return handler;
}
