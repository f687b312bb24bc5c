/** The talk over HTTP. Who listens does so in the room. */
import { ChatBody, ChatMessage, TalkAnswer, TalkQuery } from '@nacre/contract/chat';
import { Id, Page, PAGE_LIMIT_MAX, PageQuery } from '@nacre/contract/common';
import { RemovalQuery, Standing, TalkSetting } from '@nacre/contract/moderation';
import { Type } from 'typebox';
import { personOf } from '../http/actor.ts';
import type { App } from '../http/app.ts';
import { refusals } from '../http/openapi.ts';
import type { Chat } from './chat.ts';

const params = Type.Object({ showId: Id });
const tags = ['chat'];

export function chatRoutes(app: App, deps: { chat: Chat }): void {
  const { chat } = deps;
  holdingRoutes(app, chat);

  app.get(
    '/api/shows/:showId/chat',
    {
      schema: {
        operationId: 'listChat',
        summary: 'The talk of a show, newest first',
        tags,
        params,
        querystring: PageQuery,
        response: { 200: Page(ChatMessage), ...refusals },
      },
    },
    async (request) => chat.list(request.actor, request.params.showId, request.query),
  );

  app.get(
    '/api/shows/:showId/talk',
    {
      schema: {
        operationId: 'listTalk',
        summary: 'The talk of a show from a moment on, oldest first, for its replay',
        tags,
        params,
        querystring: TalkQuery,
        response: { 200: TalkAnswer, ...refusals },
      },
    },
    async (request) => {
      const { from, limit = PAGE_LIMIT_MAX, questions: questionsOnly = false } = request.query;
      const part = { from: new Date(from), limit, questionsOnly };
      return { items: await chat.since(request.actor, request.params.showId, part) };
    },
  );

  app.post(
    '/api/shows/:showId/chat',
    {
      schema: {
        operationId: 'sendChat',
        summary: 'Says something; the same clientId again gives the same message',
        tags,
        params,
        body: ChatBody,
        response: { 201: ChatMessage, ...refusals },
      },
    },
    async (request, reply) => {
      const message = await chat.send(personOf(request), request.params.showId, request.body);
      return reply.code(201).send(message);
    },
  );

  app.delete(
    '/api/shows/:showId/chat/:messageId',
    {
      schema: {
        operationId: 'removeChat',
        summary: 'Takes a message away for everybody: one’s own, or any by who moderates the shop’s shows',
        tags,
        params: Type.Object({ showId: Id, messageId: Id }),
        querystring: RemovalQuery,
        response: { 204: Type.Null(), ...refusals },
      },
    },
    async (request, reply) => {
      const { showId, messageId } = request.params;
      await chat.remove(personOf(request), showId, messageId, request.query);
      return reply.code(204).send(null);
    },
  );
}

function holdingRoutes(app: App, chat: Chat): void {
  app.get(
    '/api/shows/:showId/standing',
    {
      schema: {
        operationId: 'getStanding',
        summary: 'What the one who asks may do in the talk, and the measure that keeps them from it',
        tags,
        params,
        response: { 200: Standing, ...refusals },
      },
    },
    async (request, reply) => {
      reply.header('Cache-Control', 'no-store');
      return chat.standing(request.actor, request.params.showId);
    },
  );

  app.put(
    '/api/office/shows/:showId/talk',
    {
      schema: {
        operationId: 'holdTalk',
        summary: 'Slow mode and quiet; hosts and moderators are exempt',
        tags: ['office: moderation'],
        params,
        body: TalkSetting,
        response: { 200: TalkSetting, ...refusals },
      },
    },
    async (request) => chat.hold(personOf(request), request.params.showId, request.body),
  );
}
