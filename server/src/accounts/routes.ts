/** Who am I, signing in and out, passwords, devices, profile, address book. */
import {
  Address, DemoAccounts, DemoMails, Device, Me, MePatch, PasswordChange, PasswordForgotten, PasswordReset, SavedAddress,
  SignIn, SignUp,
} from '@nacre/contract/accounts';
import { Id, Page } from '@nacre/contract/common';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { personOf, viewerOf } from '../http/actor.ts';
import type { App } from '../http/app.ts';
import { refusals } from '../http/openapi.ts';
import { privateRoutes } from '../http/private-routes.ts';
import { clientOf, meOf, type AccountsRoutesDeps } from './asking.ts';
import { waysRoutes } from './ways-routes.ts';

const tags = ['accounts'];

export async function accountsRoutes(parent: App, deps: AccountsRoutesDeps): Promise<void> {
  await privateRoutes(parent, (app) => {
    signingRoutes(app, deps);
    passwordRoutes(app, deps);
    deviceRoutes(app, deps);
    profileRoutes(app, deps);
    addressRoutes(app, deps);
    waysRoutes(app, deps);
  });
}

function signingRoutes(app: App, deps: AccountsRoutesDeps): void {
  const { accounts } = deps;

  app.post('/api/auth/sign-up/email', {
    schema: {
      operationId: 'signUp', summary: 'Make an account and sign in', tags, body: SignUp,
      response: { 200: Me, ...refusals },
    },
  }, async (request, reply) => {
    const { personId, setCookies } = await accounts.signUp(clientOf(request), request.body);
    reply.header('Set-Cookie', setCookies);
    return meOf(deps, personId);
  });

  app.post('/api/auth/sign-in/email', {
    schema: {
      operationId: 'signIn', summary: 'Sign in with e-mail and password; the session is a cookie', tags, body: SignIn,
      response: { 200: Me, ...refusals },
    },
  }, async (request, reply) => {
    const { personId, setCookies } = await accounts.signIn(clientOf(request), request.body);
    reply.header('Set-Cookie', setCookies);
    return meOf(deps, personId);
  });

  app.post('/api/auth/sign-out', {
    schema: { operationId: 'signOut', summary: 'End this session', tags, response: { 200: Me, ...refusals } },
  }, async (request, reply) => signedOut(deps, reply, await accounts.signOut(clientOf(request))));

  app.post('/api/auth/revoke-sessions', {
    schema: {
      operationId: 'signOutEverywhere', summary: 'End all sessions of the person, this one too', tags,
      response: { 200: Me, ...refusals },
    },
  }, async (request, reply) => {
    const { personId } = personOf(request);
    return signedOut(deps, reply, await accounts.signOutEverywhere(clientOf(request), personId));
  });

  app.get('/api/demo-accounts', {
    schema: {
      operationId: 'listDemoAccounts', summary: 'What the demo may be tried as; empty where it may not', tags,
      response: { 200: DemoAccounts, ...refusals },
    },
  }, async (request) => ({ accounts: await accounts.demoAccounts(clientOf(request)) }));
}

function passwordRoutes(app: App, deps: AccountsRoutesDeps): void {
  const { accounts } = deps;

  app.post('/api/auth/forgot-password', {
    schema: {
      operationId: 'forgotPassword', tags, body: PasswordForgotten,
      summary: 'Have a link for a new password mailed; the same answer whether anybody has this e-mail',
      response: { 202: Type.Null(), ...refusals },
    },
  }, async (request, reply) => {
    await accounts.forgotPassword(clientOf(request), viewerOf(request.actor), request.body.email);
    return reply.code(202).send(null);
  });

  app.post('/api/auth/reset-password', {
    schema: {
      operationId: 'resetPassword', tags, body: PasswordReset,
      summary: 'Set a new password by a mailed link: ends all sessions and signs in here',
      response: { 200: Me, ...refusals },
    },
  }, async (request, reply) => {
    const { personId, setCookies } = await accounts.resetPassword(clientOf(request), request.body);
    reply.header('Set-Cookie', setCookies);
    return meOf(deps, personId);
  });

  app.post('/api/me/password', {
    schema: {
      operationId: 'changePassword', tags, body: PasswordChange,
      summary: 'Set a new password by the present one; ends all other sessions',
      response: { 204: Type.Null(), ...refusals },
    },
  }, async (request, reply) => {
    await accounts.changePassword(clientOf(request), personOf(request), request.body);
    return reply.code(204).send(null);
  });

  app.get('/api/demo-mails', {
    schema: {
      operationId: 'listDemoMails', summary: 'Mails and texts that the demo kept for whoever asks', tags,
      response: { 200: DemoMails, ...refusals },
    },
  }, async (request) => accounts.demoMails(clientOf(request), viewerOf(request.actor)));
}

