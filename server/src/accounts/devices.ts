/** The browsers in which a person is signed in: listed, and signed out from afar. */
import type { Device } from '@nacre/contract/accounts';
import type { PersonActor } from '../http/actor.ts';
import { Refusal } from '../lib/refusal.ts';
import { afterCommit } from '../platform/database.ts';
import type { AccountsParts } from './accounts.ts';
import { browserOf, systemOf } from './device-words.ts';
import { SIGNED_OUT_TOPIC, type SignedOut } from './events.ts';
import * as store from './store.ts';

/** More than anybody owns. Whoever never signs out has more, and ends those that are not shown all at once. */
const SHOWN_MAX = 50;

export async function devicesOf(parts: AccountsParts, actor: PersonActor): Promise<Device[]> {
  const { database, clock } = parts.platform;
  const now = clock.now();
  const rows = await store.sessionsOf(database.db, actor.personId, now, SHOWN_MAX);
  const devices = rows.map((row): Device => {
    const isThis = row.id === actor.sessionId;
    return {
      id: row.id,
      isThis,
      browser: browserOf(row.user_agent ?? ''),
      system: systemOf(row.user_agent ?? ''),
      signedInAt: row.created_at.toISOString(),
      lastSeenAt: (isThis ? now : row.updated_at).toISOString(),
    };
  });
  return [...devices.filter(({ isThis }) => isThis), ...devices.filter(({ isThis }) => !isThis)];
}

export async function endDevice(parts: AccountsParts, personId: string, sessionId: string): Promise<void> {
  const { database, bus } = parts.platform;
  await database.transaction(async (tx) => {
    if (!(await store.deleteSession(tx, personId, sessionId))) throw new Refusal('request.not_found');
    afterCommit(tx, () => bus.publish(SIGNED_OUT_TOPIC, { personId, sessionId } satisfies SignedOut));
  });
}

export async function endOtherDevices(parts: AccountsParts, actor: PersonActor): Promise<void> {
  const { database, bus } = parts.platform;
  const { personId } = actor;
  await database.transaction(async (tx) => {
    for (const sessionId of await store.deleteOtherSessions(tx, personId, actor.sessionId)) {
      afterCommit(tx, () => bus.publish(SIGNED_OUT_TOPIC, { personId, sessionId } satisfies SignedOut));
    }
  });
}
