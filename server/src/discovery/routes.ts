/** Home and search over HTTP, for everybody. */
import { Page } from '@nacre/contract/common';
import {
  FoundProduct, Home, HomeLiveQuery, HomeQuery, HomeTile, SearchAnswer, SearchPageQuery, SearchQuery,
} from '@nacre/contract/discovery';
import { Shop } from '@nacre/contract/shops';
import { ShowTile } from '@nacre/contract/shows';
import { personIdOf } from '../http/actor.ts';
import type { App } from '../http/app.ts';
import { refusals } from '../http/openapi.ts';
import type { Discovery } from './discovery.ts';

const tags = ['discovery'];

export function discoveryRoutes(app: App, { discovery }: { discovery: Discovery }): void {
  app.get('/api/home', {
    schema: {
      operationId: 'getHome',
      summary: 'Public shows that are live (in the published order), to come, and over; of followed shops first',
      tags, querystring: HomeQuery, response: { 200: Home, ...refusals },
    },
  }, async ({ query, actor }) => discovery.home(query, personIdOf(actor)));

  app.get('/api/home/live', {
    schema: {
      operationId: 'listHomeLive', summary: 'More live shows, on from the cursor of the home page', tags,
      querystring: HomeLiveQuery, response: { 200: Page(HomeTile), ...refusals },
    },
  }, async ({ query, actor }) => discovery.live(query, personIdOf(actor)));

  app.get('/api/search', {
    schema: {
      operationId: 'search', summary: 'Goods, shows and shops by their words; what is being sold live comes first',
      tags, querystring: SearchQuery, response: { 200: SearchAnswer, ...refusals },
    },
  }, async ({ query }) => discovery.search(query.q));

  app.get('/api/search/products', {
    schema: {
      operationId: 'searchProducts', summary: 'More goods of a search', tags, querystring: SearchPageQuery,
      response: { 200: Page(FoundProduct), ...refusals },
    },
  }, async ({ query }) => discovery.products(query));

  app.get('/api/search/shows', {
    schema: {
      operationId: 'searchShows', summary: 'More shows of a search', tags, querystring: SearchPageQuery,
      response: { 200: Page(ShowTile), ...refusals },
    },
  }, async ({ query }) => discovery.shows(query));

  app.get('/api/search/shops', {
    schema: {
      operationId: 'searchShops', summary: 'More shops of a search', tags, querystring: SearchPageQuery,
      response: { 200: Page(Shop), ...refusals },
    },
  }, async ({ query }) => discovery.shops(query));
}
