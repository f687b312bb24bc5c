/** What hls.js cannot get over by itself: a decoder that gave up, a server that is away. */
import Hls from 'hls.js/light';

/** Shorter asks a server that is away in vain, longer is a dark screen. */
export const tryAgainMs = 2_000;
/** Times in a row that the browser may give up on what it got. */
const maxRepairs = 3;

/**
 * Repairs what can be repaired, and tries again.
 * @returns stops trying
 */
export function getOverErrors(
  hls: Hls,
  on: {
    /** The network or the server is away. */
    away(): void;
    /** `tryAgainMs` later. */
    again(): void;
    /** It cannot be played here. */
    impossible(): void;
  },
): () => void {
  let repairs = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;
  hls.on(Hls.Events.FRAG_BUFFERED, () => {
    repairs = 0;
  });
  hls.on(Hls.Events.ERROR, (_event, { fatal, type }) => {
    if (!fatal) return;
    if (type === Hls.ErrorTypes.MEDIA_ERROR && repairs < maxRepairs) {
      repairs += 1;
      hls.recoverMediaError();
    } else if (type === Hls.ErrorTypes.NETWORK_ERROR) {
      on.away();
      clearTimeout(retry);
      retry = setTimeout(on.again, tryAgainMs);
    } else on.impossible();
  });
  return () => clearTimeout(retry);
}
