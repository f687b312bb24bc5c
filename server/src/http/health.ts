/** For whoever watches the server: alive, ready, figures. */
import { timingSafeEqual } from 'node:crypto';
import { sql } from 'kysely';
import { isProxyHeader } from '../lib/proxy-header.ts';
import { Refusal } from '../lib/refusal.ts';
import type { Database } from '../platform/database.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { App } from './app.ts';

/** The database's answer is kept for so long: whoever asks more often costs nothing, and a fault is told as soon. */
const ANSWER_KEPT_MS = 1_000;
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

/** Whether the database answers, asked once a second at most; null when it does. */
function createProbe(database: Database): () => Promise<string | null> {
  let answer: Promise<string | null> | null = null;
  return () => {
    answer ??= sql`select 1`.execute(database.db).then(() => null, () => 'does not answer').finally(() => {
      setTimeout(() => {
        answer = null;
      }, ANSWER_KEPT_MS).unref();
    });
    return answer;
  };
}

export function healthRoutes(app: App, deps: HealthDeps): void {
  const databaseTrouble = createProbe(deps.database);
  // Whoever watches must always be answered. Who is not let in to the figures costs as little as the other two.
  const quiet = { schema: { hide: true }, config: { rateLimit: false } } as const;

  app.get('/healthz', quiet, async () => ({ status: 'ok' }));

  app.get('/readyz', quiet, async (_request, reply) => {
    const database = await databaseTrouble();
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
