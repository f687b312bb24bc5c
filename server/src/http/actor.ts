/** Who is asking: a signed-in person, or a guest known by a signed cookie of ours. */
import type { FastifyRequest } from 'fastify';
import { Refusal } from '../lib/refusal.ts';

export interface PersonActor {
  kind: 'person';
  personId: string;
  name: string;
  isOperator: boolean;
  /** A demo account; refused before it gets here unless the request comes from the machine itself. */
  isDemo: boolean;
  sessionId: string;
  /** The guest that this browser was before, from the same cookie; absent where it never was one. */
  guestId?: string;
}

export interface GuestActor {
  kind: 'guest';
  /** Random, from the signed cookie `nacre_guest`; new with each request when the browser keeps no cookies. */
  guestId: string;
  /** Made by this very request: whether the browser keeps the cookie is not known, so it must not count as a viewer. */
  isNew?: true;
}

export type Actor = PersonActor | GuestActor;

declare module 'fastify' {
  interface FastifyRequest {
    actor: Actor;
  }
}

/** @throws Refusal `accounts.sign_in_first` for guests. */
export function personOf(request: FastifyRequest): PersonActor {
  if (request.actor.kind !== 'person') throw new Refusal('accounts.sign_in_first');
  return request.actor;
}

/** Null for a guest. */
export function personIdOf(actor: Actor): string | null {
  return actor.kind === 'person' ? actor.personId : null;
}

/** The name under which one viewer counts once, however many tabs: `person/<uuid>` or `guest/<id>`. */
export function viewerOf(
  actor: Pick<PersonActor, 'kind' | 'personId'> | Pick<GuestActor, 'kind' | 'guestId'>,
): string {
  return actor.kind === 'person' ? `person/${actor.personId}` : `guest/${actor.guestId}`;
}

/** All names under which a viewer may have left something: the person's, and that of the guest they were before. */
export function namesOf(actor: Actor): string[] {
  const isOneOnly = actor.kind === 'guest' || actor.guestId === undefined;
  return isOneOnly ? [viewerOf(actor)] : [viewerOf(actor), `guest/${actor.guestId}`];
}
