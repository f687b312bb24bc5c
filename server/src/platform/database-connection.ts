/** One connection to PostgreSQL outside of the pool, and why there is none, in words. */
import pg from 'pg';
import { StartRefusal, errorCode, errorText } from './start-refusal.ts';

/** A database in the same network answers in milliseconds; after this it does not answer. */
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * A connection of its own; the caller ends it.
 * @param variable the setting that holds the address, for the sentence
 * @throws StartRefusal with what to do
 */
export async function connect(url: string, variable: string, more: pg.ClientConfig = {}): Promise<pg.Client> {
  let client: pg.Client;
  try {
    client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS, ...more });
  } catch (error) {
    throw new StartRefusal(
      `${variable} is not an address of a PostgreSQL database: ${errorText(error)}. `
      + 'It looks like postgres://user:password@host:5432/database', { cause: error },
    );
  }
  client.on('error', () => {
    // Reported by the query that is running or comes next; without a listener it would end the process.
  });
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => {
      // It was never connected.
    });
    throw new StartRefusal(`${describe(error, client)} Check ${variable}; nothing was changed.`, { cause: error });
  }
}

function describe(error: unknown, client: pg.Client): string {
  const place = `${client.host}:${client.port}`;
  const code = error instanceof AggregateError ? errorCode(error.errors[0]) : errorCode(error);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `The database's host ${client.host} is not known.`;
  if (code === 'ECONNREFUSED') return `No database listens on ${place}.`;
  if (code === '28P01' || code === '28000') {
    return `The database on ${place} does not let ${client.user} in (${errorText(error)}).`;
  }
  if (code === '3D000') return `The database ${client.database} does not exist on ${place}; make it with createdb.`;
  if (code === '57P03') return `The database on ${place} is still starting; try again in a moment.`;
  return `The database on ${place} does not answer (${errorText(error)}).`;
}
