/** Moderation over HTTP: for viewers, for the shop, for the operator. */
import { Id, Page, PageQuery } from '@nacre/contract/common';
import {
  Appeal, AppealCase, AppealCreate, AppealDecision, CaseQuery, LoggedDecision, Measure, MeasureCreate, MeasureQuery,
  OfficeMeasure, Report, ReportCase, ReportCreate, ReportDecision, ShopReport, ShowEnd, WordList, WordTest,
  WordTestResult,
} from '@nacre/contract/moderation';
import { Type } from 'typebox';
import { personOf } from '../http/actor.ts';
import type { App } from '../http/app.ts';
import { refusals } from '../http/openapi.ts';
import { privateRoutes } from '../http/private-routes.ts';
import type { Moderation } from './moderation.ts';

const all = <T extends import('typebox').TSchema>(item: T) => Type.Object({ items: Type.Array(item) });

export async function moderationRoutes(parent: App, deps: { moderation: Moderation }): Promise<void> {
  await privateRoutes(parent, (app) => {
    viewerRoutes(app, deps.moderation);
    shopRoutes(app, deps.moderation);
    reportRoutes(app, deps.moderation);
    appealRoutes(app, deps.moderation);
  });
}

function viewerRoutes(app: App, moderation: Moderation): void {
  const tags = ['moderation'];

  app.post('/api/reports', {
    schema: {
      operationId: 'report', summary: 'Report a message, show, product or shop to the operator; once per thing', tags,
      body: ReportCreate, response: { 201: Report, ...refusals },
    },
  }, async (request, reply) => reply.code(201).send(await moderation.report(personOf(request), request.body)));

  app.get('/api/me/reports', {
    schema: {
      operationId: 'listMyReports', summary: 'What one has reported, and what became of it; the newest 100', tags,
      response: { 200: all(Report), ...refusals },
    },
  }, async (request) => ({ items: await moderation.myReports(personOf(request).personId) }));

  app.get('/api/me/measures', {
    schema: {
      operationId: 'listMyMeasures', tags,
      summary: 'Measures against oneself, and against shops that one answers for; the newest 100',
      response: { 200: all(Measure), ...refusals },
    },
  }, async (request) => ({ items: await moderation.mine(personOf(request).personId) }));

  app.post('/api/me/measures/:measureId/appeal', {
    schema: {
      operationId: 'appeal', summary: 'Ask the operator to look at a measure; once, within six months', tags,
      params: Type.Object({ measureId: Id }), body: AppealCreate, response: { 201: Appeal, ...refusals },
    },
  }, async (request, reply) => reply.code(201).send(
    await moderation.appeal(personOf(request), request.params.measureId, request.body.words),
  ));
}

