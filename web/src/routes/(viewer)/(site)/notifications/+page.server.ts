import type { Page } from '@nacre/contract/common';
import type { Notification } from '@nacre/contract/notifications';
import { apiOf, askPage } from '#lib/server/load.ts';
import { signInFirst } from '#lib/server/person.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  event.depends('nacre:news');
  signInFirst((await event.parent()).me, event.url);
  const query = { limit: 20 };
  const news = (await askPage(apiOf(event).GET('/api/me/notifications', { params: { query } }))) as Page<Notification>;
  return { news, nowMs: Date.now() };
};
