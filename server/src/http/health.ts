/** For whoever watches the server: alive, ready, figures. */
import { timingSafeEqual } from 'node:crypto';
import { sql } from 'kysely';
import { isProxyHeader } from '../lib/proxy-header.ts';
import { Refusal } from '../lib/refusal.ts';
import type { Database } from '../platform/database.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { App } from './app.ts';

const LOOPBACK = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1']);

export interface HealthDeps {
  database: Database;
  metrics: Metrics;
  /** Bearer token that opens /metrics from elsewhere; null: this machine only. */
  metricsToken: string | null;
  /** Null when the media process can take publishers, else what is wrong. */
  mediaTrouble(): string | null;
}

function isToken(header: string | undefined, token: string | null): boolean {
  if (header === undefined || token === null) return false;
  const given = Buffer.from(header);
  const expected = Buffer.from(`Bearer ${token}`);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

export function healthRoutes(app: App, deps: HealthDeps): void {
  const quiet = { schema: { hide: true }, config: { rateLimit: false } } as const;

  app.get('/healthz', quiet, async () => ({ status: 'ok' }));

  app.get('/readyz', quiet, async (_request, reply) => {
    const database = await sql`select 1`.execute(deps.database.db).then(() => null, () => 'does not answer');
    const media = deps.mediaTrouble();
    const ready = database === null && media === null;
    return reply.code(ready ? 200 : 503).send({
      status: ready ? 'ok' : 'not ready',
      database: database ?? 'ok',
      media: media ?? 'ok',
    });
  });

  app.get('/metrics', quiet, async (request, reply) => {
    const isProxied = Object.keys(request.headers).some(isProxyHeader);
    const direct = LOOPBACK.has(request.socket.remoteAddress ?? '') && !isProxied;
    if (!direct && !isToken(request.headers.authorization, deps.metricsToken)) {
      throw new Refusal('request.not_found');
    }
    return reply.type(deps.metrics.contentType).send(await deps.metrics.text());
  });
}
