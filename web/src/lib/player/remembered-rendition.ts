/** What this browser's person has of shows: picture and sound, the smaller picture or the sound alone to save data. */
import { isLiveRendition, type LiveRendition } from '@nacre/contract/live';

const key = 'nacre.rendition';

/**
 * What was chosen here; before anything was, the sound alone where the browser is set to save data (Save Data API),
 * else the whole.
 */
export function rememberedRendition(): LiveRendition {
  const { connection } = navigator as Navigator & { connection?: { saveData?: boolean } };
  const first = connection?.saveData === true ? 'sound' : 'whole';
  try {
    const chosen = localStorage.getItem(key);
    return isLiveRendition(chosen) ? chosen : first;
  } catch {
    return first;
  }
}

export function rememberRendition(rendition: LiveRendition): void {
  try {
    localStorage.setItem(key, rendition);
  } catch {
    // A browser that keeps nothing begins with the first again.
  }
}
