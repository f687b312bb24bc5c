import type { Device, SavedAddress } from '@nacre/contract/accounts';
import type { Page } from '@nacre/contract/common';
import type { Ways } from '@nacre/contract/identity';
import type { Measure } from '@nacre/contract/moderation';
import type { NotificationSettings } from '@nacre/contract/notifications';
import { ask } from '#lib/api.ts';
import { apiOf } from '#lib/server/load.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const { me } = await event.parent();
  const [nobody, nothing]: [SavedAddress[], Device[]] = [[], []];
  if (!me.person) return { addresses: nobody, devices: nothing, notifications: null, measures: [], ways: null };
  const api = apiOf(event);
  const [addresses, devices, notifications, measures, ways] = await Promise.all([
    ask(api.GET('/api/me/addresses')).catch(() => null),
    ask(api.GET('/api/me/devices')).catch(() => null),
    ask(api.GET('/api/me/notification-settings')).catch(() => null),
    ask(api.GET('/api/me/measures')).catch(() => null),
    ask(api.GET('/api/me/ways')).catch(() => null),
  ]);
  return {
    addresses: addresses ? (addresses as Page<SavedAddress>).items : nobody,
    devices: devices ? (devices as Page<Device>).items : nothing,
    notifications: notifications as NotificationSettings | null,
    measures: measures ? (measures.items as Measure[]) : [],
    ways: ways as Ways | null,
  };
};
