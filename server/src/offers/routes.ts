/** Live prices, for the shop and the host. Viewers have them with the show. */
import { LivePrice, LivePriceLower, LivePrices, LivePriceSet } from '@nacre/contract/offers';
import { Id } from '@nacre/contract/common';
import { Type } from 'typebox';
import { personOf } from '../http/actor.ts';
import type { App } from '../http/app.ts';
import { refusals } from '../http/openapi.ts';
import type { Offers } from './offers.ts';

const tags = ['offers'];
const showParams = Type.Object({ showId: Id });
const params = Type.Object({ livePriceId: Id });

export function offersRoutes(app: App, { offers }: { offers: Offers }): void {
  app.get('/api/office/shows/:showId/live-prices', {
    schema: {
      operationId: 'listLivePrices', summary: 'Live prices of a show, planned ones too, for who runs it', tags,
      params: showParams, response: { 200: LivePrices, ...refusals },
    },
  }, async (request) => ({ items: await offers.listForShop(personOf(request), request.params.showId) }));

  app.post('/api/office/shows/:showId/live-prices', {
    schema: {
      operationId: 'setLivePrice', summary: 'Set a live price; one the variant has in this show ends', tags,
      params: showParams, body: LivePriceSet, response: { 200: LivePrice, ...refusals },
    },
  }, (request) => offers.set(personOf(request), request.params.showId, request.body));

  app.patch('/api/office/live-prices/:livePriceId', {
    schema: {
      operationId: 'lowerLivePrice', summary: 'Lower the quota or the limit of a live price', tags,
      params, body: LivePriceLower, response: { 200: LivePrice, ...refusals },
    },
  }, (request) => offers.lower(personOf(request), request.params.livePriceId, request.body));

  app.post('/api/office/live-prices/:livePriceId/end', {
    schema: {
      operationId: 'endLivePrice', summary: 'End a live price; what is left of it is on the shelf again', tags,
      params, response: { 200: LivePrice, ...refusals },
    },
  }, (request) => offers.end(personOf(request), request.params.livePriceId));
}
