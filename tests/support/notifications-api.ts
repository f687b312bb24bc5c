/** Notifications on the application of `show-api.ts`; pushes go nowhere. */
import { createNotifications } from '../../server/src/notifications/notifications.ts';
import { notificationsRoutes } from '../../server/src/notifications/routes.ts';
import type { createShowApi } from './show-api.ts';

type Parts = Parameters<NonNullable<Parameters<typeof createShowApi>[1]>>[0];

/** A push service that nobody asks. */
const PUSHER = { publicKey: 'key', accepts: () => true, send: async () => 'sent' as const, stop: () => {} };

export function mountNotifications({ app, platform, follows, accounts, shows, shops, realtime }: Parts): void {
  const notifications = createNotifications({
    platform, follows, jobs: { add: async () => {} }, channel: realtime, pusher: PUSHER,
    readersOf: accounts.readersOf, publicShows: shows.publicTiles, shopRefs: shops.refs,
  });
  void notificationsRoutes(app, { notifications });
}
