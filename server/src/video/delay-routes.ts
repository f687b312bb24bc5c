/** `POST /live/<showId>/delay`: how far behind a viewer without a socket is. Those with one say it there. */
import type { FastifyPluginAsync } from 'fastify';
import { Type } from 'typebox';
import { liveDelay } from '@nacre/contract/live';
import type { Delays } from './delays.ts';
import type { MayWatch } from './live-socket.ts';
import { sendProblem } from '../http/error-reply.ts';

const Body = Type.Object(
  { delayMs: Type.Integer({ minimum: 0, maximum: liveDelay.maxMs }) },
  { additionalProperties: false },
);

export function delayRoutes(
  { delays, mayWatch }: { delays: Pick<Delays, 'note'>; mayWatch: MayWatch },
): FastifyPluginAsync {
  return async (app) => {
    const options = { schema: { hide: true, body: Body } };
    app.post<{ Params: { showId: string }; Body: { delayMs: number } }>(
      '/live/:showId/delay', options, async (request, reply) => {
        const { showId } = request.params;
        const names = await mayWatch(showId, request.raw);
        if (names === null) return sendProblem(reply, 'shows.not_found');
        // Browsers that nobody knows count as one.
        delays.note(showId, names[0] ?? 'unknown', request.body.delayMs);
        return reply.code(204).send();
      },
    );
  };
}
