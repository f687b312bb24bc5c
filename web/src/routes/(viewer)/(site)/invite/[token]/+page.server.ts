import type { InvitationView } from '@nacre/contract/team';
import { ApiError, ask } from '#lib/api.ts';
import { apiOf } from '#lib/server/load.ts';
import type { PageServerLoad } from './$types';

/** The invitation of the link, or why it cannot be used. */
export const load: PageServerLoad = async ({ params, fetch, url, setHeaders }) => {
  // The address holds a secret: no other site may read it from where a link led.
  setHeaders({ 'referrer-policy': 'no-referrer' });
  try {
    const invitation: InvitationView = await ask(
      apiOf({ fetch, url }).GET('/api/invitations/{token}', { params: { path: { token: params.token } } }),
    );
    return { invitation, refusal: null };
  } catch (error) {
    if (error instanceof ApiError) return { invitation: null, refusal: { code: error.code, status: error.status } };
    throw error;
  }
};
