/** What this browser's person chose to have of shows: picture and sound, or sound alone to save data. */
import type { LiveRendition } from '@nacre/contract/live';

const key = 'nacre.rendition';

/** The whole, unless something else was chosen; also where the browser keeps nothing. */
export function rememberedRendition(): LiveRendition {
  try {
    return localStorage.getItem(key) === 'sound' ? 'sound' : 'whole';
  } catch {
    return 'whole';
  }
}

export function rememberRendition(rendition: LiveRendition): void {
  try {
    if (rendition === 'whole') localStorage.removeItem(key);
    else localStorage.setItem(key, rendition);
  } catch {
    // A browser that keeps nothing begins with the picture again.
  }
}
