import type { SavedAddress } from '@nacre/contract/accounts';
import type { Page } from '@nacre/contract/common';
import { ask } from '#lib/api.ts';
import { apiOf } from '#lib/server/load.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const { me } = await event.parent();
  const nobody: SavedAddress[] = [];
  if (!me.person) return { addresses: nobody };
  const page = await ask(apiOf(event).GET('/api/me/addresses')).catch(() => null);
  return { addresses: page ? (page as Page<SavedAddress>).items : nobody };
};
