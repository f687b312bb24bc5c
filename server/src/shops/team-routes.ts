/** The team of a shop over HTTP: for its members, and for whoever was invited. */
import { Id } from '@nacre/contract/common';
import {
  Invitation, InvitationCreate, InvitationView, Membership, NewInvitation, Team, TeamMember, TeamPatch,
} from '@nacre/contract/team';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { personOf } from '../http/actor.ts';
import type { App } from '../http/app.ts';
import { refusals } from '../http/openapi.ts';
import { privateRoutes } from '../http/private-routes.ts';
import type { TeamOfShops } from './team.ts';

export interface TeamRoutesDeps {
  team: TeamOfShops;
  /** Where the server is reached from outside, as `https://host`; null: where the request came to. */
  publicUrl: string | null;
}

const tags = ['office: team'];
const shopParams = Type.Object({ shopId: Id });
const memberParams = Type.Object({ shopId: Id, personId: Id });
const invitationParams = Type.Object({ shopId: Id, invitationId: Id });
/** Any text: what cannot be a token is an invitation that does not exist. */
const tokenParams = Type.Object({ token: Type.String() });
const nothing = { 204: Type.Null(), ...refusals };

export async function teamRoutes(parent: App, deps: TeamRoutesDeps): Promise<void> {
  await privateRoutes(parent, (app) => {
    memberRoutes(app, deps.team);
    inviteRoutes(app, deps);
    invitedRoutes(app, deps.team);
  });
}

function memberRoutes(app: App, team: TeamOfShops): void {
  app.get('/api/office/shops/:shopId/team', {
    schema: {
      operationId: 'getTeam', summary: 'Who works in the shop, and what each role may do', tags, params: shopParams,
      response: { 200: Team, ...refusals },
    },
  }, async (request) => team.team(personOf(request).personId, request.params.shopId));

  app.patch('/api/office/shops/:shopId/team/:personId', {
    schema: {
      operationId: 'changeRole', summary: 'Give a member another role; the last owner stays one', tags,
      params: memberParams, body: TeamPatch, response: { 200: TeamMember, ...refusals },
    },
  }, async (request) => {
    const { shopId, personId } = request.params;
    return team.changeRole(personOf(request).personId, shopId, personId, request.body.role);
  });

  app.delete('/api/office/shops/:shopId/team/:personId', {
    schema: {
      operationId: 'removeMember', summary: 'Take a member out of the team, or oneself; the last owner stays', tags,
      params: memberParams, response: nothing,
    },
  }, async (request, reply) => {
    await team.remove(personOf(request).personId, request.params.shopId, request.params.personId);
    return reply.code(204).send(null);
  });
}

function inviteRoutes(app: App, deps: TeamRoutesDeps): void {
  const { team } = deps;

  app.get('/api/office/shops/:shopId/invitations', {
    schema: {
      operationId: 'listInvitations', summary: 'Invitations that can still be accepted, newest first, always whole',
      tags, params: shopParams, response: { 200: Type.Object({ items: Type.Array(Invitation) }), ...refusals },
    },
  }, async (request) => ({ items: await team.invitations(personOf(request).personId, request.params.shopId) }));

  app.post('/api/office/shops/:shopId/invitations', {
    schema: {
      operationId: 'invite', summary: 'Invite one person by a link, told this once; it lasts seven days', tags,
      params: shopParams, body: InvitationCreate, response: { 201: NewInvitation, ...refusals },
    },
  }, async (request, reply) => {
    const made = await team.invite(personOf(request).personId, request.params.shopId, request.body);
    const url = `${deps.publicUrl ?? originOf(request)}/invite/${made.token}`;
    return reply.code(201).send({ ...made, url });
  });

  app.delete('/api/office/shops/:shopId/invitations/:invitationId', {
    schema: {
      operationId: 'revokeInvitation', summary: 'Take an invitation back', tags, params: invitationParams,
      response: nothing,
    },
  }, async (request, reply) => {
    await team.revoke(personOf(request).personId, request.params.shopId, request.params.invitationId);
    return reply.code(204).send(null);
  });
}

function invitedRoutes(app: App, team: TeamOfShops): void {
  app.get('/api/invitations/:token', {
    schema: {
      operationId: 'getInvitation', summary: 'Who invites, and to what; for whoever has the link', tags: ['shops'],
      params: tokenParams, response: { 200: InvitationView, ...refusals },
    },
  }, async (request) => team.invitation(request.params.token));

  app.post('/api/invitations/:token/accept', {
    schema: {
      operationId: 'acceptInvitation', summary: 'Join the team; the same person again changes nothing',
      tags: ['shops'], params: tokenParams, response: { 200: Membership, ...refusals },
    },
  }, async (request) => team.accept(personOf(request).personId, request.params.token));
}

function originOf(request: FastifyRequest): string {
  return `${request.protocol}://${request.host}`;
}
