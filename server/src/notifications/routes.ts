/** The list behind the bell, its settings, and where this browser takes pushes. */
import { Page, PageQuery } from '@nacre/contract/common';
import {
  Notification, NotificationSettings, NotificationSettingsPatch, NotificationsSeen, PushSubscriptionBody, Unread,
} from '@nacre/contract/notifications';
import { Type } from 'typebox';
import { personOf } from '../http/actor.ts';
import type { App } from '../http/app.ts';
import { refusals } from '../http/openapi.ts';
import { privateRoutes } from '../http/private-routes.ts';
import type { Notifications } from './notifications.ts';

const tags = ['notifications'];

export async function notificationsRoutes(
  parent: App, { notifications }: { notifications: Notifications },
): Promise<void> {
  await privateRoutes(parent, (app) => {
    listRoutes(app, notifications);
    settingsRoutes(app, notifications);
  });
}

function listRoutes(app: App, notifications: Notifications): void {
  app.get('/api/me/notifications', {
    schema: {
      operationId: 'listNotifications', summary: 'What the person was told, the newest first', tags,
      querystring: PageQuery, response: { 200: Page(Notification), ...refusals },
    },
  }, async (request) => notifications.list(personOf(request).personId, request.query));

  app.get('/api/me/notifications/unread', {
    schema: {
      operationId: 'countUnread', summary: 'How many of them are new; 10 means ten or more', tags,
      response: { 200: Unread, ...refusals },
    },
  }, async (request) => ({ unread: await notifications.unread(personOf(request).personId) }));

  app.put('/api/me/notifications/seen', {
    schema: {
      operationId: 'noteSeen', summary: 'Everything up to then is seen', tags, body: NotificationsSeen,
      response: { 204: Type.Null(), ...refusals },
    },
  }, async (request, reply) => {
    await notifications.noteSeen(personOf(request).personId, new Date(request.body.until));
    return reply.code(204).send(null);
  });
}

function settingsRoutes(app: App, notifications: Notifications): void {
  app.get('/api/me/notification-settings', {
    schema: {
      operationId: 'getNotificationSettings', summary: 'What the person wants to be told, and when', tags,
      response: { 200: NotificationSettings, ...refusals },
    },
  }, async (request) => notifications.settings(personOf(request)));

  app.patch('/api/me/notification-settings', {
    schema: {
      operationId: 'patchNotificationSettings', summary: 'Change that', tags, body: NotificationSettingsPatch,
      response: { 200: NotificationSettings, ...refusals },
    },
  }, async (request) => notifications.patchSettings(personOf(request), request.body));

  app.put('/api/me/push-subscription', {
    schema: {
      operationId: 'subscribePush', summary: 'Send pushes to this browser, as long as its session lives', tags,
      body: PushSubscriptionBody, response: { 204: Type.Null(), ...refusals },
    },
  }, async (request, reply) => {
    await notifications.subscribe(personOf(request), request.body);
    return reply.code(204).send(null);
  });

  app.delete('/api/me/push-subscription', {
    schema: {
      operationId: 'unsubscribePush', summary: 'Send no more pushes to this browser', tags,
      response: { 204: Type.Null(), ...refusals },
    },
  }, async (request, reply) => {
    await notifications.unsubscribe(personOf(request));
    return reply.code(204).send(null);
  });
}
