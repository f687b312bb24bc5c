/** Signing in by telephone and by passkey, and how a person signs in, over HTTP. */
import { Me } from '@nacre/contract/accounts';
import { Id } from '@nacre/contract/common';
import {
  CodeAsked, CodeSent, Confirmation, EmailChange, EmailLink, EmailSet, Passkey, PasskeyMade, PasskeyOptions,
  PasskeyPatch, PasskeyShown, PhonePut, PhoneSignIn, Ways,
} from '@nacre/contract/identity';
import { Type } from 'typebox';
import { personOf, viewerOf } from '../http/actor.ts';
import type { App } from '../http/app.ts';
import { refusals } from '../http/openapi.ts';
import { clientOf, meOf, type AccountsRoutesDeps } from './asking.ts';

const tags = ['accounts'];
const nothing = { 204: Type.Null(), ...refusals };
const passkeyParams = Type.Object({ passkeyId: Id });

export function waysRoutes(app: App, deps: AccountsRoutesDeps): void {
  signInRoutes(app, deps);
  phoneRoutes(app, deps);
  passkeyRoutes(app, deps);
  emailRoutes(app, deps);
}

function signInRoutes(app: App, deps: AccountsRoutesDeps): void {
  const { ways } = deps.accounts;

  app.post('/api/auth/phone-code', {
    schema: {
      operationId: 'askPhoneCode', tags, body: CodeAsked,
      summary: 'Have a code texted; the same answer whether anybody has the number. It works in this browser only',
      response: { 202: CodeSent, ...refusals },
    },
  }, async (request, reply) => {
    const sent = await ways.askCode(clientOf(request), viewerOf(request.actor), request.body);
    return reply.code(202).send(sent);
  });

  app.post('/api/auth/sign-in/phone', {
    schema: {
      operationId: 'signInByPhone', tags, body: PhoneSignIn,
      summary: 'Sign in, or make an account, with a number and its code', response: { 200: Me, ...refusals },
    },
  }, async (request, reply) => {
    const client = clientOf(request);
    const { personId, setCookies } = await ways.signInByPhone(client, viewerOf(request.actor), request.body);
    reply.header('Set-Cookie', setCookies);
    return meOf(deps, personId);
  });

  app.post('/api/auth/passkey-options', {
    schema: {
      operationId: 'showPasskeyOptions', summary: 'Options for `navigator.credentials.get`', tags,
      response: { 200: PasskeyOptions, ...refusals },
    },
  }, async (request) => ({ options: await ways.showOptions(clientOf(request), viewerOf(request.actor)) }));

  app.post('/api/auth/sign-in/passkey', {
    schema: {
      operationId: 'signInByPasskey', summary: 'Sign in with a passkey', tags, body: PasskeyShown,
      response: { 200: Me, ...refusals },
    },
  }, async (request, reply) => {
    const client = clientOf(request);
    const { personId, setCookies } = await ways.signInByPasskey(client, viewerOf(request.actor), request.body);
    reply.header('Set-Cookie', setCookies);
    return meOf(deps, personId);
  });
}

function phoneRoutes(app: App, { accounts: { ways } }: AccountsRoutesDeps): void {
  app.get('/api/me/ways', {
    schema: {
      operationId: 'getWays', summary: 'How the person may sign in', tags, response: { 200: Ways, ...refusals },
    },
  }, async (request) => ways.of(personOf(request).personId));

  app.post('/api/me/confirm', {
    schema: {
      operationId: 'confirmMe', tags, body: Confirmation,
      summary: 'Show once more who one is, by password or by a code to one’s own number; holds for 15 minutes',
      response: nothing,
    },
  }, async (request, reply) => {
    await ways.confirm(clientOf(request), personOf(request), request.body);
    return reply.code(204).send(null);
  });

  app.put('/api/me/phone', {
    schema: {
      operationId: 'putPhone', summary: 'Set one’s number by a code that was sent to it', tags, body: PhonePut,
      response: nothing,
    },
  }, async (request, reply) => {
    await ways.putPhone(clientOf(request), personOf(request), request.body);
    return reply.code(204).send(null);
  });

  app.delete('/api/me/phone', {
    schema: {
      operationId: 'removePhone', summary: 'Forget one’s number; not without an e-mail', tags, response: nothing,
    },
  }, async (request, reply) => {
    await ways.removePhone(personOf(request));
    return reply.code(204).send(null);
  });
}