function deviceRoutes(app: App, { accounts }: AccountsRoutesDeps): void {
  app.get('/api/me/devices', {
    schema: {
      operationId: 'listDevices', tags,
      summary: 'Where the person is signed in: this browser first, then those seen last',
      response: { 200: Page(Device), ...refusals },
    },
  }, async (request) => ({ items: await accounts.devices(personOf(request)), next: null }));

  app.delete('/api/me/devices/:deviceId', {
    schema: {
      operationId: 'endDevice', summary: 'Sign one browser out', tags, params: Type.Object({ deviceId: Id }),
      response: { 204: Type.Null(), ...refusals },
    },
  }, async (request, reply) => {
    await accounts.endDevice(personOf(request).personId, request.params.deviceId);
    return reply.code(204).send(null);
  });

  app.post('/api/auth/revoke-other-sessions', {
    schema: {
      operationId: 'endOtherDevices', summary: 'Sign out all other browsers', tags,
      response: { 204: Type.Null(), ...refusals },
    },
  }, async (request, reply) => {
    await accounts.endOtherDevices(personOf(request));
    return reply.code(204).send(null);
  });
}

function profileRoutes(app: App, deps: AccountsRoutesDeps): void {
  app.get('/api/me', {
    schema: { operationId: 'getMe', summary: 'Who is asking', tags, response: { 200: Me, ...refusals } },
  }, async (request) => {
    if (request.actor.kind === 'guest') return { person: null, shops: [], offersPhone: deps.offersPhone };
    return meOf(deps, request.actor.personId);
  });

  app.patch('/api/me', {
    schema: {
      operationId: 'patchMe', summary: 'Change name, language or time zone', tags, body: MePatch,
      response: { 200: Me, ...refusals },
    },
  }, async (request) => {
    const { personId } = personOf(request);
    await deps.accounts.patchMe(personId, request.body);
    return meOf(deps, personId);
  });
}

function addressRoutes(app: App, { accounts }: AccountsRoutesDeps): void {
  app.get('/api/me/addresses', {
    schema: {
      operationId: 'listAddresses', summary: 'Address book, newest first, always whole', tags,
      response: { 200: Page(SavedAddress), ...refusals },
    },
  }, async (request) => ({ items: await accounts.addresses(personOf(request).personId), next: null }));

  app.post('/api/me/addresses', {
    schema: {
      operationId: 'addAddress', summary: 'Keep an address; one that is known already is not kept twice', tags,
      body: Address, response: { 201: SavedAddress, ...refusals },
    },
  }, async (request, reply) => {
    const saved = await accounts.addAddress(personOf(request).personId, request.body);
    return reply.code(201).send(saved);
  });

  app.delete('/api/me/addresses/:addressId', {
    schema: {
      operationId: 'removeAddress', summary: 'Forget an address', tags, params: Type.Object({ addressId: Id }),
      response: { 204: Type.Null(), ...refusals },
    },
  }, async (request, reply) => {
    await accounts.removeAddress(personOf(request).personId, request.params.addressId);
    return reply.code(204).send(null);
  });
}

function signedOut(
  { offersPhone }: AccountsRoutesDeps, reply: FastifyReply, { setCookies }: { setCookies: string[] },
): Me {
  reply.header('Set-Cookie', setCookies);
  return { person: null, shops: [], offersPhone };
}