function shopRoutes(app: App, moderation: Moderation): void {
  const tags = ['office: moderation'];
  const shopParams = Type.Object({ shopId: Id });

  app.post('/api/office/shows/:showId/measures', {
    schema: {
      operationId: 'takeMeasure', summary: 'Mute somebody in this show, or ban them from the shop’s shows', tags,
      params: Type.Object({ showId: Id }), body: MeasureCreate, response: { 201: OfficeMeasure, ...refusals },
    },
  }, async (request, reply) => reply.code(201).send(
    await moderation.take(personOf(request), request.params.showId, request.body),
  ));

  app.get('/api/office/shops/:shopId/measures', {
    schema: {
      operationId: 'listMeasures', summary: 'Measures of the shop and against it, newest first', tags,
      params: shopParams, querystring: MeasureQuery, response: { 200: Page(OfficeMeasure), ...refusals },
    },
  }, async (request) => moderation.list(personOf(request).personId, request.params.shopId, request.query));

  app.post('/api/office/measures/:measureId/lift', {
    schema: {
      operationId: 'liftMeasure', summary: 'End a measure before its time; a removed message is back', tags,
      params: Type.Object({ measureId: Id }), response: { 204: Type.Null(), ...refusals },
    },
  }, async (request, reply) => {
    await moderation.lift(personOf(request), request.params.measureId);
    return reply.code(204).send(null);
  });

  app.get('/api/office/shops/:shopId/words', {
    schema: {
      operationId: 'getWords', summary: 'Words whose messages are refused', tags, params: shopParams,
      response: { 200: WordList, ...refusals },
    },
  }, async (request) => ({ words: await moderation.words(personOf(request).personId, request.params.shopId) }));

  app.put('/api/office/shops/:shopId/words', {
    schema: {
      operationId: 'setWords', summary: 'Replace the list: 500 entries of 40 characters', tags, params: shopParams,
      body: WordList, response: { 200: WordList, ...refusals },
    },
  }, async (request) => ({
    words: await moderation.setWords(personOf(request).personId, request.params.shopId, request.body.words),
  }));

  app.post('/api/office/shops/:shopId/words/test', {
    schema: {
      operationId: 'testWords', summary: 'Whether a sentence would be refused for its words', tags, params: shopParams,
      body: WordTest, response: { 200: WordTestResult, ...refusals },
    },
  }, async (request) => ({
    isRefused: await moderation.testWords(personOf(request).personId, request.params.shopId, request.body.text),
  }));

  app.get('/api/office/shops/:shopId/reports', {
    schema: {
      operationId: 'listShopReports', summary: 'Open reports about messages; who reported is not told', tags,
      params: shopParams, response: { 200: all(ShopReport), ...refusals },
    },
  }, async (request) => ({
    items: await moderation.shopReports(personOf(request).personId, request.params.shopId),
  }));
}

const tags = ['operator'];

function reportRoutes(app: App, moderation: Moderation): void {
  app.get('/api/platform/reports', {
    schema: {
      operationId: 'listReports', summary: 'Reports: open ones, urgent first; or decided ones', tags,
      querystring: CaseQuery, response: { 200: Page(ReportCase), ...refusals },
    },
  }, async (request) => moderation.reports(personOf(request), request.query));

  app.post('/api/platform/reports/:reportId/decide', {
    schema: {
      operationId: 'decideReport', summary: 'Decide a report, once', tags, params: Type.Object({ reportId: Id }),
      body: ReportDecision, response: { 200: ReportCase, ...refusals },
    },
  }, async (request) => moderation.decideReport(personOf(request), request.params.reportId, request.body));

  app.post('/api/platform/shows/:showId/end', {
    schema: {
      operationId: 'endShowAsOperator', summary: 'End a show that nobody has reported, or call off a planned one', tags,
      params: Type.Object({ showId: Id }), body: ShowEnd, response: { 200: Measure, ...refusals },
    },
  }, async (request) => moderation.endShow(personOf(request), request.params.showId, request.body));

  app.get('/api/platform/decisions', {
    schema: {
      operationId: 'listDecisions', summary: 'The log of decisions, newest first', tags, querystring: PageQuery,
      response: { 200: Page(LoggedDecision), ...refusals },
    },
  }, async (request) => moderation.decisions(personOf(request), request.query));
}

function appealRoutes(app: App, moderation: Moderation): void {
  app.get('/api/platform/appeals', {
    schema: {
      operationId: 'listAppeals', summary: 'Appeals: open or decided ones, newest first', tags,
      querystring: CaseQuery, response: { 200: Page(AppealCase), ...refusals },
    },
  }, async (request) => moderation.appeals(personOf(request), request.query));

  app.post('/api/platform/appeals/:appealId/decide', {
    schema: {
      operationId: 'decideAppeal', summary: 'Decide an appeal, once; granting lifts the measure', tags,
      params: Type.Object({ appealId: Id }), body: AppealDecision, response: { 200: Appeal, ...refusals },
    },
  }, async (request) => moderation.decideAppeal(personOf(request), request.params.appealId, request.body));
}
