/** What the system does with the picture besides showing it in the page: small window, whole screen, lock screen. */

export interface ScreenTalents {
  pictureInPicture: boolean;
  fullScreen: boolean;
}

/** What this browser lets a page do with this element. */
export function screenTalents(video: HTMLVideoElement): ScreenTalents {
  return {
    pictureInPicture: document.pictureInPictureEnabled === true && 'requestPictureInPicture' in video,
    fullScreen: document.fullscreenEnabled === true,
  };
}

/** Call it from a tap or a key. A refusal (no picture yet, another window has it) leaves everything as it is. */
export async function togglePictureInPicture(video: HTMLVideoElement): Promise<void> {
  try {
    if (document.pictureInPictureElement === video) await document.exitPictureInPicture();
    else await video.requestPictureInPicture();
  } catch {
    // The person sees that nothing happened, and the picture goes on where it is.
  }
}

/** As above. What lies over the picture goes along with it. */
export async function toggleFullScreen(stage: HTMLElement): Promise<void> {
  try {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await stage.requestFullscreen();
  } catch {
    // As above.
  }
}

/** Names the show on the lock screen and takes its buttons (W3C Media Session). Returns the way out. */
export function tellSystem(
  show: { title: string; artist: string; artwork: string | undefined },
  buttons: { play: () => void; pause: () => void },
): () => void {
  const session = navigator.mediaSession as MediaSession | undefined;
  if (!session || typeof MediaMetadata === 'undefined') return () => undefined;
  const { title, artist, artwork } = show;
  session.metadata = new MediaMetadata({ title, artist, artwork: artwork === undefined ? [] : [{ src: artwork }] });
  session.setActionHandler('play', buttons.play);
  session.setActionHandler('pause', buttons.pause);
  return () => {
    session.metadata = null;
    session.setActionHandler('play', null);
    session.setActionHandler('pause', null);
  };
}
