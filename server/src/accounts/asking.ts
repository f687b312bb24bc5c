/** What the routes of accounts share: who asks, from where, and the answer to "who am I". */
import type { Me } from '@nacre/contract/accounts';
import type { Membership } from '@nacre/contract/team';
import type { FastifyRequest } from 'fastify';
import { networkOf } from '../http/client-network.ts';
import { originOf, type Accounts, type Client } from './accounts.ts';

export interface AccountsRoutesDeps {
  accounts: Accounts;
  /** Shops in which the person works, and as what. */
  membershipsOf(personId: string): Promise<Membership[]>;
  /** Whether codes get to telephones, so that the pages offer them. */
  offersPhone: boolean;
}

export function clientOf(request: FastifyRequest): Client {
  return {
    ...originOf(request),
    ip: networkOf(request.ip),
    isHttps: request.protocol === 'https',
  };
}

export async function meOf(
  { accounts, membershipsOf, offersPhone }: AccountsRoutesDeps, personId: string,
): Promise<Me> {
  const [person, shops] = await Promise.all([accounts.person(personId), membershipsOf(personId)]);
  return { person, shops, offersPhone };
}