function passkeyRoutes(app: App, { accounts: { ways } }: AccountsRoutesDeps): void {
  app.post('/api/me/passkey-options', {
    schema: {
      operationId: 'makePasskeyOptions', summary: 'Options for `navigator.credentials.create`', tags,
      response: { 200: PasskeyOptions, ...refusals },
    },
  }, async (request) => ({ options: await ways.makeOptions(clientOf(request), personOf(request)) }));

  app.post('/api/me/passkeys', {
    schema: {
      operationId: 'makePasskey', summary: 'Keep a passkey that was made', tags, body: PasskeyMade,
      response: { 201: Passkey, ...refusals },
    },
  }, async (request, reply) => {
    const passkey = await ways.makePasskey(clientOf(request), personOf(request), request.body);
    return reply.code(201).send(passkey);
  });

  app.patch('/api/me/passkeys/:passkeyId', {
    schema: {
      operationId: 'renamePasskey', summary: 'Name a passkey', tags, params: passkeyParams, body: PasskeyPatch,
      response: { 200: Passkey, ...refusals },
    },
  }, async (request) => ways.renamePasskey(personOf(request), request.params.passkeyId, request.body.name));

  app.delete('/api/me/passkeys/:passkeyId', {
    schema: {
      operationId: 'removePasskey', summary: 'Forget a passkey', tags, params: passkeyParams, response: nothing,
    },
  }, async (request, reply) => {
    await ways.removePasskey(personOf(request), request.params.passkeyId);
    return reply.code(204).send(null);
  });
}

function emailRoutes(app: App, { accounts: { ways } }: AccountsRoutesDeps): void {
  app.post('/api/me/email-link', {
    schema: {
      operationId: 'askEmailProof', tags, response: { 200: Ways, ...refusals },
      summary: 'Have a link mailed again that confirms one’s e-mail; nothing where it is confirmed',
    },
  }, async (request) => ways.askEmailProof(clientOf(request), personOf(request)));

  app.post('/api/me/prove-email', {
    schema: {
      operationId: 'proveEmail', tags, body: EmailLink, response: { 200: Ways, ...refusals },
      summary: 'Take the link that confirms one’s e-mail, signed in to the account that it is for',
    },
  }, async (request) => ways.proveEmail(personOf(request), request.body.token));

  app.post('/api/me/email', {
    schema: {
      operationId: 'askEmailChange', summary: 'Have a link mailed to another e-mail, which then holds', tags,
      body: EmailChange, response: { 202: Type.Null(), ...refusals },
    },
  }, async (request, reply) => {
    await ways.askEmailChange(clientOf(request), personOf(request), request.body.email);
    return reply.code(202).send(null);
  });

  app.post('/api/auth/confirm-email', {
    schema: {
      operationId: 'confirmEmail', tags, body: EmailLink, response: { 200: EmailSet, ...refusals },
      summary: 'Take the link to a new e-mail: it holds, and all sessions end but the one that asked',
    },
  }, async (request) => ways.confirmEmail(request.body.token));

  app.post('/api/auth/undo-email', {
    schema: {
      operationId: 'undoEmail', tags, body: EmailLink, response: { 200: EmailSet, ...refusals },
      summary: 'Take the link to an old e-mail: it holds again, and nobody is signed in or has a password any more',
    },
  }, async (request) => ways.undoEmail(request.body.token));
}
