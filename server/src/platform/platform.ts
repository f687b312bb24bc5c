/** What nearly every module needs of the platform, as one short list. */
import type { Bus } from './bus.ts';
import type { Clock } from './clock.ts';
import type { Database } from './database.ts';
import type { NewId } from './ids.ts';
import type { Log } from './log.ts';
import type { Outbox } from './outbox.ts';

export interface Platform {
  database: Database;
  outbox: Outbox;
  bus: Bus;
  clock: Clock;
  newId: NewId;
  log: Log;
}
