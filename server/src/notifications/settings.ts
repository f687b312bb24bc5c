/** What a person wants to be told of and when, from a row or, without one, as everybody begins. Pure. */
import type {
  NotificationKind, NotificationSettings, NotificationSettingsPatch, QuietHours,
} from '@nacre/contract/notifications';
import { Refusal } from '../lib/refusal.ts';
import { readTimeOfDay, writeTimeOfDay, type Quiet } from './quiet.ts';
import type { SettingsRow } from './store.ts';

type Choices = Omit<NotificationSettings, 'pushHere' | 'pushKey'>;

const SWITCH = {
  live: 'live', moved: 'plans', cancelled: 'plans',
  order_shipped: 'orders', order_cancelled: 'orders',
  order_paid_late: 'orders', order_too_late: 'orders', kept: 'orders',
} as const satisfies Record<NotificationKind, string>;

export function wants(row: SettingsRow | undefined, kind: NotificationKind): boolean {
  return row === undefined || row[SWITCH[kind]];
}

export function quietOf(row: SettingsRow | undefined): Quiet | null {
  if (row === undefined || row.quiet_from === null || row.quiet_to === null) return null;
  return { from: row.quiet_from, to: row.quiet_to };
}

export function choicesOf(row: SettingsRow | undefined): Choices {
  const quiet = quietOf(row);
  return {
    live: row?.live ?? true,
    plans: row?.plans ?? true,
    orders: row?.orders ?? true,
    quiet: quiet && { from: writeTimeOfDay(quiet.from), to: writeTimeOfDay(quiet.to) },
  };
}

/** @throws Refusal `request.invalid` for quiet hours that end when they begin */
export function changeOf({ quiet, ...switches }: NotificationSettingsPatch) {
  return { ...switches, ...(quiet === undefined ? {} : columnsOf(quiet)) };
}

function columnsOf(quiet: QuietHours | null) {
  if (quiet === null) return { quiet_from: null, quiet_to: null };
  if (quiet.from === quiet.to) throw new Refusal('request.invalid', { details: { field: 'quiet' } });
  return { quiet_from: readTimeOfDay(quiet.from), quiet_to: readTimeOfDay(quiet.to) };
}
