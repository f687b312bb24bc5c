/**
 * Which publishing session belongs to which show, how ended ones ended, and which shows have a picture.
 *
 * Follows the media supervisor's events; holds nothing that the media process does not hold too, so it is empty after a
 * restart of the server, and a session of before is simply unknown then.
 */
import type { MediaEvent, StreamDownReason } from '@nacre/media/hooks';

/** Fewer forget why a session ended before its publisher asks; more is memory for answers that nobody wants. */
const endedSessionsKept = 1_000;

export interface PublishingSessions {
  opened(session: { sessionId: string; showId: string; /** Of the offer. */ iceUfrag: string | null }): void;
  onMediaEvent(event: MediaEvent): void;
  isOf(sessionId: string, showId: string): boolean;
  iceUfrag(sessionId: string): string | null;
  /** Null when the session lives or was never heard of. */
  endedBecause(sessionId: string): StreamDownReason | null;
  of(showId: string): string[];
}

export function createPublishingSessions(deps: {
  /** The first picture of a show that had none. Not called again on a takeover. */
  onPictureUp: (showId: string) => void;
  /** The picture is gone. Not called when another publisher takes over. */
  onPictureDown: (showId: string, reason: StreamDownReason) => void;
}): PublishingSessions {
  const open = new Map<string, { showId: string; iceUfrag: string | null }>();
  const ended = new Map<string, StreamDownReason>();
  /**
   * Shows with a picture → the session it comes from; null between a takeover and the new publisher's first picture.
   */
  const pictures = new Map<string, string | null>();

  function onDown(event: MediaEvent & { type: 'down' }): void {
    open.delete(event.sessionId);
    ended.set(event.sessionId, event.reason);
    const [oldest] = ended.keys();
    if (ended.size > endedSessionsKept && oldest !== undefined) ended.delete(oldest);
    const current = pictures.get(event.streamId);
    if (current === undefined || (current !== null && current !== event.sessionId)) return;
    if (event.reason === 'replaced') {
      pictures.set(event.streamId, null);
      return;
    }
    pictures.delete(event.streamId);
    deps.onPictureDown(event.streamId, event.reason);
  }

  return {
    opened({ sessionId, showId, iceUfrag }) {
      if (!ended.has(sessionId)) open.set(sessionId, { showId, iceUfrag });
    },
    onMediaEvent(event) {
      if (event.type === 'down') onDown(event);
      if (event.type !== 'init') return;
      const hadPicture = pictures.has(event.streamId);
      pictures.set(event.streamId, event.sessionId);
      if (!hadPicture) deps.onPictureUp(event.streamId);
    },
    isOf: (sessionId, showId) => open.get(sessionId)?.showId === showId,
    iceUfrag: (sessionId) => open.get(sessionId)?.iceUfrag ?? null,
    endedBecause: (sessionId) => ended.get(sessionId) ?? null,
    of: (showId) => [...open].filter(([, session]) => session.showId === showId).map(([sessionId]) => sessionId),
  };
}
