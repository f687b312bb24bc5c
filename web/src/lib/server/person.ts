/** Pages of one's own: a guest is sent to sign in and comes back. */
import { redirect } from '@sveltejs/kit';

export function signInFirst(me: { person: unknown }, url: URL): void {
  if (me.person === null) redirect(303, `/sign-in?next=${encodeURIComponent(url.pathname + url.search)}`);
}
