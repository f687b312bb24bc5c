/** Calls about the team of a shop, by their verb. Each throws an ApiError when refused. */
import type {
  Invitation,
  InvitationCreate,
  Membership,
  NewInvitation,
  ShopRole,
  Team,
  TeamMember,
} from '@nacre/contract/team';
import { api, ask } from '#lib/api.ts';

export const loadTeam = (shopId: string): Promise<Team> =>
  ask(api.GET('/api/office/shops/{shopId}/team', { params: { path: { shopId } } }));

export const changeRole = (shopId: string, personId: string, role: ShopRole): Promise<TeamMember> =>
  ask(
    api.PATCH('/api/office/shops/{shopId}/team/{personId}', {
      params: { path: { shopId, personId } },
      body: { role },
    }),
  );

export async function removeMember(shopId: string, personId: string): Promise<void> {
  await ask(api.DELETE('/api/office/shops/{shopId}/team/{personId}', { params: { path: { shopId, personId } } }));
}

export async function listInvitations(shopId: string): Promise<Invitation[]> {
  const answer: { items: Invitation[] } = await ask(
    api.GET('/api/office/shops/{shopId}/invitations', { params: { path: { shopId } } }),
  );
  return answer.items;
}

/** The link in the answer is told this once. */
export const invite = (shopId: string, body: InvitationCreate): Promise<NewInvitation> =>
  ask(api.POST('/api/office/shops/{shopId}/invitations', { params: { path: { shopId } }, body }));

export async function revokeInvitation(shopId: string, invitationId: string): Promise<void> {
  const path = { shopId, invitationId };
  await ask(api.DELETE('/api/office/shops/{shopId}/invitations/{invitationId}', { params: { path } }));
}

export const acceptInvitation = (token: string): Promise<Membership> =>
  ask(api.POST('/api/invitations/{token}/accept', { params: { path: { token } } }));
