/**
 * What business modules may do with the room: say something to it, to one person, and ask how many watch.
 * They import this type and nothing else of realtime.
 */
import type { PersonalEvent, RoomEvent } from '@nacre/contract/realtime';

export interface Channel {
  /**
   * Has everybody in the room told within a tick, in the order of the calls (important kinds first within a frame).
   * Call it after the commit. A room nobody joined hears nothing: who comes later starts from a snapshot.
   */
  publish(room: string, event: RoomEvent): void;
  /** Tells every socket of one person at once. */
  tell(personId: string, event: PersonalEvent): void;
  /** Tells every socket of these people at once; a page of followers in one message of the bus. */
  tellAll(personIds: readonly string[], event: PersonalEvent): void;
  /** Persons and guests in the room now, each counted once. */
  viewers(room: string): number;
  /** Who may be in the room has changed: whoever may not any more is put out. */
  recheck(room: string): Promise<void>;
  /** The same of these viewers alone, as `viewerOf` names them and by the guest they were before. */
  putOut(room: string, names: readonly string[]): Promise<void>;
}

/** Everybody who may see the show. */
export function showRoom(showId: string): string {
  return `show/${showId}`;
}

/** Members of the show's shop who may run it. */
export function studioRoom(showId: string): string {
  return `studio/${showId}`;
}

/** The show that a room belongs to and which of the two it is; null for a name that no room has. */
export function readRoom(room: string): { kind: 'show' | 'studio'; showId: string } | null {
  const found = /^(show|studio)\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(room);
  if (found?.[1] === undefined || found[2] === undefined) return null;
  return { kind: found[1] as 'show' | 'studio', showId: found[2] };
}
